"""Systems come and go while a server runs; who has one goes on, a broken one harms nobody."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import livnd
import numpy as np
import pytest
from livnd import errors
from serving import SYSTEMS, Serve


def add(folder: Path, name: str) -> Path:
    """A copy of EI-mini, file by file, as a slow copy would be."""
    system = folder / name
    for source in sorted((SYSTEMS / "EI-mini").rglob("*")):
        target = system / source.relative_to(SYSTEMS / "EI-mini")
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    return system


@pytest.fixture
def folder(tmp_path) -> Path:
    add(tmp_path / "systems", "first")
    return tmp_path / "systems"


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[tuple[Serve, livnd.Client]]:
    with (
        Serve("--systems-period", "50ms", systems=folder) as server,
        livnd.connect(server.address) as client,
    ):
        yield server, client


def until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 60
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def ids(client: livnd.Client) -> set[str]:
    return {spec.environment_id for spec in client.environments()}


def play(session: livnd.Session, steps: int, begin: int = 0) -> list[bytes]:
    seen = []
    for step in range(begin, begin + steps):
        shape = (session.num_envs, *session.spec.actions[0].shape)
        result = session.step(np.full(shape, np.sin(step), np.float32))
        seen += [array.tobytes() for array in (*result.observations, result.rewards)]
    return seen


def test_a_system_that_is_added_is_offered(folder):
    with serving(folder) as (server, client):
        assert client.systems() == ["first"]
        before = ids(client)
        assert before >= {"Culture-first-v0", "TargetRate-first-v0"}
        with pytest.raises(errors.UnknownEnvironmentError):
            client.create_session("TargetRate-second-v0")
        add(folder, "second")
        until(lambda: client.systems() == ["first", "second"])
        added = {f"{name.split('-')[0]}-second-v0" for name in before}
        assert ids(client) == before | added
        assert client.system("second").name == "second"
        client.create_session("TargetRate-second-v0").reset()
        assert client.create_culture("second").clear()
        assert server.log().count("system added") == 1


@pytest.mark.parametrize("place", ["cells.h5", "connections.h5", "graph.json"])
def test_a_broken_one_is_told_of_once_and_harms_nobody(folder, place):
    with serving(folder) as (server, client):
        session = client.create_session("TargetRate-first-v0", 2)
        session.reset([1, 2])
        play(session, 3)
        broken = add(folder.parent, "broken")
        data = bytearray((broken / place).read_bytes())
        data[: len(data) // 2] = bytes(len(data) // 2)
        (broken / place).write_bytes(data)
        broken = broken.rename(folder / "broken")
        until(lambda: "system left out" in server.log())
        play(session, 3)
        add(folder, "second")  # what comes later is found all the same
        until(lambda: "second" in client.systems())
        assert client.systems() == ["first", "second"]
        assert server.log().count("system left out") == 1
        # Mended, it is there.
        (broken / place).write_bytes((SYSTEMS / "EI-mini" / place).read_bytes())
        until(lambda: client.systems() == ["broken", "first", "second"])


def test_sessions_of_a_system_that_is_removed_go_on(folder):
    add(folder, "second")
    with serving(folder) as (_, client):
        undisturbed = client.create_session("TargetRate-second-v0", 2)
        undisturbed.reset([1, 2])
        expected = play(undisturbed, 10)

        session = client.create_session("TargetRate-second-v0", 2)
        session.reset([1, 2])
        seen = play(session, 4)
        culture = client.create_culture("second")
        culture.clear([3])
        shutil.rmtree(folder / "second")
        until(lambda: client.systems() == ["first"])
        assert {"Culture-first-v0", "TargetRate-first-v0"} <= ids(client)
        assert all(name.endswith("-first-v0") for name in ids(client))
        for call in (
            lambda: client.create_session("TargetRate-second-v0"),
            lambda: client.environment("TargetRate-second-v0"),
        ):
            with pytest.raises(errors.UnknownEnvironmentError):
                call()
        with pytest.raises(errors.UnknownSystemError):
            client.system("second")
        assert seen + play(session, 6, 4) == expected
        assert culture.run(5.0).num_ticks == 200
        snapshot = session.snapshot()
        session.restore(snapshot)
        # The same one again is the same again.
        add(folder, "second")
        until(lambda: "second" in client.systems())
        again = client.create_session("TargetRate-second-v0", 2)
        again.reset([1, 2])
        assert play(again, 10) == expected


def test_a_system_that_changes_is_another_one_for_new_sessions(folder):
    with serving(folder) as (server, client):
        before = client.create_session("TargetRate-first-v0")
        before.reset([5])
        expected = play(before, 6)
        before.reset([5])
        seen = play(before, 3)
        params = folder / "first/params/default.json"
        document = json.loads(params.read_text())
        group = next(iter(next(iter(document.values())).values()))["params"]
        name = next(key for key in group if "noise" in key or "EXC" in key)
        group[name] = group[name] * 1.5
        params.write_text(json.dumps(document))
        until(lambda: "system changed" in server.log())
        assert seen + play(before, 3, 3) == expected
        after = client.create_session("TargetRate-first-v0")
        after.reset([5])
        assert play(after, 6) != expected
        with pytest.raises(errors.SnapshotMismatchError):
            after.restore(before.snapshot())


def test_a_folder_that_is_away_changes_nothing(folder, tmp_path):
    with serving(folder) as (server, client):
        folder.rename(tmp_path / "elsewhere")
        until(lambda: "cannot read the folder" in server.log())
        assert client.systems() == ["first"]
        client.create_session("TargetRate-first-v0").reset()
        (tmp_path / "elsewhere").rename(folder)
        add(folder, "second")
        until(lambda: client.systems() == ["first", "second"])
        assert server.log().count("cannot read the folder") == 1


def test_a_server_may_be_told_not_to_look(folder):
    with (
        Serve("--systems-period", "never", systems=folder) as server,
        livnd.connect(server.address) as client,
    ):
        add(folder, "second")
        time.sleep(0.5)
        assert client.systems() == ["first"]
