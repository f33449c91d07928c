"""Recordings that can grow no more, sessions that leave the memory, and who may see what."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import h5py
import livnd
import numpy as np
import pytest
from livnd import errors
from serving import TASK, Serve

NULL = "Null-v0"
# Files may be as long. Journals, which begin anew before they are so long, have room.
FULL = (4 << 20, resource.RLIM_INFINITY)
ROOM = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def play(session: livnd.Session, num_steps: int, begin: int = 0) -> None:
    shape = (session.num_envs, *session.spec.actions[0].shape)
    for step in range(begin, begin + num_steps):
        session.step(np.full(shape, 0.01 * (step % 50), np.float32))


def steps_of(client: livnd.Client, name: str) -> list[int]:
    """Which steps of play() are in a recording, a number a copy and step."""
    actions = client.read_recording(name, ["actions.action"])["actions.action"]
    return np.rint(actions["values"][:, 0] * 100).astype(int).tolist()


def info_of(client: livnd.Client, name: str) -> livnd.RecordingInfo:
    return next(r for r in client.recordings() if r.name == name)


def until_cut_short(client: livnd.Client, session: livnd.Session, name: str) -> None:
    random = np.random.default_rng(3)
    shape = (session.num_envs, *session.spec.actions[0].shape)
    for _ in range(100):
        for _ in range(10):
            session.step(random.uniform(-1.0, 1.0, shape).astype(np.float32))
        if info_of(client, name).state == "cut_short":
            return
    raise AssertionError(info_of(client, name))


def test_a_recording_ends_at_its_limit_and_its_session_goes_on(tmp_path: Path) -> None:
    with (
        Serve("--bench-environments", "--max-recording-bytes", "8M") as server,
        livnd.connect(server.address) as client,
    ):
        session = client.create_session(NULL, 1024, max_episode_steps=1000)
        name = session.start_recording()
        session.reset(range(1024))
        until_cut_short(client, session, name)
        info = info_of(client, name)
        assert "8388608 bytes" in info.why
        assert sum(info.num_dropped.values()) > 0
        play(session, 3)  # nothing else has happened
        assert session.stop_recording() == name
        info = info_of(client, name)
        assert info.state == "cut_short" and info.num_bytes <= 8 << 20
        client.download_recording(name, tmp_path / "short.h5")
        with h5py.File(tmp_path / "short.h5") as file:
            assert file.attrs["cut_short"] == 1
            assert len(file["rewards"]) > 0
        other = session.start_recording(kinds=["rewards"])
        play(session, 3)
        session.stop_recording()
        assert len(client.read_recording(other)["rewards"]) == 3 * 1024


def test_a_full_disk_ends_a_recording_and_says_so() -> None:
    """The largest file that the process may write stands for the disk."""
    with (
        Serve("--bench-environments") as server,
        livnd.connect(server.address) as client,
    ):
        session = client.create_session(NULL, 1024, max_episode_steps=1000)
        session.reset(range(1024))
        name = session.start_recording()
        play(session, 3)
        until(lambda: info_of(client, name).num_rows["rewards"] == 3 * 1024)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, FULL)
        until_cut_short(client, session, name)
        why = info_of(client, name).why
        assert "File too large" in why and str(server.folder) not in why
        before = session.next_op_index
        play(session, 3)
        assert session.next_op_index == before + 3
        # A server that comes back later finds it as it is.
        server.kill()
        server.start()
        play(session, 3)
        assert session.stop_recording() == name
        assert info_of(client, name).state in ("cut_short", "abandoned")
        rows = client.read_recording(name)["rewards"]
        assert len(rows) % 1024 == 0 and len(rows) >= 3 * 1024


def test_what_a_full_disk_has_cut_short_stays_cut_short() -> None:
    """Though the file could not be told so while its session lasted."""
    with (
        Serve("--bench-environments") as server,
        livnd.connect(server.address) as client,
    ):
        session = client.create_session(NULL, 1024, max_episode_steps=1000)
        session.reset(range(1024))
        name = session.start_recording()
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, FULL)
        until_cut_short(client, session, name)
        assert session.stop_recording() == name
        assert info_of(client, name).state == "cut_short"
        session.close()
        info = info_of(client, name)
        assert info.state == "cut_short" and str(server.folder) not in info.why
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, ROOM)
        assert server.terminate() == 0
        server.start()
        assert info_of(client, name).state == "cut_short"


def test_a_tenant_has_so_many_and_so_much() -> None:
    with (
        Serve("--bench-environments", "--max-recordings", "2") as server,
        livnd.connect(server.address) as client,
    ):
        session = client.create_session(NULL)
        names = []
        for _ in range(2):
            names.append(session.start_recording())
            session.stop_recording()
        with pytest.raises(errors.QuotaExceededError) as refused:
            session.start_recording()
        assert refused.value.field == "max_recordings"
        client.delete_recording(names[0])
        session.start_recording()
    flags = ("--max-tenant-recording-bytes", "12M", "--max-recording-bytes", "10M")
    with (
        Serve("--bench-environments", *flags) as server,
        livnd.connect(server.address) as client,
    ):
        session = client.create_session(NULL, 1024, max_episode_steps=1000)
        session.reset(range(1024))
        for _ in range(2):
            name = session.start_recording()
            until_cut_short(client, session, name)
            session.stop_recording()
        assert sum(r.num_bytes for r in client.recordings()) < 14 << 20
        with pytest.raises(errors.QuotaExceededError):
            session.start_recording()


def test_a_session_on_the_disk_goes_on_in_its_recording() -> None:
    with (
        Serve("--bench-environments", "--lease", "300ms") as server,
        livnd.connect(server.address) as client,
    ):
        session = client.create_session(NULL, 2, max_episode_steps=1000)
        name = session.start_recording()
        session.reset([1, 2])
        play(session, 5)
        session_name = session.detach()
        until(lambda: info_of(client, name).state == "paused")
        assert len(client.read_recording(name)["rewards"]) == 10
        session = client.attach_session(session_name)
        play(session, 5, 5)
        assert info_of(client, name).state == "recording"
        session_name = session.detach()
        until(lambda: info_of(client, name).state == "paused")
        # It ends there.
        client.attach_session(session_name).close()
        assert info_of(client, name).state == "complete"
        assert steps_of(client, name) == [i // 2 for i in range(20)]


def test_deleting_a_session_on_the_disk_completes_its_recording() -> None:
    with (
        Serve("--bench-environments", "--lease", "300ms") as server,
        livnd.connect(server.address) as client,
    ):
        session = client.create_session(NULL)
        name = session.start_recording()
        session.reset([1])
        session_name = session.detach()
        until(lambda: info_of(client, name).state == "paused")
        client.call("DeleteSession", livnd._proto.pb.DeleteSessionRequest(session=session_name))
        assert info_of(client, name).state == "complete"


def until(holds: object) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_server_that_ends_pauses_and_one_that_comes_goes_on() -> None:
    with Serve("--bench-environments") as server, livnd.connect(server.address) as client:
        session = client.create_session(NULL, 1, max_episode_steps=1000)
        name = session.start_recording(kinds=["rewards", "actions"])
        session.reset([1])
        play(session, 7)
        assert server.terminate() == 0
        (file,) = (server.folder / "state/recordings").glob("*/*.h5")
        assert file.stem == name
        with h5py.File(file) as paused:
            assert (paused.attrs["closed"], paused.attrs["paused"]) == (1, 1)
            assert len(paused["rewards"]) == 7
        server.start()
        play(session, 3, 7)
        session.stop_recording()
        assert steps_of(client, name) == list(range(10))


def test_restore_and_fork() -> None:
    """A restored session goes on with the copies' episodes; a fork is not recorded."""
    with Serve("--bench-environments") as server, livnd.connect(server.address) as client:
        session = client.create_session(NULL, 1, max_episode_steps=1000)
        name = session.start_recording(kinds=["actions", "episode_starts"])
        session.reset([1])
        play(session, 2)
        snapshot = session.snapshot()
        play(session, 2, 2)
        session.restore(snapshot)
        play(session, 3, 2)
        (fork,) = session.fork()
        with pytest.raises(errors.NotRecordingError):
            fork.stop_recording()
        play(fork, 2)
        session.stop_recording()
        rows = client.read_recording(name)
        assert steps_of(client, name) == [0, 1, 2, 3, 2, 3, 4]
        assert rows["episode_starts"]["episode"].tolist() == [1, 1]
        culture = client.create_culture("EI-mini")
        culture.clear([1])
        taken = culture.snapshot()
        culture.start_recording()
        with pytest.raises(errors.AlreadyRecordingError):
            culture.restore(taken)


