"""When what fails is tried again, and for how long."""

from __future__ import annotations

import random
import time

from livnd.errors import LivndError

_FIRST_PAUSE_S = 0.05
_MAX_PAUSE_S = 1.0


class Patience:
    """With one call, or whatever else fails, from its first failure on. The pauses grow.

    Args:
        patience_s: how long it is tried again.

    Attributes:
        due_s: when it is, as time.monotonic() tells it.
        give_up_s: when it is no more.
        error: what failed last, if somebody has to know.
    """

    def __init__(self, patience_s: float) -> None:
        self.give_up_s = time.monotonic() + patience_s
        self.due_s = 0.0
        self.error: LivndError | None = None
        self._pause_s = _FIRST_PAUSE_S

    def next_try_s(self, error: LivndError) -> float | None:
        """When to try again after a failure; None if that was the last."""
        now = time.monotonic()
        if now >= self.give_up_s:
            return None
        pause_s = self._pause_s * random.uniform(0.5, 1.0) + (error.retry_after_s or 0.0)
        self.due_s = min(now + pause_s, self.give_up_s)
        self._pause_s = min(2 * self._pause_s, _MAX_PAUSE_S)
        return self.due_s

    def wait(self) -> None:
        """Until it is due."""
        time.sleep(max(0.0, self.due_s - time.monotonic()))
