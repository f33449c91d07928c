"""Calls of what only one caller may drive at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from livnd.errors import ConcurrentCallError


class OneCaller:
    """Lets one call in at a time; one that comes meanwhile is refused and does not wait.

    An interrupt (KeyboardInterrupt) at any point leaves nobody inside.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._inside: dict[str, object] = {}  # the "caller", if there is one

    def call(self, do: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Does it and returns its answer. ConcurrentCallError: another call is not done yet."""
        me = object()
        try:
            # One step that no other thread and no interrupt divides.
            if self._inside.setdefault("caller", me) is not me:
                raise ConcurrentCallError(
                    f"another thread is in a call of this {self._what}, which takes one caller at "
                    "a time: give each thread its own, or have the callers wait for each other"
                )
            return do(*args, **kwargs)
        finally:
            if self._inside.get("caller") is me:
                del self._inside["caller"]
