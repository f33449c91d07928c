"""livnd.livn.gym and livnd.tasks do what livn's own code does, by random programs.

livn 2.0.0 has no LivnGym: it is held to its definition, written down again here, on livn's native
backend. CultureInLoop is held to livn 2.0.0's GymnasiumEnv.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import livnd
import numpy as np
import pytest
from gymnasium import spaces
from livnd import errors
from livnd.livn.gym import FeatureEncoder, FirstSpikeDecoder, LivnGym, Pass, PulseEncoding
from livnd.tasks import CultureInLoop

SYSTEMS = Path(__file__).resolve().parents[2] / "tests/data/served"
SYSTEM = SYSTEMS / "EI-mini"
NUM_PROGRAMS = int(os.environ.get("LIVND_LIVN_PROGRAMS", "12"))
# Spikes agree to 1e-9 ms, and tasks compute in float32.
CLOSE = {"rtol": 1e-5, "atol": 1e-5}


@contextlib.contextmanager
def native(seed: int) -> Iterator[Any]:
    from livn.backend.native.env import Env

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the graph is of an older version
        env = Env(str(SYSTEM), seed=seed).init().apply_default_params()
    yield env.record_spikes()
    env.close()


@contextlib.contextmanager
def ours(seed: int) -> Iterator[livnd.Env]:
    with livnd.make("EI-mini", seed=seed, timing="livn", systems=SYSTEMS) as env:
        yield env.record_spikes()


@pytest.fixture(scope="module", autouse=True)
def one_server() -> Iterator[None]:
    with livnd.connect(systems=SYSTEMS) as client:
        client.systems()
        yield


def pendulum(num_steps: int = 200) -> gymnasium.Env:
    return gymnasium.make("Pendulum-v1", max_episode_steps=num_steps)


# --- LivnGym by its definition ----------------------------------------------------------------


class ByDefinition:
    """What an agent's action becomes, as livn's benchmark had it, on any Env of livn's."""

    def __init__(self, env: Any, kind: str, duration: int) -> None:
        self.env, self.kind, self.duration = env, kind, duration

    def __call__(self, action: np.ndarray) -> np.ndarray:
        inputs = np.zeros([self.duration, 8], dtype=np.float32)
        if self.kind == "pulse":
            channel, onset, amplitude = round(float(action[0])), int(action[1]), action[2]
            inputs[onset : onset + 20, channel] = amplitude * 0.01
        else:
            onset = int((float(action[0]) + 2) / 4 * self.duration)
            for channel in (1, 2, 3):
                inputs[onset : onset + 20, channel] = 7.5
        run = self.env.run(self.duration, self.env.cell_stimulus(inputs))
        if len(run.spike_ids) == 0:
            return np.array([0.0])
        ids, times = self.env.channel_recording(run.spike_ids, run.spike_times)
        scores = {}
        for channel in ids:
            counts = np.unique(ids[channel], return_counts=True)[1]
            # In 100 ms, livn says, and whoever is first among equals then depends on rounding.
            scores[channel] = counts.mean() if len(counts) else 0.0
        winner = max(scores, key=scores.get)  # the first of the largest
        if not scores[winner]:
            return np.array([0.0])
        return np.array([-2 + 4 * min(times[winner]) / self.duration])


@pytest.mark.parametrize("seed", range(NUM_PROGRAMS))
def test_livn_gym_is_what_its_definition_says(seed: int):
    rng = np.random.default_rng(seed)
    kind, duration = str(rng.choice(["pulse", "feature"])), int(rng.choice([120, 150]))
    with native(seed) as theirs, ours(seed) as env:
        by_definition, expected = ByDefinition(theirs, kind, duration), pendulum()
        encoding: Any = PulseEncoding(env, duration)
        if kind == "feature":
            encoding = FeatureEncoder(env, pendulum(), duration)
        gym = LivnGym(pendulum(), env, encoding, FirstSpikeDecoder(env))
        gym.action_space.seed(seed)
        moved = set()
        for step in range(6):
            if step % 4 == 0:  # the culture goes on
                got, _ = gym.reset(seed=seed + step)
                np.testing.assert_array_equal(got, expected.reset(seed=seed + step)[0])
            action = gym.action_space.sample()
            torque = by_definition(action)
            moved.add(float(torque[0]))
            got, wanted = gym.step(action), expected.step(torque)
            np.testing.assert_allclose(got[0], wanted[0], **CLOSE)
            assert got[1] == pytest.approx(wanted[1], rel=1e-5)
            assert got[2:] == wanted[2:]
        assert len(moved) > 2
        assert env.t == 6 * duration


