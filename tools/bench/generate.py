"""Making cultures, beside livn's generator: lines `generate/...`."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from report import Report, say
from worker import BenchError

BASELINE = Path(__file__).with_name("generate_baseline.py")
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def settings(excitatory: int, inhibitory: int, area_um: list[float], degrees: list[float]) -> dict:
    """Of livn's generate_2d, with inputs of EXC from EXC, of INH from EXC, of EXC from INH."""
    return {
        "area_kwargs": {"x_range": [0.0, area_um[0]], "y_range": [0.0, area_um[1]]},
        "populations": {
            "EXC": {"count": excitatory},
            "INH": {"count": inhibitory, "synapse_type": "inhibitory"},
        },
        "connectivity": {
            "sigma": 600.0,
            "mean_degree": dict(zip(("EXC->EXC", "EXC->INH", "INH->EXC"), degrees, strict=True)),
        },
        "random_seed": 123,
    }


class Culture(NamedTuple):
    """What is made, how often, and on how many threads (0: all)."""

    settings: dict[str, Any]
    rounds: int
    threads: int = 1


EI = settings(1300, 1300, [1600, 3200], [20, 4, 40])
CULTURES = {
    "EI": Culture(EI, 5),
    "10000": Culture(settings(8000, 2000, [4000, 4000], [20, 4, 40]), 3),
}
QUICK = {
    "EI": Culture(EI, 1),
    "10000": Culture(settings(800, 200, [1265, 1265], [20, 4, 40]), 1),
}
MILLION = Culture(settings(800_000, 200_000, [40_000, 40_000], [80, 40, 35]), 1, 0)
LINES = [f"generate/{name}{ending}" for name in CULTURES for ending in ("", "-memory")]
LONG_LINES = ["generate/million", "generate/million-memory"]


class Made(NamedTuple):
    """Seconds of drawing, bytes at most in memory, connections."""

    seconds: float
    peak_bytes: int
    edges: int


def run_to_end(command: list[Any], extra: dict[str, str]) -> tuple[dict[str, Any], int]:
    """The JSON that a command prints, and the most bytes that it had in memory."""
    with subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.PIPE, env={**os.environ, **extra}
    ) as process:
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise BenchError(f"{command[0]} ended with {process.returncode}")
    return json.loads(printed), usage.ru_maxrss * 1024


def by_livnd(binaries: Path, file: Path, threads: int) -> Made:
    """The whole command makes its memory; its drawing alone the seconds."""
    with tempfile.TemporaryDirectory(prefix="livnd-bench-") as folder:
        command = [binaries / "server/livnd", "generate", file, "--out", f"{folder}/made", "--json"]
        if threads:
            command += ["--threads", threads]
        told, peak = run_to_end(command, {})
    say(
        f"{file.stem}: drawn in {told['seconds_drawing']:.2f} s, written in "
        f"{told['seconds_writing']:.2f} s"
    )
    return Made(told["seconds_drawing"], peak, told["edges"])


def by_livn(file: Path) -> Made:
    """In a process of its own, on one thread."""
    told, peak = run_to_end([sys.executable, BASELINE, file], _ONE_THREAD)
    return Made(told["seconds"], peak, told["edges"])


def num_pairs(config: dict[str, Any]) -> int:
    """Pairs of cells that livn draws for."""
    cells = {name: population["count"] for name, population in config["populations"].items()}
    projections = [name.split("->") for name in config["connectivity"]["mean_degree"]]
    return sum(cells[pre] * cells[post] for pre, post in projections)


def median(made: list[Made]) -> Made:
    """Of each figure."""
    return Made(*(statistics.median(figures) for figures in zip(*made, strict=True)))


def measure(binaries: Path, folder: Path, name: str, culture: Culture) -> tuple[Made, Made]:
    """Ours and livn's, in turn."""
    file = folder / f"{name}.json"
    file.write_text(json.dumps(culture.settings))
    ours, theirs = [], []
    for _ in range(culture.rounds):
        theirs.append(by_livn(file))
        ours.append(by_livnd(binaries, file, culture.threads))
    a, b = median(ours), median(theirs)
    say(f"generate/{name}: {a.edges:.0f} connections, livn's {b.edges:.0f}")
    if abs(a.edges / b.edges - 1) > 0.05:
        raise BenchError(f"generate/{name}: these numbers of connections differ")
    return a, b


def run(wanted: set[str], report: Report, binaries: Path, root: Path, quick: bool) -> None:
    """Measures and prints the lines that are wanted; needs nothing from the root."""
    cultures = QUICK if quick else CULTURES
    of_pair: float | None = None  # livn's seconds for one pair of the larger culture
    with tempfile.TemporaryDirectory(prefix="livnd-bench-") as path:
        folder = Path(path)
        long = wanted.intersection(LONG_LINES)
        for name, culture in cultures.items():
            lines = (f"generate/{name}", f"generate/{name}-memory")
            if not wanted.intersection(lines) and not (long and name == "10000"):
                continue
            ours, theirs = measure(binaries, folder, name, culture)
            report.line(lines[0], ours.seconds, theirs.seconds, "s")
            report.line(lines[1], ours.peak_bytes, theirs.peak_bytes, "bytes")
            of_pair = theirs.seconds / num_pairs(culture.settings)
        if long and of_pair is not None:
            million = MILLION if not quick else QUICK["10000"]
            file = folder / "million.json"
            file.write_text(json.dumps(million.settings))
            ours = by_livnd(binaries, file, million.threads)
            say(f"generate/million: {ours.edges} connections")
            expected = of_pair * num_pairs(million.settings)
            report.line(LONG_LINES[0], ours.seconds, expected, "s")
            report.line(LONG_LINES[1], ours.peak_bytes, None, "bytes")
