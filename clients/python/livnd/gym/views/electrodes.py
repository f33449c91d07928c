"""The electrodes of an environment where they are, what each hears and what each plays."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from livnd.specs import EnvironmentSpec, System, TensorSpec

SIDE = 320  # pixels; a multiple of 16, as video codecs like it

# Element names that speak of an electrode.
_HEARD = re.compile(r"spikes_e(?P<electrode>-?\d+)_t-(?P<steps_ago>\d+)")
_PLAYED = re.compile(r"amplitude_e(?P<electrode>-?\d+)")

_PAPER = np.array([255, 255, 255], np.uint8)
_CELL = np.array([196, 202, 210], np.uint8)
# Colours go from the first to the second.
_SPIKES = np.array([[232, 236, 240], [7, 50, 59]], np.float64)
_POSITIVE = np.array([[196, 202, 210], [220, 30, 60]], np.float64)
_NEGATIVE = np.array([[196, 202, 210], [30, 80, 220]], np.float64)
_MARGIN = 20  # pixels around the culture
_RADIUS = (2.0, 16.0)  # of electrodes: smallest and largest, pixels
_HALF_DARK = 3.0  # spikes in a step that give half of the darkest colour


def can_draw(spec: EnvironmentSpec) -> bool:
    """Whether an environment has frames: a culture, and elements that name its electrodes."""
    return bool(spec.system) and bool(heard_elements(spec) or played_elements(spec))


class ElectrodeMap:
    """Draws the copies of an environment, one frame a copy. Immutable.

    Cells are grey dots. An electrode is a disc that is the darker the more spikes it heard in the
    last step, in a ring that shows the pulse it played in it: red where the amplitude is positive,
    blue where it is negative, the stronger the larger it is.

    Args:
        spec: an environment that can_draw().
        system: what it is on.
    """

    def __init__(self, spec: EnvironmentSpec, system: System) -> None:
        heard, played = heard_elements(spec), played_elements(spec)
        electrodes = [int(e) for e in system.electrode_ids]
        # Electrodes without an element read the 0 that is put after the last one.
        self._heard = np.array([heard.get(e, -1) for e in electrodes])
        self._played = np.array([played.get(e, -1) for e in electrodes])
        bounds = np.abs([spec.actions[0].low, spec.actions[0].high]).max(axis=0).ravel()
        self._full_scale = np.append(bounds, 1.0)[self._played]

        to_pixels = _scale(system)
        self._background = np.empty((SIDE * SIDE, 3), np.uint8)
        self._background[:] = _PAPER
        cells = _owners(to_pixels(system.positions_um), 0.0, 1.5)
        self._background[cells >= 0] = _CELL
        places = to_pixels(system.electrode_positions_um)
        radius = _radius(places)
        # For each pixel the electrode that it belongs to; then only those that belong to one.
        discs = _owners(places, 0.0, 0.7 * radius)
        rings = _owners(places, 0.7 * radius, radius)
        rings[discs >= 0] = -1
        self._disc_pixels, self._ring_pixels = (np.flatnonzero(o >= 0) for o in (discs, rings))
        self._disc_owners, self._ring_owners = discs[self._disc_pixels], rings[self._ring_pixels]

    def frame(self, observation: np.ndarray, action: np.ndarray | None = None) -> np.ndarray:
        """One copy as it is.

        Args:
            observation: the copy's, as spec.observations[0] says.
            action: what it did in the step that led there, as spec.actions[0] says; None after a
                reset.

        Returns:
            uint8 [SIDE, SIDE, 3], red, green and blue; the caller's own.
        """
        counts = np.append(np.ravel(observation), 0)[self._heard].astype(np.float64)
        darkness = np.clip(counts, 0, None)
        darkness /= darkness + _HALF_DARK
        if action is None:
            amplitudes = np.zeros(len(self._played))
        else:
            amplitudes = np.append(np.ravel(action), 0)[self._played] / self._full_scale
        strength = np.clip(np.abs(amplitudes), 0, 1)
        pulses = np.where(
            amplitudes[:, None] > 0, _blend(_POSITIVE, strength), _blend(_NEGATIVE, strength)
        )
        pixels = self._background.copy()
        pixels[self._disc_pixels] = _blend(_SPIKES, darkness)[self._disc_owners]
        pixels[self._ring_pixels] = pulses[self._ring_owners]
        return pixels.reshape(SIDE, SIDE, 3).copy()


def heard_elements(spec: EnvironmentSpec) -> dict[int, int]:
    """Place of each electrode's count of the last step in the observation."""
    return _places(spec.observations[0], _HEARD, lambda match: int(match["steps_ago"]) == 0)


def played_elements(spec: EnvironmentSpec) -> dict[int, int]:
    """Place of each electrode's amplitude in the action."""
    return _places(spec.actions[0], _PLAYED, lambda match: True)


def _places(
    tensor: TensorSpec, pattern: re.Pattern[str], counts: Callable[[re.Match[str]], bool]
) -> dict[int, int]:
    matches = ((i, pattern.fullmatch(name)) for i, name in enumerate(tensor.element_names))
    return {int(m["electrode"]): i for i, m in matches if m is not None and counts(m)}


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
