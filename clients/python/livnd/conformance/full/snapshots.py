"""Going back and branching: Snapshot, Restore, Fork."""

from __future__ import annotations

import uuid

from livnd._proto import pb
from livnd.conformance.cases import NotOffered, expect_equal, expect_refused, expect_same_bits
from livnd.conformance.subject import Answer, Driven, Subject


def _story(session: Driven, num_steps: int = 4) -> list[Answer]:
    return [session.step(number) for number in range(num_steps)]


def _expect_same_story(what: str, got: list[Answer], wanted: list[Answer]) -> None:
    for step, (one, other) in enumerate(zip(got, wanted, strict=True)):
        expect_same_bits(f"{what}, step {step}", one, other)


def _begun(server: Subject, num_envs: int = 2) -> Driven:
    if not server.spec.deterministic:
        raise NotOffered("the environment is not deterministic")
    session = server.session(num_envs)
    session.reset(range(1, num_envs + 1))
    session.step(9)
    return session


def _snapshot(session: Driven) -> bytes:
    request = pb.SnapshotRequest(session=session.name)
    return session.subject.call("Snapshot", request).snapshot


def a_snapshot_brings_a_session_back(server: Subject) -> None:
    """After Restore a session goes on with the bits of what followed the Snapshot, and an unseeded
    Reset with the same seeds.
    """
    session = _begun(server)
    snapshot = _snapshot(session)
    wanted = [*_story(session), session.reset()]
    request = pb.RestoreRequest(
        session=session.name, op_index=session.next_op_index, snapshot=snapshot
    )
    expect_equal("Restore: op_index", server.call("Restore", request).op_index, request.op_index)
    session.next_op_index += 1
    _expect_same_story("after Restore", [*_story(session), session.reset()], wanted)


def a_snapshot_begins_another_session(server: Subject) -> None:
    """A session that is made with a snapshot goes on as the one that it was taken of; copy_of says
    which copies become which.
    """
    session = _begun(server)
    snapshot = _snapshot(session)
    wanted = _story(session)
    other = server.session(2, snapshot=snapshot)
    _expect_same_story("a session with the snapshot", _story(other), wanted)
    other = server.session(2, snapshot=snapshot, copy_of=[1, 1])
    told = other.observe()["episode_seeds"].tolist()
    expect_equal("episode_seeds of copies of copy 1", told, [2, 2])


def a_fork_goes_on_by_itself(server: Subject) -> None:
    """Sessions of a Fork begin where the session is; what one does changes no other."""
    session = _begun(server)
    request = pb.ForkRequest(request_id=uuid.uuid4().hex, session=session.name, num_sessions=2)
    made = server.call("Fork", request).sessions
    expect_equal(
        "the sessions of a repeat", list(server.call("Fork", request).sessions), list(made)
    )
    forks = [Driven(server, answer) for answer in made]
    try:
        forks[0].step(17)
        wanted = _story(session)
        _expect_same_story("the other fork", _story(forks[1]), wanted)
    finally:
        for fork in forks:
            server.call("DeleteSession", pb.DeleteSessionRequest(session=fork.name))


def a_damaged_snapshot_is_refused(server: Subject) -> None:
    """Restore of bytes that are no snapshot, or of one with a bit turned, is INVALID_ARGUMENT /
    INVALID_FIELD, and changes nothing.
    """
    session = _begun(server)
    snapshot = _snapshot(session)
    before = session.position()
    turned = bytearray(snapshot)
    turned[len(turned) // 2] ^= 16
    for what, damaged in (
        ("no snapshot", b"no snapshot"),
        ("half a snapshot", snapshot[: len(snapshot) // 2]),
        ("a bit turned", bytes(turned)),
    ):
        request = pb.RestoreRequest(
            session=session.name, op_index=session.next_op_index, snapshot=damaged
        )
        expect_refused(
            what,
            lambda request=request: server.call("Restore", request),
            "INVALID_ARGUMENT",
            "INVALID_FIELD",
            "snapshot",
        )
    expect_equal("Observe afterwards", session.position(), before)
    session.step()
