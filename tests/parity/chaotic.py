"""A chaotic network: equal up to where livn's own runs part, the same statistics beyond.

Eight EXC and two INH cells with recurrent synapses and conductance noise run with many seeds of
the noise, each seed on livn (twice) and on livnd. Up to the time where livn's two runs part,
judge.py holds livnd to its rule. Over the whole time four statistics are compared: the rate of
either population, the intervals between a cell's spikes, and bursts (livn's BurstRate decoding).

The test is a permutation test over pairs. The two runs of a seed share their noise; were the
engines the same, either of the two could as well have come from the other one. So the labels of
each pair are swapped at random, and p is the share of such swaps whose statistic is at least as
large as the observed one. The statistic is the absolute mean difference within pairs for rates and
bursts, and for intervals the Kolmogorov-Smirnov distance of the two pooled distributions. With four
tests, p below ALPHA / 4 in any of them is a failure.

A test that cannot tell anything apart proves nothing: livnd runs once more with noise that is a
tenth stronger, and the same test has to find that out.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import copy
import json
import multiprocessing
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from engines import run_livn, run_livnd, start_worker
from judge import judge

Trains = dict[int, np.ndarray]  # gid -> ms

ALPHA = 0.01
SWAPS = 5000
STRONGER = 1.1
# By the rule of judge.py livnd may be 0.01 mV off where livn's two runs are this far apart; at ten
# times that a spike may come in another step.
PARTED_MV = 1e-4
NUM_EXC, NUM_INH = 8, 2
PROGRESS_S = 5.0

# Rare spikes that strong recurrent synapses turn into bursts.
NOISE = {
    "g_e0": 0.0001,
    "g_i0": 0.001,
    "std_e": 0.0005,
    "std_i": 0.0004,
    "tau_e": 4.0,
    "tau_i": 9.0,
    "INH-g_e0": 0.0003,
    "INH-std_e": 0.0005,
}
AMPA = {"g_unit": 0.0005, "tau_rise": 0.5, "e": 0.0}
GABA_A = {"weight": 4.0, "g_unit": 0.001, "tau_rise": 0.3, "tau_decay": 6.0, "e": -70.0}
RECEPTORS = {
    "EXC<-EXC": {
        "AMPA": {**AMPA, "weight": 40.0, "tau_decay": 3.0},
        "NMDA": {**AMPA, "weight": 0.6, "tau_decay": 80.0},
    },
    "INH<-EXC": {"AMPA": {**AMPA, "weight": 12.0, "tau_decay": 7.0}},
    "EXC<-INH": {"GABA_A": GABA_A},
    "INH<-INH": {"GABA_A": GABA_A},
}


def network(noise_seed: int, duration_ms: float) -> dict:
    """The case; its wiring is always the same."""
    draw = random.Random("wiring of the chaotic network")
    cells = []
    for gid in range(NUM_EXC + NUM_INH):
        population = "EXC" if gid < NUM_EXC else "INH"
        xyz = [36.0 * gid, draw.uniform(-30.0, 30.0), 0.0]
        cells.append({"gid": gid, "population": population, "xyz": xyz})
    edges = []
    for post in cells:
        sources = [c for c in cells if c is not post and draw.random() < 0.45]
        for syn_id, pre in enumerate(sources):
            edges.append(
                {
                    "pre": pre["gid"],
                    "post": post["gid"],
                    "syn_id": syn_id,
                    "swc_type": 4 if pre["population"] == "EXC" else 1,
                    "loc": draw.uniform(0.05, 0.95),
                    "distance_um": draw.uniform(30.0, 300.0),
                }
            )
    return {
        "name": f"chaotic_{noise_seed}",
        "dt": 0.025,
        "seed": noise_seed,
        "cells": cells,
        "edges": edges,
        "receptors": RECEPTORS,
        "model": {},
        "noise": NOISE,
        "record": {"sample_dt": 0.1, "every": 1},
        "runs": [{"duration": duration_ms}],
    }


@dataclass
class Pair:
    """The runs of one seed."""

    seed: int
    livn: Trains
    livnd: Trains
    stronger: Trains  # livnd with more noise
    faults: list[str]
    judged_ms: float


def run_pair(noise_seed: int, duration_ms: float, binary: Path) -> Pair:
    """In a worker."""
    case = network(noise_seed, duration_ms)
    louder = copy.deepcopy(case)
    louder["name"] += "_stronger"
    for key in louder["noise"]:
        if "std" in key:
            louder["noise"][key] *= STRONGER
    livn, twin = run_livn(case)
    with tempfile.TemporaryDirectory(prefix="parity-") as scratch:
        found = []
        for one in (case, louder):
            path = Path(scratch) / f"{one['name']}.json"
            path.write_text(json.dumps(one))
            folder = Path(scratch) / "livnd"
            folder.mkdir(exist_ok=True)
            found.append(run_livnd(binary, path, folder))
    verdict = judge(case, livn, twin, found[0], PARTED_MV)[0]
    trains = [_trains(arrays) for arrays in (livn, *found)]
    return Pair(noise_seed, *trains, verdict.faults, verdict.judged_ms)


def _trains(arrays: dict[str, np.ndarray]) -> Trains:
    gids, times = arrays["r0_spike_gid"], arrays["r0_spike_t"]
    return {gid: np.sort(times[gids == gid]) for gid in range(NUM_EXC + NUM_INH)}


def rate(trains: Trains, gids: range, duration_ms: float) -> float:
    """Spikes a cell and second."""
    return sum(len(trains[gid]) for gid in gids) / len(gids) / duration_ms * 1e3


def intervals(trains: Trains) -> np.ndarray:
    """Between successive spikes of a cell, ms; of all cells."""
    return np.concatenate([np.diff(times) for times in trains.values()])


def burst_rate(trains: Trains, duration_ms: float, bin_ms: float = 50.0) -> float:
    """Bursts a second: runs of bins far above the median count (livn decoding.BurstRate)."""
    edges = np.arange(0.0, duration_ms + bin_ms, bin_ms)
    counts, _ = np.histogram(np.concatenate(list(trains.values())), bins=edges)
    deviation = np.median(np.abs(counts - np.median(counts))) or 1.0
    fired = sum(len(times) > 0 for times in trains.values())
    threshold = max(np.median(counts) + 5.0 * 1.4826 * deviation, max(3.0, 0.15 * fired))
    above = np.concatenate([[False], counts >= threshold])
    return float(np.count_nonzero(above[1:] & ~above[:-1])) / duration_ms * 1e3


def mean_difference_p(a: np.ndarray, b: np.ndarray, draw: np.random.Generator) -> float:
    """The p of |mean(a - b)| when the labels of pairs are swapped."""
    difference = a - b
    signs = draw.choice([-1.0, 1.0], size=(SWAPS, len(a)))
    swapped = np.abs((signs * difference).mean(axis=1))
    return float((1 + np.count_nonzero(swapped >= abs(difference.mean()) - 1e-12)) / (SWAPS + 1))


def ks_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Largest difference of two distribution functions."""
    at = np.concatenate([a, b])
    at.sort()
    below_a = np.searchsorted(np.sort(a), at, side="right") / max(1, len(a))
    below_b = np.searchsorted(np.sort(b), at, side="right") / max(1, len(b))
    return float(np.abs(below_a - below_b).max(initial=0.0))


