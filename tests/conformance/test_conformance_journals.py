"""What was answered is done, whatever happens to the server's process, and the session goes on.

Nothing that was acknowledged may be lost in any case of this file. An operation without an answer
may have been done or not; never twice.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator

import livnd
import numpy as np
import pytest
import xxhash
from livnd import CultureStimulus
from livnd._proto import pb
from serving import LIVND, ROOT, SYSTEMS, TASK, Serve

from conformance.drivers import Refused
from conformance.steps import actions_of, assert_same, steps

NULL = "Null-v0"
PUSH = CultureStimulus(
    "current_na", 0.4 * np.sin(np.arange(80.0))[:, np.newaxis], 0.5, [(0, 0)], timing="exact"
)


@pytest.fixture
def own() -> Iterator[Serve]:
    """A server that a case may kill."""
    with Serve("--bench-environments", "--threads", "2") as server:
        yield server


def refused(call) -> Refused:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value


def replay(journal, *flags: str, systems=SYSTEMS) -> tuple[int, dict]:
    done = subprocess.run(
        [LIVND, "replay", journal, "--systems", systems, "--json", *flags],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


# --- kill -9 --------------------------------------------------------------------------------------


@pytest.mark.parametrize("environment_id", [TASK, NULL])
def test_a_killed_server_comes_back_and_nobody_notices(connect, client, own, environment_id):
    undisturbed = client.session(environment_id, 2)
    expected = [undisturbed.reset([1, None]), *steps(undisturbed, 0, 6)]
    session = connect(own.address).session(environment_id, 2)
    told = [session.reset([1, None])]
    # The seed of the copy that got none was drawn, and differs.
    for name in told[0]:
        assert told[0][name][:1].tobytes() == expected[0][name][:1].tobytes(), name
    first = steps(session, 0, 3)
    own.kill()
    own.start()
    seen = session.observe()
    assert seen["observations"].tobytes() == first[-1]["observations"].tobytes()
    rest = steps(session, 3, 6)
    for got, wanted in zip([*first, *rest], expected[1:], strict=True):
        for name in wanted:
            assert got[name][:1].tobytes() == wanted[name][:1].tobytes(), name
    # Once more, and the same again: in memory as from the journal.
    snapshot = session.snapshot()
    more = steps(session, 6, 8)
    own.kill()
    own.start()
    assert session.next_op_index == 10
    session.restore(snapshot)
    assert_same(steps(session, 6, 8), more)
    own.kill()
    own.start()
    steps(session, 8, 9)


def test_a_culture_comes_back_in_the_middle_of_a_stimulus(connect, client, own):
    told = []
    for place, disturb in ((client, False), (connect(own.address), True)):
        culture = place.culture("EI-mini", 2)
        culture.configure(params={"noise-std_e": 2.0}, dt_ms=0.05, plasticity_on=True, spikes=True)
        culture.clear([5, 6])
        of_place = [culture.run(12.3, [PUSH])]
        for _ in range(2):
            if disturb:
                own.kill()
                own.start()
            of_place.append(culture.run(15.0))
        of_place.append(culture.describe(learned_weights=True))
        told.append(of_place)
    assert_same(told[1], told[0])


def test_what_comes_after_a_restart_is_what_comes_without(connect, own):
    """Copies that got no seed draw theirs from what the server has written down."""
    session = connect(own.address).session(TASK, 2)
    snapshot = session.snapshot()
    first = session.reset()
    session.restore(snapshot)
    own.kill()
    own.start()
    assert_same([session.reset()], [first])


def test_a_repeat_after_a_restart_is_answered_as_before(own):
    with livnd.connect(own.address) as client:
        session = client.create_session(NULL, 2)
        session.reset([1, 2])
        step = pb.StepRequest(session=session.name, op_index=2)
        step.actions.append(session._encode_action(session.spec.actions[0], np.full((2, 8), 0.5)))
        answer = client.call("Step", step)
        own.kill()
        own.start()
        assert client.call("Step", step) == answer
        own.kill()
        own.start()
        step.generation = 1  # of whom it is does not matter
        assert client.call("Step", step) == answer
        step.actions[0].data = bytes(64)
        with pytest.raises(livnd.errors.PayloadMismatchError):
            client.call("Step", step)
        # A creation too.
        made = client.create_session(NULL, 1, request_id="wish")
        own.kill()
        own.start()
        assert client.create_session(NULL, 1, request_id="wish").name == made.name
        with pytest.raises(livnd.errors.PayloadMismatchError):
            client.create_session(NULL, 2, request_id="wish")


def test_forks_and_restored_sessions_come_back(connect, own):
    client = connect(own.address)
    session = client.session(TASK, 2)
    session.reset([1, 2])
    steps(session, 0, 2)
    forks = session.fork(2)
    made = client.session(TASK, 1, snapshot=session.snapshot([1]))
    own.kill()
    own.start()
    expected = steps(session, 2, 4)
    for fork in forks:
        assert_same(steps(fork, 2, 4), expected)
    assert made.snapshot() != session.snapshot([1])
    assert made.snapshot() == client.session(TASK, 1, snapshot=made.snapshot()).snapshot()


def test_what_was_deleted_stays_so(connect, own):
    client = connect(own.address, retry_s=5.0)
    session, other = client.session(NULL), client.session(NULL)
    assert len(own.journals) == 2
    session.close()
    assert len(own.journals) == 1
    own.kill()
    own.start()
    assert len(own.journals) == 1
    other.reset([1])


# --- leases ---------------------------------------------------------------------------------------


def until(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def parked(server: Serve) -> bool:
    """Whether its only session is on the disk: the head of the journal says so."""
    (journal,) = server.journals
    code, told = replay(journal)
    return code == 0 and told["operations"] == 0


def test_an_idle_session_leaves_the_memory_and_comes_back(connect):
    """One that nobody holds: what a client holds stays, see test_conformance_leases.py."""
    with Serve("--lease", "200ms", "--bench-environments", "--max-sessions", "1") as server:
        client = connect(server.address)
        session = client.session(TASK, 2)
        session.reset([1, 2])
        first = steps(session, 0, 2)
        name = session.detach()
        until(lambda: parked(server))
        time.sleep(0.3)
        session = client.attach(name)
        seen = session.observe()
        assert seen["observations"].tobytes() == first[-1]["observations"].tobytes()
        steps(session, 2, 3)
        # Its place in memory is another's meanwhile.
        session.detach()
        until(lambda: parked(server))
        time.sleep(0.5)
        other = client.session(NULL)
        assert refused(lambda: client.attach(name)).reason == "TOO_MANY_SESSIONS"
        other.close()
        session = client.attach(name)
        steps(session, 3, 4)
        session.detach()
        until(lambda: parked(server))
        server.kill()
        server.start()
        session = client.attach(name)
        steps(session, 4, 5)
        session.detach()
        until(lambda: parked(server))
        time.sleep(0.5)
        client.attach(name).close()
        assert not server.journals


def test_what_nobody_calls_for_long_is_deleted(connect):
    with Serve("--lease", "100ms", "--session-retention", "1s", "--bench-environments") as server:
        client = connect(server.address)
        session = client.session(NULL)
        session.reset([1])
        name = session.detach()
        until(lambda: not server.journals)
        told = refused(lambda: client.attach(name))
        assert (told.code, told.reason) == ("NOT_FOUND", "UNKNOWN_SESSION")


# --- other holders --------------------------------------------------------------------------------


def test_who_attaches_goes_on_and_shuts_the_others_out(connect, own):
    first, second = connect(own.address), connect(own.address)
    session = first.session(TASK, 2)
    session.reset([1, 2])
    before = steps(session, 0, 2)
    taken = second.attach(session.name)
    assert taken.next_op_index == 4
    assert taken.observe()["observations"].tobytes() == before[-1]["observations"].tobytes()
    told = refused(lambda: session.step(session.actions(0)))
    assert (told.code, told.reason) == ("ABORTED", "SUPERSEDED")
    assert told.metadata["expected"] == "2" and not told.in_doubt
    steps(taken, 2, 3)
    session.close()  # which is not the new holder's
    steps(taken, 3, 4)
    own.kill()
    own.start()
    assert refused(lambda: session.step(session.actions(0))).reason in (
        "SUPERSEDED",
        "UNKNOWN_SESSION",
    )
    steps(taken, 4, 5)
    third = second.attach(taken.name)
    steps(third, 5, 6)
    assert refused(lambda: steps(taken, 5, 6)).metadata["expected"] == "3"
    assert refused(lambda: second.attach("nobody")).reason == "UNKNOWN_SESSION"


# --- disks ----------------------------------------------------------------------------------------


def limit_files(server: Serve, most_bytes: int) -> None:
    """As a full disk does: what would make a file longer than this fails."""
    _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (most_bytes, hard))


def serves(server: Serve) -> bool:
    """What its health says."""
    return subprocess.run([LIVND, "health", server.address], capture_output=True).returncode == 0


def test_a_full_disk_refuses_and_loses_nothing(connect, client, own):
    undisturbed = client.session(TASK, 1)
    undisturbed.reset([1])
    expected = steps(undisturbed, 0, 3)
    place = connect(own.address, retry_s=0.0)
    session = place.session(TASK, 1)
    limit_files(own, 0)
    told = refused(lambda: session.reset([1]))
    assert (told.code, told.reason) == ("RESOURCE_EXHAUSTED", "STATE_NOT_WRITTEN")
    assert not told.in_doubt
    told = refused(lambda: place.session(TASK, 1))
    assert (told.code, told.reason) == ("RESOURCE_EXHAUSTED", "STATE_NOT_WRITTEN")
    until(lambda: not serves(own))
    limit_files(own, resource.RLIM_INFINITY)
    until(lambda: serves(own))
    session.reset([1])
    assert_same(steps(session, 0, 1), expected[:1])
    # Room was found before, but the disk takes nothing any more: done, and not yet answered.
    limit_files(own, 0)
    actions = actions_of(session, 1)
    told = refused(lambda: session.step(actions))
    assert (told.code, told.reason) == ("UNAVAILABLE", "STATE_NOT_WRITTEN")
    assert told.in_doubt
    limit_files(own, resource.RLIM_INFINITY)
    assert_same([session.step(actions)], expected[1:2])
    own.kill()
    own.start()
    place = connect(own.address)
    assert_same(steps(place.attach(session.name), 2, 3), expected[2:])


@pytest.mark.parametrize("durability", ["process", "power"])
def test_both_durabilities_keep_what_was_answered(connect, durability):
    with Serve("--durability", durability, "--bench-environments") as server:
        client = connect(server.address)
        session = client.session(NULL, 2)
        session.reset([1, 2])
        first = steps(session, 0, 20)
        server.kill()
        server.start()
        assert session.observe()["observations"].tobytes() == first[-1]["observations"].tobytes()
        steps(session, 20, 22)
        assert server.terminate() == 0
        server.start()
        steps(session, 22, 23)


def flip(path, place: int) -> None:
    bytes_ = bytearray(path.read_bytes())
    bytes_[place] ^= 0x10
    path.write_bytes(bytes_)


def test_damaged_journals_are_kept_and_refused_and_the_others_go_on(connect, own):
    client = connect(own.address)
    session, other = client.session(NULL), client.session(NULL)
    for each in (session, other):
        each.reset([1])
        steps(each, 0, 3)
    own.kill()
    (journal,) = (path for path in own.journals if path.stem == session.name)
    whole = journal.read_bytes()
    for place in (3, 20, 200, len(whole.rstrip(b"\0")) // 2):
        flip(journal, place)
        own.start()
        told = refused(lambda: client.attach(session.name))
        assert (told.code, told.reason) == ("NOT_FOUND", "UNKNOWN_SESSION"), told
        assert "journal" in told.message
        other.observe()
        code, said = replay(journal)
        assert code == 1 and "error" in said
        own.kill()
        assert journal.exists()
        journal.write_bytes(whole)
    # What a crash leaves of a write that nobody was told of.
    end = len(whole.rstrip(b"\0"))
    for tail in (b"\x40", b"\x40\0\0\0abcd\x12\x05"):
        journal.write_bytes(whole[:end] + tail)
        own.start()
        assert session.observe()["episodes"][0] == 1
        own.kill()
    own.start()
    steps(session, 3, 4)


def test_journals_of_other_systems_are_kept_and_refused(connect, tmp_path):
    shutil.copytree(SYSTEMS / "EI-mini", tmp_path / "EI-mini")
    graph = tmp_path / "EI-mini/graph.json"
    before = graph.read_bytes()
    with Serve(systems=tmp_path) as server:
        session = connect(server.address).culture("EI-mini")
        session.clear([1])
        session.run(3.0)
        server.kill()
        graph.write_bytes(before + b"\n")
        server.start()
        other = connect(server.address)
        told = refused(lambda: other.attach(session.name))
        assert (told.code, told.reason) == ("NOT_FOUND", "UNKNOWN_SESSION")
        assert "system_sha256" in told.message
        code, said = replay(server.journals[0], systems=tmp_path)
        assert code == 1 and "system_sha256" in said["error"]
        server.kill()
        graph.write_bytes(before)
        server.start()
        session.run(1.0)


# --- replay ---------------------------------------------------------------------------------------


def test_a_journal_gives_again_what_it_gave(connect, own):
    client = connect(own.address)
    session = client.session(TASK, 2)
    session.reset([1, None])
    steps(session, 0, 4)
    own.kill()
    (journal,) = own.journals
    code, told = replay(journal, "--threads", "1")
    assert code == 0, told
    assert (told["operations"], told["same"], told["torn"]) == (5, 5, False)
    assert told["environment_id"] == TASK and told["num_envs"] == 2
    assert 0 < told["bytes_per_operation"] < 2000
    code, told = replay(journal, systems=ROOT / "tests/data/systems")
    assert code == 1 and TASK in told["error"]


def test_the_first_answer_that_differs_is_named(connect, own):
    session = connect(own.address).session(NULL, 2)
    session.reset([1, 2])
    steps(session, 0, 4)
    own.kill()
    (journal,) = own.journals
    # Another observation was told then: its digest is another one.
    file = journal.read_bytes()
    changed, at = bytearray(file[:8]), 8
    while size := int.from_bytes(file[at : at + 4], "little"):
        body = file[at + 8 : at + 8 + size]
        record = pb.JournalRecord.FromString(body)
        if record.operation.method == pb.JOURNAL_METHOD_STEP:
            record.operation.digests[1] ^= 1
            body = record.SerializeToString(deterministic=True)
        changed += framed(body)
        at += 8 + size
    journal.write_bytes(changed)
    code, told = replay(journal)
    assert code == 1
    assert told["error"].startswith("operation 2: observations[0]"), told


def framed(body: bytes) -> bytes:
    checksum = xxhash.xxh3_64_intdigest(body) & 0xFFFFFFFF
    return len(body).to_bytes(4, "little") + checksum.to_bytes(4, "little") + body
