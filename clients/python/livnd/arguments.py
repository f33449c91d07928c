"""Types of arguments that the package's commands share."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable


def whole(low: int, high: int) -> Callable[[str], int]:
    """An argparse type: a whole number from low to high."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is no whole number from {low} on, to {high}")
        return value

    return parse


def above_0(what: str) -> Callable[[str], float]:
    """An argparse type: a finite number above 0, which errors call `what` ("number of ms")."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 < value < math.inf:
            raise argparse.ArgumentTypeError(f"{text} is no {what} above 0")
        return value

    return parse
