"""livnd.adapters.sb3 on a stand-in for the package, which is large; `./test rl` has it."""

from __future__ import annotations

import importlib
import sys
import types

import gymnasium
import numpy as np
import pytest
from conftest import ENVIRONMENT, GYM_ID
from gymnasium.vector import AutoresetMode
from livnd import errors
from livnd.gym.vector import RemoteVectorEnv


class VecEnv:
    """The part of the base class that adapters lean on."""

    def __init__(self, num_envs, observation_space, action_space):
        self.num_envs = num_envs
        self.observation_space, self.action_space = observation_space, action_space
        self.reset_infos = [{} for _ in range(num_envs)]
        self._reset_seeds()
        self._reset_options()
        self.render_mode = self.get_attr("render_mode")[0]

    def _reset_seeds(self):
        self._seeds = [None] * self.num_envs

    def _reset_options(self):
        self._options = [{}] * self.num_envs

    def _get_indices(self, indices):
        if indices is None:
            return range(self.num_envs)
        return [indices] if isinstance(indices, int) else indices

    def seed(self, seed):
        self._seeds = [seed + i for i in range(self.num_envs)]
        return self._seeds

    def set_options(self, options):
        self._options = options if isinstance(options, list) else [options] * self.num_envs

    def step(self, actions):
        self.step_async(actions)
        return self.step_wait()


class VecMonitor:
    def __init__(self, venv, filename=None):
        self.venv, self.filename = venv, filename

    def __getattr__(self, name):
        return getattr(self.venv, name)


@pytest.fixture
def sb3(monkeypatch):
    module = types.ModuleType("stable_baselines3.common.vec_env")
    module.VecEnv, module.VecMonitor = VecEnv, VecMonitor
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.delitem(sys.modules, "livnd.adapters.sb3", raising=False)
    yield importlib.import_module("livnd.adapters.sb3")
    sys.modules.pop("livnd.adapters.sb3", None)


@pytest.fixture
def make(sb3, address):
    made = []

    def make(num_envs=2, **options):
        made.append(sb3.make(GYM_ID, num_envs, address=address, **options))
        return made[-1]

    yield make
    for vec_env in made:
        vec_env.close()


def actions(rng, num_envs, space):
    return rng.uniform(-1, 1, (num_envs, *space.shape)).astype(np.float32)


def test_it_does_what_single_environments_do(make, address):
    """Against what DummyVecEnv makes of them: reset at the end, in the same step."""
    vec_env = make(2, seed=7, max_episode_steps=5)
    envs = [gymnasium.make(GYM_ID, max_episode_steps=5, address=address) for _ in range(2)]
    first = [env.reset(seed=7 + i) for i, env in enumerate(envs)]
    np.testing.assert_array_equal(vec_env.reset(), [obs for obs, _ in first])
    assert vec_env.reset_infos == [info for _, info in first]
    rng = np.random.default_rng(2)
    for step in range(1, 13):
        chosen = actions(rng, 2, vec_env.action_space)
        observations, rewards, dones, infos = vec_env.step(chosen)
        assert rewards.dtype == np.float32 and dones.dtype == np.bool_
        for copy, env in enumerate(envs):
            want, reward, terminated, truncated, info = env.step(chosen[copy])
            assert rewards[copy] == np.float32(reward)
            assert dones[copy] == (terminated or truncated) == (step % 5 == 0)
            info["TimeLimit.truncated"] = truncated and not terminated
            if dones[copy]:
                np.testing.assert_array_equal(infos[copy].pop("terminal_observation"), want)
                want, reset_info = env.reset()
                assert vec_env.reset_infos[copy] == reset_info
            np.testing.assert_array_equal(observations[copy], want)
            assert infos[copy] == info
    for env in envs:
        env.close()


def test_an_end_by_the_task_is_no_end_by_a_limit(make):
    vec_env = make(2, seed=1)
    vec_env.reset()
    told = vec_env.envs.step(np.zeros((2, *vec_env.action_space.shape), np.float32))
    infos = told[4] | {
        "final_obs": np.array([np.ones(3), None], dtype=object),
        "_final_obs": np.array([True, False]),
        "final_info": {"rate_hz": np.array([2.5, 0]), "_rate_hz": np.array([True, False])},
        "_final_info": np.array([True, False]),
    }
    flags = np.array([True, False])
    vec_env.envs.step = lambda actions: (*told[:2], flags, flags, infos)
    *_, dones, rows = vec_env.step(None)
    assert dones.tolist() == [True, False]
    assert rows[0].keys() == {"rate_hz", "terminal_observation", "TimeLimit.truncated"}
    assert not rows[0]["TimeLimit.truncated"] and not rows[1]["TimeLimit.truncated"]
    assert "terminal_observation" not in rows[1]


def test_seeds_and_options_count_once(make):
    vec_env = make(2)
    vec_env.seed(40)
    vec_env.set_options({"target_rate_hz": 6.5})
    vec_env.reset()
    assert vec_env.get_attr("episode_seed") == [40, 41]
    assert [info["target_rate_hz"] for info in vec_env.reset_infos] == [6.5, 6.5]
    vec_env.reset()
    assert vec_env.get_attr("episode_seed") != [40, 41]
    vec_env.set_options([{"target_rate_hz": 6.0}, {}])
    with pytest.raises(errors.InvalidFieldError, match="the same for every copy"):
        vec_env.reset()


def test_attributes_and_methods_of_copies(make):
    vec_env = make(3, seed=1, render_mode="rgb_array")
    vec_env.reset()
    assert vec_env.get_attr("render_mode") == ["rgb_array"] * 3
    unwrapped = vec_env.env_method("get_wrapper_attr", "unwrapped", indices=1)
    assert vec_env.get_attr("unwrapped", 1) == unwrapped
    with pytest.raises(AttributeError):
        vec_env.get_attr("no_such_thing")
    vec_env.set_attr("difficulty", 4, [0, 2])
    assert vec_env.get_attr("difficulty", [0, 2]) == [4, 4]
    assert vec_env.env_is_wrapped(gymnasium.wrappers.TimeLimit, [0, 1]) == [False, False]
    vec_env.step(actions(np.random.default_rng(4), 3, vec_env.action_space))
    frames = vec_env.env_method("render")
    np.testing.assert_array_equal(frames, vec_env.get_images())
    assert len({frame.tobytes() for frame in frames}) == 3


def test_a_copy_goes_back_alone(make):
    vec_env = make(2, seed=1)
    vec_env.reset()
    rng = np.random.default_rng(3)
    snapshot = vec_env.env_method("snapshot", indices=1)[0]
    chosen = [actions(rng, 2, vec_env.action_space) for _ in range(3)]
    before = [vec_env.step(each)[0] for each in chosen]
    vec_env.env_method("restore", snapshot, indices=1)
    after = [vec_env.step(each)[0] for each in chosen]
    np.testing.assert_array_equal(np.array(before)[:, 1], np.array(after)[:, 1])
    assert (np.array(before)[:, 0] != np.array(after)[:, 0]).any()


def test_other_modes_are_refused(sb3, address):
    envs = RemoteVectorEnv(1, ENVIRONMENT, address, autoreset_mode=AutoresetMode.NEXT_STEP)
    with pytest.raises(errors.InvalidFieldError, match="SameStep"):
        sb3.RemoteVecEnv(envs)
    envs.close()


def test_without_the_package_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "stable_baselines3", None)
    monkeypatch.delitem(sys.modules, "livnd.adapters.sb3", raising=False)
    with pytest.raises(errors.MissingExtraError, match=r"pip install 'livnd\[sb3\]'"):
        importlib.import_module("livnd.adapters.sb3")
