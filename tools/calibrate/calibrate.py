#!/usr/bin/env python3
"""Finds weights and noise that make a living culture of a system; writes its params document.

    tools/calibrate/calibrate.py SYSTEM_DIR [--generations N] [--seconds S] [--start FILE] ...

The search is CMA-ES (package `cmaes`) over the logarithms of noise and weights; every candidate is
run by //tools/calibrate:culture_stats. What counts: mean rate 0.5 to 5 Hz, more than 90 % of the
cells active, irregular firing (ISI CV 0.6 to 2), and a 10 uA biphasic pulse on one electrode that
some cells answer within 20 ms, but not all. The best candidate is run again for 60 s with another
seed; the document is written only if it passes there.

EI-mini's document came from `calibrate.py systems/EI-mini --generations 25 --seconds 8`; EI-100's
from that document with AMPA 3 and NMDA 0.25 among EXC cells, which make it burst, as --start and
--generations 0.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from cmaes import CMA

ROOT = Path(__file__).resolve().parents[2]
STATS = ROOT / "bazel-bin/tools/calibrate/culture_stats"
MODEL = "ReducedCalciumSomaDendrite"

# key: (start, low, high); conductances in uS. tau_e, tau_i and reversals keep livn's defaults.
SPACE = {
    "noise-g_e0": (1e-4, 1e-5, 2e-3),
    "noise-std_e": (1.5e-4, 2e-5, 2e-3),
    "noise-g_i0": (4e-4, 5e-5, 5e-3),
    "noise-std_i": (2e-4, 2e-5, 2e-3),
    "noise-INH-g_e0": (5e-4, 1e-5, 1e-2),
    "noise-INH-std_e": (8e-4, 2e-5, 1e-2),
    "weight-EXC_EXC-dend-AMPA-weight": (1.0, 0.05, 20.0),
    "weight-EXC_EXC-dend-NMDA-weight": (0.2, 0.01, 5.0),
    "weight-EXC_INH-soma-GABA_A-weight": (1.0, 0.05, 20.0),
    "weight-INH_EXC-soma-AMPA-weight": (2.0, 0.1, 50.0),
    "weight-INH_EXC-soma-NMDA-weight": (0.2, 0.01, 10.0),
}


def run_stats(system: Path, params: dict[str, float], seconds: float, seed: int) -> dict:
    """One run of culture_stats; raises CalledProcessError with its message on stderr."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        json.dump(params, f)
        f.flush()
        out = subprocess.run(
            [STATS, system, "--params", f.name, "--seconds", str(seconds), "--seed", str(seed)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    return json.loads(out.stdout)


def evoked_fraction(stats: dict) -> float:
    """Cells that a pulse adds to those that fire anyway, as a fraction of all."""
    return stats["pulse_cells_mean_fraction"] - stats["without_pulse_cells_mean_fraction"]


def failures(stats: dict) -> list[str]:
    """What a living culture needs and these numbers lack."""
    out = []
    if not 0.5 <= stats["mean_rate_hz"] <= 5.0:
        out.append(f"mean rate {stats['mean_rate_hz']:.2f} Hz, needs 0.5 to 5")
    if not stats["active_fraction"] > 0.9:
        out.append(f"active fraction {stats['active_fraction']:.2f}, needs more than 0.9")
    if not 0.6 <= stats["isi_cv"] <= 2.0:
        out.append(f"ISI CV {stats['isi_cv']:.2f}, needs 0.6 to 2")
    if not 0.1 <= evoked_fraction(stats) <= 0.8:
        out.append(f"a pulse adds {evoked_fraction(stats):.2f} of the cells, needs 0.1 to 0.8")
    return out


def loss(stats: dict) -> float:
    """Squared distances to the middle of what is wanted; the rate counts by its logarithm."""
    if not stats["finite"]:
        return 1e3
    rate = math.log((stats["mean_rate_hz"] + 0.01) / 1.5)
    spread = math.log((stats["max_rate_hz"] + 0.01) / 4.0)
    return (
        rate**2
        + 0.3 * max(0.0, spread) ** 2
        + 4.0 * (1.0 - stats["active_fraction"]) ** 2
        + (stats["isi_cv"] - 1.0) ** 2
        + 4.0 * (evoked_fraction(stats) - 0.45) ** 2
        + 0.3 * (stats["burst_rate_hz"] < 0.02)
    )


def to_params(x: np.ndarray) -> dict[str, float]:
    """Log-parameters to livn's keys, four significant digits."""
    return {k: float(f"{math.exp(v):.4g}") for k, v in zip(SPACE, x, strict=True)}


def search(args: argparse.Namespace) -> dict[str, float]:
    """The best parameters found within the given generations."""
    start = {k: s for k, (s, _, _) in SPACE.items()}
    if args.start:
        document = json.loads(Path(args.start).read_text())
        start |= document[MODEL]["default"]["params"] if MODEL in document else document
    bounds = np.array([(math.log(lo), math.log(hi)) for _, lo, hi in SPACE.values()])
    mean = np.clip([math.log(start[k]) for k in SPACE], bounds[:, 0], bounds[:, 1])
    optimizer = CMA(mean=mean, sigma=args.sigma, bounds=bounds, seed=args.seed)
    best: tuple[float, dict[str, float]] = (math.inf, to_params(mean))
    with ThreadPoolExecutor(args.jobs) as pool:
        for generation in range(args.generations):
            xs = [optimizer.ask() for _ in range(optimizer.population_size)]
            params = [to_params(x) for x in xs]
            stats = list(
                pool.map(lambda p: run_stats(args.system, p, args.seconds, args.seed), params)
            )
            losses = [loss(s) for s in stats]
            optimizer.tell(list(zip(xs, losses, strict=True)))
            i = int(np.argmin(losses))
            if losses[i] < best[0]:
                best = (losses[i], params[i])
            s = stats[i]
            print(
                f"generation {generation + 1}/{args.generations}: loss {losses[i]:.3f} "
                f"(best {best[0]:.3f}), rate {s['mean_rate_hz']:.2f} Hz, active "
                f"{s['active_fraction']:.2f}, ISI CV {s['isi_cv']:.2f}, evoked "
                f"{evoked_fraction(s):.2f}, bursts {s['burst_rate_hz']:.2f} Hz",
                file=sys.stderr,
                flush=True,
            )
            if best[0] < args.good_enough:
                break
    return best[1]


def main() -> int:
    """Searches, checks for 60 s, and writes the document if it passes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("system", type=Path)
    parser.add_argument("--generations", type=int, default=30, help="0: check --start")
    parser.add_argument("--seconds", type=float, default=10.0, help="simulated time a candidate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sigma", type=float, default=0.5, help="first step, in logarithms")
    parser.add_argument("--start", help="params document or plain object to start from")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--good-enough", type=float, default=0.1, help="loss that ends the search")
    args = parser.parse_args()
    if not STATS.exists():
        print(f"build //tools/calibrate:culture_stats first ({STATS} is missing)", file=sys.stderr)
        return 2
    params = search(args)
    stats = run_stats(args.system, params, 60.0, args.seed + 1000)
    print(json.dumps({"params": params, "stats": stats}), flush=True)
    missing = failures(stats)
    if missing:
        print("not written: " + "; ".join(missing), file=sys.stderr)
        return 1
    out = args.system / "params" / "default.json"
    out.parent.mkdir(exist_ok=True)
    document = {MODEL: {"default": {"params": params, "meta": {"source": "calibrate.py"} | stats}}}
    out.write_text(json.dumps(document, indent=1) + "\n")
    print(f"wrote {out}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
