"""Random programs: calls of livn's Env, most of them legal, drawn from a seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

KINDS = (KeyError, TypeError, AttributeError, NotImplementedError, ValueError, RuntimeError)
Call = tuple[str, Callable[[Any], Any]]

SECTIONS = (None, "soma", "dend", ["soma", "ais2"])


def kind_of(error: Exception) -> str:
    """The exception of Python's own that an error is."""
    return next((kind.__name__ for kind in KINDS if isinstance(error, kind)), "another")


def draw(seed: int, num_cells: int, num_electrodes: int) -> list[Call]:
    """A program of a culture: what each call is called, and the call."""
    rng = np.random.default_rng(seed)
    calls: list[Call] = [("record_spikes", lambda e: e.record_spikes())]
    # One sampling step a signal: another one is an error that is drawn below.
    dt = float(rng.choice([0.1, 0.2, 0.05]))
    some = rng.choice(num_cells, 4, replace=False).tolist()
    sections = SECTIONS[rng.integers(len(SECTIONS))]
    calls.append(("record_voltage", lambda e: e.record_voltage(dt=dt, sections=sections)))
    if rng.random() < 0.3:
        calls[-1] = ("record_voltage", lambda e: e.record_voltage(dt=dt, gids=some))
    if rng.random() < 0.5:
        calls.append(("record_membrane_current", lambda e: e.record_membrane_current(dt=0.1)))
    stimulus_dt = float(rng.choice([0.05, 0.1, 0.5, 1.0]))
    for _ in range(rng.integers(8, 20)):
        calls.append(_call(rng, num_cells, num_electrodes, stimulus_dt))
    calls.append(("run", lambda e: e.run(5)))
    return calls


def _call(rng: Any, num_cells: int, num_electrodes: int, stimulus_dt: float) -> Call:
    name = rng.choice(list(_CALLS), p=_WEIGHTS)
    return str(name), _CALLS[name](rng, num_cells, num_electrodes, stimulus_dt)


def _run(rng: Any, *_: Any) -> Callable[[Any], Any]:
    duration = float(rng.choice([0.0, 0.025, 0.05, 1, 2.5, 5, 7.3, 12.125]))
    return lambda e: e.run(duration)


def _array(rng: Any, columns: int, scale: float) -> np.ndarray:
    array = np.zeros((int(rng.integers(1, 12)), columns))
    start = rng.integers(len(array))
    array[start:] = rng.normal(0, scale, size=(len(array) - start, columns))
    return array


def _stimulate(rng: Any, num_cells: int, num_electrodes: int, dt: float) -> Callable[[Any], Any]:
    from livn.stimulus import Stimulus

    duration = float(rng.choice([1, 5, 7.5, 10]))
    mode = rng.choice(["current", "current_density", "extracellular", "irradiance"])
    scale = {"current": 0.1, "current_density": 1e-3, "extracellular": 20, "irradiance": 3}[mode]
    gids = rng.choice(num_cells, int(rng.integers(1, num_cells)), replace=False)
    if mode == "extracellular" and rng.random() < 0.7:
        channels = _array(rng, num_electrodes, 4.0)
        return lambda e: e.run(duration, e.cell_stimulus(channels, dt=dt))
    array = _array(rng, len(gids), scale)
    if mode == "irradiance":
        array = abs(array)
    if rng.random() < 0.3:

        def window(start_ms: float, stop_ms: float) -> np.ndarray:
            return array[round(start_ms / dt) : round(stop_ms / dt)]

        return lambda e: e.run(
            duration,
            Stimulus(dt=dt, gids=gids, input_mode=mode, source=window, extent=len(array) * dt),
        )
    return lambda e: e.run(duration, {"array": array, "dt": dt, "gids": gids, "input_mode": mode})


def _policy(rng: Any, _cells: int, num_electrodes: int, stimulus_dt: float) -> Callable[[Any], Any]:
    from livn.policy import BiphasicPulsePolicy

    onsets = sorted(float(t) for t in rng.choice(10, 2, replace=False))
    amplitude = float(rng.uniform(1, 15))
    duration = float(rng.choice([8.0, 15.0]))

    channels = sorted(rng.choice(num_electrodes, int(rng.integers(1, 5)), replace=False).tolist())
    policy = BiphasicPulsePolicy(
        n_channels=num_electrodes,
        channels=channels,
        pulse_times=onsets,
        amplitude=amplitude,
        phase_duration=2 * stimulus_dt,
        dt=stimulus_dt,
    )
    return lambda e: e.run(duration, policy)


def _weights(rng: Any, *_: Any) -> Callable[[Any], Any]:
    key = rng.choice(
        [
            "EXC_EXC-dend-AMPA-weight",
            "EXC_INH-soma-GABA_A-weight",
            "EXC_EXC-dend",
            "EXC-dend-AMPA-tau_decay",
            "INH_EXC-soma-NMDA-weight",
            "EXC_EXC-dend-GABA_A-weight",  # matches nothing
            "EXC_EXC-dend-AMPA-tau_decay",  # names a source
        ]
    )
    value = float(rng.uniform(0.5, 6))
    return lambda e: e.set_weights({str(key): value})


