"""Decodings beside livn 2.0.0's own functions, and Elephant's, on random spikes.

Times are multiples of 1/64 ms, which doubles hold exactly. livn's edges of bins are rounded, and a
spike on one is in the one bin or the other by that: such spikes are not drawn.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
BINARIES = Path(os.environ.get("LIVND_BAZEL_BIN", ROOT / "bazel-bin"))
DRAWS = int(os.environ.get("LIVND_CODING_DRAWS", "1000"))
TICK_MS = 1.0 / 64.0


class Driver:
    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [str(BINARIES / "tests/parity/run_codings")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, line: dict) -> dict:
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    made = Driver()
    yield made
    made.process.stdin.close()
    assert made.process.wait(timeout=10) == 0


class Case:
    """Spikes of some units in a window, for both."""

    def __init__(self, rng: np.random.Generator, bin_ms: float, rule=None) -> None:
        self.duration = int(rng.integers(30, 1500))
        self.num_units = int(rng.integers(1, 9))
        self.num_ticks = self.duration * 64
        self.bin_ms = bin_ms
        n = int(rng.integers(0, 70)) if rng.random() > 0.05 else 0
        ticks = rng.integers(0, self.num_ticks, n)
        # Some of them together, as in a burst.
        for _ in range(int(rng.integers(0, 4))):
            middle = int(rng.integers(0, self.num_ticks))
            near = middle + rng.normal(0, 64 * rng.choice([0.5, 5, 20]), int(rng.integers(1, 40)))
            ticks = np.concatenate([ticks, near.astype(int)])
        ticks = np.sort(ticks[(ticks >= 0) & (ticks < self.num_ticks)])
        if bin_ms > 0:
            bins = rule(self.duration) if rule else max(1, int(self.duration / bin_ms))
            edges = np.linspace(0.0, self.duration, bins + 1)
            at = ticks * bins
            is_edge = at % self.num_ticks == 0
            is_same = edges[at // self.num_ticks] == ticks * TICK_MS
            ticks = ticks[~is_edge | is_same]
        self.ticks = ticks
        self.units = rng.integers(0, self.num_units, len(ticks))

    @property
    def times(self) -> np.ndarray:
        return self.ticks * TICK_MS

    def keep(self, which: np.ndarray) -> None:
        self.ticks, self.units = self.ticks[which], self.units[which]

    def groups(self, rng: np.random.Generator) -> list[tuple[str, int, int]]:
        first = int(rng.integers(1, self.num_units + 1))
        rest = self.num_units - first
        return [("A", 0, first), *([("B", first, rest)] if rest else [])]

    def line(self, spec: dict, groups=None) -> dict:
        window = {"num_units": self.num_units, "num_ticks": self.num_ticks, "tick_ms": TICK_MS}
        if groups:
            window["groups"] = groups
        spikes = np.stack([self.units, self.ticks], axis=1).tolist()
        return {"spec": spec, "window": window, "spikes": spikes}

    def livn(self, cls, groups=None, **fields):
        from livn.run import Run

        run = Run(duration=self.duration)
        run = run.add_spikes(self.units.astype(np.int64), self.times)
        groups = groups or [("all", 0, self.num_units)]
        env = SimpleNamespace(
            comm=None,
            system=SimpleNamespace(
                gids=np.arange(self.num_units),
                population_ranges={name: (first, count) for name, first, count in groups},
            ),
            cells={
                name: {g: None for g in range(first, first + count)}
                for name, first, count in groups
            },
        )
        return cls(duration=self.duration, **fields)(run, env)


def close(got, expected, tolerance: float = 1e-7) -> bool:
    return np.allclose(got, expected, rtol=tolerance, atol=tolerance)


def draws(seed: int) -> Iterator[np.random.Generator]:
    for i in range(DRAWS):
        yield np.random.default_rng([seed, i])


def test_rates(driver: Driver) -> None:
    from livn.decoding import MeanFiringRate, PerUnitFiringRate, PopulationFiringRates

    for rng in draws(1):
        case = Case(rng, 0)
        groups = case.groups(rng)
        ours = driver(case.line({"name": "firing_rates"}, groups))
        mean = case.livn(MeanFiringRate)
        assert close(ours["fired_mean_hz"], mean["rate_hz"])
        units = case.livn(PerUnitFiringRate)
        expected = [units["per_unit_rates_hz"].get(u, 0.0) for u in range(case.num_units)]
        assert close(ours["rate_hz"], expected)
        for name in ("max", "min", "mean"):
            assert close(ours[f"fired_{name}_hz"], units[f"{name}_rate_hz"])
        assert close(ours["fired_cv"], units["rate_cv"])
        assert ours["num_fired"] == [units["n_units"]]
        by_group = case.livn(PopulationFiringRates, groups)["rates_hz"]
        assert close(ours["group_rate_hz"], [by_group[name] for name, _, _ in groups])


def test_active_fractions(driver: Driver) -> None:
    from livn.decoding import ActiveFraction, PopulationActiveFraction

    for rng in draws(2):
        case = Case(rng, 0)
        least = int(rng.integers(1, 6))
        ours = driver(case.line({"name": "active_fraction", "min_spikes": least}))
        theirs = case.livn(ActiveFraction, min_spikes=least)
        assert close(ours["active_fraction"], theirs["active_fraction"])
        assert ours["num_active"] == [theirs["active_units"]]

        # livn cuts the last bin where the window is no multiple of it.
        divisors = [d for d in range(1, case.duration + 1) if case.duration % d == 0]
        bin_ms = float(rng.choice(divisors))
        groups = case.groups(rng)
        spec = {"name": "binned_active_fraction", "bin_ms": bin_ms}
        ours = driver(case.line(spec, groups))
        theirs = case.livn(PopulationActiveFraction, groups, bin_size=bin_ms)
        for key, name in (("mean", "mean_active_fraction"), ("std", "std_active_fraction")):
            assert close(ours[key], [theirs[name][group] for group, _, _ in groups])


def test_counts_in_bins(driver: Driver) -> None:
    from livn.decoding import PopulationRateMetrics

    for rng in draws(3):
        bin_ms = float(rng.choice([3, 10, 17.5, 100, 400]))
        case = Case(rng, bin_ms, lambda d, b=bin_ms: max(2, int(d / b)))
        ours = driver(case.line({"name": "count_statistics", "bin_ms": bin_ms}))
        theirs = case.livn(PopulationRateMetrics, bin_size=bin_ms)
        for key, name in (
            ("mean_count", "mean_count"),
            ("std_count", "std_count"),
            ("cv", "coefficient_of_variation"),
            ("fano_factor", "fano_factor"),
        ):
            assert close(ours[key], theirs[name])


def test_stability(driver: Driver) -> None:
    from livn.decoding import Stability

    for rng in draws(4):
        # livn divides by bin_size where its bins are wider.
        case = Case(rng, 0)
        divisors = [d for d in range(1, case.duration + 1) if case.duration % d == 0]
        bin_ms = float(rng.choice(divisors))
        tail = float(rng.choice([10, 100, 333, 1000]))
        limit = float(rng.choice([1, 20, 100]))
        spec = {"name": "stability", "bin_ms": bin_ms, "tail_ms": tail, "max_rate_hz": limit}
        ours = driver(case.line(spec))
        theirs = case.livn(Stability, bin_size=bin_ms, tail_window=tail, max_rate_hz=limit)
        if int((case.duration - tail) / bin_ms) < case.duration / bin_ms:
            assert close(ours["tail_mean_hz"], theirs["tail_mean_hz"])
        assert close(ours["global_mean_hz"], theirs["global_mean_hz"])
        for name in ("is_stable", "is_runaway", "is_quiescent"):
            assert ours[name] == [float(theirs[name])]


def test_intervals(driver: Driver) -> None:
    from livn.decoding import ISICV

    for rng in draws(5):
        case = Case(rng, 0)
        least = int(rng.integers(2, 8))
        ours = driver(case.line({"name": "isi_statistics", "min_spikes": least}))
        theirs = case.livn(ISICV, min_spikes_per_unit=least)
        assert close(ours["mean_cv"], theirs["isi_cv"])
        assert ours["num_used"] == [theirs["n_units_used"]]


def test_network_bursts(driver: Driver) -> None:
    from livn.decoding import BurstRate

    found = 0
    for rng in draws(6):
        bin_ms = float(rng.choice([5, 20, 50]))
        case = Case(rng, bin_ms)
        k = float(rng.choice([1, 3, 5]))
        floor = float(rng.choice([1, 3]))
        part = float(rng.choice([0.1, 0.15, 0.8]))
        fields = {"mad_k": k, "min_floor": floor, "min_floor_fraction": part}
        ours = driver(case.line({"name": "network_bursts", "bin_ms": bin_ms, **fields}))
        theirs = case.livn(BurstRate, bin_size=bin_ms, **fields)
        assert ours["num_bursts"] == [theirs["n_bursts"]]
        assert close(ours["rate_hz"], theirs["burst_rate_hz"])
        assert close(ours["threshold"], theirs["threshold"])
        rises = np.flatnonzero(np.diff([0.0, *ours["in_burst"]]) == 1)
        assert close(rises * bin_ms, theirs["onsets"])
        found += theirs["n_bursts"]
        edges = driver(
            case.line({"name": "network_bursts", "bin_ms": bin_ms, "count": "edges"} | fields)
        )
        assert edges["num_bursts"] == [2 * theirs["n_bursts"]]
    assert found > DRAWS / 4


def test_synchrony(driver: Driver) -> None:
    from livn.decoding import PeakSynchrony

    for rng in draws(7):
        bin_ms = float(rng.choice([1, 2, 7.5, 25]))
        case = Case(rng, bin_ms)
        ours = driver(case.line({"name": "synchrony", "bin_ms": bin_ms}))
        theirs = case.livn(PeakSynchrony, bin_size=bin_ms)
        assert close(ours["peak"], theirs["max_synchronous_peak"])
        assert ours["max_count"] == [theirs["max_bin_count"]]
        assert ours["num_fired"] == [theirs["n_active_units"]]


def test_correlation(driver: Driver) -> None:
    from livn.decoding import PairwiseChannelCorrelation

    for rng in draws(8):
        bin_ms = float(rng.choice([5, 10, 20, 50]))
        case = Case(rng, bin_ms)
        least = int(rng.integers(2, 5))
        ours = driver(case.line({"name": "correlation", "bin_ms": bin_ms, "min_units": least}))
        theirs = case.livn(PairwiseChannelCorrelation, bin_size=bin_ms, min_units=least)
        assert ours["num_pairs"] == [theirs["n_pairs"]]
        assert close(ours["mean"], theirs["mean_pairwise_correlation"])


def test_autocorrelation_time(driver: Driver) -> None:
    from livn.decoding import PopulationAutocorrTau

    compared = 0
    for rng in draws(9):
        bin_ms = float(rng.choice([2, 5, 10, 30]))
        lag = float(rng.choice([50, 200, 5000]))
        rule = lambda d, b=bin_ms: max(2, int(d / b))  # noqa: E731
        case = Case(rng, bin_ms, rule)
        counts = np.histogram(case.times, bins=rule(case.duration), range=(0, case.duration))[0]
        x = counts - counts.mean()
        acf = np.correlate(x, x, "full")[len(x) :]
        if np.any(np.abs(acf) < 1e-9 * max(1.0, x @ x)):
            continue  # the sign of a 0 is a matter of rounding
        compared += 1
        spec = {"name": "autocorrelation_time", "bin_ms": bin_ms, "max_lag_ms": lag}
        theirs = case.livn(PopulationAutocorrTau, bin_size=bin_ms, max_lag=lag)
        assert close(driver(case.line(spec))["tau_ms"], theirs["pop_autocorr_tau"])
    assert compared > DRAWS / 2


def test_avalanches(driver: Driver) -> None:
    from livn.decoding import AvalancheAnalysis

    fitted = 0
    for rng in draws(10):
        bin_ms = float(rng.choice([0.5, 1, 4, 12]))
        case = Case(rng, 0)
        if len(case.ticks):
            # livn's edges are rounded: none of the spikes but the first lies on one.
            off = (case.ticks - case.ticks[0]) % int(bin_ms * 64)
            case.keep((off != 0) | (case.ticks == case.ticks[0]))
        spec = {"name": "avalanches", "bin_ms": bin_ms, "fit": "counts"}
        ours = driver(case.line(spec))
        theirs = case.livn(AvalancheAnalysis, bin_width=bin_ms)
        assert ours["num_avalanches"] == [theirs["n_avalanches"]]
        for key in ("mean_size", "mean_duration", "branching_ratio"):
            assert close(ours[key], theirs[key])
        if theirs["n_avalanches"] <= 10:
            assert ours["exponent"] == [0.0]
            continue
        # The largest one of livn's, which may fall off the last edge, and sizes on others.
        sizes = sizes_of(case, bin_ms)
        edges = np.logspace(0, np.log10(max(sizes)), 20) if max(sizes) > 1 else np.array([1.0])
        off = np.abs(edges[:, None] - np.asarray(sizes)[None, :]) < 1e-9
        if np.any(off[1:-1]) or (max(sizes) > 1 and edges[-1] < max(sizes)):
            continue
        fitted += theirs["size_power_law_exponent"] != 0.0
        assert close(ours["exponent"], theirs["size_power_law_exponent"])
        assert close(ours["r2"], theirs["size_power_law_r2"])
    assert fitted > DRAWS / 20


def sizes_of(case: Case, bin_ms: float) -> list[int]:
    bins = (case.ticks - case.ticks[0]) // int(bin_ms * 64)
    sizes = [1]
    for before, after in itertools.pairwise(bins):
        if after > before + 1:
            sizes.append(0)
        sizes[-1] += 1
    return sizes


def test_spike_density(driver: Driver) -> None:
    from livn.decoding import PopulationSpikeDensity

    for rng in draws(11):
        case = Case(rng, 0)
        groups = case.groups(rng)
        step = float(rng.choice([5, 10, 25]))
        bin_ms = float(rng.choice([2, 10, 40]))
        threshold = float(rng.choice([0.01, 2, 10]))
        fields = {"step_ms": step, "bin_ms": bin_ms, "active_threshold_hz": [threshold]}
        ours = driver(case.line({"name": "spike_density", **fields}, groups))
        theirs = case.livn(
            PopulationSpikeDensity,
            groups,
            temporal_resolution=step,
            stability_resolution=bin_ms,
            active_threshold=threshold,
        )
        for key, name in (
            ("mean_rate_hz", "mean_rate"),
            ("fraction_active", "fraction_active"),
            ("num_active", "n_active"),
            ("mean_fraction", "mean_fraction_active_per_bin"),
            ("std_fraction", "std_fraction_active_per_bin"),
            ("rate_cv", "rate_cv"),
        ):
            assert close(ours[key], [theirs[name][group] for group, _, _ in groups], 1e-6), key


def test_baks(driver: Driver) -> None:
    from livn.decoding import baks

    for rng in draws(12):
        case = Case(rng, 0)
        step = float(rng.choice([5, 10, 25]))
        alpha = float(rng.uniform(1.0, 8.0))
        beta = float(rng.uniform(-0.5, 1.0))
        fields = {"step_ms": step, "alpha": alpha, "beta_exponent": beta}
        ours = driver(case.line({"name": "baks", **fields}))
        times = np.arange(0.0, case.duration, step)
        expected = [
            baks(case.times[case.units == u] / 1e3, times / 1e3, alpha=alpha, beta=beta)[0]
            for u in range(case.num_units)
        ]
        assert close(ours["rate_hz"], np.concatenate(expected), 1e-6)


def or_nan(values: list[float]) -> float:
    return math.nan if values[0] == -1.0 else values[0]


def test_stimulus_response(driver: Driver) -> None:
    from livn.decoding import StimulusResponse

    answered = 0
    for rng in draws(13):
        case = Case(rng, 0)
        pre, post = (float(rng.integers(2, case.duration // 3)) for _ in range(2))
        onset = float(rng.integers(int(pre), int(case.duration - post) + 1))
        fields = {
            "onset_ms": onset,
            "pre_ms": pre,
            "post_ms": post,
            "tail_ms": float(rng.integers(2, 2 * case.duration)),
            "threshold_k": float(rng.choice([0.5, 3])),
        }
        bin_ms = float(rng.choice([1, 2.5, 10]))
        # livn's histograms are closed at their ends.
        case.keep((case.ticks - int(onset * 64)) % int(bin_ms * 64) != 0)
        if not len(case.ticks):
            continue  # livn's answer is empty
        ours = driver(case.line({"name": "stimulus_response", "bin_ms": bin_ms, **fields}))
        theirs = case.livn(StimulusResponse, bin_size=bin_ms, **fields)
        assert close(ours["evoked_rate_hz"], theirs["evoked_rate_hz"])
        assert close(ours["peak_hz"], theirs["response_peak_hz"])
        assert close(ours["probability"], theirs["response_probability"])
        for key, name in (
            ("gain", "response_gain"),
            ("latency_ms", "response_latency_ms"),
            ("duration_ms", "response_duration_ms"),
        ):
            assert np.isclose(or_nan(ours[key]), theirs[name], equal_nan=True), key
        answered += not math.isnan(theirs["response_duration_ms"])
    assert answered > DRAWS / 20


def onsets_in(rng: np.random.Generator, case: Case, pre: float, post: float, most: int):
    n = int(rng.integers(1, most))
    return [float(x) for x in rng.integers(int(pre), int(case.duration - post) + 1, n)]


def test_peristimulus_histogram(driver: Driver) -> None:
    from livn.decoding import PeriStimulusHistogram

    for rng in draws(14):
        case = Case(rng, 0)
        bin_ms = float(rng.choice([1, 2.5, 5]))
        pre, post = bin_ms * float(rng.integers(0, 3)), bin_ms * float(rng.integers(1, 3))
        onsets = onsets_in(rng, case, math.ceil(pre), math.ceil(post), 8)
        groups = case.groups(rng)
        fields = {"pre_ms": pre, "post_ms": post}
        spec = {"name": "peristimulus_histogram", "bin_ms": bin_ms, "onsets_ms": onsets, **fields}
        ours = driver(case.line(spec, groups))
        theirs = case.livn(
            PeriStimulusHistogram,
            groups,
            bin_size=bin_ms,
            onsets=onsets,
            populations=[name for name, _, _ in groups],
            **fields,
        )
        expected = np.concatenate([theirs["counts"][name] for name, _, _ in groups])
        assert close(ours["counts"], expected)


def test_recruitment(driver: Driver) -> None:
    from livn.decoding import ExtracellularRecruitment, RecruitmentCurve

    reached = 0
    for rng in draws(15):
        case = Case(rng, 0)
        pre, post = (float(rng.integers(2, 15)) for _ in range(2))
        onsets = onsets_in(rng, case, pre, post, 12)
        amplitudes = [float(rng.integers(1, 5)) for _ in onsets]
        part = float(rng.choice([0.1, 0.3, 0.5]))
        fields = {"pre_ms": pre, "post_ms": post, "recruited": part}
        spec = {"name": "recruitment", "onsets_ms": onsets, "amplitudes": amplitudes, **fields}
        schedule = list(zip(onsets, amplitudes, strict=True))

        ours = driver(case.line(spec))
        theirs = case.livn(RecruitmentCurve, schedule=schedule, **fields)
        assert ours["amplitude"] == sorted(theirs["curve"])
        assert close(ours["curve"], [theirs["curve"][a] for a in sorted(theirs["curve"])])
        if "censored" in theirs:
            above, below = theirs["above_mv"], theirs["below_mv"]
            assert ours["threshold"] == [-1.0 if above is None else above]
            assert ours["below"] == [-1.0 if below is None else below]
            assert ours["is_reached"] == [float(theirs["censored"] != "above")]
            assert ours["has_below"] == [float(theirs["censored"] is None)]

        least = int(rng.integers(1, 3))
        ours = driver(case.line({**spec, "answer": "any", "min_spikes": least}))
        theirs = case.livn(ExtracellularRecruitment, schedule=schedule, min_spikes=least, **fields)
        assert close(ours["curve"], [theirs["curve"][a] for a in sorted(theirs["curve"])])
        for key, name in (("threshold", "threshold_ua"), ("block", "block_ua")):
            assert ours[key] == [-1.0 if theirs[name] is None else theirs[name]]
        reached += theirs["threshold_ua"] is not None
    assert reached > DRAWS / 10


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
        ours = driver({**line, "potentials": line_potentials})
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
        traced = driver({**trace, "potentials": line_potentials})
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


def trains_of(case: Case):
    import neo
    import quantities as pq

    return [
        neo.SpikeTrain(np.sort(case.times[case.units == u]) * pq.ms, t_stop=case.duration * pq.ms)
        for u in range(case.num_units)
    ]


def test_distances_of_elephant(driver: Driver) -> None:
    import quantities as pq
    from elephant.spike_train_dissimilarity import van_rossum_distance, victor_purpura_distance

    for rng in draws(17):
        case = Case(rng, 0)
        case.keep(rng.random(len(case.ticks)) < 0.4)
        trains = trains_of(case)
        tau = float(rng.choice([1, 10, 100]))
        ours = driver(case.line({"name": "van_rossum", "tau_ms": tau}))
        # Of equal trains the difference of large numbers.
        assert np.allclose(
            ours["distance"], van_rossum_distance(trains, tau * pq.ms).ravel(), atol=1e-5
        )
        cost = float(rng.choice([0, 10, 100, 1000]))
        ours = driver(case.line({"name": "victor_purpura", "cost_per_s": cost}))
        theirs = victor_purpura_distance(trains, cost / pq.s)
        assert close(ours["distance"], np.asarray(theirs).ravel())


def test_intervals_of_elephant(driver: Driver) -> None:
    from elephant.statistics import cv, isi, lv

    for rng in draws(18):
        case = Case(rng, 0)
        case.keep(np.diff(case.ticks, prepend=-1) > 0)
        ours = driver(case.line({"name": "isi_statistics", "min_spikes": 3}))
        for u, train in enumerate(trains_of(case)):
            if len(train) < 3:
                assert ours["is_used"][u] == 0.0
                continue
            intervals = isi(train).magnitude
            assert close(ours["cv"][u], cv(intervals))
            assert close(ours["lv"][u], lv(intervals))
            assert close(ours["mean_isi_ms"][u], intervals.mean())


def test_correlation_of_elephant(driver: Driver) -> None:
    import quantities as pq
    from elephant.conversion import BinnedSpikeTrain
    from elephant.spike_train_correlation import correlation_coefficient

    for rng in draws(19):
        case = Case(rng, 0)
        divisors = [d for d in range(2, case.duration // 3) if case.duration % d == 0]
        if not divisors:
            continue
        bin_ms = int(rng.choice(divisors))
        ours = driver(case.line({"name": "correlation", "bin_ms": bin_ms, "matrix": True}))
        matrix = np.reshape(ours["correlation"], (case.num_units, case.num_units))
        binned = BinnedSpikeTrain(trains_of(case), bin_size=bin_ms * pq.ms)
        varies = [row.std() > 0 for row in binned.to_array()]
        if sum(varies) < 2:
            continue
        which = np.flatnonzero(varies)
        theirs = correlation_coefficient(binned)[np.ix_(which, which)]
        assert close(matrix[np.ix_(which, which)], theirs)
        assert not np.any(matrix[~np.asarray(varies)])


def test_fano_factor_of_elephant(driver: Driver) -> None:
    # Elephant's is over trains, each as long as a bin.
    import neo
    import quantities as pq
    from elephant.statistics import fanofactor

    compared = 0
    for rng in draws(20):
        case = Case(rng, 0)
        divisors = [d for d in range(1, case.duration // 2 + 1) if case.duration % d == 0]
        bin_ms = int(rng.choice(divisors))
        ours = driver(case.line({"name": "count_statistics", "bin_ms": bin_ms}))
        if not len(case.ticks) or case.duration // bin_ms > 200:
            continue
        compared += 1
        bins = case.ticks // (bin_ms * 64)
        trains = [
            neo.SpikeTrain((case.times[bins == b] - b * bin_ms) * pq.ms, t_stop=bin_ms * pq.ms)
            for b in range(case.duration // bin_ms)
        ]
        assert close(ours["fano_factor"], fanofactor(trains))
    assert compared > DRAWS / 4
