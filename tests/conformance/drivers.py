"""What the suite asks of a client, whatever language it is written in.

A driver connects clients; a client makes sessions and cultures; these have the protocol's verbs.
Answers are dictionaries of NumPy arrays with the copies as their first axis, so that the answers of
two clients can be compared bit for bit. A call that fails raises Refused.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from livnd import Coding, CultureStimulus, RecordingInfo, SeriesSelection
from livnd.specs import EnvironmentNotOffered, EnvironmentSpec, ServerInfo, System

Answer = dict[str, np.ndarray]


@dataclass
class Refused(Exception):
    """A call that failed, as the client tells it.

    Attributes:
        code: gRPC status name.
        reason: of the contract or the client; "" where the transport failed.
        metadata: field, value, accepted, expected.
        in_doubt: the operation may have been done.
        session_gone: the session does not come back.
    """

    code: str
    reason: str
    message: str
    metadata: dict[str, str] = field(default_factory=dict)
    in_doubt: bool = False
    session_gone: bool = False

    def __str__(self) -> str:
        return f"{self.code} {self.reason} {self.message} {self.metadata} {self.in_doubt}"


class Numbered(ABC):
    """What sessions of both kinds can do."""

    @abstractmethod
    def snapshot(self, copies: Sequence[int] = ()) -> bytes:
        """Of those copies, or of all."""

    @abstractmethod
    def restore(self, snapshot: bytes, copy_of: Sequence[int] = ()) -> None:
        """Copies of a snapshot into the place of the session's."""

    @abstractmethod
    def fork(self, num_sessions: int, copy_of: Sequence[int] = ()) -> list[Any]:
        """Sessions of the same kind."""

    @abstractmethod
    def start_recording(
        self, label: str = "", kinds: Sequence[str] = (), series: Sequence[SeriesSelection] = ()
    ) -> str:
        """The recording's name; without kinds: of all that there is."""

    @abstractmethod
    def stop_recording(self) -> str:
        """The recording's name."""

    @abstractmethod
    def detach(self) -> str:
        """Leaves the session to the server; its name."""


class Session(Numbered):
    """Copies of an environment with a task, one action and one observation tensor.

    Attributes:
        name: on the server.
        num_envs: number of copies.
        spec: the environment.
        next_op_index: the number of the next operation.
    """

    name: str
    num_envs: int
    spec: EnvironmentSpec
    next_op_index: int

    @abstractmethod
    def reset(
        self,
        seeds: Sequence[int | None] = (),
        mask: Sequence[bool] = (),
        options: Mapping[str, float] | None = None,
    ) -> Answer:
        """Observations, infos and seeds; without seeds or mask: for no copy, of all copies."""

    @abstractmethod
    def step(self, actions: Any) -> Answer:
        """Observations, rewards, ends, infos, episode_seeds and began.

        And where episodes ended under "same_step", final_observations and final_infos: a row each.
        """

    @abstractmethod
    def observe(self) -> Answer:
        """Observations, infos, episodes, ticks and episode_seeds."""

    @abstractmethod
    def render(self, copies: Sequence[int] = ()) -> Answer:
        """The fields of pb.RenderResponse; without copies: of all."""

    @abstractmethod
    def pace_report(self) -> Any:
        """A pb.PaceReport, or None without a pace."""

    @abstractmethod
    def close(self) -> None:
        """Ends the session."""

    @abstractmethod
    def forget(self) -> None:
        """Has nobody hold it any more."""

    def actions(self, value: float) -> np.ndarray:
        """The same number for every element of every copy's action."""
        return np.full((self.num_envs, *self.spec.actions[0].shape), value, np.float32)


