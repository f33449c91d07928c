"""Steps without waiting for each answer, of one session or of many."""

from __future__ import annotations

import queue
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from livnd import checks, cleanup
from livnd._proto import pb
from livnd.connection import Connection, check_size
from livnd.errors import (
    ClosedError,
    ConcurrentCallError,
    LivndError,
    NothingSentError,
    ServerUnavailableError,
    SupersededError,
    UnknownSessionError,
    WrongOpIndexError,
    from_status,
    is_repeated,
)
from livnd.line import Line
from livnd.one_caller import OneCaller
from livnd.patience import Patience
from livnd.results import StepResult
from livnd.session import Session, answer_lost
from livnd.step_wire import End, StepWire, lost

# Steps of a session on the wire: of so many the server keeps the answers.
_MAX_SENT = 32


class StepStream:
    """Sends steps and receives their answers as they are done; made by Client.step_stream().

    The steps of one session are done and answered in the order in which they were sent; those of
    different sessions side by side, and whichever is done first is received first. One caller at a
    time; a context manager. While steps of a session are on their way nothing else can be called on
    it (ConcurrentCallError) but close().

    Every step is done exactly once. Where the connection breaks or the server ends, what was sent
    and not answered is sent again, by the rules and for as long as the client repeats calls; what
    was done already is answered and not done again. A step that fails changes nothing, and those
    of its session that were sent after it are not done either: each is answered with a
    WrongOpIndexError.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lanes: dict[str, _Lane] = {}  # by the session's name; none is empty
        self._tags: dict[int, _Step] = {}  # of the steps that the server has got, oldest first
        self._last_tag = 0
        self._told: deque[tuple[Session, StepResult | LivndError]] = deque()
        self._waiting_lanes: list[_Lane] = []  # whose steps are to be sent again
        self._wire: StepWire | None = None
        # Since the wire was lost, until an answer comes over another one.
        self._outage: Patience | None = None
        self._closed = False
        self._one_caller = OneCaller("stream")

    def __enter__(self) -> StepStream:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def num_waiting(self) -> int:
        """How many answers recv() has still to give."""
        return len(self._told) + sum(len(lane.steps) for lane in self._lanes.values())

    def send(self, session: Session, *actions: Any) -> None:
        """Has a session step, without waiting for the answer.

        Args:
            session: one of the stream's client.
            actions: as Session.step.

        Raises:
            InvalidFieldError: an action cannot be converted; nothing was sent.
            MessageTooLargeError: larger than the server takes; nothing was sent.
            ConcurrentCallError: a call of the session is not done yet.
            UnknownOutcomeError: as Session.step.
        """
        self._one_caller.call(self._send, session, actions)

    def recv(self) -> tuple[Session, StepResult]:
        """The next answer, of whichever session; waits for it.

        Raises:
            NothingSentError: no answer is on its way.
            LivndError: as Session.step raises it; its `session` says whose step failed.
        """
        return self._one_caller.call(self._recv)

    def close(self) -> None:
        """Hangs up. Steps on their way may be done or not, as where a call got no answer."""
        self._closed = True
        self._told.clear()
        for lane in list(self._lanes.values()):
            self._fail(lane, lost("the stream was closed"))
        self._told.clear()
        self._drop_wire()

    # --- sending -------------------------------------------------------------------------------

    def _send(self, session: Session, actions: tuple[Any, ...]) -> None:
        self._check_open()
        if not isinstance(session, Session) or not session.is_of(self._connection):
            raise checks.wrong("session", session, "a session of the stream's client")
        session._check_open()
        line = self._connection.line()
        if self._wire is not None and self._wire.line is not line:
            self._lose_wire(lost("the own server has ended"))
        lane = self._lanes.get(session.name) or _Lane(session)
        session._one_caller.enter(lane)
        try:
            step = lane.admit(session._step_request(actions))
            message = self._message(lane, step)
            check_size("Step", message, line.info)
        except BaseException:
            if not lane.steps:
                session._one_caller.leave(lane)
            raise
        may_be_sent = self._is_on_the_wire(lane) and len(lane.steps) < _MAX_SENT
        lane.steps.append(step)
        self._lanes[session.name] = lane
        if self._wire is None and self._outage is None:
            self._open(line)
        elif self._wire is not None and lane.due_s is None and may_be_sent:
            self._put(step, message)

    def _is_on_the_wire(self, lane: _Lane) -> bool:
        """Whether the server has got all of a session's steps."""
        return not lane.steps or lane.steps[-1].tag in self._tags

    def _message(self, lane: _Lane, step: _Step) -> bytes:
        """The step's, with the next tag."""
        oldest = lane.steps[0] if lane.steps else step
        return pb.StepStreamRequest(
            tag=self._last_tag + 1, step=step.request, oldest_op_index=oldest.request.op_index
        ).SerializeToString()

    def _put(self, step: _Step, message: bytes) -> None:
        self._last_tag += 1
        step.tag = self._last_tag
        self._tags[step.tag] = step
        step.may_be_done |= step.was_sent
        step.was_sent = True
        step.sent_s = time.monotonic()
        self._wire.requests.put(message)

    def _open(self, line: Line) -> None:
        """Over a new wire everything that has got no answer is sent."""
        self._wire = StepWire(line)
        self._wire.finalizer = cleanup.when_collected(self, self._wire.close)
        for lane in list(self._lanes.values()):
            self._put_all(lane)

    def _put_all(self, lane: _Lane) -> None:
        """What the server has not got, as far as it may have it now."""
        lane.due_s = None
        num_sent = 0
        for step in list(lane.steps):
            if step.tag in self._tags:
                num_sent += 1
            elif step.is_doomed and num_sent == 0:
                # By now its number may be another step's.
                lane.steps.remove(step)
                self._tell(lane, _not_done(step))
            elif step.is_doomed or num_sent == _MAX_SENT:
                return  # after those before it
            else:
                self._put(step, self._message(lane, step))
                num_sent += 1

    # --- receiving -----------------------------------------------------------------------------

    def _recv(self) -> tuple[Session, StepResult]:
        self._check_open()
        self._connection.check_usable()
        while not self._told:
            if not self._lanes:
                raise NothingSentError(
                    "no answer is on its way: send() first",
                    reason="NOTHING_SENT",
                    code="FAILED_PRECONDITION",
                )
            if self._wire is None:
                self._reconnect()
            else:
                self._await()
        session, outcome = self._told.popleft()
        if isinstance(outcome, LivndError):
            raise outcome
        return session, outcome

    def _await(self) -> None:
        """One thing that happens on the wire, or what it is time for."""
        now = time.monotonic()
        for lane in [lane for lane in self._waiting_lanes if lane.due_s <= now]:
            self._waiting_lanes.remove(lane)
            self._put_all(lane)
        timeout_s = self._connection.timeout_s
        oldest = next(iter(self._tags.values()), None)
        late_s = timeout_s + (now if oldest is None else oldest.sent_s)
        wake_s = min([lane.due_s for lane in self._waiting_lanes], default=late_s)
        try:
            event = self._wire.events.get(timeout=max(0.0, min(wake_s, late_s) - now))
        except queue.Empty:
            if oldest is not None and time.monotonic() >= late_s:
                self._fail(self._lanes[oldest.session], _late(timeout_s))
            return
        if isinstance(event, End):
            self._lose_wire(event.error)
        elif event.HasField("goodbye"):
            self._lose_wire(
                ServerUnavailableError(
                    "Step: the server ends", reason="SHUTTING_DOWN", code="UNAVAILABLE"
                )
            )
        else:
            self._answered(event)

    def _answered(self, message: Any) -> None:
        step = self._tags.pop(message.tag, None)
        if step is None:
            return  # of a sending that was given up
        self._outage = None
        lane = self._lanes[step.session]
        if message.HasField("step"):
            self._done(lane, step, message.step)
        else:
            error = from_status(message.error, "Step")
            if self._has_renewed_token(error):
                self._lose_wire(error)
                return
            self._refused(lane, step, error)
        if lane.due_s is None and not self._is_on_the_wire(lane):
            self._put_all(lane)

    def _done(self, lane: _Lane, step: _Step, response: Any) -> None:
        lane.steps.remove(step)
        lane.patience = None
        lane.session._advance(step.request.op_index + 1)
        try:
            outcome = lane.session._step_reader.read(response)
        except LivndError as error:
            outcome = error
        self._tell(lane, outcome)

    def _refused(self, lane: _Lane, step: _Step, error: LivndError) -> None:
        repeat = is_repeated(error)
        step.in_doubt = error.in_doubt or (step.in_doubt and repeat)
        # A server that ends may refuse what waits before it has done what is under way.
        behind = list(lane.steps)[lane.steps.index(step) + 1 :]
        if repeat:
            lane.patience = lane.patience or Patience(self._connection.retry_s)
            due_s = lane.patience.next_try_s(error)
            if due_s is not None:
                if lane.due_s is None:
                    self._waiting_lanes.append(lane)
                lane.due_s = due_s
                # Those behind it are refused for its sake, and sent again with it.
                for each in behind:
                    self._tags.pop(each.tag, None)
                return
        session = lane.session
        lane.steps.remove(step)
        lane.patience = None
        error.in_doubt = step.in_doubt
        if isinstance(error, WrongOpIndexError) and step.was_done_before(error):
            session._advance(step.request.op_index + 1)
            error = answer_lost(error)
        elif step.in_doubt:
            session._remember(step.request)
        else:
            for each in behind:
                each.is_doomed = True
        if isinstance(error, UnknownSessionError):
            session._gone = error
        elif isinstance(error, SupersededError):
            self._connection.disown_session(session)
        self._tell(lane, error)

    def _tell(self, lane: _Lane, outcome: StepResult | LivndError) -> None:
        if isinstance(outcome, LivndError):
            outcome.session = lane.session
        self._told.append((lane.session, outcome))
        self._let_go_if_empty(lane)

    def _let_go_if_empty(self, lane: _Lane) -> None:
        if not lane.steps:
            self._lanes.pop(lane.session.name, None)
            lane.session._one_caller.leave(lane)

    # --- losses --------------------------------------------------------------------------------

    def _has_renewed_token(self, error: LivndError) -> bool:
        """Whether the wire's token was refused, and there is another one by now."""
        refused = error.code == "UNAUTHENTICATED"
        return refused and self._wire.line.has_renewed_token(self._wire.metadata)

    def _lose_wire(self, error: LivndError) -> None:
        line, has_renewed_token = self._wire.line, self._has_renewed_token(error)
        self._drop_wire()
        for lane in self._lanes.values():
            lane.due_s = None
            for step in lane.steps:
                step.in_doubt |= step.was_sent and error.in_doubt
        if line.server_has_ended():
            ended = self._connection.leave(line, "Step", error)
            for lane in list(self._lanes.values()):
                lane.session._gone = ended
                self._fail(lane, ended)
            return
        if has_renewed_token:
            self._open(line)
            return
        if is_repeated(error):
            self._outage = self._outage or Patience(self._connection.retry_s)
            self._outage.error = error
            if self._outage.next_try_s(error) is not None:
                return
        self._outage = None
        for lane in list(self._lanes.values()):
            self._fail(lane, error)

    def _reconnect(self) -> None:
        line = self._connection.line()
        if self._outage is not None:
            self._outage.wait()
            if line.server is None and not self._outage.error.reason:
                # A broken line is mended while a call waits for it.
                line.mend(self._outage.give_up_s - time.monotonic())
        self._open(line)

    def _fail(self, lane: _Lane, error: LivndError) -> None:
        """Gives up all steps of a session."""
        steps = list(lane.steps)
        lane.steps.clear()
        if lane in self._waiting_lanes:
            self._waiting_lanes.remove(lane)
        for step in steps:
            self._tags.pop(step.tag, None)
            told = _not_done(step) if step.is_doomed else _copy(error)
            if not step.is_doomed:
                told.in_doubt = step.in_doubt or (error.in_doubt and step.was_sent)
            if told.in_doubt:
                lane.session._remember(step.request)
            self._tell(lane, told)
        self._let_go_if_empty(lane)

    def _drop_wire(self) -> None:
        self._tags.clear()
        self._waiting_lanes.clear()
        if self._wire is not None:
            self._wire.finalizer.detach()
            self._wire.close()
            self._wire = None

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError("the stream was closed")


