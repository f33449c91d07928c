"""What a run gives, in livn's words."""

from __future__ import annotations

from collections.abc import Iterator, KeysView, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from livnd.livn.channels import Events, Series

_SPIKES, _VOLTAGE, _CURRENT = "spikes", "voltage", "current"
_ELECTRODE_POTENTIAL, _WEIGHTS = "electrode_potential", "weights"
# Every other channel is a state of the model.
_NAMED = (_SPIKES, _VOLTAGE, _CURRENT, _ELECTRODE_POTENTIAL, _WEIGHTS)


@dataclass(frozen=True, eq=False)
class Run:
    """The recordings of one run; what was not recorded is None.

    Unpacks into livn's six, and run[0] .. run[5] gives them: spike ids and times, voltage ids and
    values, current ids and values. run["voltage"] gives a channel with its ids, values and dt;
    run.keys() names what there is: "spikes", "voltage", "current", "electrode_potential",
    "weights", and a state by its own name.

    Attributes:
        channels: by name.
        t0: ms since the last clear at which the run began, by the server's ticks.
        duration: ms; what was asked for, in whole steps.
        decoded: what the decodings of Env.use_codings() gave, in their order.
    """

    channels: Mapping[str, Events | Series] = field(default_factory=dict)
    t0: float = 0.0
    duration: float = 0.0
    decoded: tuple[Mapping[str, np.ndarray], ...] = ()

    def __iter__(self) -> Iterator[np.ndarray | None]:
        return iter(self._six())

    def __len__(self) -> int:
        return len(self._six())

    def __getitem__(self, key: str | int | slice) -> Any:
        return self.channels[key] if isinstance(key, str) else self._six()[key]

    def __contains__(self, name: object) -> bool:
        return name in self.channels

    def keys(self) -> KeysView[str]:
        """Names of the channels."""
        return self.channels.keys()

    def channel(self, name: str) -> Any:
        return self.channels.get(name)

    def ids(self, name: str) -> np.ndarray | None:
        return self._of(name, "ids")

    def values(self, name: str) -> np.ndarray | None:
        return self._of(name, "values")

    def concat(self, other: Run) -> Run:
        """This run and then `other`, as one.

        A later run of the same culture lies where it was; one that began anew follows at once.
        InvalidFieldError: the two recorded a channel at different dt or with different rows.
        """
        if not isinstance(other, Run):
            raise TypeError(f"concat takes a Run, not {type(other).__name__}")
        offset = max(other.t0 - self.t0, self.duration)
        shift = self.t0 + offset - other.t0
        channels = dict(self.channels)
        for name, channel in other.channels.items():
            mine: Any = channels.get(name)
            channels[name] = (
                replace(channel, t0=channel.t0 + shift)
                if mine is None
                else mine.concat(channel, shift)
            )
        return Run(channels, self.t0, offset + other.duration)

    @property
    def t1(self) -> float:
        """When the run ended, ms since the last clear."""
        return self.t0 + self.duration

    @property
    def spikes(self) -> Events | None:
        return self.channel(_SPIKES)

    @property
    def spike_ids(self) -> np.ndarray | None:
        """uint32 [num_spikes]: gids, by time."""
        return self.ids(_SPIKES)

    @property
    def spike_times(self) -> np.ndarray | None:
        """float64 [num_spikes], ms since t0."""
        return self.values(_SPIKES)

    @property
    def voltage_ids(self) -> np.ndarray | None:
        """uint32 [rows]: gids."""
        return self.ids(_VOLTAGE)

    @property
    def voltage(self) -> np.ndarray | None:
        """float32 [rows, samples], mV."""
        return self.values(_VOLTAGE)

    @property
    def voltage_sections(self) -> np.ndarray | None:
        """[rows]: "soma", "dend", ..."""
        return self._of(_VOLTAGE, "sections")

    @property
    def voltage_dt(self) -> float | None:
        return self._of(_VOLTAGE, "dt")

    @property
    def current_ids(self) -> np.ndarray | None:
        """uint32 [rows]: gids."""
        return self.ids(_CURRENT)

    @property
    def current(self) -> np.ndarray | None:
        """float32 [rows, samples], uA."""
        return self.values(_CURRENT)

    @property
    def current_dt(self) -> float | None:
        return self._of(_CURRENT, "dt")

    @property
    def states(self) -> dict[str, np.ndarray] | None:
        """float32 [rows, samples] of each state, by its name."""
        states = {name: c.values for name, c in self.channels.items() if name not in _NAMED}
        return states or None

    @property
    def electrode_potential(self) -> np.ndarray | None:
        """float32 [electrodes, samples], uV."""
        return self.values(_ELECTRODE_POTENTIAL)

    @property
    def weights(self) -> np.ndarray | None:
        """float64 [connections, samples], as get_weights() orders."""
        return self.values(_WEIGHTS)

    def _of(self, name: str, attribute: str) -> Any:
        channel = self.channels.get(name)
        return None if channel is None else getattr(channel, attribute)

    def _six(self) -> tuple[np.ndarray | None, ...]:
        return tuple(
            part
            for name in (_SPIKES, _VOLTAGE, _CURRENT)
            for part in (self.ids(name), self.values(name))
        )
