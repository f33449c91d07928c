"""A session: N copies of one environment on the server, stepped together."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from livnd import checks
from livnd._proto import pb
from livnd.connection import Connection
from livnd.errors import (
    AnswerLostError,
    ClosedError,
    LivndError,
    OwnServerEndedError,
    PayloadMismatchError,
    SupersededError,
    UnknownOutcomeError,
    UnknownSessionError,
    WrongOpIndexError,
    invalid_field,
)
from livnd.one_caller import OneCaller
from livnd.pace import PaceReport
from livnd.recording import kinds_message
from livnd.results import ObserveResult, RenderResult, ResetResult, StepResult
from livnd.series import SeriesSelection, messages_of
from livnd.specs import EnvironmentSpec, TensorSpec
from livnd.step_reader import StepReader
from livnd.tensors import decode, encode

_Session = TypeVar("_Session", bound="Session")  # what inherits from it


class Session:
    """A client's use of num_envs copies; made by Client.create_session. One caller at a time.

    Where another thread is in a call of it, a call is a ConcurrentCallError and does nothing.

    Every reset and step is done exactly once: the session numbers them, and a call whose answer was
    lost is repeated with the same number until the stored answer arrives. Where the client gives up
    (the error is in_doubt), call again with the same arguments later, or reset all copies; any
    other operation is an UnknownOutcomeError. observe() tells what has been done: where its answer
    has a later next_op_index the doubt is over. A session that is gone (UnknownSessionError, or an
    OwnServerEndedError) does not come back. One that nobody holds any more is deleted. As long as
    somebody does, its lease is renewed in the background.

    Attributes:
        spec: the environment's spec.
        num_envs: number of copies, the leading axis of every array.
        name: the server's name for it.
        autoreset_mode: "next_step", "same_step" or "disabled".
        next_op_index: the number of the next operation.
        generation: how many have held the session, this one included; see Client.attach_session.
        pace: seconds of culture time a second; 0 is as fast as it goes. See pace_report().
    """

    def __init__(self, connection: Connection, created: Any, autoreset_mode: str) -> None:
        self.spec = EnvironmentSpec.from_message(created.environment)
        self.num_envs = int(created.num_envs)
        self.name = created.session
        self.autoreset_mode = autoreset_mode
        self.next_op_index = int(created.next_op_index)
        self.generation = int(created.generation)
        self.pace = float(created.pace.speed)
        self._connection = connection
        self._delete = connection.own_session(self)
        self._closed = False
        self._one_caller = OneCaller("session")
        # By name; made once, since NumPy takes its time to tell a dtype's name.
        self._accepted_actions = {
            spec.name: f"{spec.dtype} of shape {(self.num_envs, *spec.shape)}"
            for spec in self.spec.actions
        }
        self._step_reader = StepReader(self.spec, self.num_envs, autoreset_mode == "same_step")
        # Why there is no session of this name any more.
        self._gone: UnknownSessionError | OwnServerEndedError | None = None
        # Method and payload of the operations that were sent with next_op_index and got no answer,
        # in the order of their last attempts. Any of them may have been done, but only one.
        self._unanswered: list[tuple[str, bytes]] = []
        # Those of the numbers after it, which a StepStream has sent ahead and which got no answer.
        self._ahead: list[tuple[str, bytes]] = []

    def __reduce__(self) -> Any:
        """A copy is another session that begins where this one is, also in another process."""
        if self._unanswered:
            raise self._in_doubt()
        wish = {
            "environment_id": self.spec.environment_id,
            "num_envs": self.num_envs,
            "autoreset_mode": self.autoreset_mode,
            "max_episode_steps": self.spec.max_episode_steps or None,
            "snapshot": self.snapshot(),
            "pace": self.pace,
        }
        return _another, (self._connection, wish)

    def __enter__(self: _Session) -> _Session:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def reset(
        self,
        seeds: Sequence[int | None] | None = None,
        *,
        mask: Any = None,
        options: Mapping[str, float] | None = None,
    ) -> ResetResult:
        """Starts a new episode in the copies that `mask` selects.

        Args:
            seeds: one entry a copy, 0 .. 2**64 - 1, or None where a copy continues its own stream
                of seeds; None for all.
            mask: bool [num_envs], at least one True; None for all.
            options: numbers by the names in spec.reset_options, for every copy that is reset.

        Raises:
            InvalidFieldError: a length, seed, mask or option is wrong; nothing has changed.
            NotResetError: a copy outside the first mask was never reset.
            UnknownOutcomeError: as step, for a reset of some copies only.
            UnknownSessionError, ServerUnavailableError.
        """
        request = pb.ResetRequest(session=self.name, op_index=self.next_op_index)
        self._put_seeds(request, seeds)
        if mask is not None:
            chosen = checks.array("mask", mask, np.bool_, "booleans, one a copy")
            request.mask.CopyFrom(encode(chosen, np.bool_))
        options = checks.mapping("options", {} if options is None else options, "numbers by name")
        for name, value in options.items():
            request.options.add(name=self._option_name(name), value=self._option(name, value))
        response = self._operate("Reset", request)
        return ResetResult(
            observations=tuple(decode(t) for t in response.observations),
            infos=self._infos(response.infos),
            seeds=decode(response.episode_seeds),
        )

    def step(self, *actions: Any) -> StepResult:
        """Advances every copy by one step.

        Args:
            actions: one array for each of spec.actions, [num_envs, *shape]; converted to its dtype.

        Raises:
            InvalidFieldError: a shape, NaN or bound is wrong; nothing has changed.
            NotResetError: reset first.
            EpisodeEndedError: mode "disabled", and a copy's episode has ended.
            UnknownOutcomeError: the last operation got no answer and these actions are others than
                its: repeat it with its own arguments, or reset all copies.
            UnknownSessionError, ServerUnavailableError.
        """
        return self._step_reader.read(self._operate("Step", self._step_request(actions)))

    def _step_request(self, actions: Sequence[Any]) -> Any:
        if len(actions) != len(self.spec.actions):
            raise invalid_field("actions", len(actions), f"{len(self.spec.actions)} arrays")
        encoded = [
            self._encode_action(spec, action)
            for spec, action in zip(self.spec.actions, actions, strict=True)
        ]
        return pb.StepRequest(session=self.name, op_index=self.next_op_index, actions=encoded)

    def observe(self) -> ObserveResult:
        """The copies as the last reset or step left them. NotResetError before the first reset."""
        self._check_open()
        response = self._call("Observe", pb.ObserveRequest(session=self.name))
        self._learn_next(response.next_op_index)
        return ObserveResult(
            observations=tuple(decode(t) for t in response.observations),
            infos=self._infos(response.infos),
            episodes=decode(response.episodes),
            ticks=decode(response.ticks),
            next_op_index=int(response.next_op_index),
            episode_seeds=decode(response.episode_seeds),
        )

    def render(self, copies: Sequence[int] | None = None) -> RenderResult:
        """What cultures were given in the last step and how they fired, for pictures of them.

        The server keeps nothing for it; after a crash of it, and where the session has been on its
        disk, there is nothing to show.

        Args:
            copies: which of them, in this order; None for all.

        Raises:
            InvalidFieldError: no such copy.
            NotResetError: before the first reset.
            MessageTooLargeError: more than one message holds; name fewer copies.
            UnknownSessionError, ServerUnavailableError.
        """
        self._check_open()
        request = pb.RenderRequest(session=self.name, copies=copy_indices("copies", copies))
        response = self._call("Render", request)
        self._learn_next(response.next_op_index)
        columns = RenderResult.__dataclass_fields__
        return RenderResult(**{name: decode(getattr(response, name)) for name in columns})

    def snapshot(self, copies: Sequence[int] | None = None) -> bytes:
        """Everything that decides what the copies do next; restore() and create_session take it.

        It fits sessions on the same environment of any server with the same physics and the same
        system, and does not change with what this session does next.

        Args:
            copies: which of them, in this order; None for all.

        Raises:
            InvalidFieldError: no such copy.
            MessageTooLargeError: more than one message holds; take fewer copies.
            UnknownSessionError, ServerUnavailableError.
        """
        self._check_open()
        request = pb.SnapshotRequest(session=self.name, copies=copy_indices("copies", copies))
        response = self._call("Snapshot", request)
        self._learn_next(response.next_op_index)
        return response.snapshot

    def restore(self, snapshot: bytes, copy_of: Sequence[int] | None = None) -> None:
        """Puts copies of a snapshot into the place of the session's.

        What follows has the bits of what would have followed where the snapshot was taken.

        Args:
            snapshot: what snapshot() gave, here or elsewhere.
            copy_of: [num_envs]: which of the snapshot's copies each copy becomes; -1, where the
                environment has a task, leaves it as it is. None: copy i becomes copy i of as many.

        Raises:
            InvalidFieldError: the bytes are damaged, or there is no such copy; nothing has changed.
            SnapshotMismatchError: of another environment, physics or system; nothing has changed.
            UnknownOutcomeError: as step, where some copies stay.
            UnknownSessionError, ServerUnavailableError.
        """
        self._operate(
            "Restore",
            pb.RestoreRequest(
                session=self.name,
                op_index=self.next_op_index,
                snapshot=checked_snapshot(snapshot),
                copy_of=copy_indices("copy_of", copy_of),
            ),
        )

    def fork(
        self: _Session, num_sessions: int = 1, copy_of: Sequence[int] | None = None
    ) -> list[_Session]:
        """Sessions that begin where this one is; each then goes on by itself.

        Args:
            num_sessions: how many.
            copy_of: which copies each of them has, in this order; None: as this session.

        Raises:
            InvalidFieldError, CapacityError: none was made.
            UnknownSessionError, ServerUnavailableError.
        """
        self._check_open()
        if self._unanswered:
            raise self._in_doubt()
        request = pb.ForkRequest(
            request_id=uuid.uuid4().hex,
            session=self.name,
            num_sessions=checks.integer("num_sessions", num_sessions, "1 .. 1024", -(2**31), 2**31),
            copy_of=copy_indices("copy_of", copy_of),
        )
        response = self._call("Fork", request)
        return [type(self)(self._connection, s, self.autoreset_mode) for s in response.sessions]

    def start_recording(
        self,
        label: str = "",
        kinds: Sequence[str] | None = None,
        series: Sequence[SeriesSelection] = (),
    ) -> str:
        """Has the server write down what the session does, until stop_recording() or its end.

        The recording is the server's and outlives the session: see Client.recordings(),
        read_recording() and download_recording(). No bit of an answer depends on it.

        Args:
            label: for people, at most 256 bytes.
            kinds: of "episode_starts", "rewards", "actions", "observations", "spikes",
                "channel_events", "stimuli"; of a culture "spikes" and "series", as it was told to
                record them, "channel_events" and "stimuli". None: all that there is.
            series: of a task with a culture: voltages, potentials and the like besides, sampled
                from the start of each step on.

        Returns:
            The recording's name.

        Raises:
            InvalidFieldError: no such kind or series, or the label is too long.
            AlreadyRecordingError: the session is being recorded.
            QuotaExceededError, OutOfMemoryError, StateNotWrittenError: no room for it.
            UnknownSessionError, ServerUnavailableError.
        """
        request = pb.StartRecordingRequest(
            session=self.name,
            op_index=self.next_op_index,
            label=checks.text("label", label),
            kinds=kinds_message(kinds),
            series=messages_of("series", series, SeriesSelection),
        )
        return self._operate("StartRecording", request).recording

    def stop_recording(self) -> str:
        """Ends the recording, all of which is in its file then; returns its name.

        Raises:
            NotRecordingError: the session is not being recorded.
            UnknownSessionError, ServerUnavailableError.
        """
        request = pb.StopRecordingRequest(session=self.name, op_index=self.next_op_index)
        return self._operate("StopRecording", request).recording

    def pace_report(self) -> PaceReport | None:
        """How well a session with a pace has kept its time; None without one.

        Raises:
            UnknownSessionError, ServerUnavailableError.
        """
        self._check_open()
        response = self._call("GetSession", pb.GetSessionRequest(session=self.name))
        return PaceReport.from_message(response.pace) if response.HasField("pace") else None

    def detach(self) -> str:
        """Leaves the session to the server and gives its name, which Client.attach_session takes.

        The server keeps it for server_info().session_retention_s. Whoever knows the name can drive
        the session.
        """
        self._check_open()
        self._connection.disown_session(self)
        self._closed = True
        return self.name

    def close(self) -> None:
        """Deletes the session on the server. Idempotent; never raises for a lost server."""
        if not self._closed:
            self._closed = True
            self._delete()

    def _operate(self, method: str, request: Any, *, timeout_s: float | None = None) -> Any:
        """One numbered operation, exactly once."""
        return self._one_caller.call(self._number_and_do, method, request, timeout_s)

    def _number_and_do(self, method: str, request: Any, timeout_s: float | None) -> Any:
        self._check_open()
        # Another caller may have come between since the request was made.
        request.op_index = self.next_op_index
        request.generation = self.generation
        payload = request.SerializeToString(deterministic=True)
        this = (method, payload)
        # Leaves nothing of what was before, and so goes on from any outcome.
        is_beginning = (
            method == "Clear"
            or (method == "Reset" and not request.HasField("mask"))
            or (method == "Restore" and -1 not in request.copy_of)
        )
        if not is_beginning:
            self._check_doubt(method, payload)
        try:
            response = self._send(method, payload, timeout_s)
        except PayloadMismatchError:
            if all(other == this for other in self._unanswered):
                raise  # not this session's doing
            # Another one had been done, so this beginning is the operation after it.
            self._advance()
            return self._number_and_do(method, request, timeout_s)
        except WrongOpIndexError as error:
            if not self._were_done_until(error.expected):
                raise
            if is_beginning:
                return self._number_and_do(method, request, timeout_s)
            raise answer_lost(error) from error
        except BaseException as error:
            # What is no LivndError has interrupted the call: KeyboardInterrupt.
            if not isinstance(error, LivndError) or error.in_doubt:
                self._put_in_doubt(this)
            raise
        if this not in self._unanswered:
            self._ahead.clear()  # what was sent with later numbers was not done
        self._advance()
        return response

    def _check_doubt(self, method: str, payload: bytes) -> None:
        """UnknownOutcomeError where an operation before this one stands in its way."""
        if self._unanswered and (method, payload) != self._unanswered[-1]:
            raise self._in_doubt()

    def _put_in_doubt(self, this: tuple[str, bytes]) -> None:
        self._unanswered = [o for o in self._unanswered if o != this] + [this]

    def _remember(self, step: Any) -> None:
        """Of a step that a StepStream has sent, perhaps behind others, and that got no answer."""
        this = ("Step", step.SerializeToString(deterministic=True))
        ahead = step.op_index - self.next_op_index
        if ahead == 0:
            self._put_in_doubt(this)
        elif ahead > 0:
            self._ahead[ahead - 1 : ahead] = [this]

    def is_of(self, connection: Connection) -> bool:
        """Whether it was made by this client."""
        return self._connection is connection

    def _in_doubt(self) -> UnknownOutcomeError:
        return UnknownOutcomeError(
            f"operation {self.next_op_index} got no answer and may have been done: repeat it "
            "with the same arguments, or reset all copies",
            reason="UNKNOWN_OUTCOME",
            code="FAILED_PRECONDITION",
        )

    def _call(self, method: str, request: Any, *, timeout_s: float | None = None) -> Any:
        """A call that changes nothing."""
        return self._one_caller.call(self._send, method, request, timeout_s)

    def _send(self, method: str, request: Any, timeout_s: float | None) -> Any:
        try:
            return self._connection.call(method, request, timeout_s=timeout_s)
        except (UnknownSessionError, OwnServerEndedError) as error:
            self._gone = error
            raise
        except SupersededError:
            self._connection.disown_session(self)
            raise

    def _advance(self, next_op_index: int | None = None) -> None:
        """The operations before this one were done; what was sent ahead may be."""
        next_op_index = next_op_index or self.next_op_index + 1
        ahead = self._ahead[next_op_index - self.next_op_index - 1 :]
        self.next_op_index = next_op_index
        self._unanswered, self._ahead = ahead[:1], ahead[1:]

    def _learn_next(self, next_op_index: int) -> None:
        """Of an answer that tells it: the operations whose outcome was unknown have been done."""
        if next_op_index > self.next_op_index:
            self._ahead.clear()
            self._advance(next_op_index)

    def _were_done_until(self, expected: int | None) -> bool:
        """Whether the number that the server expects comes of operations that got no answer."""
        if expected is None or not self._unanswered:
            return False
        last = self.next_op_index + len(self._ahead)
        if not self.next_op_index < expected <= last + 1:
            return False
        self._learn_next(expected)
        return True

    def _infos(self, tensors: Any) -> dict[str, np.ndarray]:
        return {
            spec.name: decode(tensor) for spec, tensor in zip(self.spec.infos, tensors, strict=True)
        }

    def _encode_action(self, spec: TensorSpec, action: Any) -> Any:
        accepted = self._accepted_actions[spec.name]
        return encode(checks.array(spec.name, action, spec.dtype, accepted), spec.dtype)

    def _put_seeds(self, request: Any, seeds: Sequence[int | None] | None) -> None:
        if seeds is None:
            return
        values, present = self._split_seeds(seeds)
        if any(present):
            request.seeds.CopyFrom(encode(values, np.uint64))
        if any(present) and not all(present):
            request.seed_present.CopyFrom(encode(present, np.bool_))

    def _split_seeds(self, seeds: Sequence[int | None]) -> tuple[list[int], list[bool]]:
        given = checks.entries("seeds", seeds, "one entry a copy")
        values = [
            0 if seed is None else checks.seed(f"seeds[{copy}]", seed)
            for copy, seed in enumerate(given)
        ]
        return values, [seed is not None for seed in given]

    def _option_name(self, name: Any) -> str:
        return checks.text("options", name, "names as text")

    def _option(self, name: str, value: Any) -> float:
        return checks.number(f"options.{name}", value)

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError("the session was closed", reason="UNKNOWN_SESSION", code="NOT_FOUND")
        if self._gone:
            raise UnknownSessionError(
                f"the session is gone, make another one ({self._gone})",
                reason="UNKNOWN_SESSION",
                code="NOT_FOUND",
                metadata=self._gone.metadata,
            )


def _another(client: Any, wish: dict[str, Any]) -> Any:
    """A session of a pickle or a copy; `client` is a livnd.Client."""
    return client.create_session(**wish)


def answer_lost(error: WrongOpIndexError) -> AnswerLostError:
    """Of an operation that was sent again, and after which the server has done others."""
    return AnswerLostError(
        "the operation was done, but its answer is lost: others were done after it. observe() "
        "tells where the session stands",
        reason="ANSWER_LOST",
        code=error.code,
        metadata=error.metadata,
    )


def checked_snapshot(snapshot: Any) -> bytes:
    """The bytes of a snapshot; InvalidFieldError for what has another type or is empty."""
    if not isinstance(snapshot, bytes) or not snapshot:
        raise checks.wrong("snapshot", snapshot, "the bytes that snapshot() gave")
    return snapshot


def copy_indices(field: str, copies: Sequence[int] | None) -> list[int]:
    """Numbers of copies for a request; none for None."""
    if copies is None:
        return []
    accepted = "at least one number of a copy, or None"
    indices = checks.integers(field, copies, accepted)
    if indices.ndim != 1 or not indices.size or not (abs(indices) < 2**31).all():
        raise checks.wrong(field, copies, accepted)
    return indices.tolist()
