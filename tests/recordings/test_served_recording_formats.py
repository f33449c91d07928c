"""What a server recorded, also one that was killed, in the hands of who reads it elsewhere."""

from __future__ import annotations

import time
from pathlib import Path

import gymnasium
import h5py
import livnd
import numpy as np
import pynwb
import pytest
from livnd.datasets import load_dataset
from livnd.datasets.formats import convert
from livnd.datasets.recordings import RecordingFile
from livnd.system import System
from serving import SYSTEMS, TASK, Serve

ENV = f"livnd/{TASK}"


def trained(address: str, path: Path) -> dict[str, np.ndarray]:
    """Records a vector environment under a random agent over the wire, and downloads that."""
    envs = gymnasium.make_vec(ENV, num_envs=2, address=address, max_episode_steps=6)
    envs.reset(seed=[4, 5])
    name = envs.unwrapped.start_recording("while training")
    envs.action_space.seed(6)
    for _ in range(15):
        envs.step(envs.action_space.sample())
    envs.unwrapped.stop_recording()
    with livnd.connect(address) as client:
        rows = client.read_recording(name)
        client.download_recording(name, path)
    envs.close()
    return rows


def test_training_is_recorded_and_becomes_rows_and_nwb(tmp_path: Path) -> None:
    path = tmp_path / "recording.h5"
    with Serve() as server:
        rows = trained(server.address, path)
    spikes = rows["spikes"]
    assert len(spikes) > 0
    with RecordingFile(path) as recording:
        assert recording.is_closed
        tick_ns = recording.attributes["tick_ns"]
        assert recording.attributes["label"] == "while training"
        assert 0 <= time.time() - recording.attributes["start_unix_s"] < 600

    made = convert(path, "arrow", tmp_path / "rows")
    assert made.is_complete, made.notes
    found = [
        (row["copy"], row["episode"], tick, gid)
        for row in load_dataset(tmp_path / "rows", split="train")
        for tick, gid in zip(
            np.rint((np.asarray(row["tt"]) + row["start_ms"]) * 1e6 / tick_ns).astype(int).tolist(),
            np.asarray(row["it"]).tolist(),
            strict=True,
        )
    ]
    wanted = spikes[["copy", "episode", "tick", "gid"]].tolist()
    assert sorted(found) == sorted(map(tuple, wanted))

    made = convert(path, "nwb", tmp_path / "copy.nwb", copy=1)
    assert made.is_complete, made.notes
    with pynwb.NWBHDF5IO(str(tmp_path / "copy.nwb"), "r") as reader:
        file = reader.read()
        array = System(SYSTEMS / "EI-mini").default_io()
        places = file.electrodes.to_dataframe()[["x", "y", "z"]].to_numpy(float)
        assert np.array_equal(places, array.electrode_coordinates[:, 1:])
        units = file.units
        num = sum(len(units["spike_times"][i]) for i in range(len(units)))
    assert num == int((spikes["copy"] == 1).sum())


@pytest.mark.parametrize("durability", ["none", "process", "power"])
def test_a_killed_server_leaves_a_file_that_says_so(durability: str, tmp_path: Path) -> None:
    """After kill -9 it holds what was flushed, opens everywhere, and is marked as not closed."""
    with Serve("--durability", durability) as server:
        with livnd.connect(server.address) as client:
            session = client.create_session(TASK, 2, max_episode_steps=1000)
            name = session.start_recording()
            session.reset([1, 2])
            shape = (2, *session.spec.actions[0].shape)
            for _ in range(10):
                session.step(np.full(shape, 0.5, np.float32))
            end = time.monotonic() + 30
            while client.recordings()[0].num_rows["rewards"] != 20:
                assert time.monotonic() < end
                time.sleep(0.05)
            for _ in range(5):
                session.step(np.full(shape, 0.5, np.float32))
            server.kill()
        (file,) = (server.folder / "state/recordings").glob("*/*.h5")
        assert file.stem == name
        with h5py.File(file) as left:
            assert left.attrs["closed"] == 0
            assert 20 <= len(left["rewards"]) <= 30
            assert len(left["rewards"]) % 2 == 0
        made = convert(file, "arrow", tmp_path / "rows")
        assert not made.is_complete
        assert any("was not closed" in note for note in made.notes)

        server.start()
        with livnd.connect(server.address) as client:
            (info,) = client.recordings()
            if durability == "none":
                assert info.state == "abandoned"
                assert len(client.read_recording(name)["rewards"]) >= 20
                return
            session = client.attach_session(session.name)
            session.step(np.full(shape, 0.5, np.float32))
            session.stop_recording()
            rewards = client.read_recording(name)["rewards"]
            assert len(rewards) == 2 * 16
            assert len(set(rewards[["copy", "tick"]].tolist())) == 2 * 16
