"""The programs of docs/rl-tools.md, and what runs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import livnd
from project_files import programs_of

PAGE = "docs/rl-tools.md"

# What `./test` lacks.
HEAVY = re.compile(
    r"^(?:import|from) (?:stable_baselines3|sbx|torch|torchrl)\b"
    r"|RecordVideo|adapters import (?:sb3|torchrl)",
    re.MULTILINE,
)

OF_RLLIB = re.compile(r"^(?:import|from) ray\b", re.MULTILINE)  # which has an environment apart


def programs() -> list[str]:
    """In their order; each stands by itself."""
    return programs_of(PAGE)


def run(program: str, folder: Path) -> None:
    """As a file of its own in the folder, as somebody who has copied it does."""
    file = folder / "program.py"
    file.write_text(program)
    run_file(file, folder)


def run_file(file: Path, folder: Path, *arguments: str) -> str:
    """What a program prints that is run there, without an error."""
    done = subprocess.run(
        [sys.executable, file, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(livnd.__file__).parent.parent)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
