"""Sessions that are recorded: what they do is in the recording, once, whatever happens."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import livnd
import numpy as np
import pytest
from livnd import CultureStimulus, errors
from livnd.datasets import load_dataset
from livnd.datasets.formats import convert
from livnd.datasets.recordings import RecordingFile, array_of
from livnd.system import System
from serving import SYSTEMS, TASK, Serve

NULL = "Null-v0"
STEPS = 12
KEYS = ["copy", "episode", "tick"]


@pytest.fixture(scope="module")
def server() -> Iterator[Serve]:
    with Serve("--bench-environments") as serve:
        yield serve


@pytest.fixture
def client(server: Serve) -> Iterator[livnd.Client]:
    with livnd.connect(server.address) as connected:
        yield connected


def actions(session: livnd.Session, step: int) -> np.ndarray:
    shape = (session.num_envs, *session.spec.actions[0].shape)
    return (0.7 * np.sin(1.3 * step + np.arange(np.prod(shape)))).reshape(shape).astype(np.float32)


def play(session: livnd.Session, begin: int, end: int) -> list[object]:
    return [session.step(actions(session, step)) for step in range(begin, end)]


def same_bits(a: object, b: object) -> bool:
    def parts(result: object) -> list[bytes]:
        told = []
        for value in vars(result).values():
            each = value.values() if isinstance(value, dict) else value
            each = each if isinstance(value, (dict, tuple)) else [value]
            told += [np.asarray(part).tobytes() for part in each]
        return told

    return parts(a) == parts(b)


def test_a_task_is_recorded_whole(client: livnd.Client, tmp_path: Path) -> None:
    """Every answer's numbers are there, at their ticks; with them spikes, what electrodes heard of
    them, and balanced pulses; the file says the same to h5py."""
    session = client.create_session(TASK, 2, max_episode_steps=5)
    name = session.start_recording("a task")
    session.reset([3, 4])
    results = play(session, 0, STEPS)
    assert session.stop_recording() == name

    rows = client.read_recording(name)
    of_one = client.read_recording(name, copy=1)
    assert set(of_one) == set(rows)
    for stream in rows:
        if "copy" in (rows[stream].dtype.names or ()):
            assert (of_one[stream] == rows[stream][rows[stream]["copy"] == 1]).all()
        else:  # where electrodes are, names
            assert (of_one[stream] == rows[stream]).all()
    step_ticks = round(session.spec.step_duration_ms * 1e6 / session.spec.tick_ns)
    observation = next(stream for stream in rows if stream.startswith("observations."))
    action = next(stream for stream in rows if stream.startswith("actions."))
    for copy in range(2):
        # After five steps comes one that only begins an episode.
        simulated = [r for r in results if not r.began[copy]]
        rewards = rows["rewards"][rows["rewards"]["copy"] == copy]
        np.testing.assert_array_equal(rewards["reward"], [r.rewards[copy] for r in simulated])
        np.testing.assert_array_equal(rewards["truncated"], [r.truncated[copy] for r in simulated])
        assert rewards["tick"].tolist() == [(1 + i % 5) * step_ticks for i in range(len(rewards))]
        assert rewards["episode"].tolist() == [1 + i // 5 for i in range(len(rewards))]
        starts = rows["episode_starts"][rows["episode_starts"]["copy"] == copy]
        assert starts["episode"].tolist() == [1, 2, 3]
        began = [r.episode_seeds[copy] for r in results if r.began[copy]]
        assert starts["seed"].tolist() == [3 + copy, *began]
        seen = rows[observation][rows[observation]["copy"] == copy]
        shown = [r.observations[0][copy] for r in results]
        np.testing.assert_array_equal(seen["values"][1:], shown)
        given = rows[action][rows[action]["copy"] == copy]
        wanted = [actions(session, s)[copy] for s, r in enumerate(results) if not r.began[copy]]
        np.testing.assert_array_equal(given["values"], wanted)
    spikes, events, stimuli = rows["spikes"], rows["channel_events"], rows["stimuli"]
    assert len(spikes) > 0 and len(stimuli) > 0
    assert (spikes["tick"] >= 0).all() and (spikes["tick"] < 5 * step_ticks).all()
    moments = {tuple(row) for row in spikes[KEYS].tolist()}
    assert {tuple(row) for row in events[KEYS].tolist()} <= moments
    assert (stimuli["value"] * stimuli["num_ticks"]).sum() == 0.0

    info = next(r for r in client.recordings(session.name) if r.name == name)
    assert (info.state, info.label, info.num_envs) == ("complete", "a task", 2)
    assert info.num_rows == {stream: len(of) for stream, of in rows.items()}
    assert set(info.num_dropped.values()) == {0}
    client.download_recording(name, tmp_path / "task.h5")
    with h5py.File(tmp_path / "task.h5") as file:
        assert file.attrs["closed"] == 1
        assert file.attrs["label"].decode() == "a task"
        for stream, of in rows.items():
            assert file[stream][:].tobytes() == of.tobytes()


def test_recording_changes_no_bit(client: livnd.Client) -> None:
    """Of two sessions with equal seeds and actions one is recorded; their answers are equal."""
    plain, recorded = (client.create_session(TASK, 3, max_episode_steps=4) for _ in range(2))
    recorded.start_recording()
    for session in (plain, recorded):
        session.reset([7, 8, 9])
    assert all(
        same_bits(a, b)
        for a, b in zip(play(plain, 0, STEPS), play(recorded, 0, STEPS), strict=True)
    )


def test_ranges_and_resuming(client: livnd.Client) -> None:
    session = client.create_session(NULL, 2, max_episode_steps=3)
    name = session.start_recording(kinds=["rewards", "actions"])
    session.reset([1, 2])
    play(session, 0, 20)
    session.stop_recording()
    everything = client.read_recording(name)["rewards"]
    some = client.read_recording(name, ["rewards"], copy=1, episodes=(2, 4))["rewards"]
    of_episodes = (everything["episode"] >= 2) & (everything["episode"] < 4)
    assert some.tobytes() == everything[(everything["copy"] == 1) & of_episodes].tobytes()
    assert len(client.read_recording(name, ["rewards"], ticks=(1, 9))["rewards"]) == 0
    piece = next(client.iterate_recording(name, "rewards", 11))
    assert piece.rows.tobytes() == everything[11:].tobytes()
    assert piece.next_row == len(everything)
    for wrong in ((1,), (1, 2, 3), 1, (0.0, 1.0)):
        with pytest.raises(errors.InvalidFieldError, match=r"ticks.* accepted: a begin and an end"):
            client.read_recording(name, ["rewards"], ticks=wrong)


def test_kill_and_recovery_lose_and_repeat_nothing() -> None:
    """A server is killed again and again while it records; the rows are those of a session that
    was left in peace."""
    with Serve() as serve:
        with livnd.connect(serve.address, retry_s=60) as client:
            reference = client.create_session(TASK, 2, max_episode_steps=4)
            wanted_name = reference.start_recording()
            reference.reset([5, 6])
            play(reference, 0, 40)
            reference.stop_recording()
            wanted = client.read_recording(wanted_name)

            session = client.create_session(TASK, 2, max_episode_steps=4)
            name = session.start_recording()
            session.reset([5, 6])
            done = 0
            for pause_s in (0.0, 0.7, 1.4, 0.0):
                play(session, done, done + 10)
                done += 10
                time.sleep(pause_s)
                serve.kill()
                serve.start()
            assert next(r for r in client.recordings() if r.name == name).state == "recording"
            session.stop_recording()
            rows = client.read_recording(name)
        for stream, of in wanted.items():
            assert rows[stream].tobytes() == of.tobytes(), stream


def test_a_culture_is_recorded(client: livnd.Client) -> None:
    session = client.create_culture("EI-mini", 2)
    session.configure(spikes=True, series=[])
    name = session.start_recording()
    session.clear([3, 4])
    push = CultureStimulus("current_na", np.full((30, 1), 0.4), 0.5, [(0, 0)], timing="exact")
    runs = [session.run(20.0, [push]), session.run(10.0)]
    session.stop_recording()
    rows = client.read_recording(name)
    assert len(rows["spikes"]) == sum(len(run.spike_gids) for run in runs) > 0
    keys = ["copy", "episode", "tick", "gid", "section", "value", "num_ticks"]
    given = [(copy, 1, 0, 0, 0, 0.4, 600) for copy in (0, 1)]
    assert rows["stimuli.current"][keys].tolist() == given
    assert len(rows["stimuli"]) == 0  # nothing came from electrodes
    heard = rows["channel_events"]
    fired = {tuple(row) for row in rows["spikes"][["copy", "tick"]].tolist()}
    assert {tuple(row) for row in heard[["copy", "tick"]].tolist()} <= fired


def test_a_culture_s_pulses_are_recorded(client: livnd.Client) -> None:
    session = client.create_culture("EI-mini", 1)
    session.configure(spikes=True, spike_populations=["EXC"])
    with pytest.raises(errors.InvalidFieldError, match="kinds"):
        session.start_recording(kinds=["channel_events"])  # electrodes hear all cells
    session.configure(spikes=False)
    name = session.start_recording(kinds=["stimuli"])
    session.clear([3])
    session.run(5.0)
    pulse = {"electrodes": [3], "amplitude_ua": 4.0, "width_us": 200.0}
    session.run(10.0, plan={"pulses": [pulse]})
    session.stop_recording()
    rows = client.read_recording(name, ["stimuli"])["stimuli"]
    keys = ["copy", "episode", "tick", "channel", "value", "num_ticks"]
    first = (0, 1, 200, 3, -4.0, 8)  # cathodic first, then what balances it
    assert rows[keys].tolist() == [first, (0, 1, 208, 3, 4.0, 8)]


def test_a_culture_s_own_tick_is_told(client: livnd.Client, tmp_path: Path) -> None:
    session = client.create_culture("EI-mini", 1)
    session.configure(dt_ms=0.02)
    name = session.start_recording(kinds=["spikes"])
    session.clear([3])
    run = session.run(200.0)
    session.stop_recording()
    piece = next(client.iterate_recording(name, "spikes"))
    assert piece.recording_attributes["tick_ns"] == run.tick_ns == 20_000
    client.download_recording(name, tmp_path / "recording.h5")
    convert(tmp_path / "recording.h5", "parquet", tmp_path / "rows")
    (row,) = load_dataset(tmp_path / "rows", split="train")
    assert np.allclose(row["tt"], np.sort(run.spike_times_ms)) and len(row["tt"])


def test_where_electrodes_and_fibres_are_is_told(client: livnd.Client, tmp_path: Path) -> None:
    """Of a culture with devices of its own, whatever of it is recorded; of a task, the system's."""
    session = client.create_culture("EI-mini", 2)
    session.configure(
        device={"preset": "mcs_60"}, light_array={"fiber_coordinates": [[7, 20, 21, 50]]}
    )
    name = session.start_recording(kinds=["spikes"])
    session.clear([3, 4])
    session.run(5.0)
    session.stop_recording()
    device, rows = session.describe().device, client.read_recording(name)
    assert rows["electrodes"]["channel"].tolist() == device.ids.tolist()
    places = np.stack([rows["electrodes"][axis] for axis in "xyz"], 1)
    assert places.tobytes() == device.positions_um.tobytes()
    assert rows["fibers"].tolist() == [(7, 20.0, 21.0, 50.0)]
    client.download_recording(name, tmp_path / "recording.h5")
    with RecordingFile(tmp_path / "recording.h5") as recording:
        assert recording.streams["fibers"].attributes["wavelength_nm"] == 473.0
        array = array_of(recording)
        assert array.output_radius == device.output_radius_um
        assert array.electrode_coordinates[:, 1:].tobytes() == device.positions_um.tobytes()

    task = client.create_session(TASK)
    name = task.start_recording(kinds=["rewards"])
    task.stop_recording()
    wanted = System(SYSTEMS / "EI-mini").default_io().electrode_coordinates
    rows = client.read_recording(name)["electrodes"]
    assert np.array_equal(np.array(rows.tolist()), wanted)


