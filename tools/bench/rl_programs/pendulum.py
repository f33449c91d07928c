"""Learns Gymnasium's Pendulum-v1 through a culture, and without one: a worker of bench.py.

The command `learn` takes a program's name, a seed and a budget, and answers mean returns of
deterministic episodes before and after, and seconds. Needs Stable-Baselines3, and pyarrow for
`s1-replay`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cultures
import gymnasium
import replay
import torch
from stable_baselines3 import SAC
from stable_baselines3.common.monitor import Monitor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from worker import serve_commands

Task = gymnasium.Env[Any, Any]
EVALUATED = 3  # episodes, as livn's benchmark has it


class Timed(gymnasium.Wrapper):
    """Counts the seconds that its steps and resets take."""

    seconds = 0.0

    def step(self, action: Any) -> Any:
        start = time.perf_counter()
        told = self.env.step(action)
        self.seconds += time.perf_counter() - start
        return told

    def reset(self, **options: Any) -> Any:
        start = time.perf_counter()
        told = self.env.reset(**options)
        self.seconds += time.perf_counter() - start
        return told


def evaluated(model: Any, env: Task, seed: int) -> list[float]:
    """Returns of deterministic episodes, which begin the same for every program."""
    returns = []
    for episode in range(EVALUATED):
        seen, _ = env.reset(seed=1000 * (seed + 1) + episode)
        total, ended = 0.0, False
        while not ended:
            action, _ = model.predict(seen, deterministic=True)
            seen, reward, terminated, truncated, _ = env.step(action)
            total += float(reward)
            ended = terminated or truncated
        returns.append(total)
    return returns


def online(env: Task, seed: int, steps: int) -> dict[str, Any]:
    """Livn's benchmark: rounds of evaluating and learning, two gradient steps a step."""
    timed = Timed(env)
    model = SAC(
        "MlpPolicy",
        Monitor(timed),
        seed=seed,
        train_freq=1,
        gradient_steps=2,
        buffer_size=steps + 1,
    )
    rounds = [evaluated(model, env, seed)]
    timed.seconds = learned_s = 0.0
    for _ in range(3):
        env.reset(seed=seed)
        model.set_env(model.get_env())  # begins an episode: the evaluation has left one ended
        start = time.perf_counter()
        model.learn(steps // 3, reset_num_timesteps=False)
        learned_s += time.perf_counter() - start
        rounds.append(evaluated(model, env, seed))
    return {"returns": rounds, "learn_s": learned_s, "environment_s": timed.seconds}


def main() -> None:
    """Answers commands until the input ends."""
    torch.set_num_threads(1)

    def learn(request: dict[str, Any]) -> dict[str, Any]:
        program, seed = request["program"], request["seed"]
        with (
            cultures.environment(program, request["episode_steps"]) as env,
            tempfile.TemporaryDirectory() as folder,
        ):
            if program == "s1-replay":
                rows, updates = request["rows"], request["updates"]
                return replay.learn(env, seed, rows, updates, Path(folder) / "rows", evaluated)
            return online(env, seed, request["steps"])

    serve_commands({}, {"learn": learn})


if __name__ == "__main__":
    main()
