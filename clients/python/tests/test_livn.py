"""livnd.Env beside livn 2.0.0 itself: the same calls on both, on the same system and seed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import livnd
import numpy as np
import pytest
from conftest import Server
from livnd import local_server
from livnd.errors import (
    InvalidFieldError,
    NumericalFailureError,
    RunStartedError,
    ServerUnavailableError,
)
from lossy_proxy import ANSWER_LOST, LossyProxy

SYSTEM = "EI-mini"
# livn's voltages are float32: near -75 mV the next number is 8e-6 away.
VOLTAGE_MV = 2e-5


@pytest.fixture
def env(address: str) -> Iterator[livnd.Env]:
    with livnd.make(SYSTEM, address=address, timing="livn") as env:
        yield env


@pytest.fixture
def livn_env() -> Any:
    """The same system in livn's own native engine."""
    from livn.env import Env

    with warnings.catch_warnings():
        # livn says that the graph is of an older version, and holds weights to be unknown whose
        # keys begin with "weight-".
        warnings.simplefilter("ignore", UserWarning)
        env = Env(str(local_server.find_systems() / SYSTEM)).init().apply_default_params()
    yield env
    env.close()


def both(env: livnd.Env, livn_env: Any, do: Callable[[Any], Any]) -> tuple[Any, Any]:
    return do(env), do(livn_env)


def assert_same_spikes(ours: Any, theirs: Any) -> None:
    def trains(run: Any) -> dict[int, list[float]]:
        ids, times, *_ = run
        return {int(g): sorted(times[ids == g].tolist()) for g in np.unique(ids)}

    a, b = trains(ours), trains(theirs)
    assert a.keys() == b.keys()
    for gid in a:
        np.testing.assert_allclose(a[gid], b[gid], rtol=0, atol=1e-9)


def assert_same_voltages(ours: Any, theirs: Any, tolerance_mv: float = VOLTAGE_MV) -> None:
    _, _, ours_ids, ours_v, *_ = ours
    _, _, theirs_ids, theirs_v, *_ = theirs
    np.testing.assert_array_equal(ours_ids, theirs_ids)
    assert ours_v.dtype == theirs_v.dtype
    np.testing.assert_allclose(ours_v, theirs_v, rtol=0, atol=tolerance_mv)


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


def test_input_spikes_need_an_event_source(env: livnd.Env):
    assert env.input_gids == []
    with pytest.raises(InvalidFieldError, match="gids of event sources"):
        env.play_input_spikes({0: [1.0]})


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


def test_dt_and_v_init_change_at_the_start_only(env: livnd.Env):
    env.v_init = -65.0
    env.record_voltage(sections="soma")
    assert (env.run(1).voltage[:, 0] == -65.0).all()
    with pytest.raises(RunStartedError):
        env.v_init = -75.0
    with pytest.raises(RunStartedError):
        env.run(1, dt=0.05)
    env.clear()
    env.v_init = -75.0
    env.run(1, dt=0.05)
    assert env.t == 1.0


@pytest.mark.parametrize(
    ("do", "says"),
    [
        (lambda e: e.run(-1), "duration_ms"),
        (lambda e: e.run(float("nan")), "duration_ms"),
        (lambda e: e.run(1e9), "duration_ms"),
        (lambda e: e.run(1, dt=0.0), "dt_ms"),
        (lambda e: e.record_voltage(dt=0.03).run(1), "multiple of dt_ms"),
        (lambda e: e.record_voltage(gids=[99]), "gids"),
        (lambda e: e.record_voltage("PYR"), "EXC, INH"),
        (lambda e: e.record_state("gate").run(1), "h_Nas"),
        (lambda e: e.set_weights({"EXC_EXC-dend-AMPA-weihgt": 1.0}), "weihgt"),
        (lambda e: e.set_weights({"EXC_EXC-dend-AMPA-weight": float("nan")}), "finite"),
        (lambda e: e.set_noise({"std_x": 1.0}), "std_e"),
        (lambda e: e.set_params({"cells-EXC:soma.g_pass": 1.0}), "soma.g_pas"),
        (lambda e: e.set_opsin({"g": 1.0}), "g0"),
        (lambda e: e.enable_plasticity({"EXC": {"A": 1.0}}), "A_ltp"),
        (lambda e: e.normalize_weights(-1.0), "normalize_target"),
        (lambda e: e.selection("nothing"), "nothing"),
        (lambda e: e.apply_default_params("tuned"), "default"),
        (lambda e: e.run(1, np.full((2, 10), 2000.0)), "-1000 .. 1000"),
        (lambda e: e.run(1, np.full((2, 10), np.nan)), "nan"),
        (lambda e: e.run(1, livnd.Stimulus(np.ones((2, 1)), dt=0.0, gids=[0])), "sample_dt_ms"),
        (lambda e: e.run(1, livnd.Stimulus(np.ones((2, 1)), gids=[99])), "gid is 99"),
        (
            lambda e: e.run(1, livnd.Stimulus(np.ones((2, 1)), gids=[0], sections=[9])),
            "section is 9",
        ),
        (lambda e: e.run(1, e.cell_stimulus(np.full((2, 8), 1e6))), "mV at a cell"),
    ],
)
def test_what_is_wrong_is_named_and_changes_nothing(env: livnd.Env, do: Any, says: str):
    before = env.info
    with pytest.raises(InvalidFieldError, match=says):
        do(env)
    after = env.info
    assert after.params == before.params
    assert after.ticks == 0


