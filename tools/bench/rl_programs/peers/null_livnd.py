"""Steps livnd/Null-v0 at an address: a worker of bench.py, as null_dm_env_rpc.py.

null_livnd.py ADDRESS
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import livnd
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from worker import serve_commands


def main() -> None:
    """Answers commands until the input ends."""
    client = livnd.connect(sys.argv[1])
    sessions: dict[int, livnd.Session] = {}

    def step(request: dict[str, Any]) -> dict[str, Any]:
        copies = request["copies"]
        if copies not in sessions:
            sessions[copies] = client.create_session("Null-v0", copies)
            sessions[copies].reset()
        session = sessions[copies]
        actions = np.zeros((copies, *session.spec.actions[0].shape), np.float32)
        us = []
        for _ in range(request["count"]):
            start = time.perf_counter()
            session.step(actions)
            us.append((time.perf_counter() - start) * 1e6)
        return {"us": us}

    serve_commands({}, {"step": step})
    client.close()


if __name__ == "__main__":
    main()
