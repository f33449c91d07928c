"""A server between a client and a real server that loses what a test tells it to lose."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent import futures
from dataclasses import dataclass
from urllib.parse import quote

import grpc
from livnd._proto import ErrorInfo, RetryInfo, RpcStatus

OPERATIONS = {"Reset", "Step", "Run", "Clear", "Configure", "Restore"}


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


class LossyProxy:
    """Carries calls of all methods; operations meet the fates of `fates`, one each.

    Attributes:
        address: "unix:PATH".
        fates: what becomes of the next operations; those after them are answered.
        num_operations: that have come from the client, repeats included.
        methods: which method the server is asked for in place of another, by their paths.
    """

    def __init__(self, path: str, upstream: str) -> None:
        self.address = f"unix:{path}"
        self.fates: deque[Fate] = deque()
        self.num_operations = 0
        self.methods: dict[str, str] = {}
        self._lock = threading.Lock()
        self._upstream = grpc.insecure_channel(upstream)
        self._stubs = {}
        self._server = grpc.server(futures.ThreadPoolExecutor(4))
        self._server.add_generic_rpc_handlers((AllCalls(self._carry),))
        assert self._server.add_insecure_port(f"unix:{quote(path)}")
        self._server.start()

    def _carry(self, method: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        fate = ANSWERED
        if method.rpartition("/")[2] in OPERATIONS:
            with self._lock:
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
                status = RpcStatus(code=fate.code.value[0])
                info = ErrorInfo(domain="livnd", reason=fate.reason)
                status.details.add(
                    type_url="type.googleapis.com/google.rpc.ErrorInfo",
                    value=info.SerializeToString(),
                )
                if fate.retry_after_s is not None:
                    retry = RetryInfo()
                    retry.retry_delay.nanos = round(fate.retry_after_s * 1e9)
                    status.details.add(
                        type_url="type.googleapis.com/google.rpc.RetryInfo",
                        value=retry.SerializeToString(),
                    )
                context.set_trailing_metadata(
                    (("grpc-status-details-bin", status.SerializeToString()),)
                )
            context.abort(fate.code, "lost")
        return response

    def close(self) -> None:
        self._server.stop(0).wait()
        self._upstream.close()


class AllCalls(grpc.GenericRpcHandler):
    """Has `carry` answer them: of a method's path, a request and the call's context."""

    def __init__(self, carry: Callable[[str, bytes, grpc.ServicerContext], bytes]) -> None:
        self._carry = carry

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: self._carry(details.method, request, context)
        )
