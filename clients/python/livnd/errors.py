"""The exceptions of the package; every one is a LivndError.

An error that the server answered carries what its ErrorInfo said: `reason` (stable, for programs),
and where they apply `field`, `value` and `accepted`. An error that the client found by itself
before it sent anything carries the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grpc

from livnd._proto import ErrorInfo, RetryInfo, RpcStatus

_DOMAIN = "livnd"


class LivndError(Exception):
    """Base of all errors of the package.

    Attributes:
        reason: stable name of what went wrong, "INVALID_FIELD"; "" where there is none, as in
            errors of the transport.
        code: gRPC status name, "INVALID_ARGUMENT"; what the client finds out by itself has the code
            that the server's answer would have. "" where a server has no part in it.
        metadata: all that the server said, by name.
        retry_after_s: the server asks for the same call again after so long; None where that would
            not help. The client does so for as long as it is patient (`retry_s`).
        in_doubt: it is not known whether the server has done the operation (it will not do it
            twice). Calling it again with the same arguments is safe and gives its answer.
        session: of StepStream.recv(): the session whose step failed; None elsewhere.
    """

    in_doubt: bool = False
    session: Any = None
    retry_after_s: float | None = None

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        code: str = "",
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.code = code
        self.metadata = dict(metadata or {})

    @property
    def field(self) -> str:
        """Path of the offending field in the request, or ""."""
        return self.metadata.get("field", "")

    @property
    def value(self) -> str:
        """What that field held, or ""."""
        return self.metadata.get("value", "")

    @property
    def accepted(self) -> str:
        """What that field takes, or ""."""
        return self.metadata.get("accepted", "")


class InvalidFieldError(LivndError, ValueError):
    """A count, dtype, shape, length, name or bound is wrong; nothing has changed."""


class UnknownParameterError(InvalidFieldError, KeyError):
    """A parameter is set that is none; nothing has changed."""

    __str__ = Exception.__str__  # a KeyError shows its text in quotes


class BadFileError(LivndError, ValueError):
    """A file on this machine has what nothing can be made of; nothing has been read from it.

    `field` is the place in it (a column, a path in HDF5), `value` what is there.
    """

    @property
    def file(self) -> str:
        """The file's path."""
        return self.metadata.get("file", "")


class MissingExtraError(LivndError, ImportError):
    """A package is needed that plain installations lack; the message has the pip command."""


class NoDisplayError(LivndError, RuntimeError):
    """There is nothing to open a window on, or nothing to open one with."""


class UnknownEnvironmentError(LivndError, LookupError):
    """The server has no such environment; `accepted` lists what it has.

    Where a system cannot carry a task, the message says why.
    """


class UnknownSystemError(LivndError, LookupError):
    """The server has no such system; `accepted` lists what it has."""


class UnknownSessionError(LivndError, LookupError):
    """The session was deleted, unused for too long, lost to the server, or is not the caller's.

    It does not come back: make a new one. An environment's reset() does.
    """


class UnauthenticatedError(LivndError, PermissionError):
    """The server asks its callers for a token, and did not get one that it knows."""


class NotAdminError(LivndError, PermissionError):
    """The call is for who looks after the server."""


class SupersededError(LivndError):
    """Somebody has attached to the session since, and drives it now; nothing has changed."""


class UnknownRecordingError(LivndError, LookupError):
    """The caller's tenant has no such recording."""


class AlreadyRecordingError(LivndError):
    """The session is being recorded; stop_recording() first."""


class NotRecordingError(LivndError):
    """The session is not being recorded."""


class RecordingUnderWayError(LivndError):
    """The recording still grows: stop it, or close its session, first."""


class BadRecordingError(LivndError):
    """The recording's file is damaged."""


class StateNotWrittenError(LivndError):
    """The server cannot write down what it does: its disk is full, say.

    Nothing has changed; unless it is in_doubt: then the operation was done, and the same one again
    is answered once that is written down.
    """


class PayloadMismatchError(LivndError):
    """An op_index or request_id was used again with another payload."""


class WrongOpIndexError(LivndError):
    """The operation is not the session's next one; `expected` is the right index."""

    @property
    def expected(self) -> int | None:
        """The op_index that the session's next operation must carry."""
        text = self.metadata.get("expected", "")
        return int(text) if text else None


class NotResetError(LivndError):
    """A copy was never reset."""


class EpisodeEndedError(LivndError):
    """A copy's episode has ended and the mode is DISABLED: reset it."""


class CapacityError(LivndError):
    """The server has no room for more sessions, copies or waiting calls."""


