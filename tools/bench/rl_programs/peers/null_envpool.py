"""CartPole of EnvPool, 64 copies in this process: a worker of bench.py."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import envpool
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from worker import serve_commands

COPIES = 64


def main() -> None:
    """Answers commands until the input ends."""
    envs = envpool.make_gymnasium("CartPole-v1", num_envs=COPIES, num_threads=1)
    envs.reset()
    actions = np.zeros(COPIES, np.int32)

    def step(request: dict[str, Any]) -> dict[str, Any]:
        us = []
        for _ in range(request["count"]):
            start = time.perf_counter()
            envs.step(actions)
            us.append((time.perf_counter() - start) * 1e6)
        return {"us": us}

    serve_commands({}, {"step": step})


if __name__ == "__main__":
    main()