def test_a_numerical_failure_is_told_with_its_time(env: livnd.Env):
    env.record_voltage(sections="soma")
    env.record_spikes()
    env.run(5)
    blow = livnd.Stimulus(np.full((40, 1), 1e9), dt=0.5, input_mode="current", gids=[0])
    with pytest.raises(NumericalFailureError, match="after 5 ms") as caught:
        env.run(20, blow)
    assert np.isnan(caught.value.run.voltage).all()
    with pytest.raises(NumericalFailureError):
        env.run(1)
    env.clear()
    assert np.isfinite(env.run(5).voltage).all()


# --- what is refused leaves everything as it was ---------------------------------------------


@pytest.mark.parametrize(
    "mistake",
    [
        lambda e: e.record_voltage(dt=0.03).run(1),
        lambda e: e.record_voltage(dt=0.0),
        lambda e: e.record_voltage(dt=float("nan")),
        lambda e: e.record_voltage(dt="fast"),
        lambda e: e.record_voltage("INH", gids=[0]),
        lambda e: e.record_voltage(sections=[]),
        lambda e: e.record_voltage([]),
        lambda e: e.record_voltage(gids=[8], sections="dend"),
        lambda e: e.record_voltage("PYR"),
        lambda e: e.record_state("caj"),
        lambda e: e.record_state("cai", dt=0.03).run(1),
        lambda e: e.record_membrane_current(dt=0.03).run(1),
        lambda e: e.record_membrane_current(["EXC", "PYR"]),
        lambda e: e.record_electrode_potential(dt=-1),
        lambda e: e.record_weights(dt=0.03).run(1),
        lambda e: e.record_spikes(["EXC", "PYR"]),
        lambda e: e.record_spikes([]),
        lambda e: e.record("currents"),
        lambda e: e.selection({"EXC": 99}),
        lambda e: e.selection("nothing"),
        lambda e: e.selection("nothing", method="patch"),
        lambda e: e.selection({"EXC": object()}),
        lambda e: e.selection({"PYR": 1}),
        lambda e: e.enable_plasticity({"EXC": {"A": 1.0}}),
        lambda e: e.enable_plasticity({"EXC": {"A_ltp": 1.0}, "INH": 1.0}),
        lambda e: e.enable_plasticity({"PYR": {"A_ltp": 1.0}}),
        lambda e: e.set_params({"EXC_EXC-dend-AMPA-weight": 1.0, "noise-std_x": 1.0}),
        lambda e: e.set_noise({"std_x": 1.0}),
        lambda e: e.set_opsin({"g": 1.0}),
        lambda e: setattr(e, "v_init", 1e6),
        lambda e: setattr(e, "v_init", "low"),
        lambda e: e.reseed_noise(-1),
        lambda e: e.apply_default_params("tuned"),
        lambda e: e.normalize_weights(-1.0),
        lambda e: e.play_input_spikes({0: [1.0]}),
        lambda e: e.run(1, dt=-1.0),
        lambda e: e.run(1, dt="small"),
        lambda e: e.run(1, np.full((2, 10), np.nan), dt=0.05),
        lambda e: e.run(1, (np.ones((2, 10)), 0.0), dt=0.05),
        lambda e: e.run(-1, dt=0.05),
        lambda e: e.run(1, dt=0.03),
    ],
)
def test_a_refused_call_leaves_an_env_that_goes_on_as_before(address: str, mistake: Any):
    def prepared() -> livnd.Env:
        env = livnd.make(SYSTEM, address=address)
        env.set_noise({"std_e": 0.002}).enable_plasticity({"A_ltp": 0.5})
        return env.record_spikes().record_voltage("EXC", dt=0.1, sections="soma")

    with prepared() as env, prepared() as spared:
        with pytest.raises(InvalidFieldError):
            mistake(env)
        assert env.info.dt_ms == spared.info.dt_ms
        assert env.info.params == spared.info.params
        assert env.t == 0.0
        for e in (env, spared):
            e.enable_plasticity({"A_ltd": 0.25})
        # More of what was refused, done rightly.
        ours, theirs = both(env, spared, lambda e: e.record_state("cai", "EXC", dt=0.5).run(40))
        assert list(ours.keys()) == list(theirs.keys()) == ["spikes", "voltage", "cai"]
        assert len(theirs.spike_ids) > 0
        np.testing.assert_array_equal(ours.spike_times, theirs.spike_times)
        np.testing.assert_array_equal(ours.voltage, theirs.voltage)
        np.testing.assert_array_equal(ours.states["cai"], theirs.states["cai"])
        assert env.get_weights() == spared.get_weights()


