"""Strokes on a picture: what views draw with.

A picture is uint8 [height, width, 3]; places are rows from the top and columns from the left. What
lies outside of a picture is left out.
"""

from __future__ import annotations

import numpy as np

from livnd.gym.views import font

Colour = tuple[int, int, int]

PAPER: Colour = (255, 255, 255)
INK: Colour = (38, 50, 56)
FAINT: Colour = (196, 202, 210)
GROUND: Colour = (244, 246, 248)
# What is red is positive, or wanted more of; what is blue negative.
RED: Colour = (220, 30, 60)
BLUE: Colour = (30, 80, 220)
GREEN: Colour = (20, 140, 90)
ORANGE: Colour = (230, 130, 20)


def picture(height: int, width: int, colour: Colour = PAPER) -> np.ndarray:
    """An empty one."""
    made = np.empty((height, width, 3), np.uint8)
    made[:] = colour
    return made


def fill(
    on: np.ndarray, top: float, left: float, height: float, width: float, colour: Colour
) -> None:
    """A rectangle, of a pixel at least."""
    row, column = max(round(top), 0), max(round(left), 0)
    end_row = max(round(top + height), round(top) + 1)
    end_column = max(round(left + width), round(left) + 1)
    on[row : max(end_row, 0), column : max(end_column, 0)] = colour


def write(on: np.ndarray, top: int, left: int, text: str, colour: Colour = INK) -> None:
    """A line of text with its upper left corner there."""
    height, width = on.shape[:2]
    room_right, room_below = max(width - left, 0), max(height - top, 0)
    if top < 0 or left < 0:
        return
    ink = font.mask(text)[:room_below, :room_right]
    on[top : top + ink.shape[0], left : left + ink.shape[1]][ink] = colour


def disc(on: np.ndarray, row: float, column: float, radius: float, colour: Colour) -> None:
    """A filled circle."""
    reach = int(np.ceil(radius)) + 1
    top, left = max(int(row) - reach, 0), max(int(column) - reach, 0)
    window = on[top : max(int(row) + reach + 1, 0), left : max(int(column) + reach + 1, 0)]
    rows, columns = np.ogrid[: window.shape[0], : window.shape[1]]
    window[np.hypot(rows + top - row, columns + left - column) <= radius] = colour


def line(
    on: np.ndarray,
    start: tuple[float, float],
    end: tuple[float, float],
    colour: Colour,
    thickness: int = 1,
) -> None:
    """A straight line from one (row, column) to another."""
    (row, column), (end_row, end_column) = start, end
    num = int(max(abs(end_row - row), abs(end_column - column))) + 1
    rows = np.round(np.linspace(row, end_row, num)).astype(np.int64)
    columns = np.round(np.linspace(column, end_column, num)).astype(np.int64)
    height, width = on.shape[:2]
    for down in range(-(thickness // 2), thickness - thickness // 2):
        for right in range(-(thickness // 2), thickness - thickness // 2):
            at_row, at_column = rows + down, columns + right
            inside = (at_row >= 0) & (at_row < height) & (at_column >= 0) & (at_column < width)
            on[at_row[inside], at_column[inside]] = colour


def curve(on: np.ndarray, values: np.ndarray, low: float, high: float, colour: Colour) -> None:
    """Values over the picture's width, from `low` at its bottom to `high` at its top.

    The last value is at the right edge; NaN leaves a gap.
    """
    height, width = on.shape[:2]
    if len(values) < 2 or not height:
        return
    extent = high - low if high > low else 1.0
    places = np.linspace(0, width - 1, len(values))
    # A column between a value and a gap takes NaN from it, and so is left out.
    at = np.interp(np.arange(width), places, (high - np.clip(values, low, high)) / extent)
    rows = at * (height - 1)
    known = np.isfinite(rows)
    left = np.concatenate([rows[:1], rows[:-1]])
    left = np.where(np.isfinite(left), left, rows)
    first, last = np.minimum(rows, left), np.maximum(rows, left)
    levels = np.arange(height)[:, None]
    ink = known & (levels >= np.floor(first)) & (levels <= np.ceil(last))
    on[ink] = colour
