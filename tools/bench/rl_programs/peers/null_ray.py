"""Environments in which nothing happens in an actor of Ray's: a worker of bench.py.

As null_dm_env_rpc.py; `copies` of them are stepped by one call.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import ray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from worker import serve_commands

NUM_ACTIONS, NUM_SEEN = 8, 64


@ray.remote
class Null:
    """Answers with zeros, and the mean of each action as a reward."""

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, ...]:
        num = len(actions)
        nobody = np.zeros(num, np.bool_)
        return np.zeros((num, NUM_SEEN), np.float32), actions.mean(axis=1), nobody, nobody


def main() -> None:
    """Starts Ray and answers commands until the input ends."""
    ray.init(num_cpus=2, include_dashboard=False, logging_level="error", log_to_driver=False)
    actor = Null.remote()

    def step(request: dict[str, Any]) -> dict[str, Any]:
        actions = np.zeros((request["copies"], NUM_ACTIONS), np.float32)
        us = []
        for _ in range(request["count"]):
            start = time.perf_counter()
            ray.get(actor.step.remote(actions))
            us.append((time.perf_counter() - start) * 1e6)
        return {"us": us}

    serve_commands({}, {"step": step})
    ray.shutdown()


if __name__ == "__main__":
    main()
