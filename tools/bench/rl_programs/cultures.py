"""Pendulum-v1 with the cultures between agent and task that are measured."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import gymnasium
import livnd
import numpy as np
from gymnasium import spaces
from livnd.livn.gym import FeatureEncoder, FirstSpikeDecoder, LivnGym, PulseEncoding
from livnd.tasks import CultureInLoop

Task = gymnasium.Env[Any, Any]
S1 = "S1-MEA4"  # whose electrodes reach the cells of livn's S1
DURATION_MS = 1000  # of a step, in livn's benchmark


def task(episode_steps: int = 200) -> Task:
    """The task itself."""
    return gymnasium.make("Pendulum-v1", max_episode_steps=episode_steps)


def s1() -> livnd.Env:
    """As livn's benchmark has it: weights of the graph, no noise, spikes recorded."""
    return livnd.Env(S1, seed=1).record_spikes()


@contextlib.contextmanager
def environment(program: str, episode_steps: int = 200) -> Iterator[Task]:
    """The task of a program: bare, s1-online, s1-pulse, s1-replay or ei-100-rate."""
    if program == "bare":
        yield task(episode_steps)
    elif program in ("s1-online", "s1-pulse", "s1-replay"):
        with s1() as culture:
            encoding: Any = PulseEncoding(culture, DURATION_MS)
            if program == "s1-online":
                encoding = FeatureEncoder(culture, task(), DURATION_MS)
            yield LivnGym(task(episode_steps), culture, encoding, FirstSpikeDecoder(culture))
    elif program == "ei-100-rate":
        with livnd.make("EI-100", seed=1) as culture:
            yield CultureInLoop(
                task(episode_steps),
                culture.record_spikes(),
                RateCode(culture),
                Torque(culture),
                step_duration_ms=RATE_STEP_MS,
                action_space=spaces.Box(-1, 1, (1,), np.float32),
            )
    else:
        raise ValueError(program)


RATE_STEP_MS = 100
MOST_PULSES = 8  # in a step
PULSE_UA, PHASE_MS = 10.0, 0.2


class RateCode:
    """An action of -1 .. 1 says how often all electrodes are pulsed in a step, 0 .. MOST_PULSES.

    A culture that is pulsed so hard answers each pulse with a spike of every cell, so that it
    hands on the number of pulses, above what it fires by itself.
    """

    def __init__(self, culture: livnd.Env) -> None:
        self._num_electrodes = len(culture.system.electrode_ids)

    def __call__(self, action: Any) -> livnd.Stimulus | None:
        num_pulses = round((float(action[0]) + 1) / 2 * MOST_PULSES)
        if not num_pulses:
            return None
        currents = np.zeros((round(RATE_STEP_MS / PHASE_MS), self._num_electrodes))
        onsets = (np.arange(num_pulses) * len(currents)) // num_pulses
        currents[onsets], currents[onsets + 1] = -PULSE_UA, PULSE_UA
        return livnd.Stimulus(currents, dt=PHASE_MS, input_mode="electrode")


class Torque:
    """The culture's mean rate says a torque: 0 Hz is -2, as many spikes as pulses at most is 2."""

    def __init__(self, culture: livnd.Env) -> None:
        self._num_cells = len(culture.gids)

    def __call__(self, run: livnd.Run) -> np.ndarray:
        assert run.spike_ids is not None
        spikes_of_a_cell = len(run.spike_ids) / self._num_cells
        return np.array([-2 + 4 * spikes_of_a_cell / MOST_PULSES])
