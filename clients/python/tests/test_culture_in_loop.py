"""livnd.tasks.CultureInLoop: a culture between an agent and a Gymnasium task."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import gymnasium
import livnd
import numpy as np
import pytest
from beside_livn import SYSTEM
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from livnd import errors
from livnd.tasks import CultureInLoop
from loops import NUM_ELECTRODES, STEP_MS, Blow, Pendulum, Pulse, Takes, Torque
from same import assert_same


@pytest.fixture
def culture(address: str) -> Iterator[livnd.Env]:
    with livnd.make(SYSTEM, address=address) as culture:
        yield culture.record_spikes()


@pytest.fixture
def make(culture: livnd.Env) -> Callable[..., CultureInLoop]:
    """Of a Pendulum with this culture, unless something else is given."""

    def make(task: Any = None, **options: Any) -> CultureInLoop:
        given = {"encoding": Pulse(), "decoding": Torque(), "step_duration_ms": STEP_MS}
        task = Pendulum() if task is None else task
        return CultureInLoop(task, culture, **{**given, **options})

    return make


def episode(env: gymnasium.Env, num_steps: int = 6, **reset: Any) -> list[Any]:
    """What a reset and steps with the same actions every time give."""
    told = [env.reset(**reset)]
    for step in range(num_steps):
        told.append(env.step(np.array([[1.5], [-1.0], [0.3]][step % 3], np.float32)))
    return told


def bits(told: Any) -> Any:
    """All that was told, to the last bit."""
    if isinstance(told, (list, tuple)):
        return [bits(each) for each in told]
    if isinstance(told, dict):
        return {name: bits(value) for name, value in told.items()}
    return (told.dtype, told.shape, told.tobytes()) if hasattr(told, "tobytes") else told


def assert_equal(one: list[Any], other: list[Any]) -> None:
    assert bits(one) == bits(other)


def test_the_action_goes_through_the_culture(make, address: str):
    env = make()
    observation, _ = env.reset(seed=3)
    by_hand = livnd.make(SYSTEM, address=address).record_spikes()
    by_hand.clear(seed=3)
    task = Pendulum()
    assert_same(observation, task.reset(seed=3)[0])
    fired = 0
    for amplitude in (1.0, 2.0, -1.0, 0.5, 1.7):
        action = np.array([amplitude], np.float32)
        run = by_hand.run(STEP_MS, Pulse()(action))
        fired += len(run.spike_times)
        torque = np.clip(Torque()(run), -2, 2).astype(np.float32)
        got, wanted = env.step(action), task.step(torque)
        assert_same(got[0], wanted[0])
        assert got[1:4] == wanted[1:4]
        assert_same(got[4]["task_action"], torque)
    assert fired > 0
    by_hand.close()


def test_gymnasiums_checker_finds_nothing_to_say(address: str):
    def of_pendulum(**options: Any) -> CultureInLoop:
        task = gymnasium.make("Pendulum-v1", **options)
        return CultureInLoop(
            task,
            SYSTEM,
            lambda action: None,
            Torque(),
            step_duration_ms=5,
            action_space=spaces.Box(-1, 1, (2,), np.float32),
            address=address,
        )

    gymnasium.register("tests/PendulumThroughCulture-v0", entry_point=of_pendulum)
    env = gymnasium.make("tests/PendulumThroughCulture-v0", max_episode_steps=4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*pygame.*|.*pkg_resources.*")
        check_env(env.unwrapped, skip_render_check=True)
    assert env.observation_space == gymnasium.make("Pendulum-v1").observation_space
    assert env.action_space.shape == (2,)
    env.close()
    del gymnasium.registry["tests/PendulumThroughCulture-v0"]


@pytest.mark.parametrize("episodes", ["clear", "continue"])
def test_a_seed_gives_the_same_episodes_every_time(make, episodes: str):
    env = make(episodes=episodes)
    first = [episode(env, seed=5), episode(env), episode(env)]
    episode(env, seed=6)
    again = [episode(env, seed=5), episode(env), episode(env)]
    assert_equal(first, again)
    assert bits(first[0][1:]) != bits(first[1][1:])
    # Another environment, whose culture has a past of its own.
    other = make(episodes=episodes)
    episode(other)
    assert_equal(episode(other, seed=5), first[0])


def test_the_seed_is_the_cultures(make, culture: livnd.Env):
    """With a task that draws nothing, what differs by seed comes from the culture's noise."""
    told = []
    for seed in (1, 2, 1, np.uint64(2), 2**63):
        env = make(Takes(spaces.Box(-9, 9, (1,), np.float64)))
        episode(env, seed=seed)
        told.append(np.array(env.task.taken).tobytes())
        assert culture.seed == seed
    assert told[0] == told[2] != told[1] == told[3] != told[4]


