"""Steps served environments through the Python client, and calls the echo: a worker of bench.py.

    step_client.py ADDRESS ECHO_ADDRESS ECHO_DESCRIPTORS

Commands: `open` makes a session on `environment_id` and resets it; `step` and `echo` answer the
wall time of each of `count` calls. The steps are those of step_pattern.h.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import livnd
import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from worker import serve_commands


def actions_of(step: int, num_envs: int, num_elements: int) -> np.ndarray:
    """Actions of all copies in a step, float32 [num_envs, num_elements]."""
    copies = np.arange(num_envs)[:, np.newaxis]
    elements = np.arange(num_elements)[np.newaxis, :]
    return (((7 * step + 3 * copies + elements) % 5 - 2) / 8).astype(np.float32)


class Steps:
    """A session and its place in the sequence of steps."""

    def __init__(self, address: str) -> None:
        self._client = livnd.connect(address)
        self._session: livnd.Session | None = None

    def open(self, request: dict[str, Any]) -> dict[str, Any]:
        """Starts over with `num_envs` copies; answers the bytes that a Step's tensors have."""
        if self._session is not None:
            self._session.close()
        num_envs = request["num_envs"]
        self._session = self._client.create_session(request["environment_id"], num_envs)
        result = self._session.reset(list(range(num_envs)))
        self._step = 0
        self._reward_sum = 0.0
        flags_and_rewards = num_envs * (8 + 1 + 1)
        tensors = [*result.observations, *result.infos.values()]
        return {
            "request_bytes": actions_of(0, num_envs, self._num_elements()).nbytes,
            "response_bytes": sum(tensor.nbytes for tensor in tensors) + flags_and_rewards,
        }

    def step(self, request: dict[str, Any]) -> dict[str, Any]:
        """Times `count` steps."""
        us = []
        for _ in range(request["count"]):
            actions = actions_of(self._step, self._session.num_envs, self._num_elements())
            start = time.perf_counter()
            result = self._session.step(actions)
            us.append((time.perf_counter() - start) * 1e6)
            self._step += 1
            for reward in result.rewards:
                self._reward_sum += float(reward)
        return {"us": us, "reward_sum": self._reward_sum}

    def _num_elements(self) -> int:
        return int(np.prod(self._session.spec.actions[0].shape))


def echo_call(address: str, descriptors: Path) -> Callable[[int, int], np.ndarray]:
    """A function that sends and receives so many bytes."""
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(descriptors.read_bytes()).file:
        pool.AddSerializedFile(file.SerializeToString())
    package = "livnd.bench.echo"
    request_class, response_class = (
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name in ("EchoRequest", "EchoResponse")
    )
    options = [("grpc.max_receive_message_length", -1), ("grpc.enable_http_proxy", 0)]
    call = grpc.insecure_channel(address, options).unary_unary(
        f"/{package}.EchoService/Echo", request_class.SerializeToString, response_class.FromString
    )

    def echo(request_bytes: int, response_bytes: int) -> np.ndarray:
        # As a Step: an array goes, an array comes.
        payload = np.ones(request_bytes, np.uint8).tobytes()
        answer = call(request_class(payload=payload, response_bytes=response_bytes))
        return np.frombuffer(answer.payload, np.uint8)

    return echo


def main() -> None:
    """Connects to both servers and answers commands until the input ends."""
    address, echo_address, descriptors = sys.argv[1:]
    steps = Steps(address)
    call = echo_call(echo_address, Path(descriptors))

    def echo(request: dict[str, Any]) -> dict[str, Any]:
        us = []
        for _ in range(request["count"]):
            start = time.perf_counter()
            call(request["request_bytes"], request["response_bytes"])
            us.append((time.perf_counter() - start) * 1e6)
        return {"us": us}

    serve_commands({}, {"open": steps.open, "step": steps.step, "echo": echo})


if __name__ == "__main__":
    main()
