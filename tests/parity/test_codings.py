"""Decodings of spikes beside livn 2.0.0's own functions, on random spikes."""

from __future__ import annotations

import itertools
import math

import numpy as np
from coding_cases import DRAWS, Case, Driver, close, draws


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
