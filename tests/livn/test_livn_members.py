"""Members of livn's Env that are made here: what they give on both backends."""

from __future__ import annotations

import contextlib
import warnings
from pathlib import Path
from typing import Any

import h5py
import livnd
import numpy as np
import pytest
from livnd.errors import InvalidFieldError, UnknownSystemError

SYSTEM = Path(__file__).resolve().parents[2] / "tests/data/served/EI-mini"


def envs(system: Any) -> list[Any]:
    """Native, and livnd."""
    from livn.backend.native.env import Env as Native
    from livnd.livn.backend import Env as Ours

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return [kind(system) for kind in (Native, Ours)]


@pytest.fixture
def on_one_server(monkeypatch: pytest.MonkeyPatch) -> Any:
    with livnd.connect(systems=SYSTEM.parent) as client:
        client.systems()
        monkeypatch.setenv("LIVND_ADDRESS", client.address)
        yield


def parallel(kind: str) -> Any:
    from livn.system import ParallelSystem

    return {
        "one": lambda: 1,
        "two populations": lambda: ParallelSystem({"EXC": 2, "INH": 3}, coordinates=50.0),
        "any gids": lambda: ParallelSystem(
            3, coordinates=[[100, 1, 2, 3], [7, 4, 5, 6], [42, 7, 8, 9]]
        ),
    }[kind]()


