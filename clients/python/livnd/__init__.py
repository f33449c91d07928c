"""Cultures of simulated neurons on an electrode array, as Gymnasium environments.

    import gymnasium, livnd
    env = gymnasium.make("livnd/TargetRate-EI-mini-v0")
    envs = gymnasium.make_vec("livnd/TargetRate-EI-mini-v0", num_envs=16)

A culture without a task, under the names of livn's Env:

    env = livnd.make("EI-mini")
    env.record_spikes()
    it, t, *_ = env.run(100)

Copies over many servers, with the same bits:

    envs = livnd.make_vec("TargetRate-EI-mini-v0", num_envs=16, addresses=["a:50051", "b:50051"])

Without `address=` the package starts a server of its own and takes it down again; with
`address="unix:PATH"` or `"HOST:PORT"` it uses a running one. livnd.connect() gives the protocol's
own verbs: systems, environments, sessions.
"""

from __future__ import annotations

from typing import Any

import gymnasium

from livnd import checks, errors
from livnd.client import Client, connect
from livnd.codings import Coding
from livnd.culture import CultureSession, CultureStimulus
from livnd.errors import LivndError
from livnd.gym import spaces
from livnd.livn.env import Env, make
from livnd.livn.run import Run
from livnd.livn.stimulus import Stimulus
from livnd.pace import PaceReport
from livnd.recording import RecordingInfo
from livnd.series import SeriesSelection
from livnd.session import Session
from livnd.specs import (
    EnvironmentNotOffered,
    EnvironmentSpec,
    ServerInfo,
    SessionInfo,
    System,
    TensorSpec,
)
from livnd.step_stream import StepStream

__all__ = [
    "Client",
    "Coding",
    "CultureSession",
    "CultureStimulus",
    "Env",
    "EnvironmentNotOffered",
    "EnvironmentSpec",
    "LivndError",
    "PaceReport",
    "RecordingInfo",
    "Run",
    "SeriesSelection",
    "ServerInfo",
    "Session",
    "SessionInfo",
    "StepStream",
    "Stimulus",
    "System",
    "TensorSpec",
    "connect",
    "decodings",
    "encodings",
    "errors",
    "make",
    "make_vec",
    "register",
    "spaces",
]

__version__ = "0.1.0"

_TASKS = ("TargetRate", "CartPole", "PatternEvocation", "BurstSuppression", "Pong", "PongFeedback")
_SYSTEMS = ("EI-mini", "EI-100")
_SHIPPED = tuple(f"{task}-{system}-v0" for task in _TASKS for system in _SYSTEMS)


def register(environment_id: str) -> str:
    """Makes a served environment known to Gymnasium as "livnd/<environment_id>"; returns that id.

    The environments of the shipped systems are registered on import; this is for a server's others
    (livnd.connect(address).environments()). Doing it twice does nothing.
    """
    gym_id = f"livnd/{environment_id}"
    if gym_id not in gymnasium.registry:
        gymnasium.register(
            id=gym_id,
            entry_point="livnd.gym.env:RemoteEnv",
            vector_entry_point="livnd.fleet.entry:vector_env",
            kwargs={"environment_id": environment_id},
        )
    return gym_id


def make_vec(
    id: str, num_envs: int = 1, **options: Any
) -> gymnasium.vector.VectorEnv[Any, Any, Any]:
    """gymnasium.make_vec() of a served environment, by either name, registered or not.

    Args:
        id: "livnd/TargetRate-EI-mini-v0", as Gymnasium's, or the server's own,
            "TargetRate-EI-mini-v0".
        num_envs: how many copies.
        options: more of livnd.gym.vector.RemoteVectorEnv's: address, threads, autoreset_mode ...;
            or, with addresses=..., of livnd.fleet.vector.FleetVectorEnv's: copies over many
            servers. Without either LIVND_ADDRESSES_FILE or LIVND_ADDRESSES tell the servers, and
            where they do not, it is an own one.
    """
    gym_id = register(checks.text("id", id).removeprefix("livnd/"))
    return gymnasium.make_vec(gym_id, num_envs, "vector_entry_point", **options)


def decodings(address: str | None = None, **options: Any) -> tuple[Coding, ...]:
    """The decodings of the server at `address`, or of an own server; options as connect()'s."""
    with connect(address, **options) as client:
        return client.decodings()


def encodings(address: str | None = None, **options: Any) -> tuple[Coding, ...]:
    """The encodings of the server at `address`, or of an own server; options as connect()'s."""
    with connect(address, **options) as client:
        return client.encodings()


for _environment_id in _SHIPPED:
    register(_environment_id)
