"""A clock of the wall that a test moves, for processes that it starts."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

_SOURCE = Path(__file__).with_suffix(".cc")
HOUR_S = 3600
DAY_S = 24 * HOUR_S
YEAR_S = 365 * DAY_S


class WallClock:
    """As the machine's, until it jumps; what goes by steady time and the times of files stay.

    Attributes:
        environment: of processes that shall read it.

    Args:
        folder: for files of its own.
    """

    def __init__(self, folder: Path) -> None:
        library = folder / "wall_clock.so"
        self._file = folder / "wall_clock"
        command = ["g++", "-shared", "-fPIC", "-O1", "-o", library, _SOURCE, "-ldl"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        self._file.write_bytes(struct.pack("<q", 0))
        self.environment = {
            **os.environ,
            "LD_PRELOAD": str(library),
            "LIVND_TEST_CLOCK": str(self._file),
        }

    def jump(self, by_s: int) -> None:
        """To so far from the machine's time, whatever it was before."""
        with open(self._file, "r+b", buffering=0) as file:
            file.write(struct.pack("<q", by_s))
