"""The other two modes of what becomes of a copy whose episode has ended."""

from __future__ import annotations

from livnd._proto import pb
from livnd.conformance.cases import NotOffered, expect_equal, expect_refused, expect_same_bits
from livnd.conformance.subject import Answer, Driven, Subject
from livnd.tensors import decode


def _ended(session: Driven, number: int = 0) -> Answer:
    told = session.step(number)
    if told["terminated"].any():
        raise NotOffered("an episode of the environment has ended by itself")
    return told


def with_disabled_an_ended_copy_has_to_be_reset(server: Subject) -> None:
    """With DISABLED a Step where a copy's episode has ended is FAILED_PRECONDITION / EPISODE_ENDED,
    until it is reset.
    """
    session = server.session(2, max_episode_steps=2, autoreset_mode=pb.AUTORESET_MODE_DISABLED)
    session.reset([1, 2])
    _ended(session)
    session.reset([3, 0], [True, False])
    expect_equal("truncated", _ended(session)["truncated"].tolist(), [False, True])
    before = session.position()
    expect_refused("Step", session.step, "FAILED_PRECONDITION", "EPISODE_ENDED")
    expect_equal("Observe afterwards", session.position(), before)
    session.reset([0, 4], [False, True])
    expect_equal("truncated", _ended(session)["truncated"].tolist(), [True, False])


def with_same_step_the_last_step_begins_the_next_episode(server: Subject) -> None:
    """With SAME_STEP the Step that ends a copy's episode answers its reward and flags, the next
    one's first observation, and in final_observations and final_infos a row for each copy that
    ended; it is a Step and a Reset with DISABLED in one.
    """
    mode = pb.AUTORESET_MODE_SAME_STEP
    session = server.session(2, max_episode_steps=2, autoreset_mode=mode)
    by_hand = server.session(2, max_episode_steps=2, autoreset_mode=pb.AUTORESET_MODE_DISABLED)
    for each in (session, by_hand):
        each.reset([1, 2])
        _ended(each)
        each.reset([3, 0], [True, False])
    for number in range(5):
        request = session.step_request(session.actions(number))
        response = server.call("Step", request)
        got = session.operate("Step", request)  # a repeat: the same answer, as arrays
        wanted = _ended(by_hand, number)
        ended = wanted["truncated"]
        expect_equal("truncated", got["truncated"].tolist(), ended.tolist())
        expect_equal("rewards", got["rewards"].tolist(), wanted["rewards"].tolist())
        expect_equal("began", got["began"].tolist(), ended.tolist())
        num_ended = int(ended.sum())
        for kind, finals, specs in (
            ("observation", response.final_observations, server.spec.observations),
            ("info", response.final_infos, server.spec.infos),
        ):
            expect_equal(f"final {kind}s", len(finals), len(specs) if num_ended else 0)
            for tensor, spec in zip(finals, specs if num_ended else (), strict=True):
                name = f"{kind} {spec.name}"
                final = {name: decode(tensor)}
                expect_same_bits(f"final {name}", final, {name: wanted[name][ended]})
        if num_ended:
            wanted = by_hand.reset(got["episode_seeds"].tolist(), ended.tolist())
        shown = [name for name in wanted if name.startswith("observation ")]
        expect_same_bits("what is shown", {n: got[n] for n in shown}, {n: wanted[n] for n in shown})