def test_episodes_clear_the_culture_or_go_on(make, culture: livnd.Env):
    for episodes, option, expected in (
        ("clear", None, 0),
        ("continue", None, 3),
        ("clear", {"culture": "continue"}, 3),
        ("continue", {"culture": "clear"}, 0),
    ):
        env = make(episodes=episodes)
        episode(env, 3, seed=1)
        env.reset(options=option)
        assert culture.info.ticks == expected * STEP_MS / 0.025
    env.reset(seed=1, options={"culture": "continue"})
    assert culture.t == 0


def test_options_of_the_task_reach_it(make):
    env = make(Takes(spaces.Box(-9, 9, (1,))))
    given = {"culture": "continue", "low": 2}
    env.reset(options=given)
    assert env.task.options == {"low": 2}
    assert given == {"culture": "continue", "low": 2}
    env.reset(options={"culture": "clear"})
    assert env.task.options is None


@pytest.mark.parametrize("keep", [False, True])
def test_a_seed_forgets_what_was_learned_unless_told(make, culture: livnd.Env, keep: bool):
    culture.enable_plasticity()
    env = make(keep_learned_weights=keep)
    episode(env, 20, seed=1)
    learned = list(culture.get_weights().values())
    assert max(abs(np.array(learned) - 1)) > 0
    env.reset()
    assert list(culture.get_weights().values()) == learned
    env.reset(seed=1)
    assert (list(culture.get_weights().values()) == learned) == keep


@pytest.mark.parametrize("way", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copy_goes_on_where_it_is(make, way):
    env = make()
    episode(env, seed=4)
    other = way(env)
    for _ in range(3):
        action = np.array([0.8], np.float32)
        assert_equal([env.step(action)], [other.step(action)])
    assert_equal([env.reset()], [other.reset()])
    env.step(action)
    assert other.culture.t == 0  # it has a culture of its own
    other.close()
    env.step(action)


def test_what_a_decoding_gives_becomes_an_action_of_the_task(make):
    for space, gives, expected in (
        (spaces.Box(-2, 2, (1,), np.float32), 7.5, np.array([2], np.float32)),
        (spaces.Box(-2, 2, (2,), np.float64), [1, -np.inf], np.array([1, -2.0])),
        (spaces.Box(0, 9, (2, 1), np.int32), [3, 4], np.array([[3], [4]], np.int32)),
        (spaces.Discrete(3), np.array([1.6]), 2),
        (spaces.Discrete(3, start=-1), -0.9, -1),
        (spaces.MultiDiscrete([2, 3]), np.array([1, 2]), np.array([1, 2])),
        (spaces.Text(4), "abc", "abc"),
    ):
        env = make(
            Takes(space),
            decoding=lambda run, gives=gives: gives,
            action_space=spaces.Box(-1, 1, (1,)),
        )
        env.reset(seed=1)
        info = env.step(np.zeros(1, np.float32))[4]
        (taken,) = env.task.taken
        assert taken in space
        np.testing.assert_array_equal(taken, expected)
        np.testing.assert_array_equal(info["task_action"], expected)


@pytest.mark.parametrize(
    ("space", "gives"),
    [
        (spaces.Box(-2, 2, (1,)), [1.0, 2.0]),
        (spaces.Box(-2, 2, (1,)), np.nan),
        (spaces.Box(-2, 2, (1,)), None),
        (spaces.Box(-2, 2, (1,)), "left"),
        (spaces.Discrete(3), 3),
        (spaces.Discrete(3), np.inf),
        (spaces.Discrete(3), [0, 1]),
        (spaces.MultiBinary(2), np.array([0, 2])),
    ],
)
def test_what_is_no_action_of_the_task_is_told_and_waits_for_a_reset(make, space, gives):
    env = make(
        Takes(space), decoding=lambda run: gives, action_space=spaces.Box(-1, 1, (1,), np.float32)
    )
    env.reset(seed=1)
    with pytest.raises(errors.InvalidFieldError) as told:
        env.step(np.zeros(1, np.float32))
    assert told.value.field == "decoding"
    assert str(space)[:5] in told.value.accepted
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(np.zeros(1, np.float32))
    assert not env.task.taken
    env.reset()


@pytest.mark.parametrize("action", [[3.0], [np.nan], [0.1, 0.2], "a", None, [1j], [[0.1]]], ids=str)
def test_a_wrong_action_changes_nothing(make, culture: livnd.Env, action: Any):
    env = make()
    env.reset(seed=1)
    with pytest.raises(errors.InvalidFieldError) as told:
        env.step(action)
    assert told.value.field == "action"
    assert culture.t == 0
    env.step([0.5])


@pytest.mark.parametrize(
    ("stimulus", "field"),
    [
        (lambda: livnd.Stimulus(np.zeros((21, NUM_ELECTRODES)), 1.0, input_mode="electrode"), ""),
        (lambda: livnd.Stimulus(np.zeros((2, 3)), 1.0, input_mode="electrode"), ""),
        (lambda: np.zeros((2, 3, 4)), ""),
        (lambda: "a pulse", ""),
        (lambda: {"volts": 3}, ""),
    ],
)
def test_a_wrong_stimulus_changes_nothing(make, culture: livnd.Env, stimulus: Any, field: str):
    given = [stimulus()]
    env = make(encoding=lambda action: given[0])
    env.reset(seed=1)
    with pytest.raises(errors.InvalidFieldError):
        env.step([0.5])
    assert culture.info.ticks == 0
    given[0] = None
    env.step([0.5])


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"task": 3}, "task"),
        ({"culture": None}, "culture"),
        ({"culture": 7}, "culture"),
        ({"encoding": 3}, "encoding"),
        ({"decoding": None}, "decoding"),
        ({"step_duration_ms": 0}, "step_duration_ms"),
        ({"step_duration_ms": "20"}, "step_duration_ms"),
        ({"step_duration_ms": np.inf}, "step_duration_ms"),
        ({"episodes": "both"}, "episodes"),
        ({"keep_learned_weights": 1}, "keep_learned_weights"),
        ({"action_space": (1,)}, "action_space"),
        ({"seed": 3}, "seed"),  # of a culture that is there
    ],
)
def test_wrong_arguments_are_told(culture: livnd.Env, wrong: dict[str, Any], field: str):
    given = {"task": Pendulum(), "culture": culture, "encoding": Pulse(), "decoding": Torque()}
    with pytest.raises(errors.InvalidFieldError) as told:
        CultureInLoop(**{**given, **wrong})
    assert told.value.field == field


