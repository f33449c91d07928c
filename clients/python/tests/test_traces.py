"""Traces of one session are those of SyncVectorEnv over single environments, to the last bit."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import gymnasium
import livnd
import numpy as np
import pytest
from conftest import ENVIRONMENT, Server
from gymnasium.vector import AutoresetMode
from same import assert_same

NULL = "Null-v0"
NUM_ENVS = 3


@pytest.fixture(scope="module")
def bench_address(tmp_path_factory) -> Iterator[str]:
    """Of a server that has Null-v0, too."""
    server = Server("127.0.0.1:0", tmp_path_factory.mktemp("bench"), "--bench-environments")
    yield server.address
    server.kill()


@contextlib.contextmanager
def pair(environment_id, address, mode, limit=None):
    """The session, and gymnasium's own vector of single environments with the same arguments."""
    gym_id = livnd.register(environment_id)
    both = {"num_envs": NUM_ENVS, "address": address, "max_episode_steps": limit}
    envs = gymnasium.make_vec(gym_id, autoreset_mode=mode, **both)
    sync = gymnasium.make_vec(
        gym_id, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode}, **both
    )
    with contextlib.closing(envs), contextlib.closing(sync):
        assert envs.metadata["autoreset_mode"] is sync.metadata["autoreset_mode"]
        yield envs, sync


def reset_both(envs, sync, seed=None, **options):
    got, want = (each.reset(seed=seed, options=dict(options)) for each in (envs, sync))
    assert_same(got, want)


def play(envs, sync, num_steps, mask_of, seed=11):
    """Random steps of both; mask_of(step, rng) is what is reset before each. Ends of each copy."""
    mode = envs.metadata["autoreset_mode"]
    rng = np.random.default_rng(seed)
    reset_both(envs, sync, seed)
    ends, ended = np.zeros(NUM_ENVS, int), np.zeros(NUM_ENVS, np.bool_)
    for step in range(num_steps):
        mask = mask_of(step, rng)
        if mode is AutoresetMode.DISABLED:
            mask = mask | ended
        if mask.any():
            reset_both(envs, sync, reset_mask=mask)
        actions = rng.uniform(-1, 1, envs.action_space.shape).astype(np.float32)
        got, want = envs.step(actions), sync.step(actions)
        assert_same(got, want)
        ended = got[2] | got[3]
        ends += ended
        assert ("final_obs" in got[4]) == (mode is AutoresetMode.SAME_STEP and ended.any())
    return ends


def nobody(step, rng):
    return np.zeros(NUM_ENVS, np.bool_)


def the_middle_one(*steps):
    return lambda step, rng: np.array([False, step in steps, False])


def sometimes(step, rng):
    return rng.random(NUM_ENVS) < 0.1


MODES = pytest.mark.parametrize("mode", list(AutoresetMode), ids=lambda mode: mode.value)


@MODES
@pytest.mark.parametrize("environment_id", [ENVIRONMENT, NULL])
@pytest.mark.parametrize(
    "mask_of",
    [nobody, the_middle_one(1), sometimes],
    ids=["all end at once", "apart", "resets of some"],
)
def test_short_episodes(bench_address, environment_id, mode, mask_of):
    with pair(environment_id, bench_address, mode, limit=4) as (envs, sync):
        ends = play(envs, sync, 24, mask_of)
        assert (ends >= 2).all()


@MODES
def test_episodes_that_the_server_ends_itself(address, mode):
    with pair(ENVIRONMENT, address, mode) as (envs, sync):
        limit = envs.environment_spec.max_episode_steps
        ends = play(envs, sync, limit + limit // 3 + 5, the_middle_one(limit // 3))
        assert ends.tolist() == [1, 1, 1]


@MODES
@pytest.mark.parametrize("limit", [59, 60, 61])
def test_limits_beside_the_servers_own(address, mode, limit):
    """One below, at and above the server's 60: the earlier end counts."""
    with pair(ENVIRONMENT, address, mode, limit) as (envs, sync):
        assert envs.metadata["max_episode_steps"] == min(limit, 60)
        play(envs, sync, 64, the_middle_one(1))


@MODES
def test_resets_with_seeds_and_options_between_episodes(address, mode):
    with pair(ENVIRONMENT, address, mode, limit=3) as (envs, sync):
        actions = np.full(envs.action_space.shape, 0.5, np.float32)

        def steps(number):
            for _ in range(number):
                assert_same(envs.step(actions), sync.step(actions))

        some = np.array([True, False, True])
        reset_both(envs, sync, [3, 1, 2])
        steps(3)
        reset_both(envs, sync, reset_mask=np.ones(NUM_ENVS, np.bool_))
        steps(2)
        reset_both(envs, sync, [1, 2, None], reset_mask=some, target_rate_hz=5.0)
        steps(1)
        reset_both(envs, sync, reset_mask=~some)
        steps(2)
        reset_both(envs, sync, 4)
        steps(3)
        reset_both(envs, sync)
        steps(3)


@pytest.mark.parametrize(("mode", "steps"), [("NextStep", 3), ("SameStep", 2)])
def test_the_seed_of_an_episode_that_autoreset_began_is_told(address, mode, steps):
    """And gives the same episode again."""
    with pair(ENVIRONMENT, address, mode, limit=2) as (envs, again):
        envs.reset(seed=7)
        actions = np.full(envs.action_space.shape, -0.25, np.float32)
        for step in range(steps):
            begun, *_, infos = envs.step(actions)
            assert ("episode_seed" in infos) == (step + 1 == steps)
        seeds = infos["episode_seed"]
        assert seeds.tolist() == envs.episode_seeds.tolist() != [7, 8, 9]
        assert infos["_episode_seed"].all()
        np.testing.assert_array_equal(again.reset(seed=seeds.tolist())[0], begun)
        np.testing.assert_array_equal(again.step(actions)[0], envs.step(actions)[0])


def test_what_a_step_gives_is_the_callers_own(address):
    with pair(ENVIRONMENT, address, AutoresetMode.SAME_STEP, limit=1) as (envs, _):
        envs.reset(seed=1)
        actions = np.zeros(envs.action_space.shape, np.float32)
        *_, infos = envs.step(actions)
        for row in infos["final_obs"]:
            assert row in envs.single_observation_space and row.flags.owndata
            row[:] = -1
        observations, *_ = envs.step(actions)
        assert observations in envs.observation_space


@MODES
def test_gymnasiums_statistics_count_every_episode(address, mode):
    limit = 3
    with pair(ENVIRONMENT, address, mode, limit) as both:
        told = []
        for envs in map(gymnasium.wrappers.vector.RecordEpisodeStatistics, both):
            envs.reset(seed=5)
            actions = np.full(envs.action_space.shape, 0.1, np.float32)
            for _ in range(limit):
                *_, infos = envs.step(actions)
            told.append(infos["episode"])
        got, want = told
        assert got["l"].tolist() == want["l"].tolist() == [limit] * NUM_ENVS
        assert_same(got["r"], want["r"])
