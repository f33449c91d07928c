"""A recording on a page: spikes, stimuli, traces, the electrodes, intervals and bursts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from livnd import extras
from livnd.io import MEA
from livnd.plots import style
from livnd.plots.recorded import Recording, Rewards, Stimulation, Traces, Weights
from livnd.plots.recording_panels import (
    burst_panel,
    electrode_panel,
    interval_panel,
    round_width,
    weight_panel,
)
from livnd.plots.statistics import interval_cv
from livnd.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MAX_TRACES = 8
_NUM_RATE_BINS = 100
_MAX_STARTS = 60  # of episodes: more lines would be a surface


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
        system: what it was recorded from: tells populations, where cells are, and electrodes that
            the recording does not tell of.
        burst_interval_ms: the longest interval within a burst.
        burst_spikes: the fewest spikes of a burst.
    """
    mea = _array_of(recording, system)
    over_time = _over_time(recording, system)
    with style.styled():
        heights = [height for height, _ in over_time]
        below, top, between, bottom = 1.75, 0.62, 0.72, 0.42
        learned = 0.0 if recording.weights is None else 1.25
        height = top + sum(heights) + 0.14 * (len(heights) - 1) + between + below + bottom
        height += learned and learned + between
        figure = style.new_figure(height)
        style.headline(figure, recording.title, _summary(recording, system))
        upper = figure.add_gridspec(
            len(heights), 1, height_ratios=heights, left=0.085, right=0.985, hspace=0.12,
            top=1 - top / height,
            bottom=(bottom + below + between + (learned and learned + between)) / height,
        )  # fmt: skip
        lower = figure.add_gridspec(
            1, 2 if mea is None else 3, left=0.085, right=0.985,
            wspace=0.25 if mea is None else 0.6,
            width_ratios=[1, 1] if mea is None else [1.35, 1, 1],
            top=(bottom + below) / height, bottom=bottom / height,
        )  # fmt: skip
        letters = iter("abcdefgh")
        timed: list[Axes] = []
        for place, (_, draw) in zip(upper, over_time, strict=True):
            axes = figure.add_subplot(place, sharex=timed[0] if timed else None)
            if not timed:
                style.panel(axes, next(letters), f"Spikes of {_units(recording, system)}")
            draw(axes)
            timed.append(axes)
        _time_axes(timed, recording)
        if recording.weights is not None:
            middle = figure.add_gridspec(
                1, 2, left=0.085, right=0.985, wspace=0.27, width_ratios=[2.1, 1],
                top=(bottom + below + between + learned) / height,
                bottom=(bottom + below + between) / height,
            )  # fmt: skip
            axes = figure.add_subplot(middle[0])
            style.panel(axes, next(letters), f"Weights of {_connections(recording.weights)}")
            _weights(axes, recording, recording.weights)
            axes = figure.add_subplot(middle[1])
            style.panel(axes, next(letters), "Their distribution")
            weight_panel(axes, recording.weights)
        column = 0
        if mea is not None:
            axes = figure.add_subplot(lower[0])
            style.panel(axes, next(letters), "Spikes/s that electrodes hear")
            electrode_panel(figure, axes, recording, system, mea)
            column = 1
        axes = figure.add_subplot(lower[column])
        style.panel(axes, next(letters), "Intervals between spikes")
        interval_panel(axes, recording)
        axes = figure.add_subplot(lower[column + 1])
        style.panel(axes, next(letters), "Bursts")
        burst_panel(axes, recording, burst_interval_ms, burst_spikes)
    return figure


def _over_time(
    recording: Recording, system: System | None
) -> list[tuple[float, Callable[[Axes], None]]]:
    """Height (in) of each panel over time, and what draws it."""
    found: list[tuple[float, Callable[[Axes], None]]] = [
        (0.55, lambda axes: _rate(axes, recording)),
        (2.0, lambda axes: _raster(axes, recording, system)),
    ]
    if (stimulation := recording.stimulation) is not None:
        found.append((0.55, lambda axes: _stimulation(axes, recording, stimulation)))
    if (traces := recording.traces) is not None:
        found.append((1.25, lambda axes: _traces(axes, recording, traces)))
    if (rewards := recording.rewards) is not None:
        found.append((0.65, lambda axes: _rewards(axes, recording, rewards)))
    return found


def _array_of(recording: Recording, system: System | None) -> MEA | None:
    """The electrodes, where it is known what each of them heard."""
    if recording.array is not None:
        knows = recording.of_channels or recording.heard is not None or system is not None
        return recording.array if knows else None
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
    if len(recording.starts_ms):
        text.insert(1, style.counted(len(recording.starts_ms) + 1, "episode"))
    cv = interval_cv(recording.ids, recording.times_ms)
    if len(cv):
        text.append(f"CV of intervals {np.median(cv):.2f} (median)")
    return ", ".join(text)


# --- in time -------------------------------------------------------------------------------------


