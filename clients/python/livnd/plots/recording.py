"""A recording on a page: spikes, stimuli, traces, the electrodes, intervals and bursts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from livnd import extras
from livnd.io import MEA
from livnd.plots import style
from livnd.plots.layout_of_cells import Map, draw_cells
from livnd.plots.recordings import Recording, Traces
from livnd.plots.statistics import find_bursts, interval_cv, intervals
from livnd.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MAX_TRACES = 8
_NUM_RATE_BINS = 100
_NUM_INTERVAL_BINS = 32


def draw_recording(
    recording: Recording,
    system: System | None = None,
    *,
    burst_interval_ms: float = 100.0,
    burst_spikes: int = 5,
) -> Figure:
    """Rate, raster with stimuli, traces, what each electrode hears, intervals and bursts.

    Args:
        recording: of cells or of electrodes.
        system: what it was recorded from: tells populations, and where electrodes and cells are.
        burst_interval_ms: the longest interval within a burst.
        burst_spikes: the fewest spikes of a burst.
    """
    traces = recording.traces
    mea = _array_of(system)
    with style.styled():
        heights = [0.55, 2.0] + ([1.25] if traces is not None else [])
        below = 1.75
        top, between, bottom = 0.62, 0.72, 0.42
        height = top + sum(heights) + 0.14 * (len(heights) - 1) + between + below + bottom
        figure = style.new_figure(height)
        style.headline(figure, recording.title, _summary(recording, system))
        upper = figure.add_gridspec(
            len(heights), 1, height_ratios=heights, left=0.085, right=0.985, hspace=0.12,
            top=1 - top / height, bottom=(bottom + below + between) / height,
        )  # fmt: skip
        lower = figure.add_gridspec(
            1, 2 if mea is None else 3, left=0.085, right=0.985,
            wspace=0.25 if mea is None else 0.6,
            width_ratios=[1, 1] if mea is None else [1.35, 1, 1],
            top=(bottom + below) / height, bottom=bottom / height,
        )  # fmt: skip
        letters = iter("abcdefgh")
        rate = figure.add_subplot(upper[0])
        _rate(rate, recording)
        style.panel(rate, next(letters), f"Spikes of {_units(recording, system)}")
        raster = figure.add_subplot(upper[1], sharex=rate)
        _raster(raster, recording, system)
        timed = [rate, raster]
        if traces is not None:
            timed.append(figure.add_subplot(upper[2], sharex=rate))
            _traces(timed[-1], recording, traces)
        _time_axes(timed, recording)
        column = 0
        if mea is not None:
            axes = figure.add_subplot(lower[0])
            style.panel(axes, next(letters), "Spikes/s that electrodes hear")
            _electrodes(figure, axes, recording, system, mea)
            column = 1
        axes = figure.add_subplot(lower[column])
        style.panel(axes, next(letters), "Intervals between spikes")
        _intervals(axes, recording)
        axes = figure.add_subplot(lower[column + 1])
        style.panel(axes, next(letters), "Bursts")
        _bursts(axes, recording, burst_interval_ms, burst_spikes)
    return figure


def _array_of(system: System | None) -> MEA | None:
    try:
        return None if system is None else system.default_io()
    except FileNotFoundError:
        return None


def _num_units(recording: Recording, system: System | None) -> int:
    if system is not None and not recording.of_channels:
        return max(system.num_neurons, len(recording.units))
    return len(recording.units)


def _units(recording: Recording, system: System | None) -> str:
    return style.counted(_num_units(recording, system), recording.unit)


def _summary(recording: Recording, system: System | None) -> str:
    seconds = recording.duration_ms / 1000
    rate = len(recording.ids) / seconds / max(_num_units(recording, system), 1)
    text = [
        _duration(recording.duration_ms),
        style.counted(len(recording.ids), "spike"),
        f"{rate:.2g} spikes a second and {recording.unit}",
    ]
    cv = interval_cv(recording.ids, recording.times_ms)
    if len(cv):
        text.append(f"CV of intervals {np.median(cv):.2f} (median)")
    return ", ".join(text)


# --- in time -------------------------------------------------------------------------------------


def _rate(axes: Axes, recording: Recording) -> None:
    width_ms = _round_width(recording.duration_ms / _NUM_RATE_BINS)
    bins = np.arange(0, recording.duration_ms + width_ms, width_ms)
    counts, _ = np.histogram(recording.times_ms, bins)
    hz = counts / (width_ms / 1000)
    axes.stairs(hz, bins * _time_scale(recording), fill=True, color=style.PALE, linewidth=0)
    axes.set_ylim(0, max(1.1 * float(hz.max(initial=0.0)), 1.0))
    axes.set_ylabel("spikes/s")
    axes.locator_params(axis="y", nbins=3)
    if axes.get_ylim()[1] >= 10_000:
        ticker = extras.load("matplotlib.ticker", "plots", "drawing")
        axes.yaxis.set_major_formatter(ticker.EngFormatter(sep=""))  # 20k


def _raster(axes: Axes, recording: Recording, system: System | None) -> None:
    units = recording.units
    num_units = _num_units(recording, system)
    height = min(9.0, max(1.0, 150 / max(num_units, 1)))
    look: dict[str, Any] = {"marker": "|", "linestyle": "", "markersize": height}
    look |= {"markeredgewidth": 0.7, "rasterized": len(recording.ids) > 20_000}
    rows, scale = np.searchsorted(units, recording.ids), _time_scale(recording)
    groups = {"": (style.INK, np.ones(len(rows), bool))}
    if system is not None:
        groups = {}
        for name, (colour, _) in style.population_looks(system.populations).items():
            first, count = system.population_ranges[name]
            own = (recording.gids >= first) & (recording.gids < first + count)
            groups[name] = (colour, own)
    for name, (colour, own) in groups.items():
        axes.plot(recording.times_ms[own] * scale, rows[own], color=colour, label=name, **look)
    axes.set_ylim(-0.7, max(num_units, 1) - 0.3)
    axes.set_ylabel(f"{recording.unit}")
    ticker = extras.load("matplotlib.ticker", "plots", "drawing")
    axes.yaxis.set_major_locator(ticker.MaxNLocator(6, integer=True))
    names = [name for name in groups if name]
    if names:
        lines = extras.load("matplotlib.lines", "plots", "drawing")
        handles = [
            lines.Line2D([], [], marker="|", linestyle="", markersize=6, markeredgewidth=1.2,
                         color=groups[name][0], label=name)
            for name in names
        ]  # fmt: skip
        axes.figure.legend(
            handles=handles, loc="upper right", ncols=len(handles), handlelength=0.6,
            bbox_to_anchor=(0.99, 1 - 0.05 / axes.figure.get_figheight()),
        )  # fmt: skip


def _traces(axes: Axes, recording: Recording, traces: Traces) -> None:
    """The first few, one above the other, with a bar for the scale."""
    values = traces.values[:_MAX_TRACES].astype(np.float64)
    times = np.arange(values.shape[1]) * traces.dt_ms * _time_scale(recording)
    step = 1.15 * max(float(np.ptp(values, axis=1).max()), 1e-9)
    for index, own in enumerate(values):
        axes.plot(times, own - own.mean() + index * step, color=style.SOFT, linewidth=0.6)
    axes.set_yticks([index * step for index in range(len(values))])
    axes.set_yticklabels([str(one) for one in traces.ids[: len(values)].tolist()])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_ylim(-0.9 * step, (len(values) - 0.25) * step)
    bar = _round_width(0.6 * step)
    end, low = 0.995 * recording.duration_ms * _time_scale(recording), -0.8 * step
    axes.plot([end, end], [low, low + bar], color=style.INK, linewidth=1.6, solid_capstyle="butt")
    axes.annotate(
        f"{bar:g} {traces.unit}", (end, low + bar / 2), xytext=(-4, 0), ha="right", va="center",
        textcoords="offset points", fontsize=7,
    )  # fmt: skip
    whose = f"by {recording.unit}"
    if len(values) < len(traces.values):
        whose = f"{len(values)} of {style.counted(len(traces.values), recording.unit)}"
    axes.set_ylabel(f"{traces.quantity}\n({traces.unit}), {whose}")


def _time_axes(timed: list[Axes], recording: Recording) -> None:
    scale = _time_scale(recording)
    for axes in timed:
        for pulse in recording.stimuli:
            axes.axvline(pulse.start_ms * scale, color=style.STIMULUS, linewidth=0.9, zorder=0)
    first, last = timed[0], timed[-1]
    first.set_xlim(0, recording.duration_ms * scale)
    last.set_xlabel("time (ms)" if scale == 1 else "time (s)")
    for axes in timed[:-1]:
        axes.tick_params(axis="x", labelbottom=False)
    for pulse in recording.stimuli[:8]:
        is_late = pulse.start_ms > 0.8 * recording.duration_ms
        first.annotate(
            f"stimulus, {pulse.label}", (pulse.start_ms * scale, 1.0),
            xycoords=("data", "axes fraction"), xytext=(-3 if is_late else 3, -1),
            textcoords="offset points", fontsize=7, va="top", ha="right" if is_late else "left",
            color=style.STIMULUS,
        )  # fmt: skip


def _time_scale(recording: Recording) -> float:
    """What a ms is on the axis of time: seconds, or ms in short recordings."""
    return 0.001 if recording.duration_ms > 1000 else 1.0


# --- in space ------------------------------------------------------------------------------------


def _electrodes(figure: Figure, axes: Axes, recording: Recording, system: System, mea: MEA) -> None:
    """A disc an electrode, darker the more it hears."""
    colours = extras.load("matplotlib.colors", "plots", "drawing")
    mappable = extras.load("matplotlib.cm", "plots", "drawing").ScalarMappable
    patches = extras.load("matplotlib.patches", "plots", "drawing")
    if recording.of_channels:
        counts = np.bincount(recording.ids, minlength=mea.num_channels)[: mea.num_channels]
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


def _intervals(axes: Axes, recording: Recording) -> None:
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
    told = f"{_three_digits(median)} ms"
    if median >= 10_000:
        told = f"{_three_digits(median / 1000)} s"
    is_right = np.log(median / bins[0]) > 0.5 * np.log(bins[-1] / bins[0])
    axes.text(
        0.02 if is_right else 1.0, 1.0, f"median {told}", transform=axes.transAxes, fontsize=7,
        ha="left" if is_right else "right", va="top",
    )  # fmt: skip
    axes.locator_params(axis="y", nbins=4, integer=True)


def _bursts(axes: Axes, recording: Recording, max_interval_ms: float, min_spikes: int) -> None:
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
        f"{_three_digits(len(found) / minutes)} a minute\n{in_bursts:.0f}% of all spikes",
        transform=axes.transAxes, fontsize=7, va="top", color=style.SOFT, linespacing=1.25,
    )  # fmt: skip
    axes.set_xlim(0, 1.1 * max(float(found.durations_ms.max()), 1.0))
    axes.set_ylim(0, 2.0 * found.num_spikes.max())
    axes.locator_params(axis="both", nbins=5)


def _nothing(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", color=style.SOFT, fontsize=7)
    axes.set_xticks([])
    axes.set_yticks([])


def _round_width(value: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is not above a value."""
    power = 10.0 ** np.floor(np.log10(max(value, 1e-12)))
    return float(max(step * power for step in (1, 2, 5) if step * power <= value * (1 + 1e-9)))


def _three_digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _duration(ms: float) -> str:
    value, unit = (ms / 1000, "s") if ms > 1000 else (ms, "ms")
    return f"{value:,.2f}".rstrip("0").rstrip(".") + f" {unit}"
