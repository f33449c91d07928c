"""Serving the protocol's messages from Python: toys and proxies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent import futures
from typing import Any
from urllib.parse import quote

import grpc

from livnd._proto import METHODS, ErrorInfo, RetryInfo, RpcStatus

_TYPE = "type.googleapis.com/google.rpc."


class Refusal(Exception):
    """The status and the ErrorInfo that a call is answered with.

    Args:
        code: a gRPC status by name, "NOT_FOUND".
        reason: of error_reason.proto, without "ERROR_REASON_".
        metadata: of the ErrorInfo: "field", "value", "accepted" and so on.
    """

    def __init__(self, code: str, reason: str, **metadata: str) -> None:
        super().__init__(f"{reason} {metadata or ''}".rstrip())
        self.code = grpc.StatusCode[code]
        self.reason = reason
        self.metadata = metadata


def refuse(
    context: grpc.ServicerContext,
    code: grpc.StatusCode,
    text: str,
    reason: str,
    metadata: Mapping[str, str] = {},
    retry_after_s: float | None = None,
) -> None:
    """Ends a call with a google.rpc.Status; does not return."""
    info = ErrorInfo(domain="livnd", reason=reason, metadata=metadata)
    status = RpcStatus(code=code.value[0], message=text)
    status.details.add(type_url=f"{_TYPE}ErrorInfo", value=info.SerializeToString())
    if retry_after_s is not None:
        retry = RetryInfo()
        retry.retry_delay.nanos = round(retry_after_s * 1e9)
        status.details.add(type_url=f"{_TYPE}RetryInfo", value=retry.SerializeToString())
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, text)


class AllCalls(grpc.GenericRpcHandler):
    """Has `carry` answer them: of a method's path, a request and the call's context."""

    def __init__(self, carry: Callable[[str, bytes, grpc.ServicerContext], bytes]) -> None:
        self._carry = carry

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: self._carry(details.method, request, context)
        )


def serve(address: str, answer: Callable[[str, Any], Any], num_threads: int = 4) -> grpc.Server:
    """A server that has started, on "unix:PATH" or "HOST:PORT"; stop() ends it.

    Args:
        address: where to listen.
        answer: the message that answers a request, by the method's name; its Refusal is told, and a
            request that is no message has not reached it.
        num_threads: that call it.

    Raises:
        OSError: nobody can listen at the address.
    """

    def carry(path: str, payload: bytes, context: grpc.ServicerContext) -> bytes:
        name = path.rpartition("/")[2]
        if name not in METHODS or METHODS[name].path != path or METHODS[name].is_stream:
            refuse(context, grpc.StatusCode.UNIMPLEMENTED, f"no {path}", "UNKNOWN_METHOD")
        try:
            request = METHODS[name].request.FromString(payload)
        except Exception:
            code = grpc.StatusCode.INVALID_ARGUMENT
            refuse(context, code, f"no request of {name}", "MALFORMED_MESSAGE")
        try:
            return answer(name, request).SerializeToString()
        except Refusal as error:
            refuse(context, error.code, str(error), error.reason, error.metadata)
            raise  # refuse() does not return

    return listen(address, carry, num_threads)


def listen(
    address: str, carry: Callable[[str, bytes, grpc.ServicerContext], bytes], num_threads: int = 4
) -> grpc.Server:
    """As serve(), for answers in bytes, by the method's path."""
    server = grpc.server(futures.ThreadPoolExecutor(num_threads))
    server.add_generic_rpc_handlers((AllCalls(carry),))
    target = f"unix:{quote(address[5:])}" if address.startswith("unix:") else address
    try:
        bound = server.add_insecure_port(target)
    except RuntimeError:
        bound = 0
    if not bound:
        raise OSError(f"cannot listen at {address}")
    server.start()
    return server
