"""The list of cases, and how one says what it expects."""

from __future__ import annotations

import enum
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from livnd.errors import LivndError

# In the order in which they are asked.
_MODULES = {
    "core": ("describing", "sessions", "operations", "stepping", "episodes"),
    "full": ("autoreset", "streams", "snapshots", "holders", "cultures"),
}


class Level(enum.IntEnum):
    """How much of the protocol; each holds those before it."""

    CORE = 1  # environments with a task, one session a caller, NEXT_STEP
    FULL = 2  # all of it


class NotConforming(Exception):
    """What the peer did instead of what a case expects."""


class NotOffered(Exception):
    """The peer has nothing that a case could be asked of, and need not have."""


@dataclass(frozen=True)
class Case:
    """One thing that is expected.

    Attributes:
        name: "operations.a_repeat_is_answered_again".
        level: the first one that holds it.
        expects: the sentence that a server is held to.
        run: asks a Subject; NotConforming, or the peer's own error, where it does otherwise.
    """

    name: str
    level: Level
    expects: str
    run: Callable[[Any], None]


def cases(level: Level = Level.FULL) -> list[Case]:
    """All cases of a level, in the order in which they are asked."""
    found = []
    for name, modules in _MODULES.items():
        if Level[name.upper()] > level:
            continue
        for module in modules:
            loaded = importlib.import_module(f"livnd.conformance.{name}.{module}")
            found += [
                Case(
                    name=f"{module}.{each.__name__}",
                    level=Level[name.upper()],
                    expects=" ".join((each.__doc__ or "").split()),
                    run=each,
                )
                for each in vars(loaded).values()
                if callable(each) and getattr(each, "__module__", "") == loaded.__name__
                if not each.__name__.startswith("_")
            ]
    return found


def expect(holds: Any, what: str) -> None:
    """NotConforming with the sentence `what`, unless it holds."""
    if not holds:
        raise NotConforming(what)


def expect_equal(what: str, got: Any, wanted: Any) -> None:
    """Of numbers, texts and lists."""
    expect(got == wanted, f"{what} is {got!r} and not {wanted!r}")


def expect_same_bits(what: str, got: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> None:
    """Of two answers: the same tensors, to the last bit."""
    expect_equal(f"{what}: what is told", sorted(got), sorted(wanted))
    for name, array in wanted.items():
        same = got[name].dtype == array.dtype and got[name].shape == array.shape
        expect(
            same and got[name].tobytes() == array.tobytes(),
            f"{what}: {name} is {_short(got[name])} and not {_short(array)}",
        )


def expect_refused(
    what: str,
    call: Callable[[], Any],
    code: str,
    reason: str,
    field: str | None = None,
    **metadata: str,
) -> None:
    """The call fails with this status and ErrorInfo; `field` is how its metadata's field begins."""
    try:
        answer = call()
    except LivndError as error:
        refusal = error
    else:
        told = " ".join(str(answer).split())[:80]
        raise NotConforming(f"{what} is answered ({told}) and not refused with {reason}")
    expect_equal(f"{what}: the status", refusal.code, code)
    expect_equal(f"{what}: the reason of its ErrorInfo", refusal.reason, reason)
    if field is not None:
        expect(
            refusal.field.startswith(field),
            f"{what}: the error names the field {refusal.field!r} and not {field!r}",
        )
    for name, value in metadata.items():
        expect_equal(f"{what}: {name} in the metadata", refusal.metadata.get(name), value)


def _short(array: np.ndarray) -> str:
    return f"{array.dtype} {list(array.shape)} {np.array2string(array.ravel()[:4])}"
