"""The picture of the demo: learning, where it happens, and the culture before and after."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib

matplotlib.use("Agg")
import livnd
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

if TYPE_CHECKING:
    from demo import Generation, Trace

INK = "#1d2530"
SOFT = "#5c6675"
PALE = "#98a1ae"
GRID = "#e6e9ee"
AGENT = "#0b7285"
CONSTANT = "#e8930c"
RANDOM = "#98a1ae"
STIMULUS = "#d6336c"
RATES = LinearSegmentedColormap.from_list("rates", ["#eef5f6", "#8cc9d0", "#0b7285", "#07323b"])

STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 12,
    "text.color": INK,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": "#c3c9d2",
    "axes.linewidth": 1.0,
    "axes.titlesize": 14,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "xtick.color": "#c3c9d2",
    "ytick.color": "#c3c9d2",
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.frameon": False,
    "legend.fontsize": 11.5,
    "legend.labelcolor": INK,
}
LEFT, RIGHT = 0.07, 0.975


def draw(
    path: Path,
    spec: livnd.EnvironmentSpec,
    system: livnd.System,
    history: dict[str, list[Generation]],
    returns: dict[str, float],
    before: Trace,
    after: Trace,
) -> None:
    """Writes the picture as a PNG of 1,950 x 1,500 pixels.

    Args:
        path: where to.
        spec: what was played.
        system: the culture that it was played on.
        history: the generations of "agent" and of "constant".
        returns: mean held-out returns of "agent", "constant" and "random".
        before: held-out episodes of the untrained agent.
        after: the same episodes of the trained agent.
    """
    with plt.rc_context(STYLE):
        figure = plt.figure(figsize=(13, 10), dpi=150, facecolor="white")
        _headline(figure, spec, system)
        top = figure.add_gridspec(
            1,
            2,
            width_ratios=[1.25, 1.0],
            wspace=0.17,
            left=LEFT,
            right=RIGHT - 0.07,
            top=0.812,
            bottom=0.545,
        )
        _learning(figure.add_subplot(top[0]), history, returns)
        _electrodes(figure, figure.add_subplot(top[1]), spec, system, after)
        bottom = figure.add_gridspec(
            2, 2, height_ratios=[1.0, 2.2], hspace=0.08, wspace=0.08,
            left=LEFT, right=RIGHT, top=0.43, bottom=0.11,
        )  # fmt: skip
        copy = _telling_episode(after.target_hz)
        highest = 1.12 * max(
            before.rate_hz[:, copy].max(), after.rate_hz[:, copy].max(), after.target_hz[copy]
        )
        full = float(np.quantile(np.abs(after.actions[:, copy]).max(axis=1), 0.9))
        for column, (title, trace) in enumerate(
            (("Before learning", before), ("After learning", after))
        ):
            rate = figure.add_subplot(bottom[0, column])
            raster = figure.add_subplot(bottom[1, column], sharex=rate)
            _rate(rate, spec, trace, copy, highest)
            _raster(raster, spec, trace, copy, full)
            rate.set_title(title)
            rate.set_title(
                f"return {_number(trace.returns[copy])}", loc="right", fontsize=12, weight="normal"
            )
            if column > 0:
                rate.tick_params(labelleft=False)
                raster.tick_params(labelleft=False)
            else:
                rate.set_ylabel("rate (Hz)")
                raster.set_ylabel("electrode")
        _key(figure, spec, full)
        figure.savefig(path)
        plt.close(figure)


def _headline(figure: Figure, spec: livnd.EnvironmentSpec, system: livnd.System) -> None:
    figure.text(
        LEFT, 0.948, "An agent learns to steer a culture of neurons", fontsize=22, weight="bold"
    )
    figure.text(
        LEFT,
        0.913,
        f"{len(system.positions_um)} simulated neurons on {len(system.electrode_ids)} electrodes. "
        f"Every {spec.step_duration_ms:g} ms the agent sets one pulse on each electrode, to hold "
        "the firing rate at a target.",
        fontsize=12.5,
        color=SOFT,
    )


def _learning(axes: Axes, history: dict[str, list[Generation]], returns: dict[str, float]) -> None:
    axes.set_title("Learning, and returns on held-out episodes")
    for name, colour in (("constant", CONSTANT), ("agent", AGENT)):
        episodes = [g.episodes for g in history[name]]
        low, median, high = np.quantile([g.scores for g in history[name]], (0.25, 0.5, 0.75), 1)
        axes.fill_between(episodes, low, high, color=colour, alpha=0.16, linewidth=0)
        axes.plot(episodes, median, color=colour, linewidth=2.6)
    axes.axhline(returns["random"], color=RANDOM, linewidth=2.0, linestyle=(0, (4, 2.5)))
    axes.set_xlim(0, history["agent"][-1].episodes)
    axes.set_ylim(top=0)
    axes.set_xlabel("episodes played")
    axes.set_ylabel("return (median, quartiles)")
    axes.grid(axis="y", color=GRID)
    for name, label, colour, style in (
        ("agent", "agent", AGENT, "-"),
        ("constant", "best constant", CONSTANT, "-"),
        ("random", "random", RANDOM, (0, (3, 1.5))),
    ):
        text = f"{label} {_number(returns[name])}"
        axes.plot([], [], color=colour, linewidth=2.6, linestyle=style, label=text)
    _legend_under_title(axes)


def _electrodes(
    figure: Figure, axes: Axes, spec: livnd.EnvironmentSpec, system: livnd.System, trace: Trace
) -> None:
    """Electrodes and cells from above, lying; what each electrode hears and gives."""
    axes.set_title("Electrodes under the trained agent")
    seconds = len(trace.spikes) * spec.step_duration_ms / 1000
    rate_hz = trace.spikes.sum(axis=0).mean(axis=0) / seconds
    amplitude = np.abs(trace.actions).mean(axis=(0, 1))
    electrodes, cells = system.electrode_positions_um[:, :2], system.positions_um[:, :2]
    names = ("x", "y")
    if np.ptp(electrodes[:, 1]) > np.ptp(electrodes[:, 0]):
        electrodes, cells, names = electrodes[:, ::-1], cells[:, ::-1], ("y", "x")
    radius = 0.3 * _pitch(electrodes)
    colours = Normalize(0, max(rate_hz.max(), 1e-9))
    for (x, y), rate, strength in zip(electrodes, rate_hz, amplitude, strict=True):
        axes.add_patch(
            Circle(
                (x, y),
                radius,
                facecolor=RATES(colours(rate)),
                edgecolor=STIMULUS,
                linewidth=7.0 * strength / max(amplitude.max(), 1e-9),
                zorder=2,
            )
        )
    marks = ((INK, "^"), (CONSTANT, "o"), (SOFT, "s"), (AGENT, "D"))
    size = 70 / max(1.0, len(cells) / 25)
    for population, (colour, mark) in zip(system.populations, marks, strict=False):
        own = cells[population.first_gid : population.first_gid + population.num_cells]
        if len(own):
            axes.scatter(
                own[:, 0], own[:, 1], s=size, marker=mark, color=colour, edgecolors="white",
                linewidths=0.9, zorder=3, label=f"{population.name} cell",
            )  # fmt: skip
    everything = np.concatenate([electrodes - 1.5 * radius, electrodes + 1.5 * radius, cells])
    axes.set_xlim(everything[:, 0].min(), everything[:, 0].max())
    axes.set_ylim(everything[:, 1].min(), everything[:, 1].max())
    axes.set_aspect("equal", anchor="NW")
    axes.set_xlabel(f"{names[0]} (µm)")
    axes.set_ylabel(f"{names[1]} (µm)")
    side = axes.inset_axes((1.04, 0.0, 0.035, 1.0))
    bar = figure.colorbar(plt.cm.ScalarMappable(colours, RATES), cax=side)
    bar.outline.set_visible(False)
    bar.set_label("spikes heard (1/s)")
    axes.plot([], [], color=STIMULUS, linewidth=4, label="mean amplitude")
    _legend_under_title(axes)


def _rate(axes: Axes, spec: livnd.EnvironmentSpec, trace: Trace, copy: int, highest: float) -> None:
    times_s = _times_s(spec, trace)
    axes.axhline(trace.target_hz[copy], color=CONSTANT, linewidth=2.2)
    axes.plot(times_s, trace.rate_hz[:, copy], color=AGENT, linewidth=2.2)
    axes.set_ylim(0, highest)
    axes.tick_params(labelbottom=False)
    axes.grid(axis="y", color=GRID)


def _raster(axes: Axes, spec: livnd.EnvironmentSpec, trace: Trace, copy: int, full: float) -> None:
    """A row an electrode: dots for the spikes of a step, below them a bar for its pulse.

    A pulse of amplitude `full` or more is a bar of full height.
    """
    times_s = _times_s(spec, trace)
    spikes, actions = trace.spikes[:, copy], trace.actions[:, copy]
    num_electrodes = actions.shape[1]
    step, electrode = np.nonzero(np.abs(actions) > 0.02 * full)
    start_s = times_s[step] - spec.step_duration_ms / 1000
    bottom = electrode - 0.4
    height = 0.5 * np.minimum(np.abs(actions[step, electrode]) / full, 1.0)
    bars = np.stack(
        [np.stack([start_s, bottom], 1), np.stack([start_s, bottom + height], 1)], axis=1
    )
    axes.add_collection(LineCollection(bars, colors=STIMULUS, linewidths=1.4))
    step, electrode = np.nonzero(spikes)
    axes.scatter(
        times_s[step] - spec.step_duration_ms / 2000,
        electrode + 0.22,
        s=np.minimum(4.5 * spikes[step, electrode], 60) * 8 / max(8, num_electrodes),
        color=INK,
        linewidths=0,
    )
    axes.set_xlim(0, times_s[-1])
    axes.set_ylim(-0.65, num_electrodes - 0.35)
    axes.set_xlabel("time (s)")
    axes.set_yticks(range(0, num_electrodes, max(1, num_electrodes // 8)))
    axes.tick_params(axis="y", length=0)


def _key(figure: Figure, spec: livnd.EnvironmentSpec, full: float) -> None:
    line = {"linewidth": 2.4}
    full_ua = full * spec.settings["max_amplitude_ua"]
    figure.legend(
        handles=[
            Line2D([], [], color=AGENT, label="rate of the culture", **line),
            Line2D([], [], color=CONSTANT, label="target", **line),
            Line2D(
                [], [], color=INK, marker="o", markersize=5, linestyle="",
                label=f"spikes in {spec.step_duration_ms:g} ms (size: how many)",
            ),
            Line2D(
                [], [], color=STIMULUS, marker="|", markersize=11, markeredgewidth=2, linestyle="",
                label=f"pulse (full height: {full_ua:.1f} µA and more)",
            ),
        ],
        loc="lower center",
        bbox_to_anchor=((LEFT + RIGHT) / 2, 0.008),
        ncols=4,
        columnspacing=2.4,
    )  # fmt: skip


def _legend_under_title(axes: Axes) -> None:
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.01, 0.985), ncols=4, handlelength=1.2,
        handletextpad=0.5, columnspacing=1.5, borderaxespad=0.0, scatteryoffsets=[0.5],
    )  # fmt: skip
    axes.set_title(axes.get_title(loc="left"), pad=32)


def _telling_episode(target_hz: np.ndarray) -> int:
    """The episode to show: one whose target is well above what the culture does by itself."""
    wanted = target_hz.min() + 0.75 * np.ptp(target_hz)
    return int(np.argmin(np.abs(target_hz - wanted)))


def _pitch(points: np.ndarray) -> float:
    """The smallest distance between two of the points, um."""
    distance = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    return float(distance[distance > 0].min(initial=np.inf)) if len(points) > 1 else 50.0


def _times_s(spec: livnd.EnvironmentSpec, trace: Trace) -> np.ndarray:
    """The end of each step."""
    return np.arange(1, len(trace.rate_hz) + 1) * spec.step_duration_ms / 1000


def _number(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")
