"""Renews the leases of sessions while whoever holds them has something else to do."""

from __future__ import annotations

import threading
from collections.abc import Callable

_PERIODS = 3  # in a lease


class Renewals:
    """A daemon thread that renews, again and again, from start() to stop(), of one caller.

    A forked child has none, and needs none: its parent's sessions are not its own.

    Args:
        lease_s: the server's; 0 never lapses, and nothing is renewed.
        renew: renews once whatever there is; raises nothing.
    """

    def __init__(self, lease_s: float, renew: Callable[[], None]) -> None:
        self._period_s = lease_s / _PERIODS
        self._renew = renew
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()

    def start(self) -> None:
        """Where there is something to renew now. Does nothing the second time."""
        if self._period_s <= 0 or self._thread is not None:
            return
        self._thread = threading.Thread(target=self._work, name="livnd-renewals", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Begins no renewal any more; does not wait for the one that may be under way."""
        self._stopped.set()

    def _work(self) -> None:
        while not self._stopped.wait(self._period_s):
            self._renew()
