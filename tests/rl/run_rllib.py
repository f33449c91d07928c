"""RLlib on the environments: what `./test rl` runs in .venv-rllib, beside run_tools.py.

RLlib pins Gymnasium, so that it has an environment of its own (tools/setup.sh --rl).
"""

from __future__ import annotations

import math

import gymnasium
import livnd
import pytest
import ray
from livnd.adapters import rllib
from ray.rllib.algorithms.ppo import PPOConfig
from tools_page import OF_RLLIB, programs, run

ID = "livnd/TargetRate-EI-mini-v0"


@pytest.fixture(scope="module", autouse=True)
def cluster():
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def trained(name, mode, num_env_runners):
    config = (
        PPOConfig()
        .environment(name)
        .env_runners(
            num_env_runners=num_env_runners,
            num_envs_per_env_runner=2,
            gym_env_vectorize_mode=mode,
            rollout_fragment_length=65,
        )
        .training(train_batch_size=130, minibatch_size=65, num_epochs=1)
        .debugging(seed=1)
    )
    algorithm = config.build_algo()
    try:
        return [algorithm.train()["env_runners"] for _ in range(2)]
    finally:
        algorithm.stop()


@pytest.mark.parametrize("mode", ["vector_entry_point", "sync"])
def test_it_trains_on_what_the_adapter_registers(mode):
    results = trained(rllib.register(ID, threads=1), mode, 0)
    assert all(math.isfinite(r["episode_return_mean"]) for r in results)
    # It counts the step that begins the next episode where it is the runner's first.
    assert 60 <= results[-1]["episode_len_mean"] <= 61


def test_runners_of_their_own_make_environments():
    result = trained(rllib.register(ID, threads=1), "vector_entry_point", 1)[-1]
    assert math.isfinite(result["episode_return_mean"])


def test_it_takes_an_id_of_gymnasium():
    result = trained(f"livnd:{ID}", "vector_entry_point", 0)[-1]
    assert math.isfinite(result["episode_return_mean"])


def test_this_older_gymnasium_finds_nothing_to_say():
    from gymnasium.utils.env_checker import check_env

    assert livnd.__version__ and gymnasium.__version__ < "1.4"
    env = gymnasium.make(ID)
    check_env(env.unwrapped, skip_render_check=True)
    env.close()


@pytest.mark.parametrize("program", filter(OF_RLLIB.search, programs()), ids=["PPO"])
def test_the_program_of_the_page_runs(program, tmp_path):
    run(program, tmp_path)
