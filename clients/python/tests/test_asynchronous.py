"""EnvPool's send and recv: who is done first comes first; each copy does what it always does."""

from __future__ import annotations

import itertools

import gymnasium
import numpy as np
import pytest
from conftest import ENVIRONMENT, GYM_ID
from gymnasium.vector import AutoresetMode
from livnd import errors
from livnd.adapters import asynchronous

N = 5
NUM_STEPS = 8


@pytest.fixture
def make(address):
    """Makes environments, which are closed at the end."""
    made = []

    def make(num_envs: int = N, **more):
        made.append(asynchronous.make(more.pop("id", GYM_ID), num_envs, address=address, **more))
        return made[-1]

    yield make
    for envs in made:
        envs.close()


def action_of(env_id: int, step: int) -> np.ndarray:
    return (0.4 * np.sin(1.3 * env_id + 0.7 * step + np.arange(8))).astype(np.float32)


def traces(envs, seed: int, num_steps: int = NUM_STEPS) -> list[list]:
    """What each copy showed: its reset and so many steps, or more, in its own order."""
    envs.async_reset(seed=seed)
    told: list[list] = [[] for _ in range(envs.num_envs)]
    while min(map(len, told)) <= num_steps:
        observations, rewards, terminated, truncated, info = envs.recv()
        for row, env_id in enumerate(info["env_id"].tolist()):
            final = info["final_obs"][row] if "final_obs" in info else None
            told[env_id].append(
                (observations[row], rewards[row], terminated[row], truncated[row], final)
            )
        again = info["env_id"].tolist()
        envs.send(np.stack([action_of(e, len(told[e]) - 1) for e in again]), again)
    return told


def assert_like(told, vector, seed: int, num_steps: int = NUM_STEPS) -> None:
    """Bit for bit the trace of each copy of a vector environment."""
    observations, _ = vector.reset(seed=seed)
    for env_id in range(len(told)):
        assert told[env_id][0][0].tobytes() == observations[env_id].tobytes()
    for step in range(num_steps):
        actions = np.stack([action_of(env_id, step) for env_id in range(len(told))])
        observations, rewards, terminated, truncated, info = vector.step(actions)
        for env_id, trace in enumerate(told):
            observation, reward, ended, cut, final = trace[step + 1]
            if "final_obs" in info and info["_final_obs"][env_id]:
                assert final.tobytes() == info["final_obs"][env_id].tobytes()
            else:
                assert final is None
            assert observation.tobytes() == observations[env_id].tobytes(), (step, env_id)
            assert (reward, ended, cut) == (
                rewards[env_id],
                terminated[env_id],
                truncated[env_id],
            )


@pytest.mark.parametrize("batch_size", [1, 2, N])
@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_each_copys_trace_is_that_of_a_vector_environments(make, address, batch_size, mode):
    how = {"autoreset_mode": mode, "max_episode_steps": 3}
    told = traces(make(batch_size=batch_size, **how), 7)
    vector = gymnasium.make_vec(GYM_ID, num_envs=N, address=address, **how)
    assert_like(told, vector, 7)
    sync = gymnasium.make_vec(
        GYM_ID,
        num_envs=N,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": mode},
        address=address,
        max_episode_steps=3,
    )
    assert_like(told, sync, 7)
    vector.close()
    sync.close()


def test_infos_are_in_the_vector_form_and_name_the_copies(make, address):
    envs = make(3, autoreset_mode="SameStep", max_episode_steps=2)
    envs.async_reset(seed=[5, None, 7])
    observations, rewards, terminated, truncated, info = envs.recv()
    assert sorted(info["env_id"].tolist()) == [0, 1, 2]
    assert envs.observation_space.contains(observations)
    assert not rewards.any() and not terminated.any() and not truncated.any()
    assert info["_episode_seed"].all()
    assert info["episode_seed"][info["env_id"].tolist().index(2)] == 7
    for step in (1, 2):
        actions = np.stack([action_of(env_id, step) for env_id in range(3)])
        assert envs.action_space.contains(actions)
        _, rewards, _, truncated, info = envs.step(actions, [0, 1, 2])
    assert truncated.all() and info["_final_obs"].all()
    assert info["final_obs"][0].shape == envs.single_observation_space.shape
    assert (rewards.dtype, truncated.dtype) == (np.float64, np.bool_)


