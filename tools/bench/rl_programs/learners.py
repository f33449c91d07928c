"""How fast learners learn TargetRate, and how much of it they wait for the environment.

    learners.py SYSTEM

The command `learn` takes a learner (ppo, sac: Stable-Baselines3's; file: the PPO in one file), a
number of copies, a number of steps of each, and whose environment: livnd's, or livn's GymnasiumEnv
in process, of which there is one copy. It answers seconds, and those within the environment.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

import gymnasium
import livn_target_rate
import torch
from gymnasium.vector import SyncVectorEnv, VectorWrapper
from livnd.adapters import sb3
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnvWrapper

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from worker import serve_commands

ID = "livnd/TargetRate-EI-mini-v0"
ONE_FILE = Path(__file__).resolve().parents[3] / "clients/python/examples/ppo.py"


class Clock:
    """Sums up the seconds of calls."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def time(self, call: Any, *args: Any, **options: Any) -> Any:
        start = time.perf_counter()
        told = call(*args, **options)
        self.seconds += time.perf_counter() - start
        return told


class TimedVecEnv(VecEnvWrapper):
    """Of Stable-Baselines3."""

    def __init__(self, envs: Any, clock: Clock) -> None:
        super().__init__(envs)
        self._clock = clock

    def reset(self) -> Any:
        return self._clock.time(self.venv.reset)

    def step_async(self, actions: Any) -> None:
        self._clock.time(self.venv.step_async, actions)

    def step_wait(self) -> Any:
        return self._clock.time(self.venv.step_wait)


class TimedVector(VectorWrapper):
    """Of Gymnasium."""

    def __init__(self, envs: Any, clock: Clock) -> None:
        super().__init__(envs)
        self._clock = clock

    def reset(self, **options: Any) -> Any:
        return self._clock.time(self.env.reset, **options)

    def step(self, actions: Any) -> Any:
        return self._clock.time(self.env.step, actions)


def one_file() -> Any:
    """The example's module."""
    spec = importlib.util.spec_from_file_location("ppo_in_one_file", ONE_FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def learn_by_sb3(learner: str, envs: Any, num_steps: int) -> None:
    """So many steps of each copy."""
    copies = envs.num_envs
    if learner == "ppo":
        model: Any = PPO("MlpPolicy", envs, n_steps=num_steps // 2, batch_size=64, seed=1)
    else:
        model = SAC("MlpPolicy", envs, learning_starts=2 * copies, buffer_size=10_000, seed=1)
    model.learn(num_steps * copies)


def main() -> None:
    """Answers commands until the input ends."""
    torch.set_num_threads(1)
    system = Path(sys.argv[1])

    def learn(request: dict[str, Any]) -> dict[str, Any]:
        learner, copies, num_steps = request["learner"], request["copies"], request["steps"]
        clock = Clock()
        is_livn = request["of"] == "livn"

        def livn() -> Any:
            return livn_target_rate.make(system)

        if learner == "file":
            module = one_file()

            def make_vec(*_: Any, **options: Any) -> Any:
                mode = gymnasium.vector.AutoresetMode.SAME_STEP
                made = (
                    SyncVectorEnv([livn], autoreset_mode=mode)
                    if is_livn
                    else make_vec_of_gymnasium(ID, copies, autoreset_mode=mode)
                )
                return TimedVector(made, clock)

            make_vec_of_gymnasium, gymnasium.make_vec = gymnasium.make_vec, make_vec
            options = {"id": ID, "address": None, "num_envs": copies, "seed": 1, "log": None}
            options |= {"steps": num_steps * copies, "rollout": num_steps // 2, "epochs": 10}
            # Few steps are one batch: its advantages are scaled by their deviation.
            options |= {
                "minibatches": max(1, min(8, num_steps * copies // 16)),
                "rate": 3e-4,
                "gamma": 0.95,
                "trace": 0.95,
                "clip": 0.2,
            }
            try:
                start = time.perf_counter()
                module.main(Namespace(**options))
                seconds = time.perf_counter() - start
            finally:
                gymnasium.make_vec = make_vec_of_gymnasium
        else:
            envs = DummyVecEnv([livn]) if is_livn else sb3.make(ID, copies, seed=1)
            timed = TimedVecEnv(envs, clock)
            timed.reset()  # settles the culture, once
            clock.seconds = 0.0
            start = time.perf_counter()
            learn_by_sb3(learner, timed, num_steps)
            seconds = time.perf_counter() - start
            timed.close()
        return {"s": seconds, "environment_s": clock.seconds, "steps": num_steps * copies}

    serve_commands({}, {"learn": learn})


if __name__ == "__main__":
    main()
