"""What the calls of a session answer."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, eq=False)
class ResetResult:
    """What Reset answered; every array is the caller's own."""

    observations: tuple[np.ndarray, ...]  # spec order, each [num_envs, *shape]
    infos: dict[str, np.ndarray]  # by name, each [num_envs, *shape]
    seeds: np.ndarray  # uint64 [num_envs]: of each copy's running episode


@dataclass(eq=False)  # not frozen: one is made at every step, which shows in its time
class StepResult:
    """What Step answered; every array is the caller's own."""

    observations: tuple[np.ndarray, ...]  # spec order, each [num_envs, *shape]
    rewards: np.ndarray  # float64 [num_envs]
    terminated: np.ndarray  # bool [num_envs]
    truncated: np.ndarray  # bool [num_envs]
    infos: dict[str, np.ndarray]  # by name, each [num_envs, *shape]
    episode_seeds: np.ndarray  # uint64 [num_envs]: of each copy's running episode
    began: np.ndarray  # bool [num_envs]: the copies whose episode this step began (autoreset)
    # Mode "same_step": what the episodes that ended in this step showed last. A row for each copy
    # with terminated or truncated, in their order; () and {} where there is none.
    final_observations: tuple[np.ndarray, ...] = ()  # spec order, each [num_ended, *shape]
    final_infos: dict[str, np.ndarray] = field(default_factory=dict)  # each [num_ended, *shape]


@dataclass(frozen=True, eq=False)
class ObserveResult:
    """The copies as they are; every array is the caller's own."""

    observations: tuple[np.ndarray, ...]  # spec order, each [num_envs, *shape]
    infos: dict[str, np.ndarray]  # by name, each [num_envs, *shape]
    episodes: np.ndarray  # int64 [num_envs]: begun since the session was created
    ticks: np.ndarray  # int64 [num_envs]: since the episode's reset
    next_op_index: int
    episode_seeds: np.ndarray  # uint64 [num_envs]: of each copy's running episode


@dataclass(frozen=True, eq=False)
class CopyActivity:
    """What one copy's culture was given in its last step, and how it fired."""

    simulated: bool  # False: nothing is known of a step, and the arrays are empty
    spike_gids: np.ndarray  # int64 [num_spikes], by time
    spike_ticks: np.ndarray  # int64 [num_spikes]: since the step began
    pulse_electrodes: np.ndarray  # int64 [num_pulses]: places in System.electrode_ids
    pulse_ticks: np.ndarray  # int64 [num_pulses]: since the step began
    pulse_ua: np.ndarray  # float64 [num_pulses]: the sample farthest from 0, the first of equals

    @classmethod
    def of_nothing(cls) -> CopyActivity:
        """Of a copy without a step."""
        none = np.zeros(0, np.int64)
        return cls(False, none, none, none, none, np.zeros(0))


@dataclass(frozen=True, eq=False)
class RenderResult:
    """What Render answered; rows of copy i are offsets[i] .. offsets[i + 1]."""

    simulated: np.ndarray  # bool [num_copies]
    spike_offsets: np.ndarray  # int64 [num_copies + 1]
    spike_gids: np.ndarray  # all as CopyActivity
    spike_ticks: np.ndarray
    pulse_offsets: np.ndarray  # int64 [num_copies + 1]
    pulse_electrodes: np.ndarray
    pulse_ticks: np.ndarray
    pulse_ua: np.ndarray

    def copy(self, index: int) -> CopyActivity:
        """The rows of one of the copies that were asked for."""
        spikes = slice(*self.spike_offsets[index : index + 2].tolist())
        pulses = slice(*self.pulse_offsets[index : index + 2].tolist())
        return CopyActivity(
            simulated=bool(self.simulated[index]),
            spike_gids=self.spike_gids[spikes],
            spike_ticks=self.spike_ticks[spikes],
            pulse_electrodes=self.pulse_electrodes[pulses],
            pulse_ticks=self.pulse_ticks[pulses],
            pulse_ua=self.pulse_ua[pulses],
        )
