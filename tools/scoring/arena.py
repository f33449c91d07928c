"""Where everybody plays: one vector environment, whole episodes of given seeds."""

from __future__ import annotations

from collections.abc import Callable

import gymnasium
import livnd
import numpy as np

Act = Callable[[np.ndarray], np.ndarray]  # observations [N, size] -> actions [N, electrodes]

HELD_OUT_SEED = 1_000_000  # the first one; training seeds stay below


class Arena:
    """Plays an episode in every copy at once.

    Attributes:
        spec: the environment's.
        places: float64 [electrodes, 2], where electrodes are: -1 .. 1 along the longer side of the
            array, and so across it.
        num_steps: steps of copies played so far.
    """

    def __init__(self, environment: str, num_envs: int, address: str | None = None) -> None:
        self._envs = gymnasium.make_vec(
            f"livnd/{environment}", num_envs=num_envs, address=address, autoreset_mode="NextStep"
        )
        self.spec: livnd.EnvironmentSpec = self._envs.environment_spec
        self.num_envs = num_envs
        with livnd.connect(address) as client:
            system = client.system(self.spec.system)
        self.places = places_of(system.electrode_positions_um)
        low, high = (np.ravel(b) for b in (self.spec.actions[0].low, self.spec.actions[0].high))
        self.low, self.high = low.astype(np.float64), high.astype(np.float64)
        self.num_steps = 0

    def play(self, act: Act, seeds: np.ndarray) -> np.ndarray:
        """Returns of one episode a copy, float64 [N]."""
        observations, _ = self._envs.reset(seed=[int(seed) for seed in seeds])
        returns = np.zeros(self.num_envs)
        running = np.ones(self.num_envs, bool)
        while running.any():
            actions = np.clip(act(observations), self.low, self.high).astype(np.float32)
            observations, rewards, terminated, truncated, _ = self._envs.step(actions)
            returns += np.where(running, rewards, 0.0)
            self.num_steps += int(running.sum())
            running &= ~(terminated | truncated)
        return returns

    def play_held_out(self, act: Act, seed: int, episodes: int) -> np.ndarray:
        """Returns of episodes that nobody trained on, the same for every player with this seed."""
        played = []
        for first in range(seed * episodes, (seed + 1) * episodes, self.num_envs):
            seeds = HELD_OUT_SEED + first + np.arange(self.num_envs)
            played.append(self.play(act, seeds))
        return np.concatenate(played)[:episodes]

    def close(self) -> None:
        self._envs.close()


def places_of(positions_um: np.ndarray) -> np.ndarray:
    """[electrodes, 2] in -1 .. 1, along the longer side, then across; 0 without an extent."""
    flat = np.asarray(positions_um, np.float64)[:, :2]
    low, extent = flat.min(axis=0), np.ptp(flat, axis=0)
    unit = np.where(extent > 0, 2 * (flat - low) / np.where(extent > 0, extent, 1) - 1, 0.0)
    return unit[:, ::-1] if extent[1] > extent[0] else unit