def _rate(axes: Axes, recording: Recording) -> None:
    width_ms = round_width(recording.duration_ms / _NUM_RATE_BINS)
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
    if system is not None and (recording.gids >= 0).all():
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
    times_ms = traces.times_ms
    if times_ms is None:
        times_ms = np.arange(values.shape[1]) * traces.dt_ms
    times = times_ms * _time_scale(recording)
    step = 1.15 * max(float(np.ptp(values, axis=1).max()), 1e-9)
    for index, own in enumerate(values):
        axes.plot(times, own - own.mean() + index * step, color=style.SOFT, linewidth=0.6)
    axes.set_yticks([index * step for index in range(len(values))])
    axes.set_yticklabels([str(one) for one in traces.ids[: len(values)].tolist()])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_ylim(-0.9 * step, (len(values) - 0.25) * step)
    bar = round_width(0.6 * step)
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


def _stimulation(axes: Axes, recording: Recording, stimulation: Stimulation) -> None:
    """A mark a pulse, by channel."""
    channels, rows = np.unique(stimulation.channels, return_inverse=True)
    height = min(8.0, max(3.0, 34 / max(len(channels), 1)))
    axes.plot(
        stimulation.times_ms * _time_scale(recording), rows.reshape(-1), marker="|", linestyle="",
        markersize=height, markeredgewidth=0.8, color=style.STIMULUS,
        rasterized=len(rows) > 20_000,
    )  # fmt: skip
    shown = np.unique(np.linspace(0, len(channels) - 1, min(len(channels), 3)).round().astype(int))
    axes.set_yticks(shown)
    axes.set_yticklabels([str(channels[index]) for index in shown])
    axes.set_ylim(-0.7, max(len(channels), 1) - 0.3)
    axes.set_ylabel(f"stimuli, by\n{stimulation.what}")


def _rewards(axes: Axes, recording: Recording, rewards: Rewards) -> None:
    """Of each step; and of many their mean over spans of time, too."""
    times = rewards.times_ms * _time_scale(recording)
    many = len(times) > 2 * _NUM_RATE_BINS
    look = {"color": style.PALE if many else style.SOFT, "linewidth": 0.6}
    marks = {"marker": "." if len(times) <= _NUM_RATE_BINS else "", "markersize": 3}
    axes.plot(times, rewards.values, rasterized=len(times) > 20_000, **look, **marks)
    if many:
        edges = np.linspace(0, recording.duration_ms, _NUM_RATE_BINS // 2 + 1)
        sums, _ = np.histogram(rewards.times_ms, edges, weights=rewards.values)
        counts, _ = np.histogram(rewards.times_ms, edges)
        seen = counts > 0
        middles = ((edges[1:] + edges[:-1]) / 2 * _time_scale(recording))[seen]
        axes.plot(middles, sums[seen] / counts[seen], color=style.INK, linewidth=1.1)
    axes.set_ylabel("reward")
    axes.locator_params(axis="y", nbins=3)
    low, high = float(rewards.values.min()), float(rewards.values.max())
    margin = 0.12 * max(high - low, 1e-3 * max(abs(high), abs(low)), 1e-9)
    axes.set_ylim(low - margin, high + margin)


def _weights(axes: Axes, recording: Recording, weights: Weights) -> None:
    """Median and quantiles over all connections, in time."""
    times = weights.times_ms * _time_scale(recording)
    ink = {"color": style.PALE, "linewidth": 0}
    axes.fill_between(times, weights.spread[0], weights.spread[4], alpha=0.35, **ink)
    axes.fill_between(times, weights.spread[1], weights.spread[3], alpha=0.8, **ink)
    axes.plot(times, weights.spread[2], color=style.INK, linewidth=1.1)
    axes.set_xlim(0, recording.duration_ms * _time_scale(recording))
    axes.set_xlabel("time (ms)" if _time_scale(recording) == 1 else "time (s)")
    axes.set_ylabel("learned weight")
    low, high = float(weights.spread.min()), float(weights.spread.max())
    margin = 0.06 * max(high - low, 1e-3 * max(abs(high), abs(low)), 1e-9)
    axes.set_ylim(low - margin, high + 4.5 * margin)
    axes.locator_params(axis="y", nbins=4)
    axes.text(
        0.99, 1.0, "median, 50 % and 90 % of connections", transform=axes.transAxes, fontsize=7,
        ha="right", va="top", color=style.SOFT,
    )  # fmt: skip


def _connections(weights: Weights) -> str:
    return style.counted(len(weights.last), "connection")


def _time_axes(timed: list[Axes], recording: Recording) -> None:
    scale = _time_scale(recording)
    for axes in timed:
        if len(recording.starts_ms) <= _MAX_STARTS:
            for start in recording.starts_ms * scale:
                axes.axvline(start, color=style.GRID, linewidth=0.8, zorder=-1)
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


def _duration(ms: float) -> str:
    value, unit = (ms / 1000, "s") if ms > 1000 else (ms, "ms")
    return f"{value:,.2f}".rstrip("0").rstrip(".") + f" {unit}"