def intervals_p(a: list[np.ndarray], b: list[np.ndarray], draw: np.random.Generator) -> float:
    """The p of the distance of pooled intervals when the labels of pairs are swapped."""
    observed = ks_distance(np.concatenate(a), np.concatenate(b))
    swaps, as_large = SWAPS // 10, 0
    for _ in range(swaps):
        flip = draw.random(len(a)) < 0.5
        left = np.concatenate([y if f else x for x, y, f in zip(a, b, flip, strict=True)])
        right = np.concatenate([x if f else y for x, y, f in zip(a, b, flip, strict=True)])
        as_large += ks_distance(left, right) >= observed - 1e-12
    return float((1 + as_large) / (swaps + 1))


def compare(a: list[Trains], b: list[Trains], duration_ms: float) -> dict[str, dict[str, float]]:
    """Each statistic: its mean (of intervals: the median) in a and b, and p."""
    draw = np.random.default_rng(0)
    out: dict[str, dict[str, float]] = {}

    def scalar(name: str, of: Any) -> None:
        x, y = np.array([of(t) for t in a]), np.array([of(t) for t in b])
        out[name] = {"livn": x.mean(), "livnd": y.mean(), "p": mean_difference_p(x, y, draw)}

    scalar("rate EXC, Hz", lambda t: rate(t, range(NUM_EXC), duration_ms))
    scalar("rate INH, Hz", lambda t: rate(t, range(NUM_EXC, NUM_EXC + NUM_INH), duration_ms))
    scalar("bursts, Hz", lambda t: burst_rate(t, duration_ms))
    x, y = [intervals(t) for t in a], [intervals(t) for t in b]
    out["interval, ms"] = {
        "livn": float(np.median(np.concatenate(x))),
        "livnd": float(np.median(np.concatenate(y))),
        "p": intervals_p(x, y, draw),
    }
    return out


