"""Converted recordings, opened with SpikeInterface, and with cl-sdk where that is.

Its name keeps it out of the other legs' pytest: it needs .venv-formats (tools/setup.sh --formats).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
from livnd.datasets.formats import convert
from livnd.system import System
from spikeinterface.extractors import read_nwb_recording, read_nwb_sorting

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "clients/python/tests"))
from recorded_culture import TICK_NS, Recorded, culture  # noqa: E402

MINI = System(ROOT / "systems/EI-mini")
BEGUN = datetime(2026, 5, 4, 3, 2, 1, tzinfo=timezone.utc)
STARTS = np.array([0, 24, 49, 73]) * 400
POTENTIALS = "processing/ecephys/electrode_potentials"


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    return culture(1, num_copies=2, num_cells=MINI.num_neurons, num_electrodes=8)


@pytest.fixture(scope="module")
def nwb(recorded: Recorded, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("nwb")
    path = recorded.write(folder / "recording.h5")
    convert(path, "nwb", folder / "a.nwb", copy=1, system=MINI, start_time=BEGUN)
    return str(folder / "a.nwb")


def own(recorded: Recorded, name: str) -> tuple[np.ndarray, np.ndarray]:
    rows = recorded.rows[name]
    rows = rows[rows["copy"] == 1]
    return rows, STARTS[rows["episode"] - 1] + rows["tick"]


@pytest.mark.parametrize(
    ("table", "stream", "column", "use_pynwb"),
    [
        ("units", "spikes", "gid", False),
        ("units", "spikes", "gid", True),
        ("processing/ecephys/electrode_units", "channel_events", "channel", False),
    ],
)
def test_spikeinterface_reads_the_same_spikes(nwb, recorded, table, stream, column, use_pynwb):
    sorting = read_nwb_sorting(nwb, t_start=0.0, unit_table_path=table, use_pynwb=use_pynwb)
    assert sorting.sampling_frequency == 1e9 / TICK_NS
    rows, ticks = own(recorded, stream)
    count = 0
    for unit in sorting.unit_ids:
        train = sorting.get_unit_spike_train(unit)
        assert np.array_equal(train, np.sort(ticks[rows[column] == int(unit)]))
        count += len(train)
    assert count == len(rows)
    if table == "units":
        assert set(sorting.get_property("population")) == set(MINI.populations)


def test_spikeinterface_reads_the_potentials(nwb, recorded):
    recording = read_nwb_recording(nwb, electrical_series_path=POTENTIALS)
    rows, _ = own(recorded, "potentials")
    assert recording.sampling_frequency == 1000
    assert np.array_equal(recording.get_traces(), rows["values"])
    assert np.allclose(recording.get_traces(return_in_uV=True), rows["values"], rtol=1e-6)
    places = MINI.default_io().electrode_coordinates[:, 1:3]
    assert np.allclose(recording.get_channel_locations(), places)


@pytest.mark.skipif("LIVND_CL_PYTHON" not in os.environ, reason="LIVND_CL_PYTHON is not set")
def test_cl_sdk_reads_the_same_spikes(recorded, tmp_path):
    path = recorded.write(tmp_path / "recording.h5")
    convert(path, "cl", tmp_path / "cl.h5", copy=1, start_time=BEGUN)
    code = """if True:
        import json, sys
        from cl import RecordingView
        with RecordingView(sys.argv[1]) as view:
            stats = view.analyse_firing_stats(bin_size_sec=0.05)
            print(json.dumps({
                "spikes": [[int(row["timestamp"]), int(row["channel"])] for row in view.spikes],
                "stims": len(view.stims),
                "episodes": [[int(at), one] for at, one in view.data_streams["episodes"].items()],
                "frames": view.attributes["duration_frames"],
                "counted": int(stats.firing_counts.sum()),
            }))
    """
    done = subprocess.run(
        [os.environ["LIVND_CL_PYTHON"], "-c", code, tmp_path / "cl.h5"],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    rows, ticks = own(recorded, "channel_events")
    expected = sorted(zip(ticks.tolist(), rows["channel"].tolist(), strict=True))
    assert sorted(map(tuple, found["spikes"])) == expected
    assert found["stims"] == len(own(recorded, "stimuli")[0]) // 2
    assert found["frames"] == 73 * 400
    assert found["episodes"] == [
        [int(STARTS[i]), {"episode": i + 1, "seed": 1001 + i}] for i in range(3)
    ]
    assert 0 < found["counted"] <= len(expected)
