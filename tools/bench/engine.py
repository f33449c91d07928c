"""The engine beside livn: groups `engine` and `livn`.

Both simulate the same culture: same system, parameters, seed and, until rounding has grown, the
same spikes. They take turns on the same core over the same windows of simulated time; each figure
is the median over the windows of the thread's CPU time.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import network
from report import Progress, Report, say
from worker import Worker

BASELINE = Path(__file__).with_name("livn_baseline.py")
STEP_MS = 0.025
_ENOUGH_CPU_S = 0.15  # the engine repeats a window until it has taken that long
# livn's library has one thread; NumPy shall not bring others into the comparison.
_LIVN_SETTINGS = {"LIVN_BACKEND": "native", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Culture:
    """What both sides simulate, and for how long.

    Attributes:
        name: as the lines name it.
        cells: unconnected cells.
        network: cells of a random network. Without either, the system of that name.
        plastic: the network learns.
        lines: the groups that have a line of it.
        warmup_ms: simulated before the first window.
        window_ms: simulated in a window. livn needs the most of the time: 3 s for 1000 cells and
            20 ms.
        rounds: number of windows.
    """

    name: str
    cells: int = 0
    network: int = 0
    plastic: bool = False
    lines: tuple[str, ...] = ("engine", "livn")
    warmup_ms: float = 100.0
    window_ms: float = 50.0
    rounds: int = 7

    def subject(self, root: Path) -> list[str]:
        """Arguments of engine_bench and livn_baseline.py."""
        if self.cells:
            return ["--cells", str(self.cells)]
        if self.network:
            made = network.random_network(self.network, self.plastic)
            return network.write(self.name, made)
        for folder in ("systems", "tests/data/systems"):
            if (root / folder / self.name / "graph.json").is_file():
                return [str(root / folder / self.name)]
        raise FileNotFoundError(f"the project has no system {self.name}")


CULTURES = {
    culture.name: culture
    for culture in (
        Culture("cells-10", cells=10, window_ms=200.0, lines=("livn",)),
        Culture("cells-100", cells=100),
        Culture("cells-1000", cells=1000, warmup_ms=5.0, window_ms=10.0, rounds=5, lines=("livn",)),
        Culture("EI-100", window_ms=100.0),
        Culture("EI-1000", warmup_ms=20.0, window_ms=10.0),
        Culture("EI-10000", warmup_ms=1.0, window_ms=1.0, rounds=5, lines=("engine",)),
        Culture("S1", warmup_ms=5.0, window_ms=5.0, rounds=5, lines=("livn",)),
        Culture("net-100", network=100, warmup_ms=50.0),
        Culture("net-300", network=300, warmup_ms=50.0, window_ms=20.0, lines=("livn",)),
        Culture("net-1000", network=1000, warmup_ms=50.0, window_ms=10.0, rounds=5),
        Culture("net-100-stdp", network=100, plastic=True, warmup_ms=50.0),
    )
}
RESET_CULTURE = "EI-100"

RESET_LINE = "livn/reset-100"
LINES = [
    *(
        f"{group}/{c.name}"
        for group in ("engine", "livn")
        for c in CULTURES.values()
        if group in c.lines
    ),
    RESET_LINE,
]


@dataclass(frozen=True)
class Speeds:
    """CPU seconds for one simulated second of the whole culture."""

    cells: int
    engine: float
    livn: float

    def per_cell_and_step_us(self, cpu_s_per_s: float) -> float:
        """The same cost for one cell and one step, in microseconds."""
        return cpu_s_per_s * STEP_MS * 1e-3 / self.cells * 1e6


def livn_worker(root: Path, culture: Culture, core: int) -> Worker:
    """The worker that runs a culture in livn."""
    return Worker([sys.executable, BASELINE, *culture.subject(root)], core, _LIVN_SETTINGS)


@contextmanager
def both(binaries: Path, root: Path, culture: Culture) -> Iterator[tuple[Worker, Worker]]:
    """The engine and livn on one culture, waiting on the same core."""
    core = max(os.sched_getaffinity(0))
    with (
        Worker([binaries / "tools/bench/engine_bench", *culture.subject(root)], core) as engine,
        livn_worker(root, culture, core) as livn,
    ):
        for what in ("cells", "connections", "params", "step_ms"):
            if engine.ready[what] != livn.ready[what]:
                say(f"{culture.name}: {what} differ: {engine.ready[what]}, livn {livn.ready[what]}")
        yield engine, livn


def measure(binaries: Path, root: Path, culture: Culture, quick: bool) -> Speeds:
    """Runs the windows of one culture on both sides in turn."""
    warmup_ms, window_ms, rounds = culture.warmup_ms, culture.window_ms, culture.rounds
    if quick:
        warmup_ms = window_ms = min(1.0, 0.1 * window_ms)
        rounds = 2
    with both(binaries, root, culture) as (engine, livn):
        cells = engine.ready["cells"]
        say(f"{culture.name}: {cells} cells, {engine.ready['params']}")
        times: dict[Worker, list[float]] = {engine: [], livn: []}
        spikes: dict[Worker, list[int]] = {engine: [], livn: []}
        progress = Progress(culture.name, rounds + 1)
        for index in range(rounds + 1):
            steps = round((window_ms if index else warmup_ms) / STEP_MS)
            for side in (livn, engine):
                enough_s = _ENOUGH_CPU_S if index and not quick else 0.0
                answer = side.ask("advance", steps=steps, min_cpu_s=enough_s)
                spikes[side].append(answer["spikes"])
                if index:
                    times[side].append(answer["cpu_s"])
            progress.advance()
        total_s = (warmup_ms + rounds * window_ms) * 1e-3
        totals = [sum(spikes[side]) for side in (engine, livn)]
        rates_hz = [total / cells / total_s for total in totals]
        # A spike at the very end of a run is in it for livn, and in the next one for the engine.
        same = abs(totals[0] - totals[1]) <= max(1.0, 0.01 * totals[1])
        apart = "" if same else "; the two have drifted apart"
        both_hz = f"{rates_hz[0]:.3g} Hz, in livn at {rates_hz[1]:.3g} Hz"
        say(f"{culture.name}: cells fired at {both_hz}{apart}")
    per_s = {side: statistics.median(t) / (window_ms * 1e-3) for side, t in times.items()}
    return Speeds(cells, per_s[engine], per_s[livn])


def measure_reset(binaries: Path, root: Path, quick: bool) -> tuple[float, float]:
    """Microseconds of a reset with the step that follows it: the engine's, livn's."""
    rounds, resets = (1, 3) if quick else (7, 20)
    with both(binaries, root, CULTURES[RESET_CULTURE]) as sides:
        say(f"reset-100: {RESET_CULTURE}")
        times = [[], []]
        for _ in range(rounds):
            for side, found in zip(sides, times, strict=True):
                found.append(side.ask("reset", count=resets)["cpu_s"] * 1e6)
    return statistics.median(times[0]), statistics.median(times[1])


def run(wanted: set[str], report: Report, binaries: Path, root: Path, quick: bool) -> None:
    """Measures each culture once and prints the lines that are wanted."""
    for name, culture in CULTURES.items():
        if not wanted.intersection((f"engine/{name}", f"livn/{name}")):
            continue
        speeds = measure(binaries, root, culture, quick)
        report.line(
            f"engine/{name}",
            speeds.per_cell_and_step_us(speeds.engine),
            speeds.per_cell_and_step_us(speeds.livn),
            "us per cell and step",
        )
        report.line(f"livn/{name}", speeds.engine, speeds.livn, "CPU s per simulated s")
    if RESET_LINE in wanted:
        report.line(RESET_LINE, *measure_reset(binaries, root, quick), "us")
