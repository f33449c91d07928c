"""Recording through each client: the verbs, what is refused, and what a broken line costs."""

from __future__ import annotations

import tempfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from cutting_proxy import CuttingProxy
from livnd import SeriesSelection
from livnd.conformance.lossy_proxy import ANSWER_LOST

from conformance.drivers import Client, Refused

NULL = "Null-v0"
STEPS = 8


# The last action, as Null-v0 shows it.
SEEN = "observations.observation"


def recorded(client: Client, **how: object) -> tuple[str, np.ndarray]:
    """A recording of some steps, and what was observed at the start and in them: [row, element]."""
    session = client.session(NULL, 2, max_episode_steps=100)
    name = session.start_recording(**how)
    shown = [session.reset([1, 2])["observations"]]
    shown += [session.step(session.actions(0.1 * step))["observations"] for step in range(STEPS)]
    assert session.stop_recording() == name
    session.close()
    return name, np.concatenate(shown)


def test_what_was_recorded_is_read(client: Client, tmp_path: Path) -> None:
    name, shown = recorded(client, label="two copies")
    info = next(r for r in client.recordings() if r.name == name)
    assert (info.state, info.label, info.environment_id) == ("complete", "two copies", NULL)
    assert info.num_rows["rewards"] == 2 * STEPS
    np.testing.assert_array_equal(client.read_rows(name, SEEN)["values"], shown)
    np.testing.assert_array_equal(client.read_rows(name, SEEN, first_row=3)["values"], shown[3:])
    of_one = client.read_rows(name, SEEN, copy=1, episodes=(1, 2))
    np.testing.assert_array_equal(of_one["values"], shown[1::2])
    assert len(client.read_rows(name, "rewards", episodes=(2, 9))) == 0
    client.download_recording(name, tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(file[SEEN]["values"], shown)
    client.delete_recording(name)
    assert name not in [r.name for r in client.recordings()]
    client.delete_recording(name, missing_ok=True)


def test_what_is_selected_alone_is_recorded(client: Client) -> None:
    name, _ = recorded(client, kinds=["actions", "episode_starts"])
    info = next(r for r in client.recordings() if r.name == name)
    assert [stream.partition(".")[0] for stream in info.num_rows] == ["episode_starts", "actions"]


def test_a_culture_is_recorded(client: Client) -> None:
    culture = client.culture("EI-mini", 2)
    name = culture.start_recording()
    culture.clear([3, 4])
    runs = [culture.run(30.0) for _ in range(2)]
    with pytest.raises(Refused, match="ALREADY_RECORDING"):
        culture.configure(spikes=False)
    culture.stop_recording()
    rows = client.read_rows(name, "spikes")
    gids = np.concatenate([run["spike_gids"] for run in runs])
    assert sorted(rows["gid"]) == sorted(gids)
    assert (rows["episode"] == 1).all()


def test_cells_and_electrodes_of_a_task_are_recorded(client: Client) -> None:
    series = [
        SeriesSelection("electrode_potential_uv", sample_dt_ms=1.0, dtype=np.float32),
        SeriesSelection("voltage_mv", [(2, 0), (5, 0)], sample_dt_ms=0.5),
    ]
    rewards = []
    for given in (series, ()):
        session = client.session("TargetRate-EI-mini-v0", 2)
        name = session.start_recording(kinds=["rewards"], series=given)
        session.reset([1, 2])
        rewards.append([session.step(session.actions(0.2))["rewards"] for _ in range(4)])
        session.stop_recording()
        session.close()
        recorded = next(r for r in client.recordings() if r.name == name).num_rows
        if not given:
            assert list(recorded) == ["rewards", "electrodes"]  # where they are is always told
            continue
        step_ticks = int(client.read_rows(name, "rewards", copy=1)["tick"][0])
        voltages = client.read_rows(name, "voltages", copy=1)
        assert voltages["tick"].tolist() == list(range(0, 4 * step_ticks, 20))
        assert voltages["values"].shape == (4 * step_ticks // 20, 2)
        assert (np.abs(voltages["values"] + 20) < 110).all()
        assert len(np.unique(voltages["values"])) > 100
        labels = client.read_rows(name, "voltages.labels")
        assert labels[["gid", "section"]].tolist() == [(2, 0), (5, 0)]
        electrodes = client.read_rows(name, "potentials.labels")
        assert electrodes["channel"].tolist() == list(range(8))
        potentials = client.read_rows(name, "potentials", copy=0)
        assert potentials["values"].dtype == np.float32
        assert len(potentials) == 4 * step_ticks // 40 and np.abs(potentials["values"]).max() > 0
    np.testing.assert_array_equal(*rewards)


def test_what_is_refused(client: Client) -> None:
    session = client.session(NULL)
    with pytest.raises(Refused, match="NOT_RECORDING"):
        session.stop_recording()
    with pytest.raises(Refused, match="INVALID_FIELD") as refused:
        session.start_recording(kinds=["rewards", "spikes"])
    told = refused.value.metadata
    assert (told["field"], told["value"]) == ("kinds[1]", "spikes")
    assert told["accepted"] == "each once: episode_starts, rewards, actions, observations"
    voltage = SeriesSelection("voltage_mv", [(0, 0)])
    with pytest.raises(Refused, match="INVALID_FIELD") as refused:
        session.start_recording(series=[voltage])
    assert refused.value.metadata["field"] == "series"
    culture = client.culture("EI-mini", 1)
    with pytest.raises(Refused, match="INVALID_FIELD") as refused:
        culture.start_recording(series=[voltage])
    assert refused.value.metadata["field"] == "series"
    task = client.session("TargetRate-EI-mini-v0")
    with pytest.raises(Refused, match="INVALID_FIELD") as refused:
        task.start_recording(series=[voltage, SeriesSelection("voltage_mv", [(10**6, 0)])])
    assert refused.value.metadata["field"] == "series[1].sites[0].gid"
    task.start_recording()  # nothing has begun
    name = session.start_recording()
    with pytest.raises(Refused, match="ALREADY_RECORDING") as refused:
        session.start_recording()
    assert refused.value.metadata["recording"] == name
    with pytest.raises(Refused, match="RECORDING_UNDER_WAY"):
        client.delete_recording(name)
    with pytest.raises(Refused, match="INVALID_FIELD") as refused:
        client.read_rows(name, "spikes")
    assert refused.value.metadata["field"] == "stream"
    with pytest.raises(Refused, match="INVALID_FIELD") as refused:
        client.read_rows(name, "rewards", first_row=9)
    assert refused.value.metadata["field"] == "first"
    session.close()
    for unknown in ("", "../../x", "0" * 32):
        with pytest.raises(Refused, match="UNKNOWN_RECORDING"):
            client.delete_recording(unknown)
        with pytest.raises(Refused, match="UNKNOWN_RECORDING"):
            client.read_rows(unknown, "rewards")


def test_refused_recordings_use_up_no_number(client: Client) -> None:
    session = client.session(NULL)
    before = session.next_op_index
    with pytest.raises(Refused):
        session.start_recording("x" * 257)
    assert session.next_op_index == before
    session.start_recording("x" * 256)
    assert session.next_op_index == before + 1


def test_lost_answers_begin_and_end_once(connect, proxy) -> None:
    """A start and a stop whose answers are lost are repeated, and were done once."""
    client = connect(proxy.address)
    session = client.session(NULL)
    proxy.fates.append(ANSWER_LOST)
    name = session.start_recording()
    session.reset([1])
    proxy.fates.append(ANSWER_LOST)
    assert session.stop_recording() == name
    assert [r.name for r in client.recordings(session.name)] == [name]


def test_reading_goes_on_where_the_line_broke(connect, server, client: Client) -> None:
    session = client.session(NULL, 1024, max_episode_steps=1000)
    name = session.start_recording(kinds=["rewards"])
    session.reset(range(1024))
    for step in range(120):
        session.step(session.actions(0.001 * step))
    session.stop_recording()
    wanted = client.read_rows(name, "rewards")
    assert wanted.nbytes > 3 << 20
    with tempfile.TemporaryDirectory(prefix="livnd-") as folder:
        proxy = CuttingProxy(folder, server.address)
        unlucky = connect(proxy.address)
        unlucky.info()
        proxy.cut_after_bytes = 3 << 19
        assert unlucky.read_rows(name, "rewards").tobytes() == wanted.tobytes()
        assert proxy.cut_after_bytes is None
        proxy.close()
