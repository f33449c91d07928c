"""Exactly once: what an op_index is for."""

from __future__ import annotations

from livnd.conformance.cases import expect_equal, expect_refused
from livnd.conformance.subject import Driven, Subject


def _begun(server: Subject) -> Driven:
    session = server.session(2)
    session.reset([11, 12])
    session.step(1)
    return session


def a_repeat_is_answered_again(server: Subject) -> None:
    """The last operation again, with the same payload, has the same answer and is not done again;
    what follows is what follows without the repeat.
    """
    undisturbed, session = _begun(server), _begun(server)
    for repeated in (undisturbed, session):
        request = repeated.step_request(repeated.actions(2))
        first = server.call("Step", request)
        if repeated is session:
            for _ in range(2):
                again = server.call("Step", request)
                expect_equal("the repeat's answer", again, first)
        repeated.next_op_index += 1
    before = undisturbed.position()
    expect_equal("Observe after the repeats", session.position(), before)
    expect_equal(
        "rewards", session.step(3)["rewards"].tolist(), undisturbed.step(3)["rewards"].tolist()
    )


def a_reset_is_repeated_too(server: Subject) -> None:
    """Reset again, with the same payload, has the same answer: the same seeds where none were
    given.
    """
    session = server.session(2)
    request = session.reset_request()
    first = server.call("Reset", request)
    expect_equal("the repeat's answer", server.call("Reset", request), first)
    session.next_op_index += 1
    session.step(1)


def an_index_has_one_payload(server: Subject) -> None:
    """The last index with another payload is INVALID_ARGUMENT / PAYLOAD_MISMATCH, and changes
    nothing.
    """
    session = _begun(server)
    before = session.position()
    last = session.next_op_index - 1
    expect_refused(
        "another Step with the last index",
        lambda: server.call("Step", session.step_request(session.actions(5), last)),
        "INVALID_ARGUMENT",
        "PAYLOAD_MISMATCH",
    )
    reset = session.reset_request([1, 2])
    reset.op_index = last
    expect_refused(
        "a Reset with the Step's index",
        lambda: server.call("Reset", reset),
        "INVALID_ARGUMENT",
        "PAYLOAD_MISMATCH",
    )
    expect_equal("Observe afterwards", session.position(), before)
    session.step(2)


def other_indices_are_refused(server: Subject) -> None:
    """Any other index is FAILED_PRECONDITION / WRONG_OP_INDEX, with the right one as `expected`,
    and changes nothing.
    """
    session = _begun(server)
    before = session.position()
    right = session.next_op_index
    for index in (0, -1, right + 1, right + 1000, right - 2):
        expect_refused(
            f"op_index {index} where {right} is next",
            lambda index=index: server.call("Step", session.step_request(op_index=index)),
            "FAILED_PRECONDITION",
            "WRONG_OP_INDEX",
            expected=str(right),
        )
    expect_equal("Observe afterwards", session.position(), before)
    session.step(2)


def what_is_refused_uses_no_index(server: Subject) -> None:
    """A Step that is refused for its actions leaves its index to the next one, which may have
    other actions.
    """
    session = _begun(server)
    request = session.step_request()
    del request.actions[:]
    expect_refused(
        "a Step without actions",
        lambda: server.call("Step", request),
        "INVALID_ARGUMENT",
        "INVALID_FIELD",
        "actions",
    )
    session.step(2)


def an_observation_is_no_operation(server: Subject) -> None:
    """Observe shows what the last operation did, as often as it is asked, and takes no index."""
    session = _begun(server)
    first = session.position()
    expect_equal("the next Observe", session.position(), first)
    expect_equal("next_op_index", first.next_op_index, session.next_op_index)
    session.step(2)
