"""Whether a culture that has run for long costs more: the line `engine/minute-100`, with --long."""

from __future__ import annotations

import os
from pathlib import Path

from engine import STEP_MS, Culture
from report import Progress, Report, say
from worker import Worker

CULTURE = Culture("EI-mini")
MINUTES = 100
LINES = [f"engine/minute-{MINUTES}"]


def measure(binaries: Path, root: Path, quick: bool) -> tuple[float, float]:
    """CPU seconds of the last minute and of the first one."""
    steps = round((10.0 if quick else 60e3) / STEP_MS)
    core = max(os.sched_getaffinity(0))
    with Worker([binaries / "tools/bench/engine_bench", *CULTURE.subject(root)], core) as engine:
        times, spikes = [], []
        progress = Progress(f"minute-{MINUTES}", MINUTES)
        for _ in range(MINUTES):
            answer = engine.ask("advance", steps=steps)
            times.append(answer["cpu_s"])
            spikes.append(answer["spikes"])
            progress.advance()
        say(f"minute-{MINUTES}: {spikes[0]} spikes in the first one, {spikes[-1]} in the last")
    return times[-1], times[0]


def run(wanted: set[str], report: Report, binaries: Path, root: Path, quick: bool) -> None:
    """Measures and prints the line if it is wanted."""
    for line in LINES:
        if line in wanted:
            report.line(line, *measure(binaries, root, quick), "CPU s per simulated minute")
