"""Encodings, decodings and tasks that the tests of cultures in loops share."""

from __future__ import annotations

from typing import Any

import gymnasium
import livnd
import numpy as np
from gymnasium import spaces

NUM_ELECTRODES = 8  # of EI-mini
STEP_MS = 20.0


class Pulse:
    """A balanced pulse on every electrode, as strong as the action says; none below 0."""

    def __call__(self, action: Any) -> livnd.Stimulus | None:
        amplitude = float(np.ravel(action)[0])
        if amplitude < 0:
            return None
        currents = np.zeros((2 + int(amplitude), NUM_ELECTRODES))  # of different lengths
        currents[0], currents[1] = -3 * amplitude, 3 * amplitude
        return livnd.Stimulus(currents, dt=0.2, input_mode="electrode")


class Blow:
    """An action of 1 drives a cell out of the range of numbers."""

    def __call__(self, action: Any) -> livnd.Stimulus:
        current_na = np.full((20, 1), 1e9 * (np.ravel(action)[0] == 1))
        return livnd.Stimulus(current_na, dt=0.5, input_mode="current", gids=[0])


class Torque:
    """From how often, and when, the culture fired."""

    def __call__(self, run: livnd.Run) -> np.ndarray:
        return np.array([0.5 * len(run.spike_times) - 2 + 1e-3 * run.spike_times.sum()])


class Pendulum(gymnasium.Wrapper):
    """With episodes of so many steps."""

    def __init__(self, num_steps: int = 200) -> None:
        super().__init__(gymnasium.make("Pendulum-v1", max_episode_steps=num_steps))


class Takes(gymnasium.Env):
    """A task that takes actions of a space and shows nothing; `taken` holds them."""

    observation_space = spaces.Box(0, 1, (1,), np.float32)

    def __init__(self, space: spaces.Space) -> None:
        self.action_space = space
        self.taken: list[Any] = []

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.options = options
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> Any:
        self.taken.append(action)
        return np.zeros(1, np.float32), 0.0, False, False, {}
