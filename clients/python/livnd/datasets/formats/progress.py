"""How far a conversion has come, for who waits for it."""

from __future__ import annotations

import time
from typing import TextIO

_FIRST_S = 2.0  # nothing is said of what is done by then
_TERMINAL_S, _FILE_S = 0.2, 15.0


class ProgressLine:
    """Says how much is done: in one line on a terminal, else in a line now and then.

    Args:
        out: where to; None: nowhere.
    """

    def __init__(self, out: TextIO | None) -> None:
        self._out = out
        self._is_terminal = out is not None and out.isatty()
        self._next_s = time.monotonic() + _FIRST_S
        self._width = 0

    def __call__(self, name: str, done: int, total: int) -> None:
        now_s = time.monotonic()
        if self._out is None or now_s < self._next_s:
            return
        self._next_s = now_s + (_TERMINAL_S if self._is_terminal else _FILE_S)
        told = f"{name}: {100 * done // max(total, 1)}%"
        if not self._is_terminal:
            print(f"livnd.datasets: {told}", file=self._out, flush=True)
            return
        print(f"\r{told.ljust(self._width)}", end="", file=self._out, flush=True)
        self._width = len(told)

    def close(self) -> None:
        """Leaves the line empty."""
        if self._out is not None and self._width:
            print(f"\r{' ' * self._width}\r", end="", file=self._out, flush=True)
            self._width = 0
