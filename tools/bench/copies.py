"""Many copies of one culture: lines `engine/copies-64-*` and `engine/threads-*`."""

from __future__ import annotations

import os
import statistics
from dataclasses import dataclass
from pathlib import Path

from engine import CULTURES, STEP_MS, Culture
from report import Progress, Report, say
from worker import Worker

COPIES = 64
THREADS = 2
_WARMUP_MS = 20.0
_ROUNDS = 7
_WALL_ROUNDS = 15
_ENOUGH_CPU_S = 0.15


@dataclass(frozen=True)
class Many:
    """So many copies of a culture; window_ms is simulated in a round."""

    culture: Culture
    copies: int
    window_ms: float


MINI = Culture("EI-mini")
BIG = CULTURES["EI-1000"]  # beside which the copies are held
BIG_WINDOW_MS = 10.0
COPIES_LINES = {
    f"engine/copies-{COPIES}-mini": Many(MINI, COPIES, 50.0),
    f"engine/copies-{COPIES}-100": Many(CULTURES["EI-100"], COPIES, 10.0),
}
THREADS_LINES = {
    "engine/threads-net-1000": Many(CULTURES["net-1000"], 1, 50.0),
    f"engine/threads-copies-{COPIES}": Many(MINI, COPIES, 50.0),
}
LINES = [*COPIES_LINES, *THREADS_LINES]


def worker(
    binaries: Path, root: Path, many: Many, threads: int = 1, core: int | None = None
) -> Worker:
    """The copies, run by so many threads."""
    program = binaries / "tools/bench/copies_bench"
    subject = many.culture.subject(root)
    return Worker([program, str(many.copies), str(threads), *subject], core)


def measure_copies(
    binaries: Path, root: Path, name: str, many: Many, quick: bool
) -> tuple[float, float]:
    """Microseconds for one cell and one step: of the copies, of a culture of 1000 cells."""
    core = max(os.sched_getaffinity(0))
    warmup_ms, rounds, enough_s = (1.0, 1, 0.0) if quick else (_WARMUP_MS, _ROUNDS, _ENOUGH_CPU_S)
    windows_ms = (1.0, 1.0) if quick else (many.window_ms, BIG_WINDOW_MS)
    with (
        worker(binaries, root, many, core=core) as copies,
        Worker([binaries / "tools/bench/engine_bench", *BIG.subject(root)], core) as big,
    ):
        say(f"{name}: gangs of {many.copies // copies.ready['gangs']} copies")
        sides = ((copies, windows_ms[0], many.copies), (big, windows_ms[1], 1))
        found: list[list[float]] = [[], []]
        for index in range(rounds + 1):
            for (side, window_ms, number), us in zip(sides, found, strict=True):
                steps = round((window_ms if index else warmup_ms) / STEP_MS)
                answer = side.ask("advance", steps=steps, min_cpu_s=enough_s if index else 0.0)
                if index:
                    us.append(answer["cpu_s"] / steps / (side.ready["cells"] * number) * 1e6)
    return statistics.median(found[0]), statistics.median(found[1])


def measure_threads(
    binaries: Path, root: Path, name: str, many: Many, quick: bool
) -> tuple[float, float]:
    """Seconds for one simulated second of all copies: on two threads, on one.

    The shortest of many windows: time passes for other people's work too, which only adds to it.
    """
    if len(os.sched_getaffinity(0)) < THREADS:
        say(f"{name}: there is one core only, so {THREADS} threads cannot help")
    warmup_ms, window_ms, rounds = (1.0, 1.0, 1) if quick else (10.0, many.window_ms, _WALL_ROUNDS)
    with (
        worker(binaries, root, many, THREADS) as several,
        worker(binaries, root, many, 1) as alone,
    ):
        times: dict[Worker, list[float]] = {several: [], alone: []}
        spikes: dict[Worker, int] = {several: 0, alone: 0}
        progress = Progress(name, rounds)
        for index in range(rounds + 1):
            for side in times:
                steps = round((window_ms if index else warmup_ms) / STEP_MS)
                answer = side.ask("advance", steps=steps)
                spikes[side] += answer["spikes"]
                if index:
                    times[side].append(answer["wall_s"] / (window_ms * 1e-3))
            progress.advance()
        same = "the same" if spikes[several] == spikes[alone] else "another number, a fault"
        say(f"{name}: {spikes[several]} spikes, on one thread {same}")
    return min(times[several]), min(times[alone])


def run(wanted: set[str], report: Report, binaries: Path, root: Path, quick: bool) -> None:
    """Measures and prints the lines that are wanted."""
    for line, many in COPIES_LINES.items():
        if line in wanted:
            name = line.split("/")[1]
            found = measure_copies(binaries, root, name, many, quick)
            report.line(line, *found, "us per cell and step")
    for line, many in THREADS_LINES.items():
        if line in wanted:
            name = line.split("/")[1]
            found = measure_threads(binaries, root, name, many, quick)
            report.line(line, *found, "s per simulated s")
