"""make(..., max_episode_steps=N) and make_vec(..., max_episode_steps=N)."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from conftest import ENVIRONMENT, GYM_ID
from gymnasium.vector import AutoresetMode
from livnd import errors
from livnd.gym.vector import RemoteVectorEnv


def limited(num_envs, address, steps, **more):
    return gymnasium.make_vec(
        GYM_ID, num_envs=num_envs, address=address, max_episode_steps=steps, **more
    )


def test_a_single_environment_ends_after_so_many_steps(address):
    env = gymnasium.make(GYM_ID, address=address, max_episode_steps=5)
    env.reset(seed=1)
    action = np.zeros(env.action_space.shape, np.float32)
    assert [env.step(action)[2:4] for _ in range(5)] == [(False, False)] * 4 + [(False, True)]
    env.reset()
    env.close()


def test_actions_of_ended_copies_are_ignored(address):
    envs = limited(2, address, 3)
    envs.reset(seed=1)
    good = np.zeros(envs.action_space.shape, np.float32)
    envs.step(good)
    envs.reset(options={"reset_mask": np.array([True, False])})
    envs.step(good)
    *_, truncated, _ = envs.step(good)
    assert truncated.tolist() == [False, True]
    bad = good.copy()
    bad[1] = np.nan
    _, rewards, _, truncated, _ = envs.step(bad)
    assert rewards[1] == 0 and truncated.tolist() == [True, False]
    envs.close()


def test_bad_actions_are_refused_also_while_a_copy_waits_for_its_reset(address):
    envs = limited(2, address, 2)
    envs.reset(seed=1)
    good = np.zeros(envs.action_space.shape, np.float32)
    envs.step(good)
    envs.reset(options={"reset_mask": np.array([True, False])})
    *_, truncated, _ = envs.step(good)
    assert truncated.tolist() == [False, True]
    bad = good.copy()
    bad[0, 0] = np.nan
    for actions in (bad, good[:1], good[:, 1:], "abc"):
        with pytest.raises(errors.InvalidFieldError):
            envs.step(actions)
    *_, truncated, _ = envs.step(good)
    assert truncated.tolist() == [True, False]
    envs.close()


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_a_step_is_one_call_whatever_ends_in_it(address, mode):
    envs = limited(2, address, 2, autoreset_mode=mode)
    envs.reset(seed=1)
    calls = []
    call = envs._client.call
    envs._client.call = lambda name, *args, **how: calls.append(name) or call(name, *args, **how)
    actions = np.zeros(envs.action_space.shape, np.float32)
    for _ in range(2 if mode is AutoresetMode.DISABLED else 7):
        envs.step(actions)
    assert calls == ["Step"] * len(calls) and len(calls) in (2, 7)
    envs.close()


def test_the_limit_is_told(address):
    envs = limited(2, address, 5)
    assert envs.metadata["max_episode_steps"] == 5
    envs.close()
    for steps in (None, -1, 1000):
        envs = limited(2, address, steps)
        assert envs.metadata["max_episode_steps"] == envs.environment_spec.max_episode_steps
        envs.close()


@pytest.mark.parametrize("steps", [0, -2, 1.5, "5", 2**63])
def test_limits_have_bounds(address, steps):
    with pytest.raises(errors.InvalidFieldError, match="max_episode_steps"):
        RemoteVectorEnv(2, ENVIRONMENT, address, max_episode_steps=steps)