def test_its_spaces_are_livns():
    with ours(1) as env:
        space = PulseEncoding(env).feature_space
        np.testing.assert_array_equal(space.low, [0, 0, 250])
        np.testing.assert_array_equal(space.high, [7, 900, 750])
        assert space.dtype == np.float32
        task = pendulum()
        gym = LivnGym(task, env, PulseEncoding(env, 500), FirstSpikeDecoder(env), dt=0.05)
        assert gym.action_space.high[1] == 400
        assert gym.observation_space == task.observation_space
        gym.reset(seed=1)
        gym.step(gym.action_space.sample())
        assert env.info.dt_ms == 0.05  # run_kwargs
        assert FeatureEncoder(env, task).feature_space == task.action_space
        inputs, duration = FeatureEncoder(env, task)([2.0])  # livn's: no pulse at all
        assert duration == 1000 and not inputs.any()
        assert FirstSpikeDecoder(env).output_space == spaces.Box(-2.0, 2.0, (1,), np.float32)


def test_livns_own_env_goes_through_it_too():
    with native(1) as env:
        gym = LivnGym(pendulum(), env, PulseEncoding(env, 120), FirstSpikeDecoder(env))
        gym.reset(seed=1)
        assert np.isfinite(gym.step(gym.action_space.sample())[0]).all()


def test_decodings_get_as_much_as_they_take():
    with ours(1) as env:
        env.record_voltage(sections="soma")
        env.record_membrane_current()

        def of_livn_0(duration, it, tt, iv, vv):
            return duration, it, tt, iv, vv

        def of_today(duration, *response):
            return (duration, *response)

        def encoding(features):
            return np.zeros((10, 8)), 10

        four = Pass(env, encoding, of_livn_0, {})(0)
        six = Pass(env, encoding, of_today, {})(0)
        assert four[0] == 10 and four[4].shape == (10, 100)
        assert len(six) == 7 and six[6].shape == (20, 100)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [(1, "livn_env"), (2, "encoding"), (3, "decoding")],
)
def test_wrong_arguments_are_told(wrong: int, field: str):
    with ours(1) as env:
        given: list[Any] = [pendulum(), env, PulseEncoding(env), FirstSpikeDecoder(env)]
        given[wrong] = 3
        with pytest.raises(errors.InvalidFieldError) as told:
            LivnGym(*given)
        assert told.value.field == field
        with pytest.raises(errors.InvalidFieldError) as told:
            LivnGym(pendulum(), env, lambda features: features, FirstSpikeDecoder(env))
        assert told.value.field == "encoding.feature_space"


# --- CultureInLoop beside livn 2.0.0's GymnasiumEnv --------------------------------------------


def currents(action: np.ndarray) -> np.ndarray:
    """A balanced pulse on each electrode, 1 ms a phase."""
    pulse = np.zeros((2, 8))
    pulse[0], pulse[1] = -8 * action, 8 * action
    return pulse


def torque(run: Any) -> np.ndarray:
    return np.array([0.4 * len(run.spike_times) - 2 + 1e-3 * run.spike_times.sum()])


@pytest.mark.parametrize("seed", range(NUM_PROGRAMS))
def test_culture_in_loop_is_what_livns_gymnasium_env_is(seed: int):
    from livn.decoding import Pipe
    from livn.env.gymnasium import GymnasiumEnv, GymStep
    from livn.types import Encoding

    class Pulse(Encoding):
        def __call__(self, env: Any, t_end: int, inputs: Any) -> Any:
            return env.cell_stimulus(currents(inputs))

        @property
        def input_space(self) -> spaces.Box:
            return spaces.Box(-1, 1, (8,), np.float32)

    rng = np.random.default_rng(seed)
    duration, episode = int(rng.integers(10, 60)), int(rng.integers(2, 5))
    with native(seed) as theirs, ours(seed) as env:
        decoding = Pipe(duration=duration, stages=[lambda run, env: torque(run)])
        decoding.stages.append(GymStep(pendulum(episode)))
        expected = GymnasiumEnv(theirs, Pulse(), decoding)
        loop = CultureInLoop(
            pendulum(episode),
            env,
            lambda action: env.cell_stimulus(currents(action)),
            torque,
            step_duration_ms=duration,
            action_space=spaces.Box(-1, 1, (8,), np.float32),
        )
        assert loop.observation_space == expected.observation_space
        assert loop.action_space == expected.action_space
        actions = set()
        for number in range(3):
            # livn clears when an episode ends, and once more with the next reset.
            wanted = expected.reset(seed=seed + number, without_clear=number > 0)
            # livn's seeds do not reach the culture, which goes on to its next noise.
            loop.reset()
            got = loop.task.reset(seed=seed + number)
            np.testing.assert_array_equal(got[0], wanted[0])
            truncated = False
            while not truncated:
                action = rng.uniform(-1, 1, 8).astype(np.float32)
                told, wanted = loop.step(action), expected.step(action)
                np.testing.assert_allclose(told[0], wanted[0], **CLOSE)
                assert told[1] == pytest.approx(wanted[1], rel=1e-5)
                assert told[2:4] == wanted[2:4]
                actions.add(float(told[4]["task_action"][0]))
                truncated = told[3]
        assert len(actions) > 3