def test_what_changes_while_a_culture_is_recorded(client: livnd.Client) -> None:
    """Its fibres cannot; its electrodes hear other cells as soon as they reach others."""
    session = client.create_culture("EI-mini", 1)
    session.configure(spikes=True)
    name = session.start_recording(kinds=["spikes", "channel_events", "stimuli"])
    session.clear([3])
    with pytest.raises(errors.AlreadyRecordingError, match="its streams would change"):
        session.configure(light_array={"fiber_coordinates": [[7, 20, 20, 50]]})
    with pytest.raises(errors.InvalidFieldError):
        session.run(9.0, plan={"light": [{"fibers": [7], "power_mw": 5.0, "width_us": 5000.0}]})
    session.run(100.0)
    session.configure(params={"io-output_radius": 0.0})
    session.run(100.0)
    session.stop_recording()
    rows = client.read_recording(name)
    assert "stimuli.fibers" not in rows
    assert rows["spikes"]["tick"].max() >= 4000 > rows["channel_events"]["tick"].max() > 0


def test_what_is_refused(client: livnd.Client) -> None:
    session = client.create_session(NULL)
    with pytest.raises(errors.NotRecordingError):
        session.stop_recording()
    with pytest.raises(errors.InvalidFieldError, match="kinds"):
        session.start_recording(kinds=["spikes"])  # Null-v0 has no culture
    with pytest.raises(errors.InvalidFieldError, match="label"):
        session.start_recording("x" * 257)
    name = session.start_recording()
    with pytest.raises(errors.AlreadyRecordingError) as refused:
        session.start_recording()
    assert refused.value.metadata["recording"] == name
    with pytest.raises(errors.RecordingUnderWayError):
        client.delete_recording(name)
    with pytest.raises(errors.InvalidFieldError, match="stream"):
        client.read_recording(name, ["spikes"])
    session.reset()
    session.close()
    assert next(r for r in client.recordings() if r.name == name).state == "complete"
    client.delete_recording(name)
    for unknown in (name, "../../sessions", "", "a" * 32):
        with pytest.raises(errors.UnknownRecordingError):
            client.delete_recording(unknown)
        client.delete_recording(unknown, missing_ok=True)
        with pytest.raises(errors.UnknownRecordingError):
            client.read_recording(unknown, ["rewards"])
