"""Random cases on livn 2.0.0 and on livnd, in worker processes that import livn once."""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import multiprocessing
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from draw import draw_case
from engines import run_livn, run_livnd, start_worker, trace_module
from judge import SPIKING_MV, judge

PROGRESS_S = 5.0


@dataclass
class CaseReport:
    """What a worker found out about one case."""

    index: int
    name: str
    faults: list[str] = field(default_factory=list)
    features: dict[str, int] = field(default_factory=dict)
    silent_mv: float = 0.0
    spiking_mv: float = 0.0
    shift_ms: float = 0.0
    dw: float = 0.0
    spikes: int = 0
    judged_ms: float = 0.0
    total_ms: float = 0.0
    refractory_ties: int = 0
    # Of the worst run, how much of its limit the difference takes.
    of_limit: float = 0.0


def run_index(seed: int, index: int, binary: Path, keep: Path | None) -> CaseReport:
    """Draws a case, runs it three times and judges."""
    case, features = draw_case(seed, index)
    report = CaseReport(index, case["name"], features=dict(features))
    report.total_ms = sum(run["duration"] for run in case["runs"])
    with tempfile.TemporaryDirectory(prefix="parity-") as scratch:
        path = Path(scratch) / f"{case['name']}.json"
        livn = None
        try:
            livn, twin = run_livn(case)
        except Exception:
            report.faults = ["livn: " + traceback.format_exc(limit=-1).strip().splitlines()[-1]]
        path.write_text(json.dumps(case, indent=1))
        own = Path(scratch) / "livnd"
        own.mkdir()
        if livn is not None:
            try:
                judge_case(case, livn, twin, run_livnd(binary, path, own), report)
            except Exception as error:
                report.faults = [str(error)]
        if report.faults and keep is not None:
            (keep / "livnd").mkdir(parents=True, exist_ok=True)
            (keep / path.name).write_text(json.dumps(with_marks(case), indent=1))
            if livn is not None:
                trace_module().save(keep / path.with_suffix(".h5").name, livn)
            for file in own.iterdir():
                shutil.copy(file, keep / "livnd" / file.name)
    return report


def judge_case(case: dict, livn: dict, twin: dict, livnd: dict, report: CaseReport) -> None:
    """Fills the report from the verdicts on the runs."""
    for i, verdict in enumerate(judge(case, livn, twin, livnd)):
        report.faults += [f"run {i}: {fault}" for fault in verdict.faults]
        if verdict.spiking:
            report.spiking_mv = max(report.spiking_mv, verdict.dv_mv)
        else:
            report.silent_mv = max(report.silent_mv, verdict.dv_mv)
        report.shift_ms = max(report.shift_ms, verdict.shift_ms)
        report.dw = max(report.dw, verdict.dw)
        report.spikes += verdict.spikes_livn
        report.judged_ms += verdict.judged_ms
        report.refractory_ties += verdict.refractory_tie
        if verdict.limit_mv:
            report.of_limit = max(report.of_limit, verdict.dv_mv / verdict.limit_mv)


def with_marks(case: dict) -> dict:
    """The case as livnd parity judges it, which knows of no second run of livn's."""
    marks = [{"dv_mv": SPIKING_MV, "spikes": "equal"} for _ in case["runs"]]
    return {**case, "marks": marks}


def summary(seed: int, reports: list[CaseReport], seconds: float) -> dict[str, Any]:
    """The figures of all cases together."""
    features: Counter[str] = Counter()
    for report in reports:
        features.update(name for name, count in report.features.items() if count)

    def worst(name: str) -> float:
        return max((getattr(r, name) for r in reports), default=0.0)

    return {
        "seed": seed,
        "cases": len(reports),
        "passed": sum(not r.faults for r in reports),
        "failed": sum(bool(r.faults) for r in reports),
        "worst_silent_dv_mv": worst("silent_mv"),
        "worst_spiking_dv_mv": worst("spiking_mv"),
        "worst_part_of_limit": worst("of_limit"),
        "worst_spike_shift_ms": worst("shift_ms"),
        "worst_dw": worst("dw"),
        "spikes": sum(r.spikes for r in reports),
        "simulated_ms": sum(r.total_ms for r in reports),
        "refractory_ties": sum(r.refractory_ties for r in reports),
        "judged_ms": sum(r.judged_ms for r in reports),
        "seconds": round(seconds, 1),
        "cases_with": dict(sorted(features.items())),
    }


def print_summary(s: dict[str, Any]) -> None:
    """For people."""
    print(
        f"{s['cases']} cases of seed {s['seed']}: {s['passed']} passed, {s['failed']} failed\n"
        f"worst |dV|: {s['worst_silent_dv_mv']:.3g} mV silent, "
        f"{s['worst_spiking_dv_mv']:.3g} mV spiking ({s['worst_part_of_limit']:.2g} of its limit)\n"
        f"worst spike shift: {s['worst_spike_shift_ms']:.3g} ms of {s['spikes']} spikes\n"
        f"worst learned weight: {s['worst_dw']:.3g}\n"
        f"judged: {s['judged_ms']:.0f} of {s['simulated_ms']:.0f} ms; "
        f"{s['refractory_ties']} refractory ties end what is judged; {s['seconds']} s"
    )
    drawn = [f"{name} {count}" for name, count in s["cases_with"].items()]
    print("drawn in cases: " + ", ".join(drawn))


def run_all(options: argparse.Namespace) -> list[CaseReport]:
    """Every case; a line a failure and, every few seconds, one of progress."""
    reports: list[CaseReport] = []
    start = last = time.monotonic()
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(
        min(options.jobs, options.random), context, start_worker
    ) as pool:
        indices = range(options.first, options.first + options.random)
        futures = [
            pool.submit(run_index, options.seed, i, options.livnd, options.keep) for i in indices
        ]
        for done in concurrent.futures.as_completed(futures):
            report = done.result()
            reports.append(report)
            if report.faults and options.json:
                print(json.dumps(asdict(report)), flush=True)
            elif report.faults:
                print(f"FAILED {report.name}: {'; '.join(report.faults)}", flush=True)
            if time.monotonic() - last > PROGRESS_S:
                last = time.monotonic()
                failed = sum(bool(r.faults) for r in reports)
                print(
                    f"parity: {len(reports)} of {options.random} cases, {failed} failed, "
                    f"{last - start:.0f} s",
                    file=sys.stderr,
                    flush=True,
                )
    return reports


def main(options: argparse.Namespace) -> int:
    """Draws, runs, prints; the exit status."""
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    reports = run_all(options)
    figures = summary(options.seed, reports, time.monotonic() - start)
    if options.json:
        print(json.dumps(figures))
    else:
        print_summary(figures)
    return 1 if figures["failed"] else 0
