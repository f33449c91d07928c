"""livnd.Env beside livn 2.0.0 itself: the same calls on both, on the same system and seed."""

from __future__ import annotations

import warnings
from typing import Any

import livnd
import numpy as np
import pytest
from beside_livn import SYSTEM, assert_same_spikes, assert_same_voltages, both
from livnd import local_server
from livnd.errors import InvalidFieldError


def test_livns_readme_example(env: livnd.Env, livn_env: Any):
    def example(env: Any) -> Any:
        env.record_spikes()
        env.record_voltage()
        it, t, iv, v, *_ = env.run(100)
        print("Initial voltages: ", v[:, 0])
        return it, t, iv, v

    ours, theirs = both(env, livn_env, example)
    assert len(theirs[0]) > 0
    assert ours[3].shape == (len(env.gids) * 7 - 2, 1000)  # EXC 7 sections, two INH 6
    np.testing.assert_array_equal(ours[3][:, 0], theirs[3][:, 0])
    assert_same_spikes(ours, theirs)
    assert_same_voltages(ours, theirs)


def test_going_on_clearing_and_stimuli_are_livns(env: livnd.Env, livn_env: Any):
    from livn.stimulus import Stimulus

    for e in (env, livn_env):
        e.record_spikes()
        e.record_voltage(dt=0.2, sections=["soma", "dend"])
        e.record_membrane_current()
    gids = env.gids
    step = np.zeros((20, len(gids)))
    step[5:10] = 0.3
    current = Stimulus(step, dt=1.0, input_mode="current", gids=gids)
    pulse = np.zeros((10, len(env.system.electrode_ids)))
    pulse[2:4], pulse[4:6] = -30.0, 30.0
    density = Stimulus(step * 0.01, dt=1.0, input_mode="current_density", gids=gids)

    def runs(e: Any) -> list[Any]:
        results = [e.run(50), e.run(30, current), e.run(20)]
        e.clear()
        results += [e.run(30, e.cell_stimulus(pulse)), e.run(30, density)]
        e.clear(reseed=False)
        results.append(e.run(20))
        return results

    ours, theirs = both(env, livn_env, runs)
    assert sum(len(run.spike_ids) for run in theirs) > 5
    for a, b in zip(ours, theirs, strict=True):
        assert a.t0 == b.t0
        assert_same_spikes(a, b)
        assert_same_voltages(a, b, 2e-4)
        np.testing.assert_array_equal(a.current_ids, b.current_ids)
        np.testing.assert_allclose(a.current, b.current, rtol=0, atol=1e-8)
        assert a.voltage_sections.tolist() == b.voltage_sections.tolist()


