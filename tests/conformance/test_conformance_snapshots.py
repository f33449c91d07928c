"""Snapshots: whoever restores one goes on with its bits, and nothing else is taken for one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import numpy as np
import pytest
from livnd import CultureStimulus, SeriesSelection
from serving import SYSTEMS, TASK, Serve

from conformance.drivers import Client, Culture, Refused
from conformance.steps import assert_same, steps

NULL = "Null-v0"


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Serve]:
    """Another process, with another number of threads."""
    with Serve("--bench-environments", "--threads", "1") as server:
        yield server


@pytest.mark.parametrize("environment_id", [TASK, NULL])
def test_a_session_goes_back_to_what_it_was(client: Client, environment_id: str):
    session = client.session(environment_id, 2)
    session.reset([1, 2])
    steps(session, 0, 3)
    snapshot = session.snapshot()
    observed = session.observe()
    expected = steps(session, 3, 8)
    session.reset([7, 8])
    session.restore(snapshot)
    assert_same([session.observe()], [observed])
    assert_same(steps(session, 3, 8), expected)
    session.close()


@pytest.mark.parametrize("environment_id", [TASK, NULL])
def test_a_snapshot_is_taken_by_every_client_and_server(
    all_drivers, server, elsewhere, environment_id
):
    clients = [
        driver.connect(place.address) for place in (server, elsewhere) for driver in all_drivers
    ]
    first = clients[0].session(environment_id, 2)
    first.reset([1, 2])
    steps(first, 0, 2)
    snapshots = {first.snapshot()}
    expected = steps(first, 2, 6)
    (snapshot,) = snapshots
    for client in clients:
        session = client.session(environment_id, 2, snapshot=snapshot)
        assert session.next_op_index == 1
        snapshots.add(session.snapshot())
        assert_same(steps(session, 2, 6), expected)
    assert len(snapshots) == 1  # the bytes are canonical
    for client in clients:
        client.close()


def test_copies_change_places_and_numbers(client: Client):
    session = client.session(TASK, 3)
    session.reset([1, 2, 3])
    steps(session, 0, 2)
    middle = session.snapshot([1])
    whole = session.snapshot()
    many = client.session(TASK, 4, snapshot=whole, copy_of=[1, 1, 2, 0])
    other = client.session(TASK, 1, snapshot=middle)
    same = [session.actions(0.2), many.actions(0.2), other.actions(0.2)]
    a, b, c = session.step(same[0]), many.step(same[1]), other.step(same[2])
    for name in ("observations", "rewards", "infos.rate_hz"):
        assert b[name].tobytes() == a[name][[1, 1, 2, 0]].tobytes(), name
        assert c[name].tobytes() == a[name][[1]].tobytes(), name
    # Some copies stay as they are.
    many.restore(middle, [-1, -1, 0, -1])
    before = session.observe()
    after = many.observe()
    assert after["observations"][2].tobytes() != before["observations"][2].tobytes()
    assert after["observations"][3].tobytes() == before["observations"][0].tobytes()
    for made in (session, many, other):
        made.close()


def test_a_snapshot_before_the_first_reset_keeps_the_seeds_to_come(client: Client):
    session = client.session(TASK, 2)
    other = client.session(TASK, 2, snapshot=session.snapshot())
    assert_same([other.reset()], [session.reset()])
    session.close()
    other.close()


def test_forks_go_on_alike_and_then_by_themselves(client: Client):
    session = client.session(TASK, 2)
    session.reset([1, 2])
    steps(session, 0, 2)
    forks = session.fork(3)
    expected = steps(session, 2, 5)
    assert len({fork.name for fork in (session, *forks)}) == 4
    assert_same(steps(forks[0], 2, 5), expected)
    assert_same(steps(forks[1], 2, 5), expected)
    other = steps(forks[2], 2, 5, number=9)
    assert other[-1]["observations"].tobytes() != expected[-1]["observations"].tobytes()
    (single,) = session.fork(1, [1])
    assert single.num_envs == 1
    for made in (session, single, *forks):
        made.close()


def test_forks_keep_mode_and_limit_and_a_restored_session_has_its_own(client: Client):
    session = client.session(NULL, 1, "same_step", 4)
    session.reset([1])
    steps(session, 0, 2)
    snapshot = session.snapshot()
    (fork,) = session.fork(1)
    longer = client.session(NULL, 1, "next_step", 6, snapshot=snapshot)
    assert [told["truncated"][0] for told in steps(session, 2, 6)] == [0, 1, 0, 0]
    assert [told["truncated"][0] for told in steps(fork, 2, 6)] == [0, 1, 0, 0]
    assert [told["truncated"][0] for told in steps(longer, 2, 8)] == [0, 0, 0, 1, 0, 0]
    for make in (
        lambda: client.session(NULL, 1, "same_step", 1, snapshot=snapshot),
        lambda: client.session(NULL, 1, "same_step", 1).restore(snapshot),
    ):
        told = assert_refused(make, "INVALID_FIELD", "snapshot.copies[0].step")
        assert (told.metadata["value"], told.metadata["accepted"]) == ("2", "0 .. 1")
    for made in (session, fork, longer):
        made.close()


def test_forks_are_all_made_or_none(connect):
    with Serve("--max-sessions", "3", "--threads", "1") as server:
        client = connect(server.address)
        session = client.session(TASK)
        session.reset([1])
        with pytest.raises(Refused) as caught:
            session.fork(3)
        assert (caught.value.code, caught.value.reason) == (
            "RESOURCE_EXHAUSTED",
            "TOO_MANY_SESSIONS",
        )
        assert not caught.value.in_doubt
        forks = session.fork(2)
        for fork in forks:
            fork.step(fork.actions(0))


# --- cultures -------------------------------------------------------------------------------------

PUSH = CultureStimulus(
    "current_na", 0.4 * np.sin(np.arange(80.0))[:, np.newaxis], 0.5, [(0, 0)], timing="exact"
)
SERIES = [
    SeriesSelection("voltage_mv", [(0, 0), (3, 1)], sample_dt_ms=0.1),
    SeriesSelection("membrane_current_ua", [(1, 0)], sample_dt_ms=0.1),
    SeriesSelection("electrode_potential_uv", sample_dt_ms=0.5),
]


def busy(client: Client) -> Culture:
    """In the middle of a stimulus, of a recording and of learning, with parameters of its own."""
    culture = client.culture("EI-mini", 2)
    culture.configure(
        params={"noise-std_e": 2.0, "noise-g_e0": 3.0},
        dt_ms=0.05,
        plasticity_on=True,
        series=SERIES,
        spikes=True,
    )
    culture.clear([5, None])
    culture.run(12.3, [PUSH])
    return culture


def test_a_culture_goes_on_where_it_was_in_every_client_and_server(all_drivers, server, elsewhere):
    clients = [
        driver.connect(place.address) for place in (server, elsewhere) for driver in all_drivers
    ]
    culture = busy(clients[0])
    snapshot = culture.snapshot()
    expected = [culture.run(20.0), culture.run(3.0)]
    described = culture.describe(learned_weights=True)
    for client in clients:
        other = client.culture("EI-mini", 2)
        other.configure(params={"noise-std_e": 0.5})
        other.clear()
        other.run(4.0)
        other.restore(snapshot)
        assert other.snapshot() == snapshot
        assert_same([other.run(20.0), other.run(3.0)], expected)
        assert_same([other.describe(learned_weights=True)], [described])
    (fork,) = culture.fork(1)
    assert_same([fork.run(5.0)], [culture.run(5.0)])
    for client in clients:
        client.close()


def test_a_culture_of_other_cells(client: Client, direct):
    """What is built is a part of the snapshot."""
    made = direct.create_culture("EI-mini", 1)
    made.configure(selection=5, model={"cls": "livn.models.glif.GLIF", "kwargs": {"level": 3}})
    made.clear([3])
    made.run(5.0)
    culture = client.culture("EI-mini", 1)
    culture.restore(made.snapshot())
    assert culture.describe()["gids"].size == 5
    assert culture.run(10.0)["spike_ticks"].tobytes() == made.run(10.0).spike_ticks.tobytes()
    made.close()
    culture.close()


# --- what is refused ------------------------------------------------------------------------------


def assert_refused(call, reason: str, field: str) -> Refused:
    with pytest.raises(Refused) as caught:
        call()
    told = caught.value
    assert told.reason == reason, told
    assert told.code == ("INVALID_ARGUMENT" if reason == "INVALID_FIELD" else "FAILED_PRECONDITION")
    assert told.metadata["field"] == field
    assert told.metadata["accepted"]
    assert not told.in_doubt
    return told


def test_damaged_snapshots_change_nothing(client: Client):
    session = client.session(TASK, 2)
    session.reset([1, 2])
    steps(session, 0, 1)
    snapshot = session.snapshot()
    before = session.observe()
    places = {0, 7, 8, 11, 12, len(snapshot) // 2, len(snapshot) - 1}
    for place in places:
        damaged = bytearray(snapshot)
        damaged[place] ^= 0x10
        assert_refused(lambda d=bytes(damaged): session.restore(d), "INVALID_FIELD", "snapshot")
    for cut in (snapshot[:8], snapshot[:12], snapshot[:-1], snapshot + b"\0", b"LIVNDS01", b"x"):
        assert_refused(lambda c=cut: session.restore(c), "INVALID_FIELD", "snapshot")
        assert_refused(
            lambda c=cut: client.session(TASK, 2, snapshot=c), "INVALID_FIELD", "snapshot"
        )
    assert session.next_op_index == 3
    after = session.observe()
    assert all(after[name].tobytes() == before[name].tobytes() for name in before)
    session.close()


def test_copies_that_there_are_not(client: Client):
    session, culture = client.session(TASK, 2), client.culture("EI-mini", 2)
    session.reset([1, 2])
    culture.clear([1, 2])
    snapshot, of_culture = session.snapshot(), culture.snapshot()
    for call, field in (
        (lambda: session.snapshot([2]), "copies[0]"),
        (lambda: session.snapshot([0, -1]), "copies[1]"),
        (lambda: session.restore(snapshot, [0]), "copy_of"),
        (lambda: session.restore(snapshot, [0, 2]), "copy_of[1]"),
        (lambda: session.restore(snapshot, [0, -2]), "copy_of[1]"),
        (lambda: culture.restore(of_culture, [0, -1]), "copy_of[1]"),
        (lambda: session.restore(session.snapshot([1])), "copy_of"),
        (lambda: session.fork(0), "num_sessions"),
        (lambda: session.fork(1, [2]), "copy_of[0]"),
        (lambda: client.session(TASK, 1, copy_of=[0]), "copy_of"),
    ):
        assert_refused(call, "INVALID_FIELD", field)
    session.close()
    culture.close()


def test_snapshots_of_something_else(client: Client, tmp_path, connect):
    session, null, culture = client.session(TASK), client.session(NULL), client.culture("EI-mini")
    session.reset([1])
    null.reset([1])
    culture.clear([1])
    for snapshot in (null.snapshot(), culture.snapshot()):
        told = assert_refused(
            lambda s=snapshot: session.restore(s), "SNAPSHOT_MISMATCH", "snapshot.environment_id"
        )
        assert told.metadata["accepted"] == TASK
    assert_refused(
        lambda: culture.restore(session.snapshot()), "SNAPSHOT_MISMATCH", "snapshot.environment_id"
    )
    session.step(session.actions(0))
    # The same name, and another file.
    shutil.copytree(SYSTEMS / "EI-mini", tmp_path / "EI-mini")
    with open(tmp_path / "EI-mini/graph.json", "a") as graph:
        graph.write("\n")
    with Serve("--threads", "1", systems=tmp_path) as server:
        other = connect(server.address).culture("EI-mini")
        told = assert_refused(
            lambda: other.restore(culture.snapshot()), "SNAPSHOT_MISMATCH", "snapshot.system_sha256"
        )
        assert told.metadata["value"] != told.metadata["accepted"]
    for made in (session, null, culture):
        made.close()
