from __future__ import annotations

import warnings

import gymnasium
import livnd
import numpy as np
import pytest
from conftest import ENVIRONMENT, GYM_ID
from gymnasium.utils.env_checker import check_env
from livnd import errors
from livnd.gym.env import RemoteEnv


@pytest.fixture
def env(address):
    env = RemoteEnv(ENVIRONMENT, address)
    yield env
    env.close()


def episode(env, seed, steps=12):
    """A seeded episode's start under fixed actions, as one flat list of numbers."""
    rng = np.random.default_rng(0)
    obs, info = env.reset(seed=seed)
    trace = [obs, *info.values()]
    for _ in range(steps):
        action = rng.uniform(-1, 1, env.action_space.shape)
        obs, reward, terminated, truncated, info = env.step(action)
        trace += [obs, reward, terminated, truncated, *info.values()]
    return np.concatenate([np.ravel(x) for x in trace])


@pytest.mark.parametrize("gym_id", ["livnd/TargetRate-EI-mini-v0", "livnd/TargetRate-EI-100-v0"])
def test_check_env_has_nothing_to_say(gym_id, address):
    env = gymnasium.make(gym_id, address=address)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)
    env.close()


def test_check_env_passes_on_an_own_server():
    env = gymnasium.make(GYM_ID)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)
    env.close()


def test_the_ids_are_data():
    spec = gymnasium.spec(GYM_ID)
    again = gymnasium.envs.registration.EnvSpec.from_json(spec.to_json())
    assert again.entry_point == "livnd.gym.env:RemoteEnv"
    assert again.vector_entry_point == "livnd.fleet.entry:vector_env"
    assert again.kwargs == {"environment_id": ENVIRONMENT}
    assert again.max_episode_steps is None, "the server ends episodes"


def test_other_environments_of_a_server_can_be_registered():
    assert livnd.register("TargetRate-My-own-v3") == "livnd/TargetRate-My-own-v3"
    livnd.register("TargetRate-My-own-v3")
    assert gymnasium.registry.pop("livnd/TargetRate-My-own-v3")


def test_spaces_are_those_of_the_spec(env):
    spec = env.environment_spec
    assert env.action_space.shape == spec.actions[0].shape
    assert env.observation_space.shape == spec.observations[0].shape
    assert env.observation_space.dtype == spec.observations[0].dtype == np.float32
    np.testing.assert_array_equal(env.action_space.low, spec.actions[0].low)
    assert env.metadata["settings"]["max_amplitude_ua"] > 0
    assert env.metadata["step_duration_ms"] == spec.step_duration_ms
    assert len(env.metadata["observation_names"]) == env.observation_space.shape[0]


def test_results_have_pythons_own_types_and_fresh_arrays(env):
    obs, info = env.reset(seed=1)
    result = env.step(env.action_space.sample())
    assert [type(x) for x in result[1:4]] == [float, bool, bool]
    for array in (obs, result[0]):
        assert array.dtype == np.float32 and array.flags.owndata and array.flags.writeable
        assert array in env.observation_space
    for spec in env.environment_spec.infos:
        value = result[4][spec.name]
        assert isinstance(value, np.ndarray if spec.shape else (int, float))
        assert np.shape(info[spec.name]) == spec.shape


# --- the seeding law ------------------------------------------------------------------------------


def test_a_seed_fixes_the_episode_and_all_that_follow(env, address):
    first = [env.reset(seed=7)[0], env.reset()[0], env.reset()[0]]
    again = [env.reset(seed=7)[0], env.reset()[0], env.reset()[0]]
    other = RemoteEnv(ENVIRONMENT, address)
    elsewhere = [other.reset(seed=7)[0], other.reset()[0], other.reset()[0]]
    other.close()
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, elsewhere)
    seeds = []
    for seed in (7, None, None):
        env.reset(seed=seed)
        seeds.append(env.episode_seed)
    assert seeds[0] == 7 and len(set(seeds)) == 3


def test_the_same_seed_and_actions_give_the_same_bits(env):
    np.testing.assert_array_equal(episode(env, 5), episode(env, 5))
    assert (episode(env, 5) != episode(env, 6)).any()


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**32, 2**32 + 1, 2**63, 2**64 - 1])
def test_every_64_bit_seed_is_itself(env, seed):
    env.reset(seed=seed)
    assert env.episode_seed == seed


def test_high_and_low_halves_of_a_seed_both_count(env):
    traces = [episode(env, seed) for seed in (5, 5 + 2**32, 6)]
    assert (traces[0] != traces[1]).any() and (traces[0] != traces[2]).any()


def test_without_any_seed_episodes_are_random(address):
    seeds = set()
    for _ in range(3):
        env = RemoteEnv(ENVIRONMENT, address)
        env.reset()
        seeds.add(env.episode_seed)
        env.close()
    assert len(seeds) == 3


def test_seeds_out_of_range_are_refused(env):
    for seed in (2**64, -1, 1.5, "1"):
        with pytest.raises(errors.InvalidFieldError, match=r"2\*\*64"):
            env.reset(seed=seed)
    env.reset(seed=1)


# --- options, ends and errors ---------------------------------------------------------------------


def test_the_target_can_be_chosen(env):
    option = next(o for o in env.environment_spec.reset_options if o.name == "target_rate_hz")
    target = round((option.min + option.max) / 2, 1)
    obs, info = env.reset(seed=1, options={"target_rate_hz": target})
    assert info["target_rate_hz"] == pytest.approx(target)
    index = env.environment_spec.observations[0].index("target_rate_hz")
    assert obs[index] == pytest.approx(target, rel=1e-6)


def test_wrong_options_are_refused_and_nothing_changes(env):
    env.reset(seed=1)
    with pytest.raises(errors.InvalidFieldError, match="gravity") as caught:
        env.reset(options={"gravity": 1.0})
    assert "target_rate_hz" in caught.value.accepted
    with pytest.raises(errors.InvalidFieldError):
        env.reset(options={"target_rate_hz": -1.0})
    env.step(env.action_space.sample())


def test_the_server_ends_the_episode(env):
    env.reset(seed=1)
    action = np.zeros(env.action_space.shape)
    ends = [env.step(action)[2:4] for _ in range(env.environment_spec.max_episode_steps)]
    assert ends == [(False, False)] * (len(ends) - 1) + [(False, True)]
    with pytest.raises(errors.EpisodeEndedError):
        env.step(action)
    env.reset()
    env.step(action)


def test_a_step_before_the_first_reset_is_refused(env):
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(env.action_space.sample())


@pytest.mark.parametrize("action", [np.nan, 2.0, [0.0], "abc", None])
def test_bad_actions_are_refused_and_nothing_changes(env, action):
    size = env.action_space.shape[0]
    bad = np.full(size, action) if isinstance(action, float) else action
    reference = episode(env, 3, steps=1)
    env.reset(seed=3)
    with pytest.raises(errors.InvalidFieldError):
        env.step(bad)
    np.testing.assert_array_equal(episode(env, 3, steps=1), reference)


def test_close_twice_and_use_after_close(address):
    env = gymnasium.make(GYM_ID, address=address)
    env.reset(seed=1)
    env.close()
    env.close()
    with pytest.raises(errors.ClosedError):
        env.reset()


def test_unknown_environments_and_render_modes_are_refused(address):
    with pytest.raises(errors.UnknownEnvironmentError, match=ENVIRONMENT):
        RemoteEnv("Juggling-v0", address)
    with pytest.raises(ValueError, match="render"):
        RemoteEnv(ENVIRONMENT, address, render_mode="depth_array")
