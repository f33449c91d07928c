"""Signals that end a command where it stands well."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any


class Interruption:
    """While it is entered, SIGINT and SIGTERM are noted, and check() raises what they ask for.

    Python raises KeyboardInterrupt wherever the main thread happens to be: where exceptions are
    dropped (a finalizer, a callback of a library), or between making a folder and remembering to
    take it away. A command that checks wherever it tells its progress is ended in neither. A second
    signal does what it did before.
    """

    def __init__(self) -> None:
        self._number: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._give_back()

    def check(self) -> None:
        """Raises KeyboardInterrupt or SystemExit if a signal came."""
        if self._number == signal.SIGINT:
            raise KeyboardInterrupt
        if self._number is not None:
            raise SystemExit(128 + self._number)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._number = number
        self._give_back()

    def _give_back(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