@pytest.mark.parametrize("kind", ["one", "two populations", "any gids"])
def test_cells_that_are_not_connected(kind: str):
    from livn.stimulus import Stimulus

    runs = []
    for env in envs(parallel(kind)):
        env.init().apply_default_params()
        env.set_noise({"std_e": 3e-4})
        env.record_spikes().record_voltage()
        gids = env.cells.gids
        current = np.zeros((300, len(gids)))
        current[50:] = 1.5
        runs.append(env.run(40, Stimulus.from_current(current, dt=0.1, gids=gids)))
        env.close()
    native, ours = runs
    assert len(native.spike_ids)
    np.testing.assert_array_equal(ours.spike_ids, native.spike_ids)
    np.testing.assert_allclose(ours.spike_times, native.spike_times, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(ours.voltage_ids, native.voltage_ids)
    np.testing.assert_allclose(ours.voltage, native.voltage, rtol=0, atol=2e-5)


def test_gids_that_no_folder_can_have():
    from livn.system import ParallelSystem

    between = ParallelSystem({"EXC": 2, "INH": 1}, coordinates=[[g, 0, 0, 0] for g in (0, 9, 4)])
    with pytest.raises(InvalidFieldError, match="one population after the other"):
        envs(between)[1].init()
    far = ParallelSystem(1, coordinates=[[10_000_000, 0, 0, 0]])
    with pytest.raises(InvalidFieldError, match="EXC with gids 10000000"):
        envs(far)[1].init()


def test_unconnected_cells_need_a_server_that_has_them(on_one_server: Any):
    with pytest.raises(UnknownSystemError, match="ParallelSystem"):
        envs(3)[1].init()


def test_traces_of_weights(on_one_server: Any, monkeypatch: pytest.MonkeyPatch):
    from livnd.livn.backend import runs

    # In many calls of the server.
    monkeypatch.setattr(runs, "_MAX_MS", 7.0)
    traces = []
    for env in envs(str(SYSTEM)):
        env.init().apply_default_params()
        env.record_weights(dt=0.5)
        env.run(10.1)
        env.enable_plasticity()
        env.run(60)
        env.normalize_weights()
        env.run(20)
        traces.append({key: np.array(trace) for key, trace in env.w_recs.items()})
        env.clear()
        assert set(map(len, env.w_recs.values())) == {0}
        env.run(2)
        assert set(map(len, env.w_recs.values())) == {4}
        env.close()
    native, ours = traces
    assert list(native) == list(ours)
    assert max(np.ptp(trace) for trace in native.values()) > 1e-3
    for key, trace in native.items():
        np.testing.assert_allclose(ours[key], trace, rtol=0, atol=1e-9, err_msg=str(key))


def test_learning_rules_of_sites_can_be_read_and_not_written(on_one_server: Any):
    sites = []
    for env in envs(str(SYSTEM)):
        env.init()
        env.enable_plasticity({"EXC": {"A_ltp": 2.0}, "INH": {"w_max": 3.0}})
        sites.append(list(env._iter_stdp_point_processes()))
        if len(sites) == 1:
            continue
        with pytest.raises(InvalidFieldError, match="enable_plasticity"):
            sites[1][0][3].A_ltp = 1.0
        env.close()
    native, ours = sites
    assert [site[:3] for site in ours] == [site[:3] for site in native]
    for *_, site in ours:
        assert site.plasticity_on == 1
    assert {site.A_ltp for _, _, name, site in ours if "Inh" not in name} == {2.0}
    assert {site.w_max for _, _, name, site in ours if "Inh" in name} == {3.0}


def test_what_is_recorded_before_the_cells_are_there_is_nothing(on_one_server: Any):
    for env in envs(str(SYSTEM)):
        env.record_spikes().record_voltage().record_membrane_current()
        run = env.init().run(5)
        assert run.voltage is None
        assert run.current is None
        assert not len(run.spike_ids)
        env.close()


@pytest.mark.parametrize("how", ["set_params", "cells.set_params and apply_init_ic"])
def test_cells_that_change_in_the_middle_of_a_run(on_one_server: Any, how: str):
    found = []
    for env in envs(str(SYSTEM)):
        env.init().apply_default_params()
        env.record_voltage()
        env.run(20)
        if how == "set_params":
            env.set_params({"cells-soma.g_pas": 2e-4})
        else:
            # livn leaves the resting currents as they are until the second call.
            env.cells.set_params({"soma.g_pas": 2e-4})
            env.apply_init_ic()
        voltage = env.run(30).voltage
        params = env.cells.get_params()
        found.append((voltage, {k: v for k, v in params.items() if k.endswith("ic_constant")}))
        env.close()
    (native, currents), (ours, our_currents) = found
    np.testing.assert_allclose(ours, native, rtol=0, atol=2e-5)
    assert currents.keys() == our_currents.keys()
    for name, expected in currents.items():
        assert np.nanmax(abs(expected)) > 0
        np.testing.assert_allclose(our_currents[name], expected, rtol=1e-9)


def write_spike_trains(path: Path, trains: list[list[float]]) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("Populations/EXC/Input Spikes/Spike Train")
        group["Attribute Pointer"] = np.cumsum([0, *map(len, trains)])
        group["Cell Index"] = np.arange(len(trains))
        group["Attribute Value"] = np.concatenate(trains).astype(np.float32)


def test_spike_trains_of_a_file_drive_event_sources(on_one_server: Any, tmp_path: Path):
    trains = [[1.0 + gid, 5.0, 5.5, 6.0, 12.0] for gid in range(8)]
    write_spike_trains(tmp_path / "trains.h5", trains)
    found = []
    for env in envs(str(SYSTEM)):
        env.selection({"INH": 1.0}).init().apply_default_params()  # EXC cells become sources
        env.record_voltage()
        quiet = env.run(30).voltage
        env.clear(reseed=False)
        env.apply_stimulus_from_h5(
            str(tmp_path / "trains.h5"), "Input Spikes", onset=3.0, equilibration_duration=1.0
        )
        found.append(env.run(30).voltage)
        assert abs(found[-1] - quiet).max() > 0.1
        with pytest.raises(FileNotFoundError) if len(found) == 2 else contextlib.nullcontext():
            env.apply_stimulus_from_h5("no/such/file.h5", "Input Spikes")
        env.close()
    np.testing.assert_allclose(found[1], found[0], rtol=0, atol=2e-5)
