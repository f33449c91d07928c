"""What livn 2.0.0's culture target makes of spikes and of parameters.

livn_numbers_test.cc holds ours against these numbers, which go to livn_culture.json beside this.

    pip download livn==2.0.0 --no-deps --no-binary :all: && tar xf livn-2.0.0.tar.gz
    LIVN_BACKEND=native python measure_with_livn.py livn-2.0.0     # with livn==2.0.0 installed
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

FILE = Path(__file__).with_name("livn_culture.json")
DURATION_MS, WARMUP_MS = 6000, 500
RANGES = {"EXC": (0, 16), "INH": (16, 4)}
TICK_MS = 0.025
# Of each: spikes a second of a unit, part of the units that fire at all, and how many of the spikes
# come in bursts of all units.
CASES = {
    "silent": (0.0, 0.0, 0.0),
    "sparse": (0.6, 0.4, 0.0),
    "steady": (3.0, 1.0, 0.0),
    "bursting": (6.0, 1.0, 0.8),
    "runaway": (120.0, 1.0, 0.0),
    "last_second_silent": (2.0, 1.0, 0.0),
}


def draw(name: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Gids and ticks, by time, warm-up included."""
    rate, part, in_bursts = CASES[name]
    total = DURATION_MS + WARMUP_MS
    gids, ticks = [], []
    burst_ms = rng.uniform(0, total, 4)
    for gid in range(round(20 * part)):
        n = rng.poisson(rate * total / 1000)
        times = rng.uniform(0, total, n)
        bursting = rng.random(n) < in_bursts
        times[bursting] = rng.choice(burst_ms, n)[bursting] + rng.normal(0, 8, n)[bursting]
        own = np.unique(np.clip(times / TICK_MS, 1, total / TICK_MS - 1).astype(int))
        gids += [gid] * len(own)
        ticks += own.tolist()
    gids, ticks = np.array(gids, int), np.array(ticks, int)
    if name == "last_second_silent":
        keep = ticks * TICK_MS < total - 1000
        gids, ticks = gids[keep], ticks[keep]
    order = np.lexsort((gids, ticks))
    return gids[order], ticks[order]


class Network(SimpleNamespace):
    """What of an environment a target looks at."""

    def active_populations(self) -> list[str]:
        """As livn's."""
        return list(RANGES)


def measure(culture_class, name: str, rng: np.random.Generator) -> dict:
    """Features, objectives and constraints of one case."""
    from livn.run import Run

    gids, ticks = draw(name, rng)
    target = culture_class(duration=DURATION_MS, warmup=WARMUP_MS)
    env = Network(
        comm=None,
        system=SimpleNamespace(gids=list(range(20)), population_ranges=RANGES),
        cells={p: dict.fromkeys(range(first, first + n)) for p, (first, n) in RANGES.items()},
    )
    # As the engines do: a spike is 1e-10 ms after its tick.
    run = Run(duration=DURATION_MS + WARMUP_MS)
    target.response_data = run.add_spikes(gids, ticks * TICK_MS + 1e-10)
    objectives = target.compute_objectives(env)
    constraints = target.compute_constraints(env)
    features = {n: float(target.metrics[n]) for n in target.MEASURED_FEATURES}
    features["tail_rate_hz"] = float(target.metrics["stability_result"]["tail_mean_hz"])
    features["worst_population_active"] = float(constraints["populations_active"][1])
    features["total_spikes"] = target.metrics["total_spikes"]
    return {
        "gids": gids.tolist(),
        "ticks": ticks.tolist(),
        "features": {n: None if np.isnan(v) else v for n, v in features.items()},
        "objectives": {n: v[0] for n, v in objectives.items()},
        "constraints": {n: v[0] for n, v in constraints.items()},
    }


def decode(culture_class, rng: np.random.Generator, system: str, **options) -> dict:
    """The search space, and what a few points in it stand for."""
    from livn.models.rcsd import ReducedCalciumSomaDendrite

    model = ReducedCalciumSomaDendrite(short_term_depression=True)
    target = culture_class(system=system, **options)
    space = target.search_space(model)
    points = []
    for _ in range(3):
        x = {name: float(rng.uniform(lo, hi)) for name, (lo, hi) in space.items()}
        points.append({"x": x, "params": dict(target.decode_params(x, model=model))})
    return {"space": space, "points": points}


# Parts of the array that answer amplitudes of 6 .. 16 uA.
LADDER = [6.0, 8.0, 12.0, 16.0]
CURVES = {
    "rising": [0.0, 0.25, 0.625, 1.0],
    "early": [0.125, 0.5, 0.75, 0.875],
    "weak": [0.0, 0.125, 0.25, 0.375],
    "strong": [0.75, 0.75, 0.875, 1.0],
    "none": [0.0, 0.0, 0.0, 0.0],
    "all": [1.0, 1.0, 1.0, 1.0],
    "falling": [0.625, 0.5, 0.25, 0.125],
    "low_and_falling": [0.375, 0.25, 0.25, 0.125],
}


def misses() -> list[dict]:
    """How far each curve is from each other one: livn's keys say mV where these are uA."""
    from livn.decoding import recruitment_threshold
    from systems.targets.EI import recruitment_miss, threshold_miss

    brackets = {
        name: recruitment_threshold(dict(zip(LADDER, curve, strict=True)))
        for name, curve in CURVES.items()
    }
    # What is known of a culture may be less, and of other amplitudes.
    bare = ("censored", "below_mv", "above_mv", "highest_tested_mv", "amplitudes_mv")
    measured = {
        **brackets,
        "ends": {key: brackets["rising"][key] for key in bare},
        "above": {key: brackets["weak"][key] for key in bare},
        "below": {key: brackets["strong"][key] for key in bare},
        "other": recruitment_threshold({8.0: 0.2, 10.0: 0.45, 16.0: 0.9}),
    }
    unit = {"censored": None, "below_mv": 1e-9, "above_mv": 1e-9}
    out = []
    for name, known in measured.items():
        for curve, simulated in brackets.items():
            logits = recruitment_miss(known, simulated)
            out.append(
                {
                    "name": f"{name} {curve}",
                    "measured": {key: known.get(key) for key in (*bare, "probabilities")},
                    "curve": CURVES[curve],
                    "threshold": 10.0 ** (threshold_miss(unit, simulated) - 9.0),
                    "threshold_miss": threshold_miss(known, simulated),
                    "recruitment_miss": None if np.isnan(logits) else logits,
                }
            )
    return out


def main() -> None:
    """Writes all of it."""
    root = Path(sys.argv[1])
    sys.path.insert(0, str(root))
    from systems.targets.EI import Culture

    rng = np.random.default_rng(5)
    system = str(Path(__file__).resolve().parents[3] / "systems/EI-100")
    document = {
        "duration_ms": DURATION_MS,
        "warmup_ms": WARMUP_MS,
        "populations": {p: n for p, (_, n) in RANGES.items()},
        "measured": {name: measure(Culture, name, rng) for name in CASES},
        "decoded": {
            "balance": decode(Culture, rng, system),
            "conductances": decode(Culture, rng, system, noise_parameterisation="conductances"),
            "ignition": decode(Culture, rng, system, ignition=True, noise_balance=True),
            "adaptation": decode(Culture, rng, system, adaptation=True),
            "stimulus": decode(
                Culture,
                rng,
                system,
                readout="channels",
                stimulus={"amplitudes": (300.0, 400.0), "uA_per_mv": 0.05},
            ),
        },
        "ladder": LADDER,
        "misses": misses(),
    }
    FILE.write_text(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
