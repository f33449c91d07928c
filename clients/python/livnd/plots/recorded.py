"""What a picture shows of a recording."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from livnd.io import MEA


@dataclass(frozen=True)
class Choice:
    """Which part of a file is meant.

    Attributes:
        name: of a data set's part; None: it has one.
        split: None: the first.
        row: from 0 on.
        trial: of the row.
        dt_ms: between samples; None: the file tells, or they fill the recording.
        copy: of a server's recording; None: its only one.
        episode: of the copy; None: all, after each other.
        begin_ms: where in that the picture begins.
        span_ms: how long it is; None: to the end.
    """

    name: str | None = None
    split: str | None = None
    row: int = 0
    trial: int = 0
    dt_ms: float | None = None
    copy: int | None = None
    episode: int | None = None
    begin_ms: float = 0.0
    span_ms: float | None = None


@dataclass(frozen=True)
class Pulse:
    """A stimulus, where it is known."""

    start_ms: float
    label: str  # "channel 3"


@dataclass(frozen=True, eq=False)
class Stimulation:
    """Pulses, where there are too many to tell each."""

    channels: np.ndarray
    times_ms: np.ndarray
    what: str  # a channel is: "electrode"


@dataclass(frozen=True, eq=False)
class Rewards:
    """Of an environment's steps, at their ends."""

    times_ms: np.ndarray
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class Weights:
    """Of connections that learn.

    Attributes:
        times_ms: some of the samples'.
        spread: [5, times]: quantiles 5, 25, 50, 75 and 95 % over all connections.
        first: of each connection, at the beginning.
        last: at the end.
    """

    times_ms: np.ndarray
    spread: np.ndarray
    first: np.ndarray
    last: np.ndarray


@dataclass(frozen=True, eq=False)
class Traces:
    """Samples of several cells or electrodes."""

    ids: np.ndarray
    values: np.ndarray  # [ids, samples]
    dt_ms: float
    quantity: str  # "membrane potential"
    unit: str  # "mV"
    times_ms: np.ndarray | None = None  # of the samples; None: every dt_ms from 0 on


@dataclass(frozen=True, eq=False)
class Recording:
    """One recording.

    Attributes:
        title: what it is.
        of_channels: the units are electrodes; otherwise cells.
        units: ids of all of them, silent ones too.
        ids: unit of each spike. With electrodes, a spike is there for each that hears it.
        times_ms: of each spike.
        duration_ms: its length.
        gids: cell of each spike; -1 where only the electrode is known.
        stimuli: told one by one.
        traces: of some cells or electrodes.
        starts_ms: where episodes begin, the first one left out.
        stimulation: many stimuli.
        rewards: of a task.
        weights: that were learned.
        heard: how many spikes each electrode heard, where that was recorded.
        array: the electrodes, where the recording tells of them.
    """

    title: str
    of_channels: bool
    units: np.ndarray
    ids: np.ndarray
    times_ms: np.ndarray
    duration_ms: float
    gids: np.ndarray
    stimuli: list[Pulse] = field(default_factory=list)
    traces: Traces | None = None
    starts_ms: np.ndarray = field(default_factory=lambda: np.empty(0))
    stimulation: Stimulation | None = None
    rewards: Rewards | None = None
    weights: Weights | None = None
    heard: np.ndarray | None = None
    array: MEA | None = None

    @property
    def unit(self) -> str:
        return "electrode" if self.of_channels else "cell"
