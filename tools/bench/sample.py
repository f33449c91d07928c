"""Making a data set, beside livn's native engine at the same samples: lines `sample/...`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from report import Report, say
from worker import BenchError

BASELINE = Path(__file__).with_name("sample_baseline.py")
SYSTEMS = {"sample/S1": "systems/S1-MEA4", "sample/EI-mini": "systems/EI-mini"}
LINES = list(SYSTEMS)
# How long livn takes for all follows from its first samples.
NUM, NUM_LIVN = 10_000, 10


def run(wanted: set[str], report: Report, binaries: Path, root: Path, quick: bool) -> None:
    """Measures and prints the lines that are wanted: samples an hour, here on all cores."""
    for line, name in SYSTEMS.items():
        if line not in wanted:
            continue
        flags, num, num_livn = ["--duration", 1000], NUM, NUM_LIVN
        if quick:
            # In livn a second of S1 takes minutes.
            without = ["--encoding", "none", "--duration", 10]
            flags = without if line == "sample/S1" else ["--duration", 100]
            num, num_livn = 16, 2
        system = root / name
        with tempfile.TemporaryDirectory(prefix="livnd-bench-") as path:
            out = Path(path) / "samples"
            command = [
                *(binaries / "server/livnd", "sample", system, "--out", out, "--json"),
                *("--count", num, "--warmup", 0, *flags),
            ]
            words = [str(word) for word in command]
            done = subprocess.run(words, stdout=subprocess.PIPE, check=True)
            ours = json.loads(done.stdout)
            words = [sys.executable, "-W", "ignore", BASELINE, system, out, num_livn]
            done = subprocess.run(
                [str(word) for word in words],
                stdout=subprocess.PIPE,
                check=True,
                env={**os.environ, "LIVN_BACKEND": "native"},
            )
            theirs = json.loads(done.stdout.splitlines()[-1])
        say(f"{line}: {theirs['here']} spikes in {num_livn} samples, livn's {theirs['spikes']}")
        if abs(theirs["here"] - theirs["spikes"]) > 0.1 * max(theirs["spikes"], 20):
            raise BenchError(f"{line}: these numbers of spikes differ")
        report.line(
            line,
            3600 * num / ours["seconds"],
            3600 * num_livn / theirs["seconds"],
            "1/h",
            more_is_better=True,
        )
