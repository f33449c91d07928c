"""The programs of docs/rl-tools.md, and what runs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import livnd

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/rl-tools.md"

# What `./test` lacks.
HEAVY = re.compile(
    r"^(?:import|from) (?:stable_baselines3|sbx|torch|torchrl|ray)\b"
    r"|RecordVideo|adapters import sb3",
    re.MULTILINE,
)


def programs() -> list[str]:
    """In their order; each stands by itself."""
    return re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def run(program: str, folder: Path) -> None:
    """As a file of its own in the folder, as somebody who has copied it does."""
    file = folder / "program.py"
    file.write_text(program)
    done = subprocess.run(
        [sys.executable, file],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(livnd.__file__).parent.parent)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
