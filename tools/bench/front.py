"""How good a front is after so long: lines `tune/front-EI-100...`, with --long.

`livnd tune` on two threads, and pygmo's NSGA-II over livn's culture target on its native engine
with two processes, each for as many seconds: same target, bounds and scales, population, first
population, and numbers for NSGA-II. All points that either has evaluated are judged by what livnd's
evaluator says of them, so that what differs is how far each search has come.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from report import Report, say
from tune import target
from worker import BenchError, Worker

BASELINE = Path(__file__).with_name("front_baseline.py")
LINES = ["tune/front-EI-100", "tune/front-EI-100-bands"]
SECONDS = 1200
QUICK_SECONDS = 15
THREADS = 2
POPULATION = 40
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "LIVN_BACKEND": "native"}
# Costs at the edges of livn's constraints, 15 Hz and half of the cells, and that of cells that fire
# like clocks. Hypervolumes are parts of the box between these and 0.
REFERENCE = {
    "mfr": math.log(15.001 / 1.001) ** 2,
    "isi_cv": 1.2**2,
    "active_fraction": 0.5**2,
}


def search(binaries: Path, system: Path, yaml: Path, out: Path, seconds: float, size: int) -> None:
    """`livnd tune` that is interrupted after so long."""
    command = [
        *(binaries / "server/livnd", "tune", system, "--out", out, "--threads", THREADS),
        *("--target", yaml, "--population", size, "--evaluations", size * 10_000),
    ]
    with subprocess.Popen([str(word) for word in command]) as process:
        time.sleep(seconds)
        if process.poll() is not None:
            raise BenchError(f"livnd tune ended with status {process.returncode} before its time")
        process.send_signal(signal.SIGINT)
        process.wait()


def search_with_livn(system: Path, out: Path, seconds: float) -> list[list[float]]:
    """The points that livn's side has evaluated."""
    words = [sys.executable, "-W", "ignore", BASELINE, system, out, seconds, THREADS]
    done = subprocess.run(
        [str(word) for word in words],
        stdout=subprocess.PIPE,
        check=False,
        env={**os.environ, **_ONE_THREAD},
    )
    if done.returncode != 0:
        raise BenchError("pygmo's search with livn failed; see its message above")
    return json.loads(done.stdout.splitlines()[-1])["points"]


def dominates(a: list[float], b: list[float]) -> bool:
    """Whether `a` is nowhere worse than `b`, and better somewhere."""
    return a != b and all(x <= y for x, y in zip(a, b, strict=True))


class Front:
    """What a search has found.

    Args:
        evaluations: objectives and constraints of all that it has evaluated.
        features: names of the constraints that are limits of one feature.
    """

    def __init__(self, evaluations: list[dict[str, Any]], features: list[str]) -> None:
        self.evaluated = len(evaluations)
        feasible = [e for e in evaluations if all(c > 0.0 for c in e["constraints"].values())]
        self.feasible = len(feasible)
        # Most features within their limits of all.
        self.bands = max(
            (sum(e["constraints"][name] > 0.0 for name in features) for e in evaluations),
            default=0,
        )
        places = [[e["objectives"][k] / worst for k, worst in REFERENCE.items()] for e in feasible]
        inside = [place for place in places if max(place) < 1.0]
        self.solutions = sum(not any(dominates(b, a) for b in inside) for a in inside)
        self.hypervolume = 0.0
        if inside:
            import pygmo

            self.hypervolume = pygmo.hypervolume(inside).compute([1.0] * len(REFERENCE))

    def words(self) -> str:
        """For standard error."""
        return (
            f"{self.evaluated} evaluations, {self.feasible} feasible, {self.solutions} on the "
            f"front, hypervolume {self.hypervolume:.4g}"
        )


def measure(binaries: Path, root: Path, seconds: float, quick: bool) -> tuple[Front, Front, int]:
    """The front of livnd, that of livn, and how many features have limits."""
    system = root / "systems/EI-100"
    yaml = root / "systems/targets/culture-livn.yml"
    with tempfile.TemporaryDirectory(prefix="livnd-bench-") as path:
        folder = Path(path)
        if quick:
            yaml = target(root, folder, 100)
        out = folder / "search"
        size = 8 if quick else POPULATION
        search(binaries, system, yaml, out, seconds, size)
        ours = [json.loads(line) for line in (out / "evaluations.jsonl").read_text().splitlines()]
        if len(ours) < size:
            raise BenchError(f"livnd tune evaluated {len(ours)} points, less than a population")
        constraints = json.loads((out / "run.json").read_text())["target"]["constraints"]
        features = [name for name, form in constraints.items() if "feature" in form]
        points = search_with_livn(system, out, seconds)
        with Worker([binaries / "tools/bench/tune_bench", out, str(THREADS)]) as judge:
            theirs = judge.ask("evaluate", points=points)["scores"]
    return Front(ours, features), Front(theirs, features), len(features)


def run(
    wanted: set[str], report: Report, binaries: Path, root: Path, quick: bool, seconds: float | None
) -> None:
    """Measures and prints the lines that are wanted."""
    if not wanted.intersection(LINES):
        return
    seconds = seconds or (QUICK_SECONDS if quick else SECONDS)
    ours, theirs, num_features = measure(binaries, root, seconds, quick)
    say(f"{LINES[0]}: {ours.words()}; livn and pygmo: {theirs.words()}")
    unit = "of the box of costs"
    report.line(LINES[0], ours.hypervolume, theirs.hypervolume, unit, more_is_better=True)
    unit = f"of {num_features} features"
    report.line(LINES[1], ours.bands, theirs.bands, unit, more_is_better=True)
