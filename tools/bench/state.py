"""The state of a copy: lines `engine/snapshot`, `fork`, `reset` and `memory-per-copy`."""

from __future__ import annotations

import os
import statistics
from pathlib import Path

from engine import CULTURES, livn_worker
from report import Report
from worker import Worker

CULTURE = CULTURES["EI-100"]
RESET = "engine/reset"
# livn cannot save or copy a culture that runs.
WITHOUT_BASELINE = {"engine/snapshot": "snapshot", "engine/fork": "fork"}
MEMORY = "engine/memory-per-copy"
LINES = [*WITHOUT_BASELINE, RESET, MEMORY]
_COPIES = 64


def median_us(sides: list[Worker], command: str, quick: bool) -> list[float]:
    """Microseconds that a command takes on each side; they take turns."""
    rounds, count = (1, 2) if quick else (7, 20)
    found: list[list[float]] = [[] for _ in sides]
    for _ in range(rounds):
        for side, us in zip(sides, found, strict=True):
            us.append(side.ask(command, count=count)["cpu_s"] * 1e6)
    return [statistics.median(us) for us in found]


def run(wanted: set[str], report: Report, binaries: Path, root: Path, quick: bool) -> None:
    """Measures and prints the lines that are wanted."""
    if not wanted.intersection(LINES):
        return
    core = max(os.sched_getaffinity(0))
    program = binaries / "tools/bench/state_bench"
    with Worker([program, *CULTURE.subject(root)], core) as engine:
        for line, command in WITHOUT_BASELINE.items():
            if line in wanted:
                report.line(line, *median_us([engine], command, quick), None, "us")
        if RESET in wanted:
            with livn_worker(root, CULTURE, core) as livn:
                report.line(RESET, *median_us([engine, livn], "reset_alone", quick), "us")
        if MEMORY in wanted:
            answer = engine.ask("memory", count=_COPIES)
            report.line(MEMORY, answer["bytes"], answer["state_bytes"], "bytes")