def test_weights_noise_and_plasticity_are_livns(env: livnd.Env, livn_env: Any):
    def runs(e: Any) -> list[Any]:
        e.record_spikes()
        e.record_voltage(sections="soma")
        e.set_weights({"EXC_EXC-dend-AMPA-weight": 5.0, "EXC_EXC-dend-NMDA-weight": 3.0})
        e.set_noise({"std_e": 0.001})
        results = [e.run(40)]
        e.enable_plasticity()
        results.append(e.run(80))
        e.disable_plasticity()
        e.set_noise({"std_e": 0.0005})
        results.append(e.run(40))
        return results

    ours, theirs = both(env, livn_env, runs)
    assert sum(len(run.spike_ids) for run in theirs) > 20
    for a, b in zip(ours, theirs, strict=True):
        assert_same_spikes(a, b)
        assert_same_voltages(a, b, 1e-3)
    ours, theirs = env.get_weights(), livn_env.get_weights()
    assert ours.keys() == theirs.keys()
    assert len({round(w, 9) for w in theirs.values()}) > 5  # they have learned
    np.testing.assert_allclose(
        [ours[key] for key in theirs], list(theirs.values()), rtol=0, atol=1e-6
    )
    both(env, livn_env, lambda e: e.normalize_weights(6.0))
    ours, theirs = env.get_weights(), livn_env.get_weights()
    np.testing.assert_allclose(
        [ours[key] for key in theirs], list(theirs.values()), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("dt", [0.0125, 0.05])
def test_other_steps_and_starts_are_livns(env: livnd.Env, livn_env: Any, dt: float):
    def run(e: Any) -> Any:
        e.v_init = -65.0
        e.record_spikes()
        e.record_voltage(sections=["soma", "ais4"])
        return e.run(40, dt=dt)

    ours, theirs = both(env, livn_env, run)
    assert (ours.voltage[:, 0] == -65.0).all()
    assert_same_spikes(ours, theirs)
    assert_same_voltages(ours, theirs, 1e-3)


def test_learned_weights_survive_a_clear_unless_told_otherwise(env: livnd.Env):
    env.set_weights({"EXC_EXC-dend-NMDA-weight": 8.0})
    env.set_noise({"std_e": 0.002})
    env.enable_plasticity().run(200)
    learned = env.get_weights()
    assert set(learned.values()) != {1.0}
    env.clear()
    assert env.get_weights() == learned
    env.clear(keep_learned_weights=False)
    assert set(env.get_weights().values()) == {1.0}


def test_a_stimulus_without_gids_reaches_the_cells_that_livn_takes(env: livnd.Env, livn_env: Any):
    from livn.stimulus import Stimulus

    def run(e: Any) -> Any:
        e.record_spikes()
        e.record_voltage(sections="soma")
        array = np.zeros((10, len(env.gids)))
        array[3:6] = 0.2
        return e.run(20, Stimulus(array, dt=1.0, input_mode="current"))

    ours, theirs = both(env, livn_env, run)
    assert_same_spikes(ours, theirs)
    assert_same_voltages(ours, theirs)


def test_electrodes_hear_and_states_are_recorded(env: livnd.Env, livn_env: Any):
    for e in (env, livn_env):
        e.record_membrane_current()
    env.record_electrode_potential().record_state("cai", "EXC", sections="soma")
    ours, theirs = both(env, livn_env, lambda e: e.run(30))
    heard = livn_env.potential_recording(theirs.current)
    assert np.abs(heard).max() > 0
    np.testing.assert_allclose(
        ours.electrode_potential, heard, rtol=0, atol=1e-4 * np.abs(heard).max()
    )
    assert ours.states["cai"].shape == (8, 300)
    assert (ours.states["cai"] > 0).all()


def test_stimuli_are_exact_unless_told_otherwise(address: str):
    def answer(**timing: str) -> np.ndarray:
        with livnd.make(SYSTEM, address=address) as env:
            env.record_voltage(dt=0.025, sections="soma").run(4.2)
            array = np.array([[0.01], [-0.01]])
            stimulus = livnd.Stimulus(
                array, dt=0.1, gids=[0], input_mode="current_density", **timing
            )
            return env.run(2, stimulus).voltage[0]

    np.testing.assert_array_equal(answer(), answer(timing="exact"))
    assert not np.array_equal(answer(), answer(timing="livn"))
    with pytest.raises(InvalidFieldError, match="exact, livn"):
        livnd.make(SYSTEM, address=address, timing="soon")


def test_light_reaches_the_opsin(env: livnd.Env):
    env.record_state("O_RhO3c", sections="soma").set_opsin({"g0": 1e5})
    light = np.zeros((20, 1))
    light[5:15] = 5.0
    run = env.run(30, livnd.Stimulus(light, input_mode="irradiance", gids=[0]))
    opened = run.states["O_RhO3c"]
    assert opened[0].max() > 0.1
    assert (opened[1:] == 0).all()
    assert (opened[0, :50] == 0).all()


def test_a_selection_builds_only_its_cells(env: livnd.Env):
    env.selection({"EXC": 3, "INH": [8]})
    assert env.gids.tolist() == [0, 1, 2, 8]
    env.record_voltage(sections="soma")
    assert env.run(5).voltage.shape == (4, 50)


@pytest.mark.parametrize(
    "arguments",
    [
        {"select": None},
        {"select": 0.5},
        {"select": 4},
        {"select": {"EXC": np.array([1, 2]), "INH": np.int64(1)}},
        {"select": {"EXC": (1, 2), "INH": 0}},
        {"select": {"EXC": 3}, "method": "random"},
        {"select": np.float64(0.5), "method": "patch"},
        {"select": None, "method": "patch", "bounds": np.array([[0, 0], [60, 100]])},
    ],
)
def test_selections_are_livns(env: livnd.Env, arguments: dict[str, Any]):
    from livn.env import Env

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of the graph's version
        livns = Env(str(local_server.find_systems() / SYSTEM)).selection(**arguments).init()
    env.selection(**arguments)
    assert 0 < len(env.gids) <= 10
    assert env.gids.tolist() == livns.simulated_gids().tolist()
    assert env.active_gids().tolist() == livns.active_gids().tolist()
    livns.close()


def test_a_recording_may_need_the_time_step_of_the_first_run(env: livnd.Env, livn_env: Any):
    def run(e: Any) -> Any:
        e.record_voltage(dt=0.0125, sections="soma")
        e.record_spikes()
        return e.run(10, dt=0.0125)

    ours, theirs = both(env, livn_env, run)
    assert ours.voltage.shape == (10, 800)
    assert_same_voltages(ours, theirs)


def test_time_is_the_servers_ticks(env: livnd.Env):
    env.record_spikes()
    runs = [env.run(0.04) for _ in range(1000)]
    assert env.info.ticks == 2000
    assert env.t == 50.0
    assert (runs[-1].t0, runs[-1].duration) == (49.95, 0.05)
    joined = runs[0]
    for run in runs[1:]:
        joined = joined.concat(run)
    assert joined.duration == pytest.approx(50.0)
    env.clear()
    assert env.t == 0.0
    one = env.run(0.1, dt=0.05)
    assert (one.t0, one.duration, env.t) == (0.0, 0.1, 0.1)


def test_spikes_are_those_of_the_populations_asked_for(env: livnd.Env, livn_env: Any):
    from livn.stimulus import Stimulus

    array = np.full((50, len(env.gids)), 0.5)

    def runs(e: Any) -> list[Any]:
        stimulus = Stimulus(array, dt=1.0, input_mode="current", gids=env.gids)
        e.record_spikes("EXC")
        first = e.run(60, stimulus)
        e.record_spikes(["INH", "EXC"])
        return [first, e.run(60, stimulus)]

    ours, theirs = both(env, livn_env, runs)
    inhibitory = next(p.gids for p in env.info.populations if p.name == "INH")
    assert np.isin(theirs[1].spike_ids, inhibitory).any()
    assert not np.isin(ours[0].spike_ids, inhibitory).any()
    for a, b in zip(ours, theirs, strict=True):
        assert len(b.spike_ids) > 0
        assert_same_spikes(a, b)


def test_a_run_is_indexed_and_joined_as_livns(env: livnd.Env, livn_env: Any):
    def runs(e: Any) -> list[Any]:
        e.set_noise({"std_e": 0.002})
        e.record_spikes()
        e.record_voltage(dt=0.5, sections="soma")
        results = [e.run(30), e.run(20.5), e.run(30)]
        e.clear(reseed=False)
        results.append(e.run(10))
        a, b, c, anew = results
        return [*results, a.concat(b), a.concat(b).concat(c), a.concat(c), c.concat(anew)]

    ours, theirs = both(env, livn_env, runs)
    for a, b in zip(ours, theirs, strict=True):
        assert len(a) == len(b) == 6
        assert_same_spikes(a, b)
        assert_same_voltages(a, b, 1e-3)
        assert a.t0 == pytest.approx(b.t0)
        assert a.duration == pytest.approx(b.duration)
        assert a.t1 == pytest.approx(b.t1)
        for index in range(4):
            np.testing.assert_allclose(a[index], b[index], rtol=0, atol=1e-3)
        assert a[4] is None and a[-1] is None
        assert [part is None for part in a[2:]] == [part is None for part in b[2:]]
        assert list(a.keys()) == list(b.channels) == ["spikes", "voltage"]
        assert "voltage" in a and "current" not in a
        assert a["voltage"].dt == b["voltage"].dt == 0.5
        np.testing.assert_array_equal(a["voltage"].ids, b["voltage"].ids)
        np.testing.assert_array_equal(a["voltage"].times, b["voltage"].times)
        np.testing.assert_array_equal(a["voltage"].sections, b["voltage"].sections)
        np.testing.assert_array_equal(a["spikes"].ids, b["spikes"].ids)
        np.testing.assert_allclose(a["spikes"].times, b["spikes"].times, rtol=0, atol=1e-9)
    with pytest.raises(KeyError):
        ours[0]["current"]
    with pytest.raises(IndexError):
        ours[0][6]


def test_recordings_go_by_name_and_are_cleared_as_livns(env: livnd.Env, livn_env: Any):
    def runs(e: Any) -> list[Any]:
        e.set_noise({"std_e": 0.002})
        e.record("spikes").record("voltage", "EXC", dt=0.5, gids=[1, 2], sections=["soma"])
        e.record("membrane_current", dt=0.2)
        first = e.run(30)
        e.clear_recordings()
        return [first, e.run(30)]

    ours, theirs = both(env, livn_env, runs)
    assert set(livn_env.recordable()) <= set(env.recordable())
    for a, b in zip(ours, theirs, strict=True):
        assert_same_spikes(a, b)
        assert_same_voltages(a, b, 1e-3)
        np.testing.assert_array_equal(a.current_ids, b.current_ids)
    with pytest.raises(InvalidFieldError, match="membrane_current"):
        env.record("current")
    run = env.record("state", state="cai", dt=0.5).run(1)
    assert run["cai"].values.shape == (len(run["cai"].ids), 2)


def test_electrodes_see_the_cells_that_livns_do(env: livnd.Env, livn_env: Any):
    def run(e: Any) -> Any:
        e.set_noise({"std_e": 0.002})
        e.record_spikes()
        e.record_voltage(dt=0.5, sections="soma")
        return e.run(60)

    ours, theirs = both(env, livn_env, run)
    assert env.active_gids().tolist() == livn_env.active_gids().tolist()

    def same(a: dict[int, Any], b: dict[int, Any]) -> None:
        assert list(a) == env.system.electrode_ids.tolist()
        for electrode, seen in a.items():
            # livn leaves out electrodes without cells.
            np.testing.assert_allclose(seen, b.get(electrode, seen[:0]), rtol=0, atol=1e-3)

    same(env.channel_recording(None), livn_env.channel_recording(None))
    assert any(0 < len(seen) < 10 for seen in env.channel_recording(None).values())
    same(env.channel_recording(ours[0]), livn_env.channel_recording(theirs[0]))
    for a, b in zip(
        env.channel_recording(ours.spike_ids, ours.spike_times),
        livn_env.channel_recording(theirs.spike_ids, theirs.spike_times),
        strict=True,
    ):
        same(a, b)
    for a, b in zip(
        env.channel_recording(ours.voltage_ids, ours.voltage, ours.voltage[:, 0]),
        livn_env.channel_recording(theirs.voltage_ids, theirs.voltage, theirs.voltage[:, 0]),
        strict=True,
    ):
        same(a, b)
    with pytest.raises(InvalidFieldError, match="rows"):
        env.channel_recording(ours.spike_ids, ours.voltage)
    env.set_params({"io-output_radius": 1e4})
    assert all(len(seen) == 10 for seen in env.channel_recording(None).values())


def test_electrodes_hear_of_currents_what_livns_do(env: livnd.Env, livn_env: Any):
    def run(e: Any) -> Any:
        e.set_noise({"std_e": 0.002})
        e.record_membrane_current(dt=0.5)
        return e.run(20)

    env.record_electrode_potential(dt=0.5)
    ours, theirs = both(env, livn_env, run)
    heard = env.potential_recording(ours.current)
    assert np.abs(heard).max() > 1e-3
    # A run's series are single.
    np.testing.assert_allclose(heard, ours.electrode_potential, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        heard, livn_env.potential_recording(theirs.current, theirs.current_ids), rtol=1e-4
    )
    some = np.isin(ours.current_ids, [1, 4])
    part = env.potential_recording(ours.current[some], ours.current_ids[some])
    theirs_part = livn_env.potential_recording(theirs.current[some], theirs.current_ids[some])
    np.testing.assert_allclose(part, theirs_part, rtol=1e-4)
    rest = env.potential_recording(ours.current[~some], ours.current_ids[~some])
    np.testing.assert_allclose(part + rest, heard, rtol=1e-9)
    with pytest.raises(InvalidFieldError, match="rows"):
        env.potential_recording(ours.current[1:])
    with pytest.raises(InvalidFieldError, match=r"gids\[2\]"):
        env.potential_recording(ours.current[:3], [1, 1, 1])
    with pytest.raises(InvalidFieldError, match="axes"):
        env.potential_recording(ours.current[0])
    with pytest.raises(InvalidFieldError, match="membrane_currents"):
        env.potential_recording([["strong", "weak"]])
    with pytest.raises(InvalidFieldError, match="gids"):
        env.potential_recording(ours.current[:1], ["first"])


def test_active_cells_are_those_of_the_model_whatever_is_built(env: livnd.Env):
    all_cells = env.active_gids().tolist()
    env.selection({"EXC": 3})
    assert env.gids.tolist() == [0, 1, 2]
    assert env.active_gids().tolist() == all_cells


@pytest.mark.parametrize(
    "stimulus",
    [
        lambda array, gids: (array, 0.5),
        lambda array, gids: [array, 0.5],
        lambda array, gids: (array.tolist(), 0.5),
        lambda array, gids: (array * 0.01, 0.5, gids, "current"),
        lambda array, gids: (array * 0.01, 0.5, gids, "current", "nA", [0] * len(gids)),
        lambda array, gids: {"array": array, "dt": 0.5},
        lambda array, gids: {
            "array": array * 0.01,
            "dt": 0.5,
            "gids": gids,
            "input_mode": "current",
            "units": "nA",
        },
        lambda array, gids: array,
    ],
)
def test_stimuli_are_taken_in_livns_forms(env: livnd.Env, livn_env: Any, stimulus: Any):
    gids = env.gids
    array = np.zeros((20, len(gids)))
    array[4:10], array[10:16] = 30.0, -30.0
    given = stimulus(array, gids)

    def runs(e: Any) -> list[Any]:
        e.record_voltage(sections="soma")
        first = e.run(5, None)
        if e is livn_env and isinstance(given, (tuple, list)):
            return [first, e.run(20, (np.asarray(given[0]), *given[1:]))]
        return [first, e.run(20, given)]

    ours, theirs = both(env, livn_env, runs)
    assert np.ptp(theirs[1].voltage - theirs[0].voltage[:, -1:]) > 1e-3
    for a, b in zip(ours, theirs, strict=True):
        assert_same_voltages(a, b, 2e-4)
