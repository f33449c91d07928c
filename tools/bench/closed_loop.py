"""Closed loops: lines `livn/loop-N`.

A step encodes an action for 16 electrodes, simulates 10 ms of a random network and decodes the
spikes. Both sides have the same network, noise and actions, and start over every 100 steps.
"""

from __future__ import annotations

import statistics
from pathlib import Path

import numpy as np
from engine import Culture, both
from report import Progress, Report, say
from worker import Worker

ACTION_UA = np.random.default_rng(0).uniform(-5.0, 5.0, 16).tolist()
# Cells -> rounds, and steps in one. livn takes 0.15 s for a step of 100 cells.
LOOPS = {10: (5, 60), 100: (5, 24)}
LINES = [f"livn/loop-{cells}" for cells in LOOPS]


def measure(binaries: Path, root: Path, cells: int, quick: bool) -> tuple[float, float]:
    """CPU milliseconds of a step, the engine's and livn's."""
    rounds, steps = (1, 3) if quick else LOOPS[cells]
    with both(binaries, root, Culture(f"loop-{cells}", network=cells)) as (engine, livn):
        times: dict[Worker, list[float]] = {engine: [], livn: []}
        spikes: dict[Worker, int] = {engine: 0, livn: 0}
        progress = Progress(f"loop-{cells}", rounds)
        for _ in range(rounds):
            for side in (livn, engine):
                answer = side.ask("loop", count=steps, action=ACTION_UA)
                times[side] += answer["cpu_s"]
                spikes[side] += answer["spikes"]
            progress.advance()
        say(f"loop-{cells}: {spikes[engine]} spikes, in livn {spikes[livn]}")
    return statistics.median(times[engine]) * 1e3, statistics.median(times[livn]) * 1e3


def run(wanted: set[str], report: Report, binaries: Path, root: Path, quick: bool) -> None:
    """Measures and prints the lines that are wanted."""
    for cells, line in zip(LOOPS, LINES, strict=True):
        if line in wanted:
            report.line(line, *measure(binaries, root, cells, quick), "CPU ms per step")