def test_tenants_see_their_own() -> None:
    tokens = {name: name[0] * 40 for name in ("alice", "bob")}
    with Serve("--bench-environments", "--tokens", "tokens", before=write(tokens)) as server:
        alice, bob = (livnd.connect(server.address, token=tokens[n]) for n in tokens)
        with alice, bob:
            session = alice.create_session(NULL)
            name = session.start_recording()
            session.stop_recording()
            assert [r.name for r in alice.recordings()] == [name]
            assert bob.recordings() == []
            for call in (
                lambda: bob.read_recording(name, ["rewards"]),
                lambda: bob.delete_recording(name),
                lambda: bob.download_recording(name, server.folder / "stolen"),
            ):
                with pytest.raises(errors.UnknownRecordingError):
                    call()


def write(tokens: dict[str, str]) -> str:
    lines = "".join(f"{token} {name}\\n" for name, token in tokens.items())
    return f"umask 077; printf '{lines}' > tokens"


def test_a_recorded_task_costs_no_answer_when_killed_amid_a_flush() -> None:
    """Kills at random moments while a recording grows; each time it is as long as was played."""
    random = np.random.default_rng(5)
    with Serve() as server, livnd.connect(server.address, retry_s=60) as client:
        session = client.create_session(TASK, 2, max_episode_steps=1000)
        name = session.start_recording(kinds=["rewards", "spikes"])
        session.reset([1, 2])
        num_steps = 0
        for _ in range(6):
            more = int(random.integers(1, 16))  # no episode ends
            play(session, more, num_steps)
            num_steps += more
            time.sleep(float(random.uniform(0.0, 1.3)))
            server.kill()
            server.start()
        session.stop_recording()
        rewards = client.read_recording(name)["rewards"]
        assert len(rewards) == 2 * num_steps
        assert len({tuple(row) for row in rewards[["copy", "episode", "tick"]].tolist()}) == len(
            rewards
        )
