"""An environment in which nothing happens behind dm_env_rpc: a worker of bench.py.

The server runs in a process of its own; the client is its DmEnvAdaptor. The command `step` answers
the wall time of each of `count` steps. 8 float32 go, 64 come back, as with livnd/Null-v0.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from dm_env_rpc.v1 import (
    connection,
    dm_env_adaptor,
    dm_env_rpc_pb2,
    dm_env_rpc_pb2_grpc,
    tensor_spec_utils,
    tensor_utils,
)

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from worker import serve_commands

NUM_ACTIONS, NUM_SEEN = 8, 64
ACTION, SEEN, REWARD = 1, 1, 2


def specs() -> Any:
    """One action of 8 numbers, observations of 64, and a reward."""
    found = dm_env_rpc_pb2.ActionObservationSpecs()
    found.actions[ACTION].name = "action"
    found.actions[ACTION].dtype = dm_env_rpc_pb2.FLOAT
    found.actions[ACTION].shape[:] = [NUM_ACTIONS]
    tensor_spec_utils.set_bounds(found.actions[ACTION], minimum=-1.0, maximum=1.0)
    found.observations[SEEN].name = "observation"
    found.observations[SEEN].dtype = dm_env_rpc_pb2.FLOAT
    found.observations[SEEN].shape[:] = [NUM_SEEN]
    found.observations[REWARD].name = "reward"
    found.observations[REWARD].dtype = dm_env_rpc_pb2.FLOAT
    return found


class Servicer(dm_env_rpc_pb2_grpc.EnvironmentServicer):
    """Answers with zeros, and the mean of the action as a reward."""

    def Process(self, requests: Any, context: Any) -> Any:
        seen = np.zeros(NUM_SEEN, np.float32)
        for request in requests:
            response = dm_env_rpc_pb2.EnvironmentResponse()
            kind = request.WhichOneof("payload")
            if kind == "create_world":
                response.create_world.world_name = "null"
            elif kind == "join_world":
                response.join_world.specs.CopyFrom(specs())
            elif kind == "step":
                reward = 0.0
                if ACTION in request.step.actions:
                    reward = float(tensor_utils.unpack_tensor(request.step.actions[ACTION]).mean())
                response.step.state = dm_env_rpc_pb2.RUNNING
                for key in request.step.requested_observations:
                    value = seen if key == SEEN else np.float32(reward)
                    response.step.observations[key].CopyFrom(tensor_utils.pack_tensor(value))
            elif kind == "reset":
                response.reset.specs.CopyFrom(specs())
            else:
                getattr(response, kind).SetInParent()
            yield response


def serve(ports: Any) -> None:
    """Serves until the process is ended, and puts the port into `ports`."""
    server = grpc.server(futures.ThreadPoolExecutor(2))
    dm_env_rpc_pb2_grpc.add_EnvironmentServicer_to_server(Servicer(), server)
    ports.put(server.add_insecure_port("127.0.0.1:0"))
    server.start()
    server.wait_for_termination()


def main() -> None:
    """Starts the server and answers commands until the input ends."""
    context = multiprocessing.get_context("spawn")
    ports = context.Queue()
    server = context.Process(target=serve, args=(ports,), daemon=True)
    server.start()
    channel = grpc.insecure_channel(f"127.0.0.1:{ports.get()}", [("grpc.enable_http_proxy", 0)])
    line = connection.Connection(channel)
    world = line.send(dm_env_rpc_pb2.CreateWorldRequest()).world_name
    joined = line.send(dm_env_rpc_pb2.JoinWorldRequest(world_name=world))
    env = dm_env_adaptor.DmEnvAdaptor(line, joined.specs)
    env.reset()
    actions = {"action": np.zeros(NUM_ACTIONS, np.float32)}

    def step(request: dict[str, Any]) -> dict[str, Any]:
        us = []
        for _ in range(request["count"]):
            start = time.perf_counter()
            env.step(actions)
            us.append((time.perf_counter() - start) * 1e6)
        return {"us": us}

    serve_commands({}, {"step": step})
    server.terminate()


if __name__ == "__main__":
    main()
