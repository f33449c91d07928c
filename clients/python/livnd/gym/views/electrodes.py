"""A culture where it is: cells that fire, what electrodes hear of them and what they play."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from livnd.gym.views import canvas
from livnd.gym.views.activity import Cells
from livnd.results import CopyActivity
from livnd.specs import System

SIDE = 320  # pixels; a multiple of 16, as video codecs like it

_CELL = np.array(canvas.FAINT, np.uint8)
_FIRING = np.array([[7, 50, 59], [150, 60, 160]], np.uint8)  # excitatory, inhibitory
# Colours go from the first to the second.
_SPIKES = np.array([[232, 236, 240], [7, 50, 59]], np.float64)
_POSITIVE = np.array([canvas.FAINT, canvas.RED], np.float64)
_NEGATIVE = np.array([canvas.FAINT, canvas.BLUE], np.float64)
_MARGIN = 20  # pixels around the culture
_CELL_RADIUS = 1.5  # pixels
_RADIUS = (2.0, 16.0)  # of electrodes: smallest and largest, pixels
_HALF_DARK = 3.0  # spikes in a step that give half of the darkest colour


class ElectrodeMap:
    """Draws the culture of a copy. Immutable.

    Cells are grey dots, dark where they fired in the last step: excitatory ones almost black,
    inhibitory ones purple. An electrode is a disc that is the darker the more spikes it heard in
    that step, in a ring that shows the strongest pulse it played in it: red where its first phase
    is positive, blue where it is negative, the stronger the larger it is.

    Args:
        system: with electrodes or without.
        cells: the same system's.
    """

    def __init__(self, system: System, cells: Cells) -> None:
        self._cells = cells
        to_pixels = _scale(system)
        self._background = np.empty((SIDE * SIDE, 3), np.uint8)
        self._background[:] = canvas.PAPER
        owners = _owners(to_pixels(system.positions_um), 0.0, _CELL_RADIUS)
        self._background[owners >= 0] = _CELL
        places = to_pixels(system.electrode_positions_um)
        radius = _radius(places)
        # For each pixel the electrode that it belongs to; then only those that belong to one.
        discs = _owners(places, 0.0, 0.7 * radius)
        rings = _owners(places, 0.7 * radius, radius)
        rings[discs >= 0] = -1
        owners[(discs >= 0) | (rings >= 0)] = -1  # electrodes lie above cells
        self._cell_pixels, self._disc_pixels, self._ring_pixels = (
            np.flatnonzero(o >= 0) for o in (owners, discs, rings)
        )
        self._cell_owners = owners[self._cell_pixels]
        self._disc_owners = discs[self._disc_pixels]
        self._ring_owners = rings[self._ring_pixels]
        self._firing = _FIRING[cells.is_inhibitory.astype(np.int64)]
        self._num_electrodes = len(places)

    def frame(self, activity: CopyActivity, full_scale_ua: float) -> np.ndarray:
        """A copy's culture as the last step left it.

        Args:
            activity: of that step.
            full_scale_ua: the amplitude that is drawn strongest.

        Returns:
            uint8 [SIDE, SIDE, 3], red, green and blue; the caller's own.
        """
        counts = self._cells.counts(activity.spike_gids)
        pixels = self._background.copy()
        fires = counts[self._cell_owners] > 0
        pixels[self._cell_pixels[fires]] = self._firing[self._cell_owners[fires]]
        heard = self._cells.heard(counts).astype(np.float64)
        pixels[self._disc_pixels] = _blend(_SPIKES, heard / (heard + _HALF_DARK))[self._disc_owners]
        played = strongest(activity, self._num_electrodes) / full_scale_ua
        strength = np.clip(np.abs(played), 0, 1)
        pulses = np.where(
            played[:, None] > 0, _blend(_POSITIVE, strength), _blend(_NEGATIVE, strength)
        )
        pixels[self._ring_pixels] = pulses[self._ring_owners]
        return pixels.reshape(SIDE, SIDE, 3)


def strongest(activity: CopyActivity, num_electrodes: int) -> np.ndarray:
    """The amplitude of each electrode's strongest pulse, the first of equals; uA, 0 without one."""
    played = np.zeros(num_electrodes)
    # Weakest first, so that the strongest is what stays.
    order = np.argsort(-np.abs(activity.pulse_ua), kind="stable")[::-1]
    played[activity.pulse_electrodes[order]] = activity.pulse_ua[order]
    return played


def _scale(system: System) -> Callable[[np.ndarray], np.ndarray]:
    """From um to [row, column]: x to the right, y up, as large as the margin allows."""
    shown = np.concatenate([system.positions_um, system.electrode_positions_um])[:, :2]
    low, high = shown.min(axis=0), shown.max(axis=0)
    extent = float((high - low).max())
    pixels_per_um = (SIDE - 1 - 2 * _MARGIN) / extent if extent > 0 else 1.0

    def to_pixels(positions_um: np.ndarray) -> np.ndarray:
        at = (positions_um[:, :2] - (low + high) / 2) * pixels_per_um
        return (SIDE - 1) / 2 + np.stack([-at[:, 1], at[:, 0]], axis=1)

    return to_pixels


def _radius(places: np.ndarray) -> float:
    """The largest with which electrodes leave each other room; judged by the first hundred."""
    smallest, largest = _RADIUS
    for index, place in enumerate(places[:100]):
        others = np.delete(places, index, axis=0)
        if len(others):
            nearest = np.hypot(*(others - place).T).min()
            largest = min(largest, 0.45 * nearest)
    return max(smallest, largest)


def _owners(places: np.ndarray, inner: float, outer: float) -> np.ndarray:
    """Index of the place from which each pixel is `inner` .. `outer` away, -1: none. Flat."""
    owners = np.full((SIDE, SIDE), -1)
    reach = int(outer) + 1
    for index, (row, column) in enumerate(places):
        top, left = max(int(row) - reach, 0), max(int(column) - reach, 0)
        window = owners[top : int(row) + reach + 1, left : int(column) + reach + 1]
        rows, columns = np.ogrid[: window.shape[0], : window.shape[1]]
        distance = np.hypot(rows + top - row, columns + left - column)
        window[(distance >= inner) & (distance <= outer)] = index
    return owners.ravel()


def _blend(colours: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """uint8 [n, 3]: the first colour where the amount is 0, the second where it is 1."""
    first, second = colours
    return np.round(first + amount[:, None] * (second - first)).astype(np.uint8)
