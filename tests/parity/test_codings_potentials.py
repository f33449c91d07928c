"""Decodings of potentials and voltages beside livn 2.0.0's own functions, on random traces."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
from coding_cases import DRAWS, TICK_MS, Case, Driver, close, draws


def test_lfp(driver: Driver) -> None:
    from livn.decoding import LFP
    from livn.run import Run

    compared = 0
    for rng in draws(16):
        duration = int(rng.integers(50, 600))
        units = int(rng.integers(1, 4))
        sample_ms = float(rng.choice([0.25, 0.5, 1.0]))
        samples = round(duration / sample_ms)
        noise = np.cumsum(rng.normal(size=(units, samples)), axis=1)
        potentials = (noise - noise.mean()).astype(np.float32)
        lowpass = float(rng.choice([0, 100, 180]))
        fields = {
            "downsample_hz": float(rng.choice([300, 500, 1000])),
            "lowpass_order": int(rng.integers(1, 5)),
        }
        segment = int(rng.choice([32, 100, 2048]))
        window = {
            "num_units": units,
            "num_ticks": samples * int(sample_ms * 4),
            "tick_ms": 0.25,
            "sample_ticks": int(sample_ms * 4),
        }
        spec = {"name": "lfp_bands", "lowpass_hz": lowpass, "segment": segment, **fields}
        line = {"spec": spec, "window": window}
        line_potentials = potentials.T.astype(float).ravel().tolist()
        ours = driver({**line, "samples": line_potentials})
        # A line of the spectrum on a band's edge is in it; livn's rounding may have moved one.
        left = math.ceil(samples / max(1, int(1000 / sample_ms / fields["downsample_hz"])))
        lines = np.fft.rfftfreq(min(segment, left), 1 / ours["sample_rate_hz"][0])
        moved = np.abs(lines[:, None] - np.array([1, 4, 8, 13, 30, 80.0])[None, :])
        if np.any((moved > 0) & (moved < 1e-9)):
            continue
        compared += 1
        run = Run(duration=duration).add_current(np.arange(units), potentials, dt=sample_ms)
        env = SimpleNamespace(comm=None, potential_recording=lambda p, ids=None: p)
        decoding = LFP(
            duration=duration,
            lowpass_hz=lowpass or None,
            nperseg=segment,
            compute_band_power=True,
            **fields,
        )
        theirs = decoding(run, env)
        assert ours["num_samples"] == [theirs["n_samples"]]
        assert close(ours["sample_rate_hz"], theirs["sample_rate_hz"])
        trace = {"spec": {"name": "lfp", "lowpass_hz": lowpass, **fields}, "window": window}
        traced = driver({**trace, "samples": line_potentials})
        assert close(traced["sample_rate_hz"], theirs["sample_rate_hz"])
        # livn takes the filter's output to float32.
        largest = np.abs(potentials).max()
        assert np.allclose(traced["lfp"], theirs["lfp"].ravel(), rtol=0, atol=2e-6 * largest)
        names = ("delta", "theta", "alpha", "beta", "gamma")
        # livn rounds to float32 on the way.
        total = theirs["broadband"]
        assert np.allclose(ours["broadband"], total, rtol=1e-5)
        expected = [theirs[name] for name in names]
        assert np.allclose(ours["power"], expected, rtol=1e-4, atol=1e-6 * total)
        relative = [theirs.get(f"{name}_relative", 0.0) for name in names]
        assert np.allclose(ours["relative"], relative, atol=1e-5)
    assert compared > DRAWS / 2


class VoltageCase(Case):
    """Spikes of some cells and voltages of their somata, with a bump at each spike."""

    def __init__(self, rng: np.random.Generator, sample_ticks: int) -> None:
        super().__init__(rng, 0)
        self.duration = int(rng.integers(30, 120))
        self.num_ticks = self.duration * 64
        self.keep(self.ticks < self.num_ticks)
        self.sample_ticks = sample_ticks
        self.samples = -(-self.num_ticks // sample_ticks)
        noise = rng.normal(size=(self.num_units, self.samples))
        self.voltages = -70 + np.cumsum(noise, axis=1) * rng.choice([0.01, 1.0])
        for unit, tick in zip(self.units, self.ticks, strict=True):
            peak = int(tick // sample_ticks + rng.integers(0, 8))
            shape = [40, 90, 30, -10, -5]
            self.voltages[unit, peak : peak + 5] += shape[: max(0, self.samples - peak)]

    def voltage_line(self, spec: dict, groups=None) -> dict:
        line = self.line(spec, groups)
        line["window"]["sample_ticks"] = self.sample_ticks
        return {**line, "samples": self.voltages.T.ravel().tolist()}

    def voltage_livn(self, cls, groups=None, **fields):
        from livn.run import Run

        dt = self.sample_ticks * TICK_MS
        run = Run(duration=self.duration).add_spikes(self.units.astype(np.int64), self.times)
        run = run.add_voltage(np.arange(self.num_units), self.voltages, dt=dt)
        ranges = {n: (f, c) for n, f, c in groups or [("all", 0, self.num_units)]}
        system = SimpleNamespace(gids=np.arange(self.num_units), population_ranges=ranges)
        env = SimpleNamespace(comm=None, system=system, voltage_recording_dt=dt)
        return cls(duration=self.duration, voltage_dt=dt, **fields)(run, env)


def test_waveforms(driver: Driver) -> None:
    from livn.decoding import Waveforms

    compared = 0
    for rng in draws(21):
        case = VoltageCase(rng, int(rng.choice([4, 8, 16])))
        dt = case.sample_ticks * TICK_MS
        groups = case.groups(rng)
        fields = {
            "pre_ms": dt * int(rng.integers(1, 40)),
            "post_ms": dt * int(rng.integers(2, 60)),
            "max_spikes": int(rng.choice([1, 4, 500])),
        }
        # livn leaves out what ends with the window, before it is moved to its peak or after.
        spec = {"name": "waveforms", "half_width": "outermost", "max_cutouts": 4000, **fields}
        ours = driver(case.voltage_line(spec, groups))
        size = round((fields["pre_ms"] + fields["post_ms"]) / dt)
        ends = np.asarray(ours["cutout_ms"]) + fields["post_ms"]
        kept = np.asarray(ours["cutout_unit"]) >= 0
        at = np.searchsorted(np.arange(case.samples) * dt, case.times) + round(
            fields["post_ms"] / dt
        )
        if np.any(ends[kept] >= case.samples * dt - 1e-9) or np.any(at == case.samples):
            continue
        compared += 1
        names = [name for name, _, _ in groups]
        theirs = case.voltage_livn(Waveforms, groups, populations=names, **fields)
        cutouts = np.reshape(ours["cutout_mv"], (4000, size))[kept]
        waves = [theirs["waveforms"][name] for name in names if name in theirs["waveforms"]]
        assert len(cutouts) == sum(map(len, waves))
        assert not waves or close(cutouts, np.vstack(waves))
        for g, name in enumerate(names):
            shape = theirs["shape"].get(name)
            assert ours["num_spikes"][g] == (shape["n_spikes"] if shape else 0)
            if shape is None:
                continue
            mean = np.reshape(ours["mean_mv"], (len(names), size))[g]
            assert close(mean, theirs["waveforms"][name].mean(axis=0))
            for key, of_livn in (
                ("baseline_mv", "threshold_mV"),
                ("peak_mv", "peak_mV"),
                ("amplitude_mv", "amplitude_mV"),
                ("ahp_mv", "ahp_mV"),
            ):
                assert close(ours[key][g], shape[of_livn])
            width = shape["half_width_ms"]
            assert close(ours["half_width_ms"][g], -1.0 if math.isnan(width) else width)
    assert compared > DRAWS / 4


def test_extracellular_recruitment(driver: Driver) -> None:
    from livn.decoding import ExtracellularRecruitment

    reached = limited = 0
    for rng in draws(22):
        case = VoltageCase(rng, int(rng.choice([4, 8])))
        pre, post = (float(rng.integers(2, 10)) for _ in range(2))
        onsets = [float(rng.integers(pre, case.duration - post + 1)) for _ in range(6)]
        amplitudes = [float(rng.integers(1, 5)) for _ in onsets]
        fields = {
            "pre_ms": pre,
            "post_ms": post,
            "recruited": float(rng.choice([0.1, 0.3])),
            "min_spikes": int(rng.integers(1, 3)),
            "ceiling_mv": float(rng.choice([-30, 10, 25])),
        }
        spec = {
            "name": "extracellular_recruitment",
            "onsets_ms": onsets,
            "amplitudes": amplitudes,
            **fields,
        }
        schedule = list(zip(onsets, amplitudes, strict=True))
        ours = driver(case.voltage_line(spec))
        theirs = case.voltage_livn(ExtracellularRecruitment, schedule=schedule, **fields)
        assert ours["amplitude"] == sorted(theirs["curve"])
        assert close(ours["curve"], [theirs["curve"][a] for a in ours["amplitude"]])
        assert close(ours["peak_mv"], [theirs["peak_mv"][a] for a in ours["amplitude"]])
        for key in ("threshold", "block", "ceiling"):
            expected = theirs[f"{key}_ua"]
            assert ours[key] == [-1.0 if expected is None else expected]
        expected = theirs["band"]
        assert close(ours["band"], expected if math.isfinite(expected) else -1.0)
        reached += theirs["threshold_ua"] is not None
        limited += theirs["ceiling_ua"] is not None
    assert min(reached, limited) > DRAWS / 10