@dataclass(eq=False)
class _Step:
    """A step on its way."""

    session: str  # by its name
    request: Any
    tag: int = 0  # of its last sending
    sent_s: float = 0.0  # likewise
    was_sent: bool = False
    may_be_done: bool = False  # by an earlier sending
    in_doubt: bool = False  # as LivndError's
    # A step of the session before it was not done, so this one is not either.
    is_doomed: bool = False

    def was_done_before(self, error: WrongOpIndexError) -> bool:
        """Whether the server is past it because of an earlier sending."""
        return self.may_be_done and (error.expected or 0) > self.request.op_index


@dataclass(eq=False)
class _Lane:
    """The steps of a session that are on their way, in order. Occupies the session."""

    session: Session
    steps: deque[_Step] = field(default_factory=deque)
    patience: Patience | None = None  # with the first of them
    due_s: float | None = None  # when they are sent again

    def refuse(self) -> ConcurrentCallError:
        """The error of another call of the session."""
        return ConcurrentCallError(
            "steps of this session are under way over a StepStream: receive their answers first",
            reason="STEPS_UNDER_WAY",
            code="FAILED_PRECONDITION",
        )

    def admit(self, request: Any) -> _Step:
        """The next step, with its number. UnknownOutcomeError: another one is in doubt."""
        session = self.session
        alive = [step for step in self.steps if not step.is_doomed]
        request.op_index = alive[-1].request.op_index + 1 if alive else session.next_op_index
        request.generation = session.generation
        step = _Step(session.name, request)
        if session._unanswered:
            if self.steps:
                raise session._in_doubt()
            session._check_doubt("Step", request.SerializeToString(deterministic=True))
            step.may_be_done = True
        return step


def _late(timeout_s: float) -> LivndError:
    error = ServerUnavailableError(
        f"Step: no answer within {timeout_s:g} s", code="DEADLINE_EXCEEDED"
    )
    error.in_doubt = True
    return error


def _not_done(step: _Step) -> LivndError:
    return WrongOpIndexError(
        "Step: not done, for a step before it was not",
        reason="WRONG_OP_INDEX",
        code="FAILED_PRECONDITION",
        metadata={"field": "op_index", "value": str(step.request.op_index)},
    )


def _copy(error: LivndError) -> LivndError:
    return type(error)(str(error), reason=error.reason, code=error.code, metadata=error.metadata)
