"""Decodings of spikes beside Elephant's own functions, on random spikes."""

from __future__ import annotations

import numpy as np
from coding_cases import DRAWS, Case, Driver, close, draws


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
