"""The panels of a recording that are not over its time: electrodes, intervals, bursts, weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from livnd import extras
from livnd.io import MEA
from livnd.plots import style
from livnd.plots.layout_of_cells import Map, draw_cells
from livnd.plots.recorded import Recording, Weights
from livnd.plots.statistics import find_bursts, intervals
from livnd.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NUM_INTERVAL_BINS = 32
_NUM_WEIGHT_BINS = 30


# --- in space ------------------------------------------------------------------------------------


def electrode_panel(
    figure: Figure, axes: Axes, recording: Recording, system: System | None, mea: MEA
) -> None:
    """A disc an electrode, darker the more it hears; and the cells of a system."""
    colours = extras.load("matplotlib.colors", "plots", "drawing")
    mappable = extras.load("matplotlib.cm", "plots", "drawing").ScalarMappable
    patches = extras.load("matplotlib.patches", "plots", "drawing")
    if recording.heard is not None:
        counts = np.zeros(mea.num_channels, np.int64)
        known = mea.channel_ids < len(recording.heard)
        counts[known] = recording.heard[mea.channel_ids[known]]
    elif recording.of_channels:
        counts = np.array([np.sum(recording.ids == channel) for channel in mea.channel_ids])
    else:
        heard = mea.channel_recording(system.neuron_coordinates, recording.gids)
        counts = np.array([len(heard[channel]) for channel in mea.channel_ids.tolist()])
    hz = counts / (recording.duration_ms / 1000)
    where = Map(system, mea)
    ramp = colours.LinearSegmentedColormap.from_list("rates", style.RATES)
    norm = colours.Normalize(0, max(float(hz.max(initial=0.0)), 1e-9))
    radius = min(0.46 * where.spacing(), 60.0)
    for place, rate in zip(where.electrodes[where.shown], hz[where.shown], strict=True):
        axes.add_patch(
            patches.Circle(
                place,
                radius,
                facecolor=ramp(norm(rate)),
                edgecolor=style.PALE,
                linewidth=0.5,
                zorder=1,
            )
        )
    if system is not None:
        draw_cells(axes, system, where, scale=0.4, edge="white")
    where.frame(axes, 1.2 * radius)
    if not where.shown.any():
        axes.text(
            0.5, 1.0, "electrodes lie outside", transform=axes.transAxes, ha="center", va="top",
            fontsize=7, color=style.STIMULUS,
        )  # fmt: skip
        return
    bar = figure.colorbar(mappable(norm, ramp), cax=axes.inset_axes((1.03, 0.0, 0.04, 1.0)))
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=2, width=0.6)
    bar.ax.locator_params(nbins=4)


# --- statistics ----------------------------------------------------------------------------------


def interval_panel(axes: Axes, recording: Recording) -> None:
    """How many intervals of each length lie between a unit's spikes."""
    between, _ = intervals(recording.ids, recording.times_ms)
    between = between[between > 0]
    axes.set_xlabel("interval (ms)")
    axes.set_ylabel("intervals per bin")
    if not len(between):
        _nothing(axes, "no unit has two spikes")
        return
    low, high = np.log10(between.min()), np.log10(between.max())
    bins = np.logspace(np.floor(low * 2) / 2, np.ceil(high * 2 + 1e-9) / 2, _NUM_INTERVAL_BINS + 1)
    counts, _ = np.histogram(between, bins)
    axes.stairs(counts, bins, fill=True, color=style.PALE, linewidth=0)
    axes.set_xscale("log")
    axes.set_xlim(bins[0], bins[-1])
    axes.set_ylim(0, 1.2 * counts.max())
    median = float(np.median(between))
    axes.axvline(median, ymax=0.87, color=style.INK, linewidth=0.9, linestyle=(0, (3, 2)))
    told = f"{three_digits(median)} ms"
    if median >= 10_000:
        told = f"{three_digits(median / 1000)} s"
    is_right = np.log(median / bins[0]) > 0.5 * np.log(bins[-1] / bins[0])
    axes.text(
        0.02 if is_right else 1.0, 1.0, f"median {told}", transform=axes.transAxes, fontsize=7,
        ha="left" if is_right else "right", va="top",
    )  # fmt: skip
    axes.locator_params(axis="y", nbins=4, integer=True)


def burst_panel(axes: Axes, recording: Recording, max_interval_ms: float, min_spikes: int) -> None:
    """A mark for each burst: its length, and its spikes."""
    found = find_bursts(recording.ids, recording.times_ms, max_interval_ms, min_spikes)
    axes.set_xlabel("length of a burst (ms)")
    axes.set_ylabel("spikes in a burst")
    rule = f"≥ {min_spikes} spikes,\n≤ {max_interval_ms:g} ms apart"
    if not len(found):
        _nothing(axes, f"no burst of\n{rule}")
        return
    axes.scatter(
        found.durations_ms, found.num_spikes, s=9, color=style.INK, alpha=0.55, linewidths=0
    )
    minutes = recording.duration_ms / 60_000
    units = style.counted(len(np.unique(found.units)), recording.unit)
    in_bursts = 100 * found.num_spikes.sum() / len(recording.ids)
    axes.text(
        0.03, 1.0,
        f"{rule}\n{style.counted(len(found), 'burst')} of {units}\n"
        f"{three_digits(len(found) / minutes)} a minute\n{in_bursts:.0f}% of all spikes",
        transform=axes.transAxes, fontsize=7, va="top", color=style.SOFT, linespacing=1.25,
    )  # fmt: skip
    axes.set_xlim(0, 1.1 * max(float(found.durations_ms.max()), 1.0))
    axes.set_ylim(0, 2.0 * found.num_spikes.max())
    axes.locator_params(axis="both", nbins=5)


def weight_panel(axes: Axes, weights: Weights) -> None:
    """How many connections have which weight, at the beginning and at the end."""
    both = np.concatenate([weights.first, weights.last])
    low, high = float(both.min()), float(both.max())
    margin = 0.05 * max(high - low, 1e-3 * max(abs(low), abs(high)), 1e-9)
    bins = np.linspace(low - margin, high + margin, _NUM_WEIGHT_BINS + 1)
    first, _ = np.histogram(weights.first, bins)
    last, _ = np.histogram(weights.last, bins)
    axes.stairs(last, bins, fill=True, color=style.PALE, linewidth=0, label="at the end")
    axes.stairs(first, bins, color=style.INK, linewidth=0.9, label="at the beginning")
    axes.set_xlim(bins[0], bins[-1])
    axes.set_ylim(0, 1.45 * max(int(first.max()), int(last.max()), 1))
    axes.set_xlabel("learned weight")
    axes.set_ylabel("connections per bin")
    axes.locator_params(axis="x", nbins=4)
    axes.locator_params(axis="y", nbins=4, integer=True)
    axes.legend(loc="upper left", bbox_to_anchor=(-0.02, 1.06), labelspacing=0.2)


def _nothing(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", color=style.SOFT, fontsize=7)
    axes.set_xticks([])
    axes.set_yticks([])


def round_width(value: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is not above a value."""
    power = 10.0 ** np.floor(np.log10(max(value, 1e-12)))
    return float(max(step * power for step in (1, 2, 5) if step * power <= value * (1 + 1e-9)))


def three_digits(value: float) -> str:
    """1,234 and 12.3 and 0.123."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
