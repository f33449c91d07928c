"""A server between a client and a real server that loses what it is told to lose."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import grpc

from livnd.conformance.serving import listen, refuse

OPERATIONS = {
    *("Reset", "Step", "Run", "Clear", "Configure", "Restore"),
    *("StartRecording", "StopRecording"),
}


@dataclass(frozen=True)
class Fate:
    """What becomes of one call."""

    reaches_server: bool = True
    code: grpc.StatusCode | None = None  # what the client gets; None: the answer
    reason: str = ""  # of the server's ErrorInfo; "" for a failure of the transport
    delay_s: float = 0.0  # before the client gets it
    retry_after_s: float | None = None  # of the server's RetryInfo


ANSWERED = Fate()
REQUEST_LOST = Fate(False, grpc.StatusCode.UNAVAILABLE)
ANSWER_LOST = Fate(True, grpc.StatusCode.UNAVAILABLE)


@dataclass(frozen=True)
class Heard:
    """A call that a client made."""

    method: str
    request: bytes
    at_s: float  # of a monotonic clock


class LossyProxy:
    """Carries calls of all methods but streams; some meet the fates of `fates`, one each.

    Args:
        path: of its socket.
        upstream: address of the real server.
        fated: the methods whose calls meet fates.

    Attributes:
        address: "unix:PATH".
        fates: what becomes of the next operations; those after them are answered.
        num_operations: fated calls that have come from the client, repeats included.
        heard: all of its calls, in order.
        methods: which method the server is asked for in place of another, by their paths.
    """

    def __init__(
        self, path: str, upstream: str, fated: Collection[str] = frozenset(OPERATIONS)
    ) -> None:
        self.address = f"unix:{path}"
        self.fates: deque[Fate] = deque()
        self.num_operations = 0
        self.heard: list[Heard] = []
        self._fated = fated
        self.methods: dict[str, str] = {}
        self._lock = threading.Lock()
        self._upstream = grpc.insecure_channel(upstream)
        self._stubs: dict[str, Any] = {}
        self._server = listen(self.address, self._carry)

    def _carry(self, method: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        fate = ANSWERED
        name = method.rpartition("/")[2]
        with self._lock:
            self.heard.append(Heard(name, request, time.monotonic()))
            if name in self._fated:
                self.num_operations += 1
                fate = self.fates.popleft() if self.fates else ANSWERED
        response = b""
        if fate.reaches_server:
            method = self.methods.get(method, method)
            stub = self._stubs.setdefault(method, self._upstream.unary_unary(method))
            try:
                response = stub(request, timeout=60)
            except grpc.RpcError as error:
                if fate.code is None:
                    context.set_trailing_metadata(error.trailing_metadata())
                    context.abort(error.code(), error.details())
        time.sleep(fate.delay_s)
        if fate.code is not None:
            if fate.reason:
                refuse(context, fate.code, "lost", fate.reason, retry_after_s=fate.retry_after_s)
            context.abort(fate.code, "lost")
        return response

    def close(self) -> None:
        self._server.stop(0).wait()
        self._upstream.close()
