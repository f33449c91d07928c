"""A program of livn's that runs on livnd: the lines livn/backend-* of group `livn`.

The program is livn_baseline.py itself, once on livn's native backend and once with
LIVN_BACKEND=livnd.livn on a server of its own, on the same core; in time of the wall, since the
server is another process.
"""

from __future__ import annotations

import os
import statistics
import sys
from pathlib import Path

from engine import BASELINE, CULTURES, both
from report import Report, say
from worker import Worker

RUNS_LINE = "livn/backend-EI-100"
SHORT_LINE = "livn/backend-run-1"
LINES = [RUNS_LINE, SHORT_LINE]
_CULTURE = CULTURES["EI-100"]
_RUN_MS = 100.0


def run(wanted: set[str], report: Report, binaries: Path, root: Path, quick: bool) -> None:
    """Measures all three side by side and prints the lines that are wanted."""
    if not wanted.intersection(LINES):
        return
    run_ms, rounds, shorts = (1.0, 2, 3) if quick else (_RUN_MS, 7, 100)
    settings = {
        "LIVN_BACKEND": "livnd.livn",
        "LIVND_BINARY": str(binaries / "server/livnd"),
        "PYTHONPATH": str(root / "clients/python"),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    core = max(os.sched_getaffinity(0))
    program = [sys.executable, BASELINE, *_CULTURE.subject(root)]
    with both(binaries, root, _CULTURE) as (engine, livn), Worker(program, core, settings) as ours:
        steps = round(run_ms / 0.025)
        long_s: dict[Worker, list[float]] = {livn: [], ours: []}
        engine_s = []
        for index in range(rounds + 1):
            for side, found in long_s.items():
                seconds = side.ask("runs", duration_ms=run_ms, count=1)["wall_s"]
                found += [seconds] if index else []  # the first one is a warm-up
            seconds = engine.ask("advance", steps=steps, min_cpu_s=0.0)["cpu_s"]
            engine_s += [seconds] if index else []
        short_s = ours.ask("runs", duration_ms=1.0, count=shorts)["wall_s"]
        engine_short = [
            engine.ask("advance", steps=40, min_cpu_s=0.0)["cpu_s"] for _ in range(shorts)
        ]
    value, baseline = (statistics.median(long_s[side]) / (run_ms * 1e-3) for side in (ours, livn))
    of_engine = statistics.median(engine_s) / (run_ms * 1e-3)
    say(f"backend-EI-100: the engine alone {of_engine:.3g} s, the program {value:.3g} s")
    report.line(RUNS_LINE, value, baseline, "s per simulated s")
    report.line(SHORT_LINE, short_s * 1e3, statistics.median(engine_short) * 1e3, "ms")
