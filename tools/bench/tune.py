"""Tuning a culture, beside livn's culture target on its native engine: lines `tune/...`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from report import Report, say
from worker import BenchError

BASELINE = Path(__file__).with_name("tune_baseline.py")
LINES = ["tune/EI-100", "tune/EI-mini"]
POPULATION = 8
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "LIVN_BACKEND": "native"}


def target(root: Path, folder: Path, duration_ms: int) -> Path:
    """The culture target of livn, for a shorter time."""
    text = (root / "systems/targets/culture-livn.yml").read_text()
    text = re.sub(r"^duration_ms: .*", f"duration_ms: {duration_ms}", text, flags=re.M)
    path = folder / "target.yml"
    path.write_text(re.sub(r"^warmup_ms: .*", "warmup_ms: 100", text, flags=re.M))
    return path


def run(wanted: set[str], report: Report, binaries: Path, root: Path, quick: bool) -> None:
    """Measures and prints the lines that are wanted: evaluations a second of one thread."""
    duration_ms, num, num_livn = (400, 8, 2) if quick else (3000, 24, 8)
    for line in LINES:
        if line not in wanted:
            continue
        system = root / "systems" / line.split("/")[1]
        with tempfile.TemporaryDirectory(prefix="livnd-bench-") as path:
            out = Path(path) / "search"
            command = [
                *(binaries / "server/livnd", "tune", system, "--out", out, "--threads", 1),
                *("--target", target(root, Path(path), duration_ms), "--json"),
                *("--population", POPULATION, "--evaluations", num),
            ]
            ours = json.loads(
                subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, check=True)
                .stdout
            )  # fmt: skip
            words = [sys.executable, "-W", "ignore", BASELINE, system, out, duration_ms, num_livn]
            done = subprocess.run(
                [str(word) for word in words],
                stdout=subprocess.PIPE,
                check=True,
                env={**os.environ, **_ONE_THREAD},
            )
            theirs = json.loads(done.stdout.splitlines()[-1])
            lines = (out / "evaluations.jsonl").read_text().splitlines()[:num_livn]
        spikes = sum(json.loads(one)["features"]["total_spikes"] for one in lines)
        say(f"{line}: {spikes:.0f} spikes in {num_livn} evaluations, livn's {theirs['spikes']}")
        if abs(spikes - theirs["spikes"]) > 0.1 * max(theirs["spikes"], 100):
            raise BenchError(f"{line}: these numbers of spikes differ")
        report.line(
            line,
            ours["evaluated"] / ours["seconds"],
            num_livn / theirs["seconds"],
            "1/s",
            more_is_better=True,
        )
