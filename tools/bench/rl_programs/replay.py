"""Learning from a recorded data set alone, as the benchmark of livn's README has it.

Rows are of the published schema (docs/data.md, layout `trials`): what a pulse of PulseEncoding did
to a culture at rest. The pulse is the agent's action, what FirstSpikeDecoder makes of the spikes is
the task's, and the task is stepped with it to make transitions.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cultures
import gymnasium
import numpy as np
from livnd.datasets import load_dataset
from livnd.livn.gym import PulseEncoding
from stable_baselines3 import SAC
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.logger import configure

BATCH = 2048
COPIES = 16  # of the culture, which one call runs


def record(folder: Path, num_rows: int, seed: int) -> float:
    """Writes a data set of runs of S1 with a random pulse each; seconds that it took."""
    import pyarrow
    import pyarrow.parquet

    start = time.perf_counter()
    rng = np.random.default_rng(seed)
    rows = []
    with cultures.s1() as culture:
        encoding = PulseEncoding(culture, cultures.DURATION_MS)
        space = encoding.feature_space
        copies = culture.copies(COPIES)
        while len(rows) < num_rows:
            seeds = list(range(len(rows), len(rows) + COPIES))
            copies.clear(seeds)
            features = rng.uniform(space.low, space.high, (COPIES, 3)).astype(np.float32)
            stimuli = [culture.cell_stimulus(encoding(each)[0]) for each in features]
            runs, _ = copies.run(cultures.DURATION_MS, stimuli)
            for run, given, each in zip(runs, features, seeds, strict=True):
                assert run is not None
                rows.append(
                    {
                        "trial_it": [run.spike_ids.tolist()],
                        "trial_t": [run.spike_times.tolist()],
                        "features": given.tolist(),
                        "t_end": cultures.DURATION_MS,
                        "seed": each,
                        "trials": 1,
                    }
                )
        copies.close()
    folder.mkdir(parents=True, exist_ok=True)
    table = pyarrow.Table.from_pylist(rows[:num_rows])
    pyarrow.parquet.write_table(table, folder / "train.parquet")
    return time.perf_counter() - start


def transitions(folder: Path, env: gymnasium.Env[Any, Any], seed: int) -> ReplayBuffer:
    """What the rows give, one after the other: a buffer of as many transitions."""
    dataset = load_dataset(str(folder), split="train")
    space = env.action_space
    decoding = env.get_wrapper_attr("envpass").decoding
    buffer = ReplayBuffer(
        len(dataset), env.observation_space, space, device="cpu", handle_timeout_termination=False
    )
    task = cultures.task()
    seen, _ = task.reset(seed=seed)
    for row in dataset:
        action = decoding(row["t_end"], row["trial_it"][0], row["trial_t"][0])
        following, reward, terminated, truncated, info = task.step(action)
        scaled = 2 * (np.asarray(row["features"]) - space.low) / (space.high - space.low) - 1
        buffer.add(seen, following, scaled, np.array([reward]), np.array([terminated]), [info])
        seen = following
        if terminated or truncated:
            seen, _ = task.reset()
    return buffer


def learn(
    env: gymnasium.Env[Any, Any],
    seed: int,
    rows: int,
    updates: int,
    folder: Path,
    evaluated: Callable[[Any, Any, int], list[float]],
) -> dict[str, Any]:
    """Records, learns by `updates` gradient steps, and evaluates through the culture."""
    recorded_s = record(folder, rows, seed)
    start = time.perf_counter()
    buffer = transitions(folder, env, seed)
    made_s = time.perf_counter() - start
    model = SAC("MlpPolicy", env, seed=seed, buffer_size=len(buffer.rewards), learning_starts=0)
    model.replay_buffer = buffer
    model.set_logger(configure(format_strings=[]))
    model._setup_learn(updates)
    returns = [evaluated(model, env, seed)]
    start = time.perf_counter()
    model.train(updates, BATCH)
    learned_s = time.perf_counter() - start
    returns.append(evaluated(model, env, seed))
    return {
        "returns": returns,
        "learn_s": learned_s,
        "record_s": recorded_s,
        "transitions_s": made_s,
    }