def _noise(rng: Any, *_: Any) -> Callable[[Any], Any]:
    key = str(rng.choice(["std_e", "std_i", "g_e0", "EXC-std_e"]))
    value = float(rng.uniform(0, 1e-3))
    return lambda e: e.set_noise({key: value})


def _params(rng: Any, *_: Any) -> Callable[[Any], Any]:
    # Of cells before the first run, where livn's two ways of setting them are one.
    value = float(rng.uniform(0.8, 1.3))

    def call(env: Any) -> Any:
        env.clear()
        return env.set_params({"cells-soma.cm": value, "noise-std_e": 4e-4})

    return call


def _wrong_params(rng: Any, *_: Any) -> Callable[[Any], Any]:
    # What no cell has: livn sets what some have before it finds one that has not.
    key = str(rng.choice(["soma.foo", "foo", "FOO:soma.cm", "roof.cm"]))
    return lambda e: e.cells.set_params({key: 1.0})


def _wrong(rng: Any, num_cells: int, *_: Any) -> Callable[[Any], Any]:
    from livn.stimulus import Stimulus

    return rng.choice(
        [
            lambda e: e.selection(0.5),
            lambda e: e.record("smell"),
            lambda e: e.record("no identifier"),
            lambda e: e.record_voltage(gids=[num_cells + 5]),
            lambda e: e.record_voltage(gids=[]),
            lambda e: e.run(2, Stimulus(np.zeros((3, num_cells + 1)), input_mode="current")),
            lambda e: e.run(2, Stimulus(np.zeros((3, 1)), gids=[0], input_mode="conductance")),
            lambda e: e.run(2, np.full((3, num_cells), 2000.0)),
            lambda e: e.run(2, object()),
            lambda e: e(0),
            lambda e: e.cells[num_cells + 5],
            lambda e: e.cells.set_params({"soma.cm": [1.0, 2.0]}),
            lambda e: e.set_params({"io-nothing": 1.0}),
            lambda e: (e.run(1), e.run(1, dt=0.05))[1],
            lambda e: (e.run(1), setattr(e, "v_init", -60.0))[1],
        ]
    )


def _read(rng: Any, *_: Any) -> Callable[[Any], Any]:
    return rng.choice(
        [
            lambda e: e.get_weights(),
            lambda e: e.weight_names,
            lambda e: e.admissible_params(),
            lambda e: e.recordable(),
            lambda e: (e.t, e.voltage_recording_dt, e.membrane_current_recording_dt),
            lambda e: e.simulated_gids(),
            lambda e: e.input_gids,
            lambda e: e.channel_reach(),
            lambda e: sorted(e.cells.get_params()),
        ]
    )


def _heard(*_: Any) -> Callable[[Any], Any]:
    def call(env: Any) -> Any:
        run = env.run(3)
        # Of spikes away from the run's ends, which runs share differently.
        ids, times = run.spike_ids, run.spike_times
        order = np.lexsort((ids, times))
        order = order[(times[order] > 0.03) & (times[order] < 2.97)]
        channels = env.channel_recording(ids[order], times[order])
        heard = None if run.current is None else env.potential_recording(run.current)
        return channels, heard

    return call


def _decode(rng: Any, *_: Any) -> Callable[[Any], Any]:
    from livn.decoding import MeanFiringRate

    duration = int(rng.integers(2, 12))
    if rng.random() < 0.5:
        return lambda e: e(duration)
    return lambda e: e(MeanFiringRate(duration=duration))


def _plasticity(rng: Any, *_: Any) -> Callable[[Any], Any]:
    target = float(rng.uniform(0.5, 3))
    return rng.choice(
        [
            lambda e: e.enable_plasticity(),
            lambda e: e.enable_plasticity({"EXC": {"A_ltp": 2.0}}),
            lambda e: e.disable_plasticity(),
            lambda e: e.normalize_weights(target),
            lambda e: e.normalize_weights(),
            lambda e: e.record_weights(dt=0.5),
            lambda e: e.w_recs,
            lambda e: e.w_recs,
        ]
    )


def _again(rng: Any, *_: Any) -> Callable[[Any], Any]:
    reseed, stream = bool(rng.random() < 0.5), int(rng.integers(5))
    return rng.choice(
        [
            lambda e: e.clear(reseed=reseed),
            lambda e: e.reseed_noise(),
            lambda e: e.reseed_noise(stream),
            lambda e: e.clear_recordings(),
        ]
    )


_CALLS = {
    "run": _run,
    "stimulate": _stimulate,
    "policy": _policy,
    "set_weights": _weights,
    "set_noise": _noise,
    "set_params": _params,
    "wrong_params": _wrong_params,
    "wrong": _wrong,
    "read": _read,
    "heard": _heard,
    "decode": _decode,
    "plasticity": _plasticity,
    "again": _again,
}
_WEIGHTS = np.array([4, 5, 2, 2, 1.5, 0.7, 0.7, 2, 1.5, 1, 1, 1.5, 1.5])
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
