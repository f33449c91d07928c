"""A system on a page: its cells and electrodes, and how its cells are connected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from livnd import extras
from livnd.io import MEA
from livnd.neuroh5 import Edges
from livnd.plots import style
from livnd.plots.layout_of_cells import Map, draw_cells
from livnd.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Connections that are drawn; more would be a surface.
_MAX_LINES = 400
_NUM_BINS = 30
# Electrodes whose reach is drawn.
_MAX_CIRCLES = 16

Projections = Mapping[tuple[str, str], Edges]


def draw_system(system: System, mea: MEA | None = None) -> Figure:
    """Cells, electrodes, connections, distances and degrees of a system.

    Args:
        system: read from its files.
        mea: the array over it; None: its own, where it has one.
    """
    if mea is None:
        try:
            mea = system.default_io()
        except FileNotFoundError:
            mea = None
    projections = {pair: system.edges(*pair) for pair in system.projections()}
    where = Map(system, mea)
    with style.styled():
        # Panels are 3 in wide; the maps are as high as what they show.
        upper_in = float(np.clip(3.0 * where.height_over_width() + 0.25, 1.5, 2.9))
        columns = 2 if len(projections) > 3 else 3
        rows = -(-len(projections) // columns)
        lower_in, between_in, top_in, bottom_in = 2.1, 0.8 + 0.18 * rows, 0.95, 0.42
        height_in = top_in + upper_in + between_in + lower_in + bottom_in
        figure = style.new_figure(height_in)
        style.headline(figure, system.name, _summary(system, mea, projections))
        for row, (low, high) in enumerate(
            ((height_in - top_in - upper_in, height_in - top_in), (bottom_in, bottom_in + lower_in))
        ):
            grid = figure.add_gridspec(
                1, 2, left=0.1, right=0.985, bottom=low / height_in, top=high / height_in,
                wspace=0.27,
            )  # fmt: skip
            left, right = figure.add_subplot(grid[0]), figure.add_subplot(grid[1])
            if row == 0:
                _map(left, system, mea, where)
                _lines(right, system, where, projections)
            else:
                _distances(left, system, projections)
                _degrees(right, system, projections)
                for axes in (left, right):
                    style.legend_above(axes, columns)
    return figure


def _summary(system: System, mea: MEA | None, projections: Projections) -> str:
    count = sum(len(edges.source_gids) for edges in projections.values())
    text = [style.counted(system.num_neurons, "cell"), style.counted(count, "connection")]
    if mea is None:
        return ", ".join([*text, "no electrodes"])
    heard = mea.cell_measurement(system.neuron_coordinates)
    silent = mea.num_channels - len(np.unique(heard[:, 0]))
    text.append(style.counted(mea.num_channels, "electrode"))
    if silent:
        none = silent == mea.num_channels
        text[-1] += " (none hears a cell)" if none else f" ({silent:,} without a cell to hear)"
    return ", ".join(text)


def _map(axes: Axes, system: System, mea: MEA | None, where: Map) -> None:
    outside = int((~where.shown).sum())
    title = "Cells and electrodes" if where.shown.any() else "Cells"
    if outside:
        title += f" ({style.counted(outside, 'electrode')} farther away)"
    style.panel(axes, "a", title)
    handles = draw_cells(axes, system, where)
    margin_um = 0.0
    if mea is not None and where.shown.any():
        lines = extras.load("matplotlib.lines", "plots", "drawing")
        patches = extras.load("matplotlib.patches", "plots", "drawing")
        shown = where.electrodes[where.shown]
        side = min(0.35 * where.spacing(), 30.0)
        width = 0.6 if len(shown) <= 256 else 0.25
        square = {"facecolor": "none", "edgecolor": style.SOFT, "linewidth": width}
        for place in shown:
            axes.add_patch(patches.Rectangle(place - side / 2, side, side, zorder=2, **square))
        handles.append(
            lines.Line2D(
                [], [], marker="s", markersize=4.5, markerfacecolor="none", linestyle="",
                markeredgecolor=style.SOFT, markeredgewidth=0.7,
                label=f"electrode ({mea.num_channels:,})",
            )
        )  # fmt: skip
        if len(shown) <= _MAX_CIRCLES and mea.output_radius > 0:
            disc = {"facecolor": style.PALE, "alpha": 0.2, "linewidth": 0}
            for place in shown:
                axes.add_patch(patches.Circle(place, mea.output_radius, zorder=1, **disc))
            handles.append(patches.Patch(**disc, label=f"hears {mea.output_radius:g} µm far"))
            extent = float(np.ptp(where.cells, axis=0).max())
            margin_um = min(mea.output_radius, 0.5 * extent)
    style.legend_above(axes, handles=handles)
    where.frame(axes, margin_um)


def _lines(axes: Axes, system: System, where: Map, projections: Projections) -> None:
    collections = extras.load("matplotlib.collections", "plots", "drawing")
    total = sum(len(edges.source_gids) for edges in projections.values())
    shown = min(total, _MAX_LINES)
    few = f" ({shown:,} of {total:,})" if shown < total else ""
    style.panel(axes, "b", f"Connections by source{few}")
    is_crowd = system.num_neurons > _MAX_LINES
    looks = style.population_looks(system.populations)
    rng = np.random.default_rng(0)
    for (pre, _), edges in projections.items():
        count = len(edges.source_gids)
        chosen = np.arange(count)
        if shown < total:
            chosen = rng.choice(count, round(count * shown / total), replace=False)
        ends = np.stack(
            [where.cells[edges.source_gids[chosen]], where.cells[edges.target_gids[chosen]]], axis=1
        )
        axes.add_collection(
            collections.LineCollection(
                ends,
                colors=looks[pre][0],
                linewidths=0.5,
                alpha=0.7 if is_crowd else 0.45,
                zorder=2,
            )
        )
    # The lines are between the marks of few cells, and above those of many.
    scale, zorder = (0.4, 1) if is_crowd else (1.0, 3)
    style.legend_above(axes, handles=draw_cells(axes, system, where, scale, zorder))
    where.shown = np.zeros(len(where.electrodes), bool)
    where.frame(axes)


def _distances(axes: Axes, system: System, projections: Projections) -> None:
    style.panel(axes, "c", "Lengths of connections")
    axes.set_xlabel("distance (µm)")
    axes.set_ylabel("connections per bin")
    if not projections:
        return
    largest = max(float(edges.distance_um.max(initial=0.0)) for edges in projections.values())
    bins = np.linspace(0, max(largest, 1.0), _NUM_BINS + 1)
    for pair, edges in projections.items():
        counts, _ = np.histogram(edges.distance_um, bins)
        axes.stairs(counts, bins, linewidth=1.2, **_look(system, pair))
    axes.set_xlim(0, bins[-1])
    _count_axis(axes, [np.histogram(e.distance_um, bins)[0] for e in projections.values()])
    axes.grid(axis="y", color=style.GRID, linewidth=0.6)


def _degrees(axes: Axes, system: System, projections: Projections) -> None:
    style.panel(axes, "d", "Connections that a cell receives")
    axes.set_xlabel("connections received")
    axes.set_ylabel("share of the cells (%)")
    axes.set_ylim(0, 102)
    degrees = {}
    for (pre, post), edges in projections.items():
        first, count = system.population_ranges[post]
        degrees[pre, post] = np.bincount(edges.target_gids - first, minlength=count)
    largest = max((int(counts.max()) for counts in degrees.values()), default=1)
    smallest = min((int(counts.min()) for counts in degrees.values()), default=0)
    for pair, counts in degrees.items():
        ordered = np.sort(counts)
        share = 100 * np.arange(len(ordered) + 1) / len(ordered)
        axes.step([ordered[0], *ordered], share, where="post", **_look(system, pair))
    if smallest > 0 and largest > 10 * smallest:
        axes.set_xscale("log")
        axes.set_xlim(0.7 * smallest, 1.4 * largest)
    else:
        axes.set_xlim(-0.02 * largest, 1.05 * max(largest, 1))
        ticker = extras.load("matplotlib.ticker", "plots", "drawing")
        axes.xaxis.set_major_locator(ticker.MaxNLocator(6, integer=True))
    style.thousands(axes.xaxis)
    axes.grid(axis="y", color=style.GRID, linewidth=0.6)


def _look(system: System, pair: tuple[str, str]) -> dict[str, object]:
    """Colour by source, line by whether a population is its own target."""
    pre, post = pair
    return {
        "color": style.population_looks(system.populations)[pre][0],
        "linestyle": "-" if pre == post else (0, (3.5, 1.5)),
        "label": f"{pre} → {post}",
    }


def _count_axis(axes: Axes, counts: list[np.ndarray]) -> None:
    """Linear, or logarithmic where small projections would vanish beside large ones."""
    peaks = [int(one.max(initial=0)) for one in counts if one.max(initial=0) > 0]
    if peaks and max(peaks) > 100 * min(peaks):
        axes.set_yscale("log")
        axes.set_ylim(0.7, 2 * max(peaks))
    elif peaks:
        axes.set_ylim(0, 1.08 * max(peaks))
    style.thousands(axes.yaxis)
