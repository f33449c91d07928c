"""TargetRate through livn 2.0.0's own GymnasiumEnv, in process, on its native backend.

The task of docs/tasks/target_rate.md: pulses on all electrodes, steps of 50 ms, episodes of 60,
what electrodes heard in the last four steps, mean rate and target, and the same reward.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

STEP_MS, EPISODE_STEPS, HEARD_STEPS, RATE_STEPS = 50, 60, 4, 10
PULSE_UA, PHASE_MS = 10.0, 0.2
LOWEST_HZ, HIGHEST_HZ = 5.0, 12.0


class TargetRate(gymnasium.Env[Any, Any]):
    """What is left of the task beside the culture: its action is what a step was.

    That is spikes of each electrode, of all cells, and the mean size of the pulses.
    """

    def __init__(self, num_electrodes: int, num_cells: int) -> None:
        num_seen = HEARD_STEPS * num_electrodes + 2
        self.observation_space = spaces.Box(0, np.inf, (num_seen,), np.float32)
        self.action_space = spaces.Box(0, np.inf, (num_electrodes + 2,), np.float64)
        self._num_electrodes, self._num_cells = num_electrodes, num_cells

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self._target_hz = self.np_random.uniform(LOWEST_HZ, HIGHEST_HZ)
        self._heard = np.zeros((HEARD_STEPS, self._num_electrodes))
        self._counts = np.zeros(RATE_STEPS)
        self._num_steps = 0
        return self._seen(), {}

    def step(self, action: Any) -> Any:
        self._heard = np.roll(self._heard, -1, axis=0)
        self._heard[-1] = action[: self._num_electrodes]
        self._counts = np.roll(self._counts, -1)
        self._counts[-1] = action[-2]
        self._num_steps += 1
        off = abs(self._rate_hz() - self._target_hz) / self._target_hz
        reward = -off - 0.2 * float(action[-1])
        return self._seen(), reward, False, self._num_steps == EPISODE_STEPS, {}

    def _rate_hz(self) -> float:
        return float(self._counts.sum() / (RATE_STEPS * self._num_cells * STEP_MS / 1000))

    def _seen(self) -> np.ndarray:
        seen = [*self._heard.ravel(), self._rate_hz(), self._target_hz]
        return np.array(seen, np.float32)


def make(system: Path, seed: int = 1) -> gymnasium.Env[Any, Any]:
    """The environment; LIVN_BACKEND has to be "native"."""
    from livn.decoding import Pipe
    from livn.env import Env
    from livn.env.gymnasium import GymnasiumEnv, GymStep
    from livn.types import Encoding

    warnings.simplefilter("ignore", UserWarning)  # the graph is of an older version
    culture = Env(str(system), seed=seed).init().apply_default_params()
    culture.record_spikes()
    channels = culture.io.channel_ids.tolist()

    class Pulses(Encoding):
        def __call__(self, env: Any, t_end: int, inputs: Any) -> Any:
            currents = np.zeros((2, len(channels)))
            currents[0] = -PULSE_UA * np.asarray(inputs)
            currents[1] = -currents[0]
            return env.cell_stimulus(currents, dt=PHASE_MS)

        @property
        def input_space(self) -> spaces.Box:
            return spaces.Box(-1, 1, (len(channels),), np.float32)

    def what_it_was(run: Any, env: Any) -> np.ndarray:
        heard, _ = env.channel_recording(run.spike_ids, run.spike_times)
        size = float(np.abs(env.decoding.state["io_action"]).mean())
        counts = [len(heard.get(channel, ())) for channel in channels]
        return np.array([*counts, len(run.spike_ids), size], np.float64)

    task = TargetRate(len(channels), int(culture.system.num_neurons))
    decoding = Pipe(duration=STEP_MS, stages=[what_it_was, GymStep(task)])
    return GymnasiumEnv(culture, Pulses(), decoding)
