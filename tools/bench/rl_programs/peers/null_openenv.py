"""An environment in which nothing happens behind OpenEnv: a worker of bench.py.

As null_dm_env_rpc.py, over OpenEnv's WebSocket and with its synchronous client.
"""

from __future__ import annotations

import multiprocessing
import socket
import sys
import time
from pathlib import Path
from typing import Any

import uvicorn
from openenv.core.client_types import StepResult
from openenv.core.env_client import EnvClient
from openenv.core.env_server import create_fastapi_app
from openenv.core.env_server.interfaces import Environment
from openenv.core.env_server.types import Action, Observation, State

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from worker import serve_commands

NUM_ACTIONS, NUM_SEEN = 8, 64


class Given(Action):
    """8 numbers."""

    values: list[float]


class Seen(Observation):
    """64 numbers."""

    values: list[float]


class Null(Environment[Given, Seen, State]):
    """Answers with zeros, and the mean of the action as a reward."""

    def reset(self, seed: int | None = None, episode_id: str | None = None, **_: Any) -> Seen:
        return Seen(values=[0.0] * NUM_SEEN, reward=0.0, done=False)

    def step(self, action: Given, timeout_s: float | None = None, **_: Any) -> Seen:
        reward = sum(action.values) / NUM_ACTIONS
        return Seen(values=[0.0] * NUM_SEEN, reward=reward, done=False)

    @property
    def state(self) -> State:
        return State()


class Client(EnvClient[Given, Seen, State]):
    """What OpenEnv wants to be told of messages."""

    def _step_payload(self, action: Given) -> dict[str, Any]:
        return {"values": action.values}

    def _parse_result(self, payload: dict[str, Any]) -> StepResult[Seen]:
        seen = Seen(**payload["observation"])
        return StepResult(observation=seen, reward=payload["reward"], done=payload["done"])

    def _parse_state(self, payload: dict[str, Any]) -> State:
        return State(**payload)


def serve(port: int) -> None:
    """Serves until the process is ended."""
    uvicorn.run(create_fastapi_app(Null, Given, Seen), port=port, log_level="critical")


def main() -> None:
    """Starts the server and answers commands until the input ends."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(port,), daemon=True)
    server.start()
    env = Client(f"http://127.0.0.1:{port}").sync()
    deadline = time.monotonic() + 60
    while True:
        try:
            env.connect()
            break
        except ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
    env.reset()
    given = Given(values=[0.0] * NUM_ACTIONS)

    def step(request: dict[str, Any]) -> dict[str, Any]:
        us = []
        for _ in range(request["count"]):
            start = time.perf_counter()
            env.step(given)
            us.append((time.perf_counter() - start) * 1e6)
        return {"us": us}

    serve_commands({}, {"step": step})
    env.close()
    server.terminate()


if __name__ == "__main__":
    main()
