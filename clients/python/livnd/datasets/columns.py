"""What the rows of a data set have: livn's layouts, column by column.

trials    the published sets: a row is one choice of inputs, recorded in one or more trials
channels  the newer sets: a row is a run, and spikes and potentials are those of electrodes
runs      what livn's ArrowDataset writes: a row is a run of all cells
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What the innermost values of a column are, as errors tell it."""

    IDS = "whole numbers from 0 on"
    TIMES = "finite times from 0 on, ms"
    NUMBERS = "finite numbers"
    WHOLE = "whole numbers"
    TEXT = "text"


@dataclass(frozen=True)
class Column:
    """A column of a layout.

    Attributes:
        depth: how many lists the values are in, within a row.
        beside: the column whose lists have as many values. Its own values may be lists themselves
            (the samples of a voltage), all as long.
        is_matrix: the row's lists are all as long: an array with two axes.
    """

    name: str
    kind: Kind
    depth: int = 0
    required: bool = False
    beside: str = ""
    is_matrix: bool = False

    @property
    def depths(self) -> tuple[int, ...]:
        """How many lists a file may have the values in."""
        is_sampled = self.beside and self.kind is Kind.NUMBERS
        return (self.depth, self.depth + 1) if is_sampled else (self.depth,)

    @property
    def accepted(self) -> str:
        """What a file may have in it."""
        return "lists of " * self.depth + self.kind.value


@dataclass(frozen=True)
class Layout:
    """The columns that the rows of one kind of data set may have.

    Attributes:
        per: what the outer lists of a row are by: "trial", "channel"; "" where there are none.
    """

    name: str
    per: str
    columns: tuple[Column, ...]

    @property
    def required(self) -> list[str]:
        return [column.name for column in self.columns if column.required]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


TRIALS = Layout(
    "trials",
    "trial",
    (
        Column("trial_it", Kind.IDS, 2, required=True),  # gid of each spike
        Column("trial_t", Kind.TIMES, 2, required=True, beside="trial_it"),
        Column("trial_iv", Kind.IDS, 2),  # gid of each voltage
        Column("trial_vv", Kind.NUMBERS, 2, beside="trial_iv"),  # mV
        Column("features", Kind.NUMBERS, 1),  # of the input: channel, onset, amplitude
        Column("t_end", Kind.NUMBERS),  # ms
        Column("seed", Kind.WHOLE),
        Column("trials", Kind.WHOLE),
        Column("copy", Kind.WHOLE),  # of the session, episode and place in it: of converted rows
        Column("episode", Kind.WHOLE),
        Column("start_ms", Kind.NUMBERS),
    ),
)
CHANNELS = Layout(
    "channels",
    "channel",
    (
        Column("cit", Kind.IDS, 2, required=True),  # gid of each spike, by channel
        Column("ctt", Kind.TIMES, 2, required=True, beside="cit"),
        Column("cp", Kind.NUMBERS, 2, is_matrix=True),  # potential of each channel, uV
        Column("civ", Kind.IDS, 2),
        Column("cvv", Kind.NUMBERS, 2, beside="civ"),  # mV
        Column("features", Kind.NUMBERS, 1),
        Column("t_end", Kind.NUMBERS),
        Column("duration", Kind.NUMBERS),
        Column("seed", Kind.WHOLE),
        Column("sample_id", Kind.TEXT),
        Column("copy", Kind.WHOLE),  # of the session, episode and place in it: of converted rows
        Column("episode", Kind.WHOLE),
        Column("start_ms", Kind.NUMBERS),
    ),
)
RUNS = Layout(
    "runs",
    "",
    (
        Column("it", Kind.IDS, 1, required=True),
        Column("tt", Kind.TIMES, 1, required=True, beside="it"),
        Column("iv", Kind.IDS, 1),
        Column("vv", Kind.NUMBERS, 1, beside="iv"),  # mV
        Column("im", Kind.IDS, 1),
        Column("mp", Kind.NUMBERS, 1, beside="im"),  # membrane current, uA
        Column("features", Kind.NUMBERS, 1),
        Column("duration", Kind.NUMBERS),
        Column("seed", Kind.WHOLE),
        Column("copy", Kind.WHOLE),  # of the session, episode and place in it: of converted rows
        Column("episode", Kind.WHOLE),
        Column("start_ms", Kind.NUMBERS),
    ),
)
LAYOUTS = (TRIALS, CHANNELS, RUNS)
# What other programs add to a file and nobody means.
PASSED_OVER = ("__index_level_0__", "__null_dask_index__")


def layout_of(names: Collection[str]) -> Layout | None:
    """The layout whose required columns are there, if there is one."""
    return next((one for one in LAYOUTS if set(one.required) <= set(names)), None)