def test_no_such_system(address: str):
    with pytest.raises(errors.UnknownEnvironmentError):
        CultureInLoop(Pendulum(), "EI-none", Pulse(), Torque(), address=address)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"seed": -1}, "seed"),
        ({"seed": 1.0}, "seed"),
        ({"options": [1]}, "options"),
        ({"options": {"culture": "keep"}}, "options['culture']"),
    ],
)
def test_a_wrong_reset_changes_nothing(make, wrong: dict[str, Any], field: str):
    env = make()
    env.reset(seed=1)
    env.step([0.5])
    with pytest.raises(errors.InvalidFieldError) as told:
        env.reset(**wrong)
    assert told.value.field == field
    env.step([0.5])


def test_steps_outside_episodes_are_refused(make, culture: livnd.Env):
    env = make(Pendulum(2))
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step([0.5])
    env.reset(seed=1)
    env.step([0.5])
    assert env.step([0.5])[3]
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step([0.5])
    assert culture.info.ticks == 2 * STEP_MS / 0.025


@pytest.mark.parametrize("episodes", ["clear", "continue"])
def test_a_culture_that_fails_cuts_the_episode_short(make, culture: livnd.Env, episodes: str):
    env = make(episodes=episodes, encoding=Blow())
    observation, _ = env.reset(seed=1)
    told = env.step([1.0])
    assert_same(told[0], observation)
    assert told[1:] == (0.0, False, True, {"culture_failed": True})
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step([0.0])
    env.reset()
    assert culture.info.ticks == 0
    env.step([0.0])


def test_what_was_made_here_ends_here(address: str, culture: livnd.Env, make):
    env = CultureInLoop("Pendulum-v1", SYSTEM, Pulse(), Torque(), address=address, seed=9)
    assert env.culture.seed == 9
    env.reset()
    assert env.step(env.action_space.sample())[4]["task_action"].shape == (1,)
    env.close()
    env.close()
    with pytest.raises(errors.ClosedError):
        env.culture.run(1)
    given = make()
    given.close()
    culture.run(1)


def test_the_encoding_says_what_agents_do(make):
    class Encoding(Pulse):
        action_space = spaces.Discrete(2)

    assert make(encoding=Encoding()).action_space == spaces.Discrete(2)
    env = make(encoding=Encoding(), action_space=spaces.Box(0, 1))
    assert env.action_space == spaces.Box(0, 1)
    assert make().action_space == Pendulum().action_space


def test_it_shows_what_the_task_shows(make):
    class Shown(Pendulum):
        metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"]}
        render_mode = "rgb_array"

        def render(self) -> np.ndarray:
            return np.full((2, 3, 3), 7, np.uint8)

    env = make(Shown())
    assert env.render_mode == "rgb_array" and "rgb_array" in env.metadata["render_modes"]
    env.reset(seed=1)
    assert_same(env.render(), np.full((2, 3, 3), 7, np.uint8))
