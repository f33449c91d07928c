"""make(..., max_episode_steps=N) and make_vec(..., max_episode_steps=N)."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from conftest import ENVIRONMENT, GYM_ID
from gymnasium.vector import SyncVectorEnv
from livnd import errors
from livnd.gym.env import RemoteEnv
from livnd.gym.vector import RemoteVectorEnv
from test_vector import assert_same


def limited(num_envs, address, steps):
    return gymnasium.make_vec(GYM_ID, num_envs=num_envs, address=address, max_episode_steps=steps)


@pytest.fixture
def pair(address):
    """Two copies of each kind that end after 5 steps."""
    envs = limited(3, address, 5)
    sync = gymnasium.make_vec(
        GYM_ID, num_envs=3, vectorization_mode="sync", address=address, max_episode_steps=5
    )
    yield envs, sync
    envs.close()
    sync.close()


def test_a_single_environment_ends_after_so_many_steps(address):
    env = gymnasium.make(GYM_ID, address=address, max_episode_steps=5)
    env.reset(seed=1)
    action = np.zeros(env.action_space.shape, np.float32)
    assert [env.step(action)[2:4] for _ in range(5)] == [(False, False)] * 4 + [(False, True)]
    env.reset()
    env.close()


def test_traces_are_those_of_sync_vector_env_with_time_limits(pair):
    envs, sync = pair
    rng = np.random.default_rng(2)
    assert_same(envs.reset(seed=11), sync.reset(seed=11))
    ends = np.zeros(3, int)
    for step in range(23):
        if step == 2:  # from here on the copies end at different steps
            options = {"reset_mask": np.array([False, True, False])}
            assert_same(envs.reset(options=dict(options)), sync.reset(options=dict(options)))
        actions = rng.uniform(-1, 1, envs.action_space.shape).astype(np.float32)
        got, want = envs.step(actions), sync.step(actions)
        assert_same(got, want)
        ends += got[2] | got[3]
    assert ends.tolist() == [4, 3, 4]


def test_traces_hold_when_an_ended_copy_is_reset_by_hand(pair):
    envs, sync = pair
    actions = np.full(envs.action_space.shape, 0.5, np.float32)
    assert_same(envs.reset(seed=[3, 1, 2]), sync.reset(seed=[3, 1, 2]))
    for _ in range(5):
        assert_same(envs.step(actions), sync.step(actions))
    mask = np.array([True, False, True])
    options = {"reset_mask": mask}
    assert_same(envs.reset(options=dict(options)), sync.reset(options=dict(options)))
    for _ in range(8):
        assert_same(envs.step(actions), sync.step(actions))
    assert_same(envs.reset(seed=4), sync.reset(seed=4))
    for _ in range(7):
        assert_same(envs.step(actions), sync.step(actions))


@pytest.mark.parametrize("steps", [59, 60, 61])
def test_limits_beside_the_servers_own(address, steps):
    """One below, at and above the server's 60: the earlier end counts."""
    envs = limited(2, address, steps)
    sync = SyncVectorEnv(
        [
            lambda: gymnasium.wrappers.TimeLimit(RemoteEnv(ENVIRONMENT, address), steps)
            for _ in range(2)
        ]
    )
    assert_same(envs.reset(seed=1), sync.reset(seed=1))
    actions = np.full(envs.action_space.shape, 0.1, np.float32)
    mask = np.array([True, False])
    for step in range(64):
        if step == 1:
            options = {"reset_mask": mask}
            assert_same(envs.reset(options=dict(options)), sync.reset(options=dict(options)))
        assert_same(envs.step(actions), sync.step(actions))
    envs.close()
    sync.close()


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


def lose_next_answer(envs, method):
    """Has the next call of a method be done and its answer lost."""
    call = envs._client.call

    def call_once(name, *args, **kwargs):
        response = call(name, *args, **kwargs)
        if name != method:
            return response
        envs._client.call = call
        error = errors.ServerUnavailableError("lost", reason="UNAVAILABLE", code="UNAVAILABLE")
        error.in_doubt = True
        raise error

    envs._client.call = call_once


@pytest.mark.parametrize("method", ["Step", "Reset"])
def test_a_lost_answer_is_made_good_by_the_same_call(address, method):
    """A step in which one copy goes on and another is reset is two calls; either may be lost."""
    runs = []
    for lose in (False, True):
        envs = limited(2, address, 3)
        envs.reset(seed=1)
        actions = np.full(envs.action_space.shape, 0.5, np.float32)
        envs.step(actions)
        envs.reset(options={"reset_mask": np.array([True, False])})
        run = [envs.step(actions) for _ in range(2)]
        assert run[-1][3].tolist() == [False, True]
        if lose:
            lose_next_answer(envs, method)
            with pytest.raises(errors.ServerUnavailableError):
                envs.step(actions)
            with pytest.raises(errors.UnknownOutcomeError):
                envs.step(actions / 2)
            with pytest.raises(errors.UnknownOutcomeError):
                envs.reset(options={"reset_mask": np.array([True, False])})
        run += [envs.step(actions) for _ in range(5)]
        runs.append(run)
        envs.close()
    assert_same(tuple(runs[1]), tuple(runs[0]))


def test_a_full_reset_leaves_a_lost_answer_behind(address):
    envs = limited(2, address, 3)
    envs.reset(seed=1)
    actions = np.zeros(envs.action_space.shape, np.float32)
    envs.step(actions)
    envs.reset(options={"reset_mask": np.array([True, False])})
    envs.step(actions)
    envs.step(actions)
    lose_next_answer(envs, "Reset")
    with pytest.raises(errors.ServerUnavailableError):
        envs.step(actions)
    envs.reset(seed=1)
    ends = [envs.step(actions)[3].tolist() for _ in range(3)]
    assert ends == [[False, False], [False, False], [True, True]]
    envs.reset(options={"reset_mask": np.array([True, False])})
    assert envs.step(actions)[3].tolist() == [False, False]
    envs.close()


def test_the_limit_is_told(address):
    envs = limited(2, address, 5)
    assert envs.metadata["max_episode_steps"] == 5
    envs.close()
    for steps in (None, -1, 1000):
        envs = limited(2, address, steps)
        assert envs.metadata["max_episode_steps"] == envs.environment_spec.max_episode_steps
        envs.close()


@pytest.mark.parametrize("steps", [0, -2, 1.5, "5"])
def test_limits_have_bounds(address, steps):
    with pytest.raises(errors.InvalidFieldError, match="max_episode_steps"):
        RemoteVectorEnv(2, ENVIRONMENT, address, max_episode_steps=steps)
