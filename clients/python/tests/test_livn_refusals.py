"""What livnd.Env refuses, and that it goes on as before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import livnd
import numpy as np
import pytest
from beside_livn import SYSTEM, both
from conftest import Server
from livnd.conformance.lossy_proxy import ANSWER_LOST, LossyProxy
from livnd.errors import (
    InvalidFieldError,
    NumericalFailureError,
    RunStartedError,
    ServerUnavailableError,
)


def test_input_spikes_need_an_event_source(env: livnd.Env):
    assert env.input_gids == []
    with pytest.raises(InvalidFieldError, match="gids of event sources"):
        env.play_input_spikes({0: [1.0]})


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
