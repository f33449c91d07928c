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
            self.enter(me)
            return do(*args, **kwargs)
        finally:
            self.leave(me)

    def enter(self, caller: Any) -> None:
        """Lets a caller in until it leaves; one that is in already stays so.

        Args:
            caller: makes the error for others by refuse(), if it is no call.
        """
        # One step that no other thread and no interrupt divides.
        inside = self._inside.setdefault("caller", caller)
        if inside is not caller:
            refuse = getattr(inside, "refuse", None)
            if refuse is not None:
                raise refuse()
            raise ConcurrentCallError(
                f"another thread is in a call of this {self._what}, which takes one caller at "
                "a time: give each thread its own, or have the callers wait for each other"
            )

    def leave(self, caller: object) -> None:
        """Lets the next one in; nothing where this one was not."""
        if self._inside.get("caller") is caller:
            del self._inside["caller"]
