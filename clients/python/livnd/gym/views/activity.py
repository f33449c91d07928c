"""What one copy's culture was given and did, as views draw it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from livnd.specs import System

_KEPT_STEPS = 120


@dataclass(frozen=True, eq=False)
class Moment:
    """One copy after a reset or a step; the arrays are nobody else's."""

    observation: np.ndarray
    infos: Mapping[str, np.ndarray]
    action: np.ndarray | None = None  # of the step that led there; None after a reset
    reward: float | None = None  # the same

    def after(self, action: np.ndarray, reward: float) -> Moment:
        """The same, that this step led to."""
        return Moment(self.observation, self.infos, action, reward)

    def number(self, name: str) -> float:
        """A scalar of the infos; NaN where there is none of this name."""
        value = self.infos.get(name)
        return float(value) if value is not None and np.ndim(value) == 0 else float("nan")


@dataclass(eq=False)
class History:
    """The last moments of a copy's episode, and how far it is."""

    moments: deque[Moment] = field(default_factory=lambda: deque(maxlen=_KEPT_STEPS))
    num_steps: int = 0  # of the episode, as far as it was seen
    total_reward: float = 0.0

    def begin(self, moment: Moment) -> None:
        """An episode begins, or one is seen from its middle on."""
        self.moments.clear()
        self.moments.append(moment)
        self.num_steps = 0
        self.total_reward = 0.0

    def add(self, moment: Moment) -> None:
        """A step later."""
        self.moments.append(moment)
        self.num_steps += 1
        self.total_reward += moment.reward or 0.0

    @property
    def now(self) -> Moment:
        return self.moments[-1]

    def numbers(self, name: str) -> np.ndarray:
        """A scalar of the infos at each moment, oldest first."""
        return np.array([moment.number(name) for moment in self.moments])

    def rewards(self) -> np.ndarray:
        """NaN where an episode began."""
        return np.array([np.nan if m.reward is None else m.reward for m in self.moments])


class Cells:
    """The cells of a system by number, 0 .. num - 1 in the order of gids. Immutable.

    Attributes:
        num: of cells.
        is_inhibitory: bool [num].
        hearers: for each electrode the numbers of the cells within its reach.
    """

    def __init__(self, system: System) -> None:
        ranges = [np.arange(p.first_gid, p.first_gid + p.num_cells) for p in system.populations]
        inhibitory = [np.full(p.num_cells, p.name == "INH") for p in system.populations]
        gids = np.concatenate([*ranges, np.zeros(0, np.int64)])
        order = np.argsort(gids, kind="stable")
        self._gids = gids[order]
        self.is_inhibitory = np.concatenate([*inhibitory, np.zeros(0, np.bool_)])[order]
        self.num = len(gids)
        self.hearers = [
            np.flatnonzero(np.linalg.norm(system.positions_um - at, axis=1) <= reach)
            for at, reach in zip(
                system.electrode_positions_um,
                np.full(len(system.electrode_ids), system.output_radius_um),
                strict=True,
            )
        ]

    def numbers_of(self, gids: np.ndarray) -> np.ndarray:
        """Numbers of cells by gid."""
        return np.searchsorted(self._gids, gids)

    def counts(self, gids: np.ndarray) -> np.ndarray:
        """How often each cell is among them, int64 [num]."""
        return np.bincount(self.numbers_of(gids), minlength=self.num)[: self.num]

    def heard(self, counts: np.ndarray) -> np.ndarray:
        """Sum of the counts of the cells within each electrode's reach, int64 [num_electrodes]."""
        return np.array([counts[cells].sum() for cells in self.hearers], np.int64)
