"""How a session begins and ends."""

from __future__ import annotations

import uuid

from livnd._proto import pb
from livnd.conformance.cases import expect, expect_equal, expect_refused
from livnd.conformance.subject import Subject


def a_session_is_told_as_it_was_made(server: Subject) -> None:
    """CreateSession answers a name, the copies, NEXT_STEP where no mode is asked for, the
    environment, and 1 as the next op_index; no two sessions have one name.
    """
    made = [server.create(3), server.create(1)]
    expect(made[0].session, "the session has no name")
    expect(made[0].session != made[1].session, "two sessions have one name")
    expect_equal("num_envs", made[0].num_envs, 3)
    expect_equal("autoreset_mode", made[0].autoreset_mode, pb.AUTORESET_MODE_NEXT_STEP)
    expect_equal("next_op_index", made[0].next_op_index, 1)
    expect(made[0].environment == server.message, "the environment is not the one described")


def a_request_for_a_session_may_be_repeated(server: Subject) -> None:
    """CreateSession again with the same request_id and payload answers the same session."""
    request_id = uuid.uuid4().hex
    first = server.create(2, request_id=request_id)
    again = server.create(2, request_id=request_id)
    expect_equal("the session of the repeat", again.session, first.session)


def a_request_id_is_of_one_session(server: Subject) -> None:
    """CreateSession with a used request_id and another payload is INVALID_ARGUMENT /
    PAYLOAD_MISMATCH.
    """
    request_id = uuid.uuid4().hex
    server.create(2, request_id=request_id)
    expect_refused(
        "another payload",
        lambda: server.create(3, request_id=request_id),
        "INVALID_ARGUMENT",
        "PAYLOAD_MISMATCH",
    )


def a_session_has_a_request_id(server: Subject) -> None:
    """CreateSession without a request_id is INVALID_ARGUMENT / INVALID_FIELD of request_id."""
    expect_refused(
        "no request_id",
        lambda: server.create(1, request_id=""),
        "INVALID_ARGUMENT",
        "INVALID_FIELD",
        "request_id",
    )


def copies_are_counted(server: Subject) -> None:
    """CreateSession of no copies or fewer is INVALID_FIELD of num_envs; of more than
    max_envs_per_session it is refused, too.
    """
    for num_envs in (0, -1):
        expect_refused(
            f"num_envs {num_envs}",
            lambda num_envs=num_envs: server.create(num_envs),
            "INVALID_ARGUMENT",
            "INVALID_FIELD",
            "num_envs",
        )
    most = server.info.max_envs_per_session
    if most < 2**31 - 1:
        expect_refused(
            f"num_envs {most + 1}",
            lambda: server.create(most + 1),
            "RESOURCE_EXHAUSTED",
            "TOO_MANY_ENVS",
        )


def an_unknown_environment_makes_no_session(server: Subject) -> None:
    """CreateSession on an id that is not there is NOT_FOUND / UNKNOWN_ENVIRONMENT."""
    expect_refused(
        "CreateSession",
        lambda: server.create(1, environment_id="NoSuchTask-v0"),
        "NOT_FOUND",
        "UNKNOWN_ENVIRONMENT",
    )


def an_unknown_session_is_refused(server: Subject) -> None:
    """Reset, Step and Observe of a name that is no session's are NOT_FOUND / UNKNOWN_SESSION."""
    name = uuid.uuid4().hex
    for method, request in (
        ("Reset", pb.ResetRequest(session=name, op_index=1)),
        ("Step", pb.StepRequest(session=name, op_index=1)),
        ("Observe", pb.ObserveRequest(session=name)),
    ):
        expect_refused(
            method,
            lambda method=method, request=request: server.call(method, request),
            "NOT_FOUND",
            "UNKNOWN_SESSION",
        )


def a_deleted_session_is_gone(server: Subject) -> None:
    """After DeleteSession nothing finds the session; to delete it again is UNKNOWN_SESSION unless
    allow_missing is set.
    """
    session = server.session(1)
    session.reset([1])
    server.call("DeleteSession", pb.DeleteSessionRequest(session=session.name))
    expect_refused("Step", session.step, "NOT_FOUND", "UNKNOWN_SESSION")
    expect_refused("Observe", session.observe, "NOT_FOUND", "UNKNOWN_SESSION")
    request = pb.DeleteSessionRequest(session=session.name)
    expect_refused(
        "DeleteSession",
        lambda: server.call("DeleteSession", request),
        "NOT_FOUND",
        "UNKNOWN_SESSION",
    )
    request.allow_missing = True
    server.call("DeleteSession", request)


def a_message_is_one(server: Subject) -> None:
    """Bytes that are no CreateSessionRequest are INVALID_ARGUMENT / MALFORMED_MESSAGE."""
    expect_refused(
        "bytes that are no message",
        lambda: server.call("CreateSession", b"\xff\xff\xff"),
        "INVALID_ARGUMENT",
        "MALFORMED_MESSAGE",
    )
