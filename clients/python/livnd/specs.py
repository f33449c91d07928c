"""What a server offers: its limits, its systems and its environments, as plain Python values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from livnd._proto import pb
from livnd.tensors import decode, dtype_of


@dataclass(frozen=True)
class ServerInfo:
    """Versions and limits of a server (GetServerInfo)."""

    server_version: str
    physics_version: str  # changes whenever the same seed and actions could give other numbers
    max_receive_message_bytes: int  # client to server
    max_send_message_bytes: int  # server to client
    max_sessions: int
    max_envs_per_session: int
    session_lease_s: float  # 0 means never
    session_retention_s: float  # 0 means never
    num_workers: int

    @classmethod
    def from_message(cls, message: Any) -> ServerInfo:
        return cls(**{name: getattr(message, name) for name in cls.__dataclass_fields__})


@dataclass(frozen=True, eq=False)
class TensorSpec:
    """One copy's tensor of a kind: an observation, an action or an info."""

    name: str
    dtype: np.dtype
    shape: tuple[int, ...]  # without the leading copy axis
    unit: str  # "Hz", "1" for pure numbers, "mixed"
    description: str
    low: np.ndarray  # float64 of the shape above, inclusive
    high: np.ndarray
    element_names: tuple[str, ...]  # one an element in C order, or none

    @classmethod
    def from_message(cls, message: Any) -> TensorSpec:
        shape = tuple(message.shape)

        def bound(name: str, default: float) -> np.ndarray:
            if not message.HasField(name):
                return np.full(shape, default)
            return decode(getattr(message, name)).reshape(shape)

        return cls(
            name=message.name,
            dtype=dtype_of(message.dtype).newbyteorder("="),
            shape=shape,
            unit=message.unit,
            description=message.description,
            low=bound("low", -np.inf),
            high=bound("high", np.inf),
            element_names=tuple(message.element_names),
        )

    def index(self, element_name: str) -> int:
        """Place of an element in C order by its name. KeyError where there is none."""
        try:
            return self.element_names.index(element_name)
        except ValueError:
            raise KeyError(f"{self.name} has no element {element_name!r}") from None


@dataclass(frozen=True)
class OptionSpec:
    """A number that reset(options={name: value}) takes."""

    name: str
    description: str
    min: float
    max: float


@dataclass(frozen=True, eq=False)
class EnvironmentSpec:
    """An environment as the server describes it (DescribeEnvironment)."""

    environment_id: str
    kind: str  # "task": episodes of steps; "culture": runs, see livnd.culture
    task: str
    system: str
    description: str
    actions: tuple[TensorSpec, ...]
    observations: tuple[TensorSpec, ...]
    infos: tuple[TensorSpec, ...]
    reset_options: tuple[OptionSpec, ...]
    step_duration_ms: float
    tick_ns: int
    max_episode_steps: int
    deterministic: bool
    physics_version: str
    settings: dict[str, float]  # units in the names: "max_amplitude_ua"

    @classmethod
    def from_message(cls, message: Any) -> EnvironmentSpec:
        return cls(
            environment_id=message.environment_id,
            kind="culture" if message.kind == pb.ENVIRONMENT_KIND_CULTURE else "task",
            task=message.task,
            system=message.system,
            description=message.description,
            actions=tuple(TensorSpec.from_message(m) for m in message.actions),
            observations=tuple(TensorSpec.from_message(m) for m in message.observations),
            infos=tuple(TensorSpec.from_message(m) for m in message.infos),
            reset_options=tuple(
                OptionSpec(m.name, m.description, m.min, m.max) for m in message.reset_options
            ),
            step_duration_ms=message.step_duration_ms,
            tick_ns=message.tick_ns,
            max_episode_steps=message.max_episode_steps,
            deterministic=message.deterministic,
            physics_version=message.physics_version,
            settings={m.name: m.value for m in message.settings},
        )


@dataclass(frozen=True)
class EnvironmentNotOffered:
    """An environment that a system of the server's cannot carry (ListEnvironments)."""

    environment_id: str
    system: str
    why: str  # the file in the system's folder, the place in it, what is there and what is wanted


@dataclass(frozen=True, eq=False)
class SessionInfo:
    """A session as the server describes it (GetSession)."""

    name: str
    spec: EnvironmentSpec  # its max_episode_steps is the limit that counts in the session
    num_envs: int
    autoreset_mode: str  # "next_step", "same_step" or "disabled"
    next_op_index: int  # the number of its next operation
    generation: int  # how many have held it
    pace: float  # seconds of culture time a second; 0: as fast as it goes


@dataclass(frozen=True)
class Population:
    """Cells of one kind: gids first_gid .. first_gid + num_cells - 1."""

    name: str
    first_gid: int
    num_cells: int


@dataclass(frozen=True)
class Projection:
    """The connections from one population to another."""

    presynaptic: str
    postsynaptic: str
    num_edges: int
    min_distance_um: float
    max_distance_um: float


@dataclass(frozen=True, eq=False)
class System:
    """Cells, connections and electrodes of a system (GetSystem)."""

    name: str
    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    positions_um: np.ndarray  # float64 [num_cells, 3], gid order
    electrode_ids: np.ndarray  # int64 [num_electrodes]
    electrode_positions_um: np.ndarray  # float64 [num_electrodes, 3]
    output_radius_um: float  # an electrode sees the spikes of the somata within it
    # int64 [num_fibers], and float64 [num_fibers, 3], of their tips.
    fiber_ids: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    fiber_positions_um: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))

    @classmethod
    def from_message(cls, message: Any) -> System:
        return cls(
            name=message.name,
            populations=tuple(
                Population(m.name, m.first_gid, m.num_cells) for m in message.populations
            ),
            projections=tuple(
                Projection(
                    m.presynaptic,
                    m.postsynaptic,
                    m.num_edges,
                    m.min_distance_um,
                    m.max_distance_um,
                )
                for m in message.projections
            ),
            positions_um=decode(message.positions_um),
            electrode_ids=decode(message.electrode_ids),
            electrode_positions_um=decode(message.electrode_positions_um),
            fiber_ids=decode(message.fiber_ids),
            fiber_positions_um=decode(message.fiber_positions_um),
            output_radius_um=message.output_radius_um,
        )
