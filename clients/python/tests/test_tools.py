"""The calls that Stable-Baselines3, RecordVideo and TorchRL make, without those tools.

`./test rl` runs the tools themselves.
"""

from __future__ import annotations

import copy
import sys
import types
import warnings

import gymnasium
import numpy as np
import pytest
from conftest import GYM_ID
from gymnasium.vector import AutoresetMode
from livnd import errors


@pytest.fixture
def videos(monkeypatch):
    """Stands in for moviepy: name of each video that a wrapper wrote -> (frames, fps)."""
    written: dict[str, tuple[list[np.ndarray], float]] = {}

    class ImageSequenceClip:
        def __init__(self, frames, fps):
            self.frames, self.fps = list(frames), fps

        def write_videofile(self, path, logger=None):
            written[path.rpartition("/")[2]] = (self.frames, self.fps)

    names = ("moviepy", "moviepy.video", "moviepy.video.io", "moviepy.video.io.ImageSequenceClip")
    for name in names:
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    sys.modules[names[-1]].ImageSequenceClip = ImageSequenceClip
    return written


def test_stable_baselines3_makes_resets_steps_and_renders(address):
    """PPO("MlpPolicy", ID): a Monitor in a DummyVecEnv, whose images are tiled."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make(GYM_ID, render_mode="rgb_array", address=address)
    assert env.get_wrapper_attr("render_mode") == "rgb_array"
    assert np.all(np.abs(env.action_space.low) == 1) and env.action_space.dtype == np.float32
    env.action_space.seed(7)
    seed = int(np.random.randint(0, np.iinfo(np.uint32).max, dtype=np.uint32))
    env.reset(seed=seed)
    truncated, steps = False, 0
    while not truncated:
        _, reward, _, truncated, info = env.step(env.action_space.sample())
        info["episode"] = {"r": round(reward, 6)}
        copy.deepcopy(info)
        steps += 1
    assert steps == env.unwrapped.environment_spec.max_episode_steps
    env.reset(seed=None)
    image = env.render()
    assert image.dtype == np.uint8 and image.ndim == 3
    env.close()


def test_record_video_writes_episodes(address, tmp_path, videos):
    env = gymnasium.make(GYM_ID, render_mode="rgb_array", max_episode_steps=4, address=address)
    env = gymnasium.wrappers.RecordVideo(env, str(tmp_path / "v"), episode_trigger=lambda e: True)
    for _ in range(2):
        env.reset(seed=1)
        truncated = False
        while not truncated:
            *_, truncated, _ = env.step(np.zeros(env.action_space.shape, np.float32))
    env.close()
    assert [len(frames) for frames, _ in videos.values()] == [5, 5]
    assert {fps for _, fps in videos.values()} == {20.0}


def test_record_video_tiles_a_vector_environment(address, tmp_path, videos):
    envs = gymnasium.make_vec(
        GYM_ID, num_envs=4, render_mode="rgb_array", max_episode_steps=3, address=address
    )
    envs = gymnasium.wrappers.vector.RecordVideo(
        envs, str(tmp_path / "v"), episode_trigger=lambda episode: True
    )
    envs.reset(seed=1)
    for _ in range(7):
        envs.step(np.zeros(envs.action_space.shape, np.float32))
    envs.close()
    assert [len(frames) for frames, _ in videos.values()] == [4, 4]
    frame = next(iter(videos.values()))[0][0]
    assert frame.shape[1] == 2 * frame.shape[0] and frame.shape[0] % 2 == 0


def test_torchrl_wraps_a_single_environment(address):
    env = gymnasium.make(GYM_ID, render_mode="rgb_array", address=address)
    assert getattr(env, "autoreset_mode", None) is None
    assert not isinstance(env.unwrapped, gymnasium.vector.VectorEnv)
    env.reset(seed=3)
    env.close()


def test_torchrl_wraps_copies_that_it_resets_itself(address):
    """It asks for the mode, takes DISABLED, and resets what has ended by a mask."""
    envs = gymnasium.make_vec(
        GYM_ID,
        num_envs=3,
        address=address,
        autoreset_mode=AutoresetMode.DISABLED,
        max_episode_steps=4,
    )
    assert envs.autoreset_mode is envs.metadata["autoreset_mode"] is AutoresetMode.DISABLED
    envs.reset(seed=1)
    actions = np.zeros(envs.action_space.shape, np.float32)
    envs.step(actions)
    first = envs.reset(options={"reset_mask": np.array([True, False, False])})[0]
    assert first in envs.observation_space
    for _ in range(3):
        *_, truncated, _ = envs.step(actions)
    assert truncated.tolist() == [False, True, True]
    with pytest.raises(errors.EpisodeEndedError):
        envs.step(actions)
    envs.reset(options={"reset_mask": truncated})
    *_, truncated, _ = envs.step(actions)
    assert truncated.tolist() == [True, False, False]
    envs.close()


def test_the_mode_of_autoreset_has_a_default_and_is_told(address):
    def made(**arguments):
        return gymnasium.make_vec(GYM_ID, num_envs=2, address=address, **arguments)

    envs = made()
    assert envs.autoreset_mode is envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    envs.close()
    for mode in AutoresetMode:
        for given in (mode, mode.value):
            envs = made(autoreset_mode=given)
            assert envs.autoreset_mode is envs.metadata["autoreset_mode"] is mode
            envs.close()
            # Gymnasium takes vector_kwargs for its own vectors of single environments.
            envs = made(vectorization_mode="sync", vector_kwargs={"autoreset_mode": given})
            assert envs.metadata["autoreset_mode"] is mode
            envs.close()
    for given in ("same_step", "disabled", 3, None):
        with pytest.raises(errors.InvalidFieldError, match="NextStep, SameStep, Disabled"):
            made(autoreset_mode=given)


def test_without_autoreset_the_server_refuses_an_ended_copy(address):
    envs = gymnasium.make_vec(GYM_ID, num_envs=2, address=address, autoreset_mode="Disabled")
    envs.reset(seed=1)
    actions = np.zeros(envs.action_space.shape, np.float32)
    truncated = np.zeros(2, bool)
    while not truncated.any():
        *_, truncated, _ = envs.step(actions)
    with pytest.raises(errors.EpisodeEndedError):
        envs.step(actions)
    envs.reset(options={"reset_mask": truncated})
    envs.step(actions)
    envs.close()


@pytest.mark.parametrize("seed", [np.int64(9), np.uint32(9), np.array(9), np.uint64(2**64 - 3)])
def test_a_numpy_integer_is_a_seed(address, seed):
    plain = int(seed)
    env = gymnasium.make(GYM_ID, address=address)
    envs = gymnasium.make_vec(GYM_ID, num_envs=2, address=address)
    want, _ = env.reset(seed=plain)
    got, _ = env.reset(seed=seed)
    np.testing.assert_array_equal(got, want)
    assert env.unwrapped.episode_seed == env.unwrapped.np_random_seed == plain
    got, _ = envs.reset(seed=seed)
    np.testing.assert_array_equal(got[0], want)
    assert envs.np_random_seed == plain
    assert envs.episode_seeds.tolist() == [plain, plain + 1]
    env.close()
    envs.close()


def test_a_list_of_numpy_integers_is_a_list_of_seeds(address):
    envs = gymnasium.make_vec(GYM_ID, num_envs=2, address=address)
    envs.reset(seed=np.array([5, 3]))
    assert envs.episode_seeds.tolist() == [5, 3]
    envs.close()
