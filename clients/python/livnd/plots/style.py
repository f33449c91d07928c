"""What all pictures look like: sizes for a page of two columns, few and sober colours."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from livnd import extras

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

INK = "#1d2530"
SOFT = "#5c6675"
PALE = "#aab2bd"
GRID = "#e9ecf0"
STIMULUS = "#c2255c"
# Of populations, in the order of their gids.
POPULATIONS = ("#0b7285", "#b35c00", "#6741a3", "#4d7c0f")
MARKS = ("o", "^", "s", "D")
RATES = ("#f3f7f8", "#8cc9d0", "#0b7285", "#07323b")

WIDTH_IN = 7.2  # a page of two columns, 183 mm

_RC = {
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": 8.0,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.6,
    "axes.titlesize": 8.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",  # the letter of a panel
    "axes.titlepad": 6.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "lines.linewidth": 1.2,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "legend.handlelength": 1.6,
    "legend.handletextpad": 0.5,
    "legend.columnspacing": 1.0,
    "legend.borderaxespad": 0.2,
    "pdf.fonttype": 42,  # letters stay letters
    "svg.fonttype": "none",
    "svg.hashsalt": "livnd",
}


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Within it, figures are made in this style. MissingExtraError: without matplotlib."""
    matplotlib = extras.load("matplotlib", "plots", "drawing")
    with matplotlib.rc_context(_RC):
        yield


def new_figure(height_in: float) -> Figure:
    """An empty figure as wide as a page, in no window."""
    figures = extras.load("matplotlib.figure", "plots", "drawing")
    return figures.Figure(figsize=(WIDTH_IN, height_in), facecolor="white")


def headline(figure: Figure, title: str, text: str) -> None:
    """What the picture shows, in its first line."""
    height = figure.get_figheight()
    figure.text(0.008, 1 - 0.06 / height, title, fontsize=10, weight="bold", va="top")
    figure.text(0.008, 1 - 0.25 / height, text, fontsize=8, color=SOFT, va="top")


def panel(axes: Axes, letter: str, title: str) -> None:
    """The letter and the title of a panel."""
    axes.set_title(letter)
    axes.annotate(
        title,
        (1, 0),
        xycoords=axes._left_title,  # it moves with the letter
        xytext=(5, 0),
        textcoords="offset points",
        fontsize=_RC["axes.titlesize"],
        va="bottom",
        annotation_clip=False,
    )


def legend_above(axes: Axes, columns: int = 4, **kwargs: Any) -> None:
    """Between a panel and its title, in one row or two."""
    made = axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.01, 0.99),
        ncols=columns,
        labelspacing=0.25,
        borderpad=0.2,
        **kwargs,
    )
    num_rows = max(1, -(-len(made.get_texts()) // columns))
    axes.set_title(axes.get_title(loc="left"), pad=6 + 13 * num_rows)


def thousands(axis: Axis) -> None:
    """Writes 10,000 for 10000."""
    ticker = extras.load("matplotlib.ticker", "plots", "drawing")
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:,.6g}"))


def population_looks(populations: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Colour and mark of each population."""
    return {
        name: (POPULATIONS[i % len(POPULATIONS)], MARKS[i % len(MARKS)])
        for i, name in enumerate(populations)
    }


def counted(count: int, noun: str) -> str:
    """1 cell, 2,000 cells."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
