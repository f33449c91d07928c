from __future__ import annotations

import warnings

import gymnasium
import numpy as np
import pytest
from conftest import ENVIRONMENT, GYM_ID
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import DictInfoToList, RecordEpisodeStatistics
from livnd import errors
from livnd.gym.env import RemoteEnv
from livnd.gym.vector import RemoteVectorEnv
from same import assert_same


@pytest.fixture
def envs(address):
    envs = RemoteVectorEnv(3, ENVIRONMENT, address)
    yield envs
    envs.close()


@pytest.fixture
def sync(address):
    sync = SyncVectorEnv([lambda: RemoteEnv(ENVIRONMENT, address)] * 3)
    yield sync
    sync.close()


@pytest.mark.parametrize("seed", [None, 0, 41, [1, 2, 3], [5, None, 2**64 - 1]])
def test_seeds_mean_what_they_mean_in_sync_vector_env(envs, sync, seed):
    assert_same(envs.reset(seed=8), sync.reset(seed=8))
    assert_same(envs.reset(seed=seed), sync.reset(seed=seed))
    assert_same(envs.reset(), sync.reset())


def test_a_masked_reset_with_seeds_is_that_of_sync_vector_env(envs, sync):
    mask = np.array([True, False, True])
    options = {"reset_mask": mask, "target_rate_hz": 5.0}
    assert_same(envs.reset(seed=8), sync.reset(seed=8))
    actions = np.full(envs.action_space.shape, 0.25, np.float32)
    for _ in range(3):
        assert_same(envs.step(actions), sync.step(actions))
    assert_same(
        envs.reset(seed=[1, 2, 3], options=dict(options)),
        sync.reset(seed=[1, 2, 3], options=dict(options)),
    )
    for _ in range(3):
        assert_same(envs.step(actions), sync.step(actions))


def test_reset_leaves_the_options_as_they_are(envs):
    envs.reset(seed=1)
    options = {"reset_mask": np.array([True, False, False]), "target_rate_hz": 5.0}
    envs.reset(options=options)
    assert set(options) == {"reset_mask", "target_rate_hz"}


@pytest.mark.parametrize(
    "mask", [[True, False, True], np.array([1, 0, 1]), np.array([True]), np.zeros(3, bool)]
)
def test_a_mask_must_be_a_bool_array_with_a_true_in_it(envs, mask):
    envs.reset(seed=1)
    with pytest.raises(errors.InvalidFieldError, match="reset_mask"):
        envs.reset(options={"reset_mask": mask})
    envs.step(envs.action_space.sample())


@pytest.mark.parametrize("seed", [-1, 2**64 - 2, [1, 2], [1, 2, -3], [1, 2, 2**64]])
def test_bad_seeds_are_refused(envs, seed):
    with pytest.raises(errors.InvalidFieldError, match="seed"):
        envs.reset(seed=seed)
    envs.reset(seed=2**64 - 3)


def test_without_any_seed_every_copy_is_another(envs):
    envs.reset()
    assert len(set(envs.episode_seeds.tolist())) == 3


def test_make_vec_is_silent_and_batched(address):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        envs = gymnasium.make_vec(GYM_ID, num_envs=4, address=address)
    assert type(envs) is RemoteVectorEnv
    assert envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert envs.metadata["settings"]["max_amplitude_ua"] > 0
    assert envs.action_space.shape == (4, *envs.single_action_space.shape)
    obs, infos = envs.reset(seed=0)
    assert obs in envs.observation_space and obs.flags.owndata and obs.flags.writeable
    obs, rewards, terminated, truncated, infos = envs.step(envs.action_space.sample())
    assert rewards.dtype == np.float64
    assert terminated.dtype == truncated.dtype == np.bool_
    for spec in envs.environment_spec.infos:
        assert infos[spec.name].shape == (4, *spec.shape)
        assert infos[f"_{spec.name}"].tolist() == [True] * 4
    envs.close()
    envs.close()


def test_make_vec_sync_works_too(address):
    envs = gymnasium.make_vec(GYM_ID, num_envs=2, vectorization_mode="sync", address=address)
    envs.reset(seed=0)
    envs.step(envs.action_space.sample())
    envs.close()


def test_a_copy_does_not_depend_on_its_place(address):
    """The same seeds in another order and number give the same episodes."""
    traces = []
    for seeds in ([4, 9], [9, 1, 2, 4, 3]):
        envs = RemoteVectorEnv(len(seeds), ENVIRONMENT, address)
        obs, _ = envs.reset(seed=seeds)
        rows = [obs[seeds.index(9)]]
        for step in range(10):
            actions = np.full(envs.action_space.shape, step / 10, np.float32)
            rows.append(envs.step(actions)[0][seeds.index(9)])
        traces.append(rows)
        envs.close()
    np.testing.assert_array_equal(*traces)


def test_gymnasiums_wrappers_work(address):
    envs = gymnasium.make_vec(GYM_ID, num_envs=2, address=address)
    limit = envs.environment_spec.max_episode_steps
    names = {info.name for info in envs.environment_spec.infos}
    # Apart from each other: together they need a Gymnasium newer than 1.1.
    envs = RecordEpisodeStatistics(envs)
    envs.reset(seed=0)
    total = np.zeros(2)
    for _ in range(limit):
        _, rewards, _, truncated, infos = envs.step(np.zeros(envs.action_space.shape))
        total += rewards
    assert truncated.all()
    assert infos["episode"]["l"].tolist() == [limit, limit]
    np.testing.assert_allclose(infos["episode"]["r"], total, rtol=1e-5)
    envs.close()
    envs = DictInfoToList(gymnasium.make_vec(GYM_ID, num_envs=2, address=address))
    infos = envs.reset(seed=0)[1]
    names.add("episode_seed")
    assert [set(info) for info in infos] == [names, names]
    envs.close()


@pytest.mark.parametrize("num_envs", [0, -1, 10**6])
def test_num_envs_has_bounds(address, num_envs):
    with pytest.raises(errors.InvalidFieldError, match="num_envs"):
        RemoteVectorEnv(num_envs, ENVIRONMENT, address)


def test_bad_actions_are_refused_and_nothing_changes(envs):
    good = np.zeros(envs.action_space.shape, np.float32)
    envs.reset(seed=1)
    reference = envs.step(good)
    envs.reset(seed=1)
    bad = good.copy()
    bad[2, 0] = np.nan
    for actions in (bad, bad + 3, good[:2], good[:, :-1]):
        with pytest.raises(errors.InvalidFieldError):
            envs.step(actions)
    assert_same(envs.step(good), reference)


def test_a_step_before_the_first_reset_is_refused(envs):
    with pytest.raises(gymnasium.error.ResetNeeded):
        envs.step(envs.action_space.sample())
