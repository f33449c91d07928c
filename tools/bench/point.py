"""The point neurons beside NumPy: group `point`.

Both advance the same cells over the same windows, in turn on one core; each figure is the median
over the windows of the thread's CPU time.
"""

from __future__ import annotations

import os
import statistics
import sys
from pathlib import Path

from report import Report, say
from worker import Worker

BASELINE = Path(__file__).with_name("point_baseline.py")
STEP_MS = 0.025
CELLS = 1000
_WINDOW_MS = 50.0
_ROUNDS = 7
_ENOUGH_CPU_S = 0.15  # the engine repeats a window until it has taken that long
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

MODELS = ("izhikevich", "lif", "glif5")
LINES = [f"point/{model}-{CELLS}" for model in MODELS]


def measure(binaries: Path, model: str, quick: bool) -> tuple[float, float]:
    """Microseconds for one cell and one step: the engine's, NumPy's."""
    core = max(os.sched_getaffinity(0))
    steps = round((1.0 if quick else _WINDOW_MS) / STEP_MS)
    with (
        Worker(
            [binaries / "tools/bench/engine_bench", "--point", model, str(CELLS)], core
        ) as engine,
        Worker([sys.executable, BASELINE, model, str(CELLS)], core, _ONE_THREAD) as baseline,
    ):
        times: dict[Worker, list[float]] = {engine: [], baseline: []}
        spikes: dict[Worker, int] = {engine: 0, baseline: 0}
        for index in range(2 if quick else _ROUNDS + 1):
            for side in (baseline, engine):
                enough_s = 0.0 if quick or not index else _ENOUGH_CPU_S
                answer = side.ask("advance", steps=steps, min_cpu_s=enough_s)
                spikes[side] += answer["spikes"]
                if index:
                    times[side].append(answer["cpu_s"])
        same = "" if spikes[engine] == spikes[baseline] else "; the numbers differ"
        say(f"{model}: {spikes[engine]} spikes, in NumPy {spikes[baseline]}{same}")
    per_step_us = [statistics.median(t) / steps / CELLS * 1e6 for t in times.values()]
    return per_step_us[0], per_step_us[1]


def run(wanted: set[str], report: Report, binaries: Path, root: Path, quick: bool) -> None:
    """Measures and prints the lines that are wanted; needs nothing from the root."""
    for model, line in zip(MODELS, LINES, strict=True):
        if line in wanted:
            report.line(line, *measure(binaries, model, quick), "us per cell and step")
