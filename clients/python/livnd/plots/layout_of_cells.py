"""Cells and electrodes from above."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from livnd import extras
from livnd.io import MEA
from livnd.plots import style
from livnd.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

# Electrodes that are this many extents of the culture away are left out of a map.
_FAR = 1.0


class Map:
    """Where cells and electrodes lie in a picture: the long side of the culture is horizontal.

    Attributes:
        cells: um, [cells, 2], in the order of gids; none without a system.
        electrodes: um, [electrodes, 2]; none without an array.
        shown: of the electrodes, whether it is near enough to be in the picture.
        names: of the two axes.
    """

    def __init__(self, system: System | None, mea: MEA | None) -> None:
        self.cells = np.empty((0, 2)) if system is None else system.neuron_coordinates[:, 1:3]
        self.electrodes = np.empty((0, 2))
        if mea is not None:
            self.electrodes = mea.electrode_coordinates[:, 1:3].astype(np.float64)
        self.names = ("x", "y")
        first = self.cells if len(self.cells) else self.electrodes
        extent = np.ptp(first, axis=0)
        if extent[1] > 1.05 * extent[0]:
            self.cells = self.cells[:, ::-1]
            self.electrodes = self.electrodes[:, ::-1]
            self.names = ("y", "x")
        first = self.cells if len(self.cells) else self.electrodes
        low, high = first.min(axis=0), first.max(axis=0)
        far = _FAR * max(float(np.max(high - low)), 50.0)
        self.shown = ((self.electrodes > low - far) & (self.electrodes < high + far)).all(axis=1)

    def frame(self, axes: Axes, margin_um: float = 0.0) -> None:
        """Sets the limits of an axes to all that is shown, and names what it shows."""
        places = np.concatenate([self.cells, self.electrodes[self.shown]])
        low, high = places.min(axis=0), places.max(axis=0)
        margin = np.maximum(0.04 * np.max(high - low), margin_um)
        axes.set_xlim(low[0] - margin, high[0] + margin)
        axes.set_ylim(low[1] - margin, high[1] + margin)
        axes.set_aspect("equal", anchor="NW")
        axes.set_xlabel(f"{self.names[0]} (µm)")
        axes.set_ylabel(f"{self.names[1]} (µm)")

    def height_over_width(self) -> float:
        """Of what frame() shows."""
        places = np.concatenate([self.cells, self.electrodes[self.shown]])
        extent = np.ptp(places, axis=0)
        return float(extent[1] / max(extent[0], 1e-9))

    def spacing(self) -> float:
        """The smallest distance between two of the shown electrodes, um."""
        places = self.electrodes[self.shown]
        if len(places) < 2:
            return 50.0
        nearest = np.inf
        for start in range(0, len(places), 256):
            block = places[start : start + 256]
            um = np.hypot(*(block[:, None] - places[None]).transpose(2, 0, 1))
            nearest = min(nearest, float(um[um > 0].min(initial=np.inf)))
        return nearest if np.isfinite(nearest) else 50.0


def mark_size(count: int) -> float:
    """Of so many marks in a panel, points squared."""
    return float(np.clip(2500 / max(count, 1), 0.8, 22.0))


def draw_cells(
    axes: Axes,
    system: System,
    where: Map,
    scale: float = 1.0,
    zorder: float = 3,
    edge: str = "none",
) -> list[Line2D]:
    """A mark for each soma, by population; returns what a legend shows of them.

    Args:
        axes: of the panel.
        system: whose cells.
        where: they lie.
        scale: of the marks' area.
        zorder: above or below what else is drawn.
        edge: colour around each mark.
    """
    lines = extras.load("matplotlib.lines", "plots", "drawing")
    handles = []
    for name, (colour, mark) in style.population_looks(system.populations).items():
        first, count = system.population_ranges[name]
        own = where.cells[first : first + count]
        axes.scatter(
            own[:, 0],
            own[:, 1],
            s=scale * mark_size(len(where.cells)),
            marker=mark,
            color=colour,
            edgecolors=edge,
            linewidths=0.0 if edge == "none" else 0.35,
            zorder=zorder,
            rasterized=count > 2000,
        )
        label = f"{name} ({count:,})"
        look = {"marker": mark, "markersize": 4, "linestyle": "", "color": colour}
        handles.append(lines.Line2D([], [], label=label, **look))
    return handles