def test_a_slow_copy_keeps_no_fast_one_waiting(make):
    """Paced to a second a step, one copy is on its way while the other goes on."""
    envs = make(2, batch_size=1)
    slow, fast = envs._copies
    slow._wish["pace"] = 0.05  # a step of 50 ms is due after 1 s
    envs.async_reset(seed=1)
    for _ in range(2):
        envs.recv()
    envs.send([action_of(0, 0)], [0])
    assert envs.recv()[-1]["env_id"].tolist() == [0]
    order = []
    envs.send(np.stack([action_of(0, 1), action_of(1, 0)]), [0, 1])
    for step in range(1, 5):
        order += envs.recv()[-1]["env_id"].tolist()
        envs.send([action_of(1, step)], [1])
    order += [envs.recv()[-1]["env_id"].item() for _ in range(2)]
    assert order == [1, 1, 1, 1, 1, 0]
    assert slow.session.pace_report().num_steps == 2
    assert fast.session.pace_report() is None


def test_copies_are_reset_one_by_one(make):
    envs = make(3, autoreset_mode="Disabled", max_episode_steps=1)
    envs.async_reset(seed=1)
    envs.recv()
    envs.step(np.stack([action_of(e, 0) for e in range(3)]), [0, 1, 2])
    envs.async_reset(seed=[9], env_ids=[1])
    # Another batch would take three.
    with pytest.raises(errors.NothingSentError, match="3 answers, 1 are under way"):
        envs.recv()
    envs.async_reset(env_ids=[0, 2])
    _, _, _, truncated, info = envs.recv()
    assert info["env_id"].tolist() == [1, 0, 2] and not truncated.any()
    assert info["episode_seed"][0] == 9


def test_a_reset_forgets_what_is_under_way(make):
    envs = make(4, batch_size=2)
    first = traces(envs, 3)
    for _ in range(2):
        envs.async_reset(seed=3)
        for _ in range(2):
            env_ids = envs.recv()[-1]["env_id"].tolist()
            envs.send(np.stack([action_of(e, 5) for e in env_ids]), env_ids)
        again = traces(envs, 3)
        for env_id, step in itertools.product(range(4), range(NUM_STEPS)):
            assert again[env_id][step][0].tobytes() == first[env_id][step][0].tobytes()


def test_a_copy_that_fails_says_so_and_the_others_go_on(make):
    envs = make(3, batch_size=1)
    envs.async_reset(seed=1)
    for _ in range(3):
        envs.recv()
    bad = np.full(8, np.nan, np.float32)
    envs.send(np.stack([action_of(0, 0), bad, action_of(2, 0)]), [0, 1, 2])
    told = []
    for _ in range(3):
        try:
            told.append(envs.recv()[-1]["env_id"].item())
        except errors.InvalidFieldError as error:
            assert error.metadata["env_id"] == "1"
    assert sorted(told) == [0, 2]
    envs.send([action_of(1, 0)], [1])
    assert envs.recv()[-1]["env_id"].tolist() == [1]


def test_wrong_input_is_refused_and_changes_nothing(make, address):
    with pytest.raises(gymnasium.error.ResetNeeded):
        make(2).send(np.zeros((1, 8)), [0])
    envs = make(3)
    envs.async_reset(seed=1)
    with pytest.raises(errors.InvalidFieldError, match="last answer was received"):
        envs.send(np.zeros((1, 8)), [1])
    envs.recv()
    for actions, env_ids in (
        (np.zeros((1, 8)), [3]),
        (np.zeros((1, 8)), [-1]),
        (np.zeros((2, 8)), [1, 1]),
        (np.zeros((2, 8)), [1]),
        (np.zeros((1, 7)), [1]),
        (np.zeros((0, 8)), []),
        (np.zeros((1, 8)), [0.0]),
        (["a"], [0]),
    ):
        with pytest.raises(errors.InvalidFieldError):
            envs.send(actions, env_ids)
    with pytest.raises(errors.InvalidFieldError):
        envs.async_reset(seed=[1, 2])
    with pytest.raises(errors.InvalidFieldError):
        envs.async_reset(options={"nothing": 1.0})
    for wrong in ({"num_envs": 0}, {"batch_size": 0}, {"batch_size": 4}, {"pace": "slow"}):
        with pytest.raises(errors.InvalidFieldError):
            make(**{"num_envs": 3, **wrong})
    with pytest.raises(errors.UnknownEnvironmentError):
        make(id="Juggling-v0")
    with pytest.raises(TypeError):
        make(juggling=True)


def test_ids_are_gymnasiums_or_the_servers(make):
    for name in (GYM_ID, f"livnd:{GYM_ID}", ENVIRONMENT):
        assert make(1, id=name).environment_spec.environment_id == ENVIRONMENT


def test_the_end(address, client):
    with asynchronous.make(ENVIRONMENT, 2, address=address) as envs:
        envs.async_reset(seed=1)
        envs.recv()
        names = [copy.name for copy in envs._copies]
    for name in names:
        with pytest.raises(errors.UnknownSessionError):
            client.session_info(name)
    envs.close()
    with pytest.raises(errors.LivndError):
        envs.async_reset()