class OutOfMemoryError(CapacityError):
    """The call needs more memory (`value`) than the server has left (`accepted`)."""


class QuotaExceededError(CapacityError):
    """The caller's tenant has as much as it may have; `field` names the quota."""


class TooManySpikesError(CapacityError):
    """A run had more spikes than one answer holds; it has not happened: run shorter."""


class NumericalFailureError(LivndError, ArithmeticError):
    """A culture's numbers left their range, and it waits for a clear.

    Attributes:
        run: what Env.run() had recorded until then, or None.
    """

    run: Any = None


class RunStartedError(LivndError, RuntimeError):
    """The change is possible at time 0 only: clear the culture first."""


class BadSystemError(LivndError):
    """A file of the system has what no culture can be made of; the server's owner can mend it."""

    @property
    def file(self) -> str:
        """The file's path on the server; `field` is the place in it."""
        return self.metadata.get("file", "")


class NotACultureError(LivndError):
    """The call is for sessions on a culture, and this one's environment has a task."""


class NotATaskError(LivndError):
    """The call is for sessions on an environment with a task, and this one is on a culture."""


class MessageTooLargeError(LivndError):
    """A message is larger than the server's caps (ServerInfo); found before it is sent."""


class ServerUnavailableError(LivndError, ConnectionError):
    """No answer: nobody at the address, the server is ending, or a deadline passed."""


class ServerTooOldError(LivndError, NotImplementedError):
    """The server does not know the call: it is older than this client."""


class OwnServerEndedError(ServerUnavailableError):
    """The client's own server is gone, and its sessions with it; the next call starts another."""


class UnknownOutcomeError(LivndError):
    """The operation before this one got no answer, and this one is another: see Session.step."""


class AnswerLostError(LivndError):
    """The operation was done, once, and its answer cannot be had any more: others came after it.

    Only where several steps of a session were sent ahead and the connection broke. observe() tells
    where the session stands.
    """


class NothingSentError(LivndError, RuntimeError):
    """There are fewer answers on their way than were to be received."""


class ServerStartError(LivndError):
    """The package could not start a server of its own; the message says what it tried."""


class SnapshotMismatchError(LivndError):
    """The snapshot is of another environment, of other physics or of another system."""


class ServerMismatchError(LivndError):
    """Servers of a fleet have other physics, or other files of a system; `address` says which."""

    @property
    def address(self) -> str:
        """Of the server that differs from the first one."""
        return self.metadata.get("address", "")


class ForkedProcessError(LivndError):
    """The object was made in another process, or gRPC cannot be used in this fork at all."""


class ConcurrentCallError(LivndError, RuntimeError):
    """Another thread is in a call of this session, which takes one caller at a time."""


class ClosedError(LivndError):
    """The client, session or environment was closed."""


def invalid_field(field: str, value: object, accepted: str) -> InvalidFieldError:
    """The error for what the client itself can see is wrong, before it sends it."""
    return InvalidFieldError(
        f"{field} is {value!r}; accepted: {accepted}",
        reason="INVALID_FIELD",
        code="INVALID_ARGUMENT",
        metadata={"field": field, "value": str(value), "accepted": accepted},
    )


def bad_file(file: object, field: str, value: object, accepted: str) -> BadFileError:
    """The error for a file of this machine that has `value` where something else is taken."""
    where = f"{file}: {field}" if field else str(file)
    return BadFileError(
        f"{where} is {value}; accepted: {accepted}",
        reason="BAD_FILE",
        metadata={"file": str(file), "field": field, "value": str(value), "accepted": accepted},
    )


_BY_REASON: dict[str, type[LivndError]] = {
    "INVALID_FIELD": InvalidFieldError,
    "UNKNOWN_ENVIRONMENT": UnknownEnvironmentError,
    "UNKNOWN_SYSTEM": UnknownSystemError,
    "UNKNOWN_SESSION": UnknownSessionError,
    "UNKNOWN_RECORDING": UnknownRecordingError,
    "ALREADY_RECORDING": AlreadyRecordingError,
    "NOT_RECORDING": NotRecordingError,
    "RECORDING_UNDER_WAY": RecordingUnderWayError,
    "BAD_RECORDING": BadRecordingError,
    "PAYLOAD_MISMATCH": PayloadMismatchError,
    "WRONG_OP_INDEX": WrongOpIndexError,
    "NOT_RESET": NotResetError,
    "EPISODE_ENDED": EpisodeEndedError,
    "NOT_A_CULTURE": NotACultureError,
    "NOT_A_TASK": NotATaskError,
    "ANSWER_TOO_LARGE": MessageTooLargeError,
    "NUMERICAL_FAILURE": NumericalFailureError,
    "RUN_STARTED": RunStartedError,
    "BAD_SYSTEM": BadSystemError,
    "TOO_MANY_SPIKES": TooManySpikesError,
    "TOO_MANY_SESSIONS": CapacityError,
    "TOO_MANY_ENVS": CapacityError,
    "TOO_MANY_CALLS": CapacityError,
    "TOO_BUSY": CapacityError,
    "OUT_OF_MEMORY": OutOfMemoryError,
    "QUOTA_EXCEEDED": QuotaExceededError,
    "MESSAGE_TOO_LARGE": MessageTooLargeError,
    "UNKNOWN_METHOD": ServerTooOldError,
    "SNAPSHOT_MISMATCH": SnapshotMismatchError,
    "UNAUTHENTICATED": UnauthenticatedError,
    "NOT_ADMIN": NotAdminError,
    "SHUTTING_DOWN": ServerUnavailableError,
    "STATE_NOT_WRITTEN": StateNotWrittenError,
    "SUPERSEDED": SupersededError,
}

_CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}

# Where the transport spoke and there is no ErrorInfo.
_BY_CODE: dict[grpc.StatusCode, type[LivndError]] = {
    grpc.StatusCode.RESOURCE_EXHAUSTED: MessageTooLargeError,
    grpc.StatusCode.UNAUTHENTICATED: UnauthenticatedError,
    grpc.StatusCode.UNIMPLEMENTED: ServerTooOldError,
    grpc.StatusCode.UNAVAILABLE: ServerUnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: ServerUnavailableError,
}


def from_rpc_error(error: grpc.RpcError, method: str) -> LivndError:
    """The typed exception for a failed call."""
    details = next(
        (v for k, v in error.trailing_metadata() or () if k == "grpc-status-details-bin"), b""
    )
    return _typed(error.code(), error.details(), details, method)


def from_status(status: bytes, method: str) -> LivndError:
    """The typed exception for an error that came as a serialized google.rpc.Status."""
    try:
        told = RpcStatus.FromString(status)
        code, text = _CODES.get(told.code, grpc.StatusCode.UNKNOWN), told.message
    except Exception:  # a peer's garbage
        code, text = grpc.StatusCode.UNKNOWN, ""
    return _typed(code, text, status, method)


def _typed(code: grpc.StatusCode, text: str | None, status: bytes, method: str) -> LivndError:
    kind, reason = _BY_CODE.get(code, LivndError), ""
    metadata: dict[str, str] = {}
    info, retry_after_s = _error_details(status)
    if info is not None:
        reason = info.reason
        kind = _BY_REASON.get(reason, LivndError)
        metadata = dict(info.metadata)
    text = text or code.name
    if kind is ServerTooOldError:
        text += "; the server is older than this client: install the same version of both"
    unsaid = [
        f"{name}: {metadata[name]}"
        for name in ("field", "value", "accepted")
        if metadata.get(name, "") not in text
    ]
    if unsaid:
        text += f" ({'; '.join(unsaid)})"
    result = kind(f"{method}: {text}", reason=reason, code=code.name, metadata=metadata)
    result.retry_after_s = retry_after_s
    # A server that gives a reason has done nothing; unless the reason is a defect of its own, or
    # that it could not keep what it did.
    result.in_doubt = (
        code == grpc.StatusCode.INTERNAL
        or (reason == "STATE_NOT_WRITTEN" and code == grpc.StatusCode.UNAVAILABLE)
        or (info is None and code != grpc.StatusCode.UNIMPLEMENTED)
    )
    return result


def is_repeated(error: LivndError) -> bool:
    """Whether a client makes the same call again by itself: error_reason.proto lists when."""
    return (
        error.code == "UNAVAILABLE"
        or error.retry_after_s is not None
        or (error.code == "RESOURCE_EXHAUSTED" and not error.reason)
    )


def _error_details(status: bytes) -> tuple[Any, float | None]:
    """The ErrorInfo, and the delay of the RetryInfo in seconds."""
    info, retry_after_s = None, None
    try:
        for detail in RpcStatus.FromString(status).details:
            if detail.type_url.endswith("/google.rpc.ErrorInfo"):
                found = ErrorInfo.FromString(detail.value)
                if found.domain == _DOMAIN:
                    info = found
            elif detail.type_url.endswith("/google.rpc.RetryInfo"):
                delay = RetryInfo.FromString(detail.value).retry_delay
                retry_after_s = max(0.0, delay.seconds + delay.nanos * 1e-9)
    except Exception:  # a peer's garbage must not hide the status itself
        return None, None
    return info, retry_after_s