def run_all(options: argparse.Namespace) -> list[Pair]:
    """Every seed, in worker processes; a line of progress every few seconds."""
    pairs: list[Pair] = []
    start = last = time.monotonic()
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(options.jobs, context, start_worker) as pool:
        futures = [
            pool.submit(run_pair, options.seed + i, options.duration, options.livnd)
            for i in range(options.seeds)
        ]
        for done in concurrent.futures.as_completed(futures):
            pairs.append(done.result())
            if time.monotonic() - last > PROGRESS_S:
                last = time.monotonic()
                print(
                    f"parity: {len(pairs)} of {options.seeds} seeds, {last - start:.0f} s",
                    file=sys.stderr,
                    flush=True,
                )
    return sorted(pairs, key=lambda pair: pair.seed)


def main(options: argparse.Namespace) -> int:
    """Runs, compares, prints; the exit status."""
    pairs = run_all(options)
    livn = [pair.livn for pair in pairs]
    same = compare(livn, [pair.livnd for pair in pairs], options.duration)
    other = compare(livn, [pair.stronger for pair in pairs], options.duration)
    limit = ALPHA / len(same)
    faults = [f"seed {pair.seed}: {fault}" for pair in pairs for fault in pair.faults]
    faults += [f"{name} differs, p = {s['p']:.2g}" for name, s in same.items() if s["p"] < limit]
    if min(s["p"] for s in other.values()) >= limit:
        faults.append("noise a tenth stronger is not told apart: the test proves nothing")
    equal_ms = float(np.mean([pair.judged_ms for pair in pairs]))
    parted = sum(pair.judged_ms < options.duration for pair in pairs)
    if parted < len(pairs) // 2:
        faults.append(f"livn's two runs parted in {parted} seeds only: run it longer")
    if options.json:
        figures = {
            "seeds": len(pairs),
            "duration_ms": options.duration,
            "parted": parted,
            "mean_equal_ms": equal_ms,
            "statistics": same,
            "stronger_noise": other,
            "faults": faults,
        }
        print(json.dumps(figures))
        return 1 if faults else 0
    print(
        f"{len(pairs)} seeds, {options.duration:g} ms: livn's own two runs part in {parted} of "
        f"them; up to there livnd is equal to livn, {equal_ms:.0f} ms in the mean"
    )
    print(f"{'':14}{'livn':>10}{'livnd':>10}{'p':>8}   with {STRONGER:g} x the noise:  p")
    for name, s in same.items():
        o = other[name]
        print(
            f"{name:14}{s['livn']:10.3f}{s['livnd']:10.3f}{s['p']:8.3f}"
            f"{o['livnd']:24.3f}{o['p']:8.4f}"
        )
    for fault in faults:
        print(f"FAILED {fault}")
    return 1 if faults else 0
