"""livn's LivnGym: a culture between an agent and a Gymnasium task, under livn's names.

LivnGym, Pass and PulseEncoding are those of livn 0.1.0 (its integrations/gym.py and env.py), which
livn 2.0.0 has no more; FeatureEncoder and FirstSpikeDecoder those of the benchmark of its README.
The culture is a livnd.Env, or any Env of livn's (with LIVN_BACKEND=livnd.livn or another backend).
It is never cleared, and no seed reaches it: livnd.tasks.CultureInLoop does better.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from livnd import checks

# livn 0.1.0's runs gave spikes and voltages, today's give membrane currents besides.
_NUM_RESPONSES = 4
# livn's amplitudes are in a unit of that time; 750 of them are then 7.5 uA.
_UA_PER_UNIT = 0.01
_PULSE_MS = 20


class Pass:
    """One pass through a culture: features, stimulus, run, decoded response.

    Args:
        env: the culture: cell_stimulus(channel_inputs) and run(duration, stimulus, ...).
        encoding: features -> (channel inputs [ms, channels], duration in ms).
        decoding: (duration, spike ids, spike times, voltage ids, voltages) -> anything; one that
            takes more arguments gets membrane current ids and currents, too.
        run_kwargs: more arguments of env.run(), by name.
    """

    def __init__(
        self, env: Any, encoding: Any, decoding: Any, run_kwargs: Mapping[str, Any]
    ) -> None:
        for name in ("cell_stimulus", "run"):
            if not callable(getattr(env, name, None)):
                raise checks.wrong("livn_env", env, "a livnd.Env, or an Env of livn's")
        for name, given in (("encoding", encoding), ("decoding", decoding)):
            if not callable(given):
                raise checks.wrong(name, given, "a callable")
        self.env = env
        self.encoding = encoding
        self.decoding = decoding
        self.run_kwargs = run_kwargs
        self._takes_all = _takes(decoding, 1 + 6)

    def __call__(self, features: Any) -> Any:
        channel_inputs, duration = self.encoding(features)
        stimulus = self.env.cell_stimulus(channel_inputs)
        response = tuple(self.env.run(duration, stimulus, **self.run_kwargs))
        return self.decoding(
            duration, *(response if self._takes_all else response[:_NUM_RESPONSES])
        )


class LivnGym(gymnasium.ActionWrapper[Any, Any, Any]):
    """A task whose actions come from a culture; observations and rewards are the task's.

    Args:
        env: the task.
        livn_env, encoding, decoding, run_kwargs: as Pass.

    Raises:
        InvalidFieldError: the encoding has no feature_space, or an argument is none of these.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        livn_env: Any,
        encoding: Any,
        decoding: Any,
        **run_kwargs: Any,
    ) -> None:
        super().__init__(env)
        self.envpass = Pass(livn_env, encoding, decoding, run_kwargs)
        space = getattr(encoding, "feature_space", None)
        if not isinstance(space, spaces.Space):
            raise checks.wrong("encoding.feature_space", space, "a gymnasium.spaces.Space")
        self.action_space = space

    def action(self, action: Any) -> Any:
        """The task's action for one of the agent's."""
        return self.envpass(action)


class PulseEncoding:
    """One rectangular pulse of 20 ms: (channel, time in ms, amplitude).

    Args:
        env: the culture.
        duration: ms, of a step.
        ua_per_unit: uA of an amplitude of 1.
    """

    def __init__(self, env: Any, duration: int = 1000, ua_per_unit: float = _UA_PER_UNIT) -> None:
        self.env = env
        self.duration = checks.integer("duration", duration, "a number of ms above 100", 101)
        self.ua_per_unit = checks.number("ua_per_unit", ua_per_unit)

    @property
    def feature_space(self) -> spaces.Box:
        most = np.array([num_channels(self.env) - 1, self.duration - 100, 750], np.float32)
        return spaces.Box(np.array([0, 0, 250], np.float32), most, dtype=np.float32)

    def __call__(self, features: Any) -> tuple[np.ndarray, int]:
        channel, onset = round(float(features[0])), int(features[1])
        inputs = np.zeros((self.duration, num_channels(self.env)), np.float32)
        inputs[onset : onset + _PULSE_MS, channel] = features[2] * self.ua_per_unit
        return inputs, self.duration


class FeatureEncoder:
    """The time of a pulse on channels 1 to 3 says an action from -2 to 2; 2 itself gives none.

    Args:
        env: the culture.
        task: whose actions the features are.
        duration: ms, of a step.
        ua_per_unit: uA of an amplitude of 1; the pulses have 750.
    """

    def __init__(
        self, env: Any, task: Any, duration: int = 1000, ua_per_unit: float = _UA_PER_UNIT
    ) -> None:
        self.env = env
        self.task = task
        self.duration = checks.integer("duration", duration, "a number of ms above 0", 1)
        self.ua_per_unit = checks.number("ua_per_unit", ua_per_unit)

    @property
    def feature_space(self) -> Any:
        return self.task.action_space

    def __call__(self, features: Any) -> tuple[np.ndarray, int]:
        onset = int((float(np.ravel(features)[0]) + 2) / 4 * self.duration)
        inputs = np.zeros((self.duration, num_channels(self.env)), np.float32)
        inputs[onset : onset + _PULSE_MS, 1:4] = 750 * self.ua_per_unit
        return inputs, self.duration


class FirstSpikeDecoder:
    """The busiest channel's first spike says an action from -2 to 2; no spike says 0.

    A channel's score is the mean, over the cells that fired in its reach, of spikes in 100 ms.

    Args:
        env: the culture: channel_recording(ids, times).
    """

    def __init__(self, env: Any) -> None:
        self.env = env

    @property
    def output_space(self) -> spaces.Box:
        return spaces.Box(-2.0, 2.0, (1,), np.float32)

    def __call__(self, duration: float, it: Any, tt: Any, *_: Any) -> np.ndarray:
        if it is None or len(it) == 0:
            return np.zeros(1, np.float32)
        ids, times = self.env.channel_recording(it, tt)
        best, first_ms = 0.0, None
        for channel, gids in ids.items():
            if len(gids) == 0:
                continue
            # Without the 100 ms, by which no channel gains: equal scores are equal.
            score = len(gids) / len(np.unique(gids))
            if score > best:
                best, first_ms = score, float(times[channel][0])
        if first_ms is None:
            return np.zeros(1, np.float32)
        return np.array([-2 + 4 * first_ms / duration], np.float32)


def num_channels(env: Any) -> int:
    """Of a livnd.Env, or of one of livn's."""
    if hasattr(env, "io"):
        return int(env.io.num_channels)
    return len(env.system.electrode_ids)


def _takes(callable_: Any, num: int) -> bool:
    """Whether it takes so many arguments."""
    try:
        inspect.signature(callable_).bind(*range(num))
    except TypeError:
        return False
    except ValueError:  # one of C, which does not say
        return False
    return True