def test_a_mistyped_recording_in_the_middle_is_refused_at_once(env: livnd.Env):
    env.record_spikes().run(1)
    with pytest.raises(InvalidFieldError, match="multiple of dt_ms"):
        env.record_voltage(dt=0.03)
    assert list(env.record_voltage(dt=0.2).run(1).keys()) == ["spikes", "voltage"]


def test_a_recording_may_need_the_time_step_of_the_first_run(env: livnd.Env, livn_env: Any):
    def run(e: Any) -> Any:
        e.record_voltage(dt=0.0125, sections="soma")
        e.record_spikes()
        return e.run(10, dt=0.0125)

    ours, theirs = both(env, livn_env, run)
    assert ours.voltage.shape == (10, 800)
    assert_same_voltages(ours, theirs)


def test_a_recording_that_waits_can_be_asked_for_otherwise(env: livnd.Env):
    env.record_voltage(dt=0.03, sections="soma")
    env.record_voltage(dt=0.1, sections="soma")
    assert env.run(1).voltage.shape == (10, 10)


def test_a_refused_run_leaves_what_waits_for_its_time_step(env: livnd.Env):
    env.record_spikes().record_voltage(dt=0.0125, sections="soma")
    with pytest.raises(InvalidFieldError, match="nan"):
        env.run(1, np.full((2, 10), np.nan), dt=0.0125)
    assert env.info.dt_ms == 0.025
    assert env.run(1, dt=0.0125).voltage.shape == (10, 80)


def test_a_run_whose_time_step_fits_no_recording_drops_those_that_waited(env: livnd.Env):
    env.record_spikes().record_voltage(dt=0.03, sections="soma")
    with pytest.raises(InvalidFieldError, match="multiple of dt_ms"):
        env.run(1)
    assert list(env.run(1).keys()) == ["spikes"]
    env.clear()
    with pytest.raises(InvalidFieldError, match="multiple of dt_ms"):
        env.record_voltage(dt=0.1, sections="soma").run(1, dt=0.03)
    assert list(env.run(1).keys()) == ["spikes", "voltage"]  # it had been taken


def test_a_recording_whose_answer_was_lost_is_told_again(
    start_server: Callable[..., Server], tmp_path: Path
):
    proxy = LossyProxy(str(tmp_path / "p"), start_server("127.0.0.1:0").address)
    with livnd.make(SYSTEM, address=proxy.address) as env:
        env.record_spikes()
        env._client._retry_s = 0.2
        proxy.fates.extend([ANSWER_LOST] * 1000)
        with pytest.raises(ServerUnavailableError):
            env.record_voltage(sections="soma")
        proxy.fates.clear()
        env.clear()
        assert list(env.run(1).keys()) == ["spikes"]
        assert list(env.record_voltage(sections="soma").run(1).keys()) == ["spikes", "voltage"]
    proxy.close()


def test_rules_are_forgotten_with_the_cells_they_were_set_for(env: livnd.Env, address: str):
    env.enable_plasticity({"EXC": {"A_ltp": 0.0, "A_ltd": 0.0}})
    env.selection({"EXC": 8})
    with livnd.Env(SYSTEM, address=address) as fresh:
        fresh.selection({"EXC": 8})
        for e in (env, fresh):
            e.apply_default_params().set_noise({"std_e": 0.002})
            e.enable_plasticity({"INH": {"A_ltp": 1.0}}).run(100)
        assert len(set(fresh.get_weights().values())) > 1
        assert env.get_weights() == fresh.get_weights()


# --- clocks ------------------------------------------------------------------------------------


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


# --- what livn's programs do -------------------------------------------------------------------


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


def test_runs_that_recorded_otherwise_are_not_joined(env: livnd.Env, address: str):
    first = env.record_voltage(dt=0.1, sections="soma").run(1)
    with livnd.make(SYSTEM, address=address) as other:
        second = other.record_voltage(dt=0.2, sections="soma").run(1)
    with pytest.raises(InvalidFieldError, match="dt"):
        first.concat(second)
    with pytest.raises(InvalidFieldError, match="rows"):
        first.concat(env.record_voltage(dt=0.1).run(1))
    with pytest.raises(TypeError):
        first.concat(tuple(first))


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


@pytest.mark.parametrize(
    ("stimulus", "says"),
    [
        ({"array": np.ones((2, 10)), "step": 0.5}, "step"),
        ({"dt": 0.5}, "array"),
        (object(), "Stimulus"),
        ("noise", "Stimulus"),
        ((np.ones((2, 10)), 1.0, None, "current", "pA"), "nA"),
        (livnd.Stimulus(np.ones((2, 10)), input_mode="current", units="photon_flux"), "nA"),
        ((np.ones((2, 10)), 1.0, None, "extracellular", None, None, 470.0), "7 arguments"),
    ],
)
def test_what_is_no_stimulus_is_refused(env: livnd.Env, stimulus: Any, says: str):
    with pytest.raises(InvalidFieldError, match=says):
        env.run(1, stimulus)
    assert env.t == 0.0
