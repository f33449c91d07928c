"""Stable-Baselines3, SBX, RecordVideo and TorchRL on the environments: what `./test rl` runs.

Its name keeps it out of the other legs' pytest: it needs .venv-rl (tools/setup.sh --rl). The same
calls without the tools are in clients/python/tests/test_tools.py.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import gymnasium
import livnd
import numpy as np
import pytest
import sbx
import stable_baselines3
import torch
from gymnasium.vector import AutoresetMode
from livnd.adapters import sb3
from livnd.adapters import torchrl as adapter
from stable_baselines3.common import env_checker
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import SubprocVecEnv, VecNormalize, VecVideoRecorder
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tools_page import HEAVY, programs, run, run_file
from torchrl.envs import GymEnv, GymWrapper, check_env_specs

IDS = ["livnd/TargetRate-EI-mini-v0", "livnd/TargetRate-EI-100-v0"]
EPISODE_STEPS = 60
EXAMPLES = Path(__file__).parents[2] / "clients/python/examples"


@pytest.fixture(scope="module", autouse=True)
def server():
    """Keeps the process's own server, which environments share, from one test to the next."""
    with livnd.connect() as client:
        client.server_info()
        yield


@pytest.mark.parametrize("environment_id", IDS)
def test_stable_baselines3_finds_nothing_to_say(environment_id):
    env = gymnasium.make(environment_id, render_mode="rgb_array")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env_checker.check_env(env)  # its check of render() would go on with a closed environment
        env.render()
    env.close()


def test_ppo_makes_ten_updates():
    model = stable_baselines3.PPO("MlpPolicy", IDS[0], n_steps=64, batch_size=32, seed=1)
    before = [p.detach().clone() for p in model.policy.parameters()]
    model.learn(10 * 64)
    assert model._n_updates == 10 * model.n_epochs
    assert len(model.ep_info_buffer) == 10 * 64 // EPISODE_STEPS
    assert {info["l"] for info in model.ep_info_buffer} == {EPISODE_STEPS}
    after = list(model.policy.parameters())
    assert all(torch.isfinite(p).all() for p in after)
    assert any((a != b).any() for a, b in zip(before, after, strict=True))
    model.env.close()


