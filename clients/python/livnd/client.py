"""What a client can ask of a server: systems, environments, sessions."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from livnd import checks
from livnd._proto import pb
from livnd.codings import Coding
from livnd.culture import CultureSession
from livnd.pace import message_of as pace_message
from livnd.recording import Recordings
from livnd.session import Session, checked_snapshot, copy_indices
from livnd.specs import EnvironmentNotOffered, EnvironmentSpec, SessionInfo, System
from livnd.step_stream import StepStream

_AUTORESET_MODES = {
    "next_step": pb.AUTORESET_MODE_NEXT_STEP,
    "same_step": pb.AUTORESET_MODE_SAME_STEP,
    "disabled": pb.AUTORESET_MODE_DISABLED,
}


class Client(Recordings):
    """A connection with the protocol's verbs; see Connection for its arguments and its end."""

    def systems(self) -> list[str]:
        """Names of the systems that the server was given."""
        return list(self.call("ListSystems", pb.ListSystemsRequest()).systems)

    def system(self, name: str) -> System:
        """Cells, connections and electrodes of one system. UnknownSystemError: no such name."""
        response = self.call("GetSystem", pb.GetSystemRequest(system=checks.text("system", name)))
        return System.from_message(response.system)

    def environments(self) -> list[EnvironmentSpec]:
        """All environments that create_session takes."""
        response = self.call("ListEnvironments", pb.ListEnvironmentsRequest())
        return [EnvironmentSpec.from_message(m) for m in response.environments]

    def not_offered(self) -> list[EnvironmentNotOffered]:
        """The environments that systems of the server's cannot carry, each with the reason."""
        response = self.call("ListEnvironments", pb.ListEnvironmentsRequest())
        return [
            EnvironmentNotOffered(m.environment_id, m.system, m.why) for m in response.not_offered
        ]

    def environment(self, environment_id: str) -> EnvironmentSpec:
        """One environment. UnknownEnvironmentError: no such id; it says why, as not_offered()."""
        request = pb.DescribeEnvironmentRequest(
            environment_id=checks.text("environment_id", environment_id)
        )
        return EnvironmentSpec.from_message(self.call("DescribeEnvironment", request).environment)

    def create_session(
        self,
        environment_id: str,
        num_envs: int = 1,
        *,
        autoreset_mode: str = "next_step",
        max_episode_steps: int | None = None,
        request_id: str | None = None,
        snapshot: bytes | None = None,
        copy_of: Sequence[int] | None = None,
        pace: str | float | None = None,
    ) -> Session:
        """Builds num_envs copies of an environment for this client.

        The session of an environment of kind "culture" is a livnd.culture.CultureSession.

        Args:
            environment_id: as environments() lists them.
            num_envs: 1 .. server_info().max_envs_per_session.
            autoreset_mode: "next_step", "same_step" or "disabled", as Gymnasium's AutoresetMode.
            max_episode_steps: truncates episodes after so many steps; None leaves it to the
                environment, whose own limit counts in any case. The session's spec tells what
                counts. A culture has no episodes.
            snapshot: of Session.snapshot(); the copies begin with it instead of as new ones.
            copy_of: [num_envs], which of the snapshot's copies they are; None: all, in order.
            request_id: names the wish, so that a repeat gives the same session; by default new.
            pace: seconds of culture time a second, 0.001 .. 1000; "real" is 1, "free", as fast as
                it goes, is 0; None: as the server was told. A step is answered no sooner than it
                is due, and pace_report() tells how well that was kept. No bit depends on it.

        Raises:
            InvalidFieldError, UnknownEnvironmentError, CapacityError, PayloadMismatchError.
            SnapshotMismatchError: of another environment, physics or system.
        """
        checks.choice("autoreset_mode", autoreset_mode, _AUTORESET_MODES)
        accepted = "1 .. server_info().max_envs_per_session"
        num_envs = checks.integer("num_envs", num_envs, accepted, -(2**31), 2**31)
        if max_episode_steps is not None:
            max_episode_steps = checks.integer(
                "max_episode_steps", max_episode_steps, "None or 1 and more", 1
            )
        if request_id is not None:
            checks.text("request_id", request_id)
        checks.text("environment_id", environment_id)
        request = pb.CreateSessionRequest(
            request_id=uuid.uuid4().hex if request_id is None else request_id,
            environment_id=environment_id,
            num_envs=num_envs,
            autoreset_mode=_AUTORESET_MODES[autoreset_mode],
            max_episode_steps=max_episode_steps or 0,
            snapshot=b"" if snapshot is None else checked_snapshot(snapshot),
            copy_of=copy_indices("copy_of", copy_of),
            pace=pace_message(pace),
        )
        response = self.call("CreateSession", request, timeout_s=self._create_timeout_s)
        if response.environment.kind == pb.ENVIRONMENT_KIND_CULTURE:
            return CultureSession(self, response, autoreset_mode)
        return Session(self, response, autoreset_mode)

    def session_info(self, name: str) -> SessionInfo:
        """What a session is and where it stands; its holder goes on undisturbed.

        Raises:
            UnknownSessionError: it was deleted, or cannot be brought back.
        """
        request = pb.GetSessionRequest(session=checks.text("name", name))
        response = self.call("GetSession", request, timeout_s=self._create_timeout_s).session
        return SessionInfo(
            name=response.session,
            spec=EnvironmentSpec.from_message(response.environment),
            num_envs=int(response.num_envs),
            autoreset_mode=_mode_name(response.autoreset_mode),
            next_op_index=int(response.next_op_index),
            generation=int(response.generation),
            pace=float(response.pace.speed),
        )

    def attach_session(self, name: str) -> Session:
        """Takes a session over: where its last holder was killed, has gone or has detached from it.

        It goes on where it is; observe() tells what its copies show. Whoever held it before gets a
        SupersededError from now on.

        Args:
            name: its Session.name.

        Raises:
            UnknownSessionError: it was deleted, or cannot be brought back; the message says why.
        """
        request = pb.AttachSessionRequest(session=checks.text("name", name))
        response = self.call("AttachSession", request, timeout_s=self._create_timeout_s).session
        mode = _mode_name(response.autoreset_mode)
        if response.environment.kind == pb.ENVIRONMENT_KIND_CULTURE:
            return CultureSession(self, response, mode)
        return Session(self, response, mode)

    def create_culture(self, system: str, num_envs: int = 1) -> CultureSession:
        """A session on the culture of a system, without a task; as create_session."""
        session = self.create_session(f"Culture-{checks.text('system', system)}-v0", num_envs)
        assert isinstance(session, CultureSession)
        return session

    def decodings(self) -> tuple[Coding, ...]:
        """What CultureSession.configure(decodings=...) takes by name."""
        return tuple(map(Coding.from_message, self._codings().decodings))

    def encodings(self) -> tuple[Coding, ...]:
        """What CultureSession.configure(encoding=...) takes by name."""
        return tuple(map(Coding.from_message, self._codings().encodings))

    def _codings(self) -> Any:
        return self.call("ListCodings", pb.ListCodingsRequest())

    def step_stream(self) -> StepStream:
        """Sends steps of this client's sessions and receives their answers as they are done."""
        return StepStream(self)


def _mode_name(mode: int) -> str:
    return next(name for name, value in _AUTORESET_MODES.items() if value == mode)


def connect(address: str | None = None, **options: Any) -> Client:
    """A client of the server at `address`, or of an own server; see Client for the arguments."""
    return Client(address, **options)