class Culture(Numbered):
    """Copies of a culture without a task; attributes as a Session's."""

    name: str
    num_envs: int
    spec: EnvironmentSpec
    next_op_index: int

    @abstractmethod
    def clear(
        self,
        seeds: Sequence[int | None] = (),
        *,
        repeat_noise: bool = False,
        noise_stream: int | None = None,
        forget_learned_weights: bool = False,
    ) -> Answer:
        """The seeds."""

    @abstractmethod
    def run(
        self,
        duration_ms: float,
        stimuli: Sequence[CultureStimulus] = (),
        *,
        plan: Any = None,
        charges: bool = False,
        features: np.ndarray | None = None,
    ) -> Answer:
        """The recording: its fields, series[0], charges.net_nc, decoded[0].rate_hz and so on."""

    @abstractmethod
    def configure(
        self,
        *,
        params: Mapping[str, float] | None = None,
        dt_ms: float | None = None,
        plasticity_on: bool | None = None,
        learned_weights: np.ndarray | None = None,
        noise_stream: int | None = None,
        spikes: bool | None = None,
        series: Sequence[SeriesSelection] | None = None,
        decodings: Sequence[Any] | None = None,
        device: Any = None,
        light_array: Any = None,
        encoding: Any = None,
    ) -> None:
        """Changes the culture, as a whole or not at all."""

    @abstractmethod
    def describe(self, *, learned_weights: bool = False) -> Answer:
        """gids, params, dt_ms, ticks, tick_ns, num_clears, seeds, noise_stream and the like.

        And electrodes, limits.max_amplitude_ua, fibers, encoding and encoding_inputs, where there
        are any.
        """

    @abstractmethod
    def close(self) -> None:
        """Ends the session."""


class Stream(ABC):
    """Steps of a client's sessions on their way."""

    @abstractmethod
    def send(self, session: Session, actions: Any) -> None:
        """Without waiting for the answer."""

    @abstractmethod
    def recv(self) -> tuple[Session, Answer | Refused]:
        """Whose step was answered, and what it came to."""

    @abstractmethod
    def close(self) -> None:
        """Hangs up."""


class Client(ABC):
    """A client of one server."""

    @abstractmethod
    def info(self) -> ServerInfo: ...

    @abstractmethod
    def systems(self) -> list[str]: ...

    @abstractmethod
    def system(self, name: str) -> System: ...

    @abstractmethod
    def codings(self) -> tuple[tuple[Coding, ...], tuple[Coding, ...]]:
        """Decodings and encodings."""

    @abstractmethod
    def environments(self) -> list[EnvironmentSpec]: ...

    @abstractmethod
    def not_offered(self) -> list[EnvironmentNotOffered]: ...

    @abstractmethod
    def environment(self, environment_id: str) -> EnvironmentSpec: ...

    @abstractmethod
    def session(
        self,
        environment_id: str,
        num_envs: int = 1,
        autoreset_mode: str = "next_step",
        max_episode_steps: int | None = None,
        snapshot: bytes = b"",
        copy_of: Sequence[int] = (),
        pace: float | None = None,
    ) -> Session: ...

    @abstractmethod
    def stream(self) -> Stream: ...

    @abstractmethod
    def session_info(self, name: str) -> dict[str, Any]:
        """num_envs, next_op_index, generation and pace of anybody's session."""

    @abstractmethod
    def attach(self, name: str) -> Session:
        """Takes over a session on an environment with a task."""

    @abstractmethod
    def recordings(self, session: str = "") -> list[RecordingInfo]: ...

    @abstractmethod
    def read_rows(self, recording: str, stream: str, **which: Any) -> np.ndarray:
        """Rows of a stream; `which` as Client.iterate_recording's."""

    @abstractmethod
    def download_recording(self, recording: str, path: Path) -> None: ...

    @abstractmethod
    def delete_recording(self, recording: str, missing_ok: bool = False) -> None: ...

    @abstractmethod
    def culture(self, system: str, num_envs: int = 1) -> Culture: ...

    @abstractmethod
    def close(self) -> None:
        """Hangs up, and has its sessions end."""


class Driver(ABC):
    """A client library.

    Attributes:
        language: of the library.
    """

    language: str

    @abstractmethod
    def connect(self, address: str, **options: float | str) -> Client:
        """A client; options as livnd.connect's: timeout_s, retry_s, token, tls_ca ..."""

    @abstractmethod
    def make_and_die(self, address: str, environment_id: str) -> str:
        """The name of a session whose client was killed as soon as it had reset it."""