@pytest.mark.parametrize("algorithm", ["PPO", "SAC"])
def test_learners_take_the_native_vec_env(algorithm, tmp_path):
    envs = sb3.make(IDS[0], 4, seed=1, monitor_path=str(tmp_path / "rows"))
    arguments = {"PPO": {"n_steps": 64}, "SAC": {"learning_starts": 100}}[algorithm]
    learner = getattr(stable_baselines3, algorithm)
    model = learner("MlpPolicy", envs, seed=1, **arguments)
    model.learn(4 * 64 * 2)
    assert model._n_updates > 0 and len(model.ep_info_buffer) == 4 * (128 // EPISODE_STEPS)
    rows = (tmp_path / "rows.monitor.csv").read_text().splitlines()
    assert rows[1] == "r,l,t" and len(rows) == 2 + 4 * (128 // EPISODE_STEPS)
    envs.close()


def test_the_native_vec_env_is_what_dummy_vec_env_is():
    envs = sb3.make(IDS[0], 3, max_episode_steps=5)
    dummy = make_vec_env(IDS[0], n_envs=3, env_kwargs={"max_episode_steps": 5})
    for each in (envs, dummy):
        each.seed(9)
    np.testing.assert_array_equal(envs.reset(), dummy.reset())
    assert envs.unwrapped.reset_infos == dummy.reset_infos  # wrappers do not hand it on
    rng = np.random.default_rng(1)
    for _ in range(12):
        actions = rng.uniform(-1, 1, (3, *envs.action_space.shape)).astype(np.float32)
        (*got, infos), (*want, expected) = envs.step(actions), dummy.step(actions)
        for one, other in zip(got, want, strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
        for one, other in zip(infos, expected, strict=True):
            # VecMonitor adds up float32.
            told, expected_told = (info.pop("episode", {}) for info in (one, other))
            assert told.get("l") == expected_told.get("l")
            assert told.get("r", 0) == pytest.approx(expected_told.get("r", 0), abs=1e-5)
            np.testing.assert_equal(one, other)
    envs.close()
    dummy.close()


def test_evaluation_and_wrappers_take_the_native_vec_env(tmp_path):
    envs = VecNormalize(sb3.make(IDS[0], 2, seed=1, render_mode="rgb_array"))
    observation = envs.reset()
    model = stable_baselines3.PPO("MlpPolicy", envs, n_steps=32, seed=1)
    mean, _ = evaluate_policy(model, sb3.make(IDS[0], 2, seed=3), n_eval_episodes=4)
    assert np.isfinite(mean)
    assert envs.render().shape[2] == 3
    envs.save(str(tmp_path / "normalisation"))
    model.save(str(tmp_path / "model"))
    again = stable_baselines3.PPO.load(str(tmp_path / "model"), env=envs)
    got, want = (m.predict(observation, deterministic=True)[0] for m in (again, model))
    np.testing.assert_array_equal(got, want)
    envs.close()


@pytest.mark.parametrize("start_method", ["fork", "forkserver", "spawn"])
def test_processes_of_stable_baselines3(start_method):
    """Each process makes an environment, and a server, of its own."""
    envs = make_vec_env(
        f"livnd:{IDS[0]}",
        n_envs=2,
        seed=5,
        env_kwargs={"threads": 1},
        vec_env_cls=SubprocVecEnv,
        vec_env_kwargs={"start_method": start_method},
    )
    here = sb3.make(IDS[0], 2, seed=5)
    np.testing.assert_array_equal(envs.reset(), here.reset())
    actions = np.full((2, *envs.action_space.shape), 0.5, np.float32)
    for _ in range(3):
        np.testing.assert_array_equal(envs.step(actions)[0], here.step(actions)[0])
    here.close()
    envs.close()


def test_ppo_by_policy_and_id_writes_what_tensorboard_reads(tmp_path):
    model = stable_baselines3.PPO(
        "MlpPolicy", f"livnd:{IDS[0]}", n_steps=64, batch_size=32, tensorboard_log=str(tmp_path)
    )
    model.learn(3 * 64)
    (folder,) = tmp_path.glob("PPO_*")
    events = EventAccumulator(str(folder)).Reload()
    rewards = events.Scalars("rollout/ep_rew_mean")
    assert len(rewards) == 3 and all(np.isfinite(r.value) for r in rewards)
    model.env.close()


def test_sbx_learns_with_jax():
    envs = sb3.make(IDS[0], 2, seed=1)
    model = sbx.SAC("MlpPolicy", envs, learning_starts=20, seed=1)
    model.learn(60)
    assert model._n_updates > 0
    action, _ = model.predict(envs.reset(), deterministic=True)
    assert action.shape == (2, *envs.action_space.shape) and np.isfinite(action).all()
    envs.close()


def test_stable_baselines3_films_several_copies(tmp_path):
    envs = make_vec_env(IDS[0], n_envs=3, seed=1)
    envs = VecVideoRecorder(envs, str(tmp_path), lambda step: step == 0, video_length=8)
    envs.reset()
    for _ in range(10):
        envs.step(np.zeros((3, *envs.action_space.shape), np.float32))
    envs.close()
    (video,) = tmp_path.glob("*.mp4")
    assert video.stat().st_size > 1000


@pytest.mark.parametrize("num_envs", [None, 4])
def test_record_video_writes_a_film_of_every_episode(tmp_path, num_envs):
    arguments = {"render_mode": "rgb_array", "max_episode_steps": 10}
    if num_envs is None:
        env = gymnasium.make(IDS[0], **arguments)
        env = gymnasium.wrappers.RecordVideo(env, str(tmp_path), episode_trigger=lambda e: True)
    else:
        env = gymnasium.make_vec(IDS[0], num_envs=num_envs, **arguments)
        env = gymnasium.wrappers.vector.RecordVideo(
            env, str(tmp_path), episode_trigger=lambda e: True
        )
    for _ in range(2):
        env.reset(seed=1)
        for _ in range(10):
            env.step(np.zeros(env.action_space.shape, np.float32))
    env.close()
    videos = list(tmp_path.glob("*.mp4"))
    assert len(videos) == 2 and all(v.stat().st_size > 1000 for v in videos)


@pytest.mark.parametrize("environment_id", IDS)
def test_torchrl_takes_a_single_environment(environment_id):
    env = GymWrapper(gymnasium.make(environment_id))
    check_env_specs(env)
    rollout = env.rollout(EPISODE_STEPS + 10, break_when_any_done=False)
    ends = rollout["next", "truncated"].squeeze(-1).nonzero().squeeze(-1)
    assert ends.tolist() == [EPISODE_STEPS - 1]
    env.close()


@pytest.mark.parametrize("environment_id", IDS)
def test_torchrl_takes_copies_that_it_resets(environment_id):
    envs = gymnasium.make_vec(environment_id, num_envs=3, autoreset_mode=AutoresetMode.DISABLED)
    env = GymWrapper(envs)
    check_env_specs(env)
    rollout = env.rollout(EPISODE_STEPS + 10, break_when_any_done=False)
    assert rollout.batch_size == (3, EPISODE_STEPS + 10)
    ends = rollout["next", "truncated"].squeeze(-1).nonzero()
    assert ends.tolist() == [[copy, EPISODE_STEPS - 1] for copy in range(3)]
    env.close()


def test_torchrl_resets_copies_that_end_at_different_steps():
    envs = gymnasium.make_vec(
        IDS[0], num_envs=2, autoreset_mode=AutoresetMode.DISABLED, max_episode_steps=7
    )
    env = GymWrapper(envs)
    data = env.reset()
    for step in range(20):
        data["action"] = torch.zeros(env.action_spec.shape)
        data, following = env.step_and_maybe_reset(data)
        ended = data["next", "truncated"].squeeze(-1)
        if step == 2:
            following["_reset"] = torch.tensor([[True], [False]])
            following = env.reset(following)
        else:
            assert ended.tolist() == [step in (9, 16), step in (6, 13)]
        data = following
    env.close()


@pytest.mark.parametrize("num_envs", [None, 3])
def test_the_adapter_of_torchrl(num_envs):
    env = adapter.make(IDS[0], num_envs, seed=4)
    check_env_specs(env)
    seen = []
    for _ in range(2):
        env.set_seed(4)
        torch.manual_seed(1)  # of the actions
        seen.append(env.rollout(5)["observation"])
    assert (seen[0] == seen[1]).all()
    assert env.batch_size == (() if num_envs is None else (num_envs,))
    env.close()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ppo", ["--num-envs", "8", "--rollout", "32", "--steps", "1024", "--epochs", "2"]),
        ("sac", ["--num-envs", "4", "--first", "300", "--steps", "1200", "--batch", "32"]),
    ],
)
def test_learners_in_one_file(name, options, tmp_path):
    file = EXAMPLES / f"{name}.py"
    told = run_file(file, tmp_path, "--id", IDS[0], "--log", str(tmp_path), *options)
    last = told.splitlines()[-1]
    assert re.fullmatch(r"mean return of the last episodes: -?\d+\.\d\d", last)
    events = EventAccumulator(str(tmp_path)).Reload()
    assert all(np.isfinite(s.value) for s in events.Scalars("return"))


def test_torchrl_makes_an_environment_by_its_id_with_frames():
    env = GymEnv(IDS[0], from_pixels=True, pixels_only=False)
    check_env_specs(env)
    pixels = env.rollout(2)["pixels"]
    assert pixels.dtype == torch.uint8 and pixels.shape[-1] == 3
    env.close()


PROGRAMS = [program for program in programs() if HEAVY.search(program)]


@pytest.mark.parametrize("program", PROGRAMS, ids=range(len(PROGRAMS)))
def test_a_program_of_the_page_runs(program, tmp_path):
    run(program, tmp_path)
