"""The connection to a server: one channel, calls, retries, the end. The verbs are in client.py."""

from __future__ import annotations

import atexit
import contextlib
import os
import random
import threading
import time
import weakref
from typing import Any

import grpc

from livnd import local_server
from livnd._proto import METHODS, pb
from livnd.errors import (
    ClosedError,
    ForkedProcessError,
    LivndError,
    MessageTooLargeError,
    ServerUnavailableError,
    from_rpc_error,
    invalid_field,
)
from livnd.specs import ServerInfo

_FIRST_BACKOFF_S = 0.05
_MAX_BACKOFF_S = 2.0
_MAX_DEADLINES = 3  # calls that may run into their deadline before the client gives up


class Connection:
    """A connection to one livnd server. Thread-safe; a context manager.

    Nothing is connected, and no server started, before the first call. A client belongs to the
    process that made it: after a fork every use in the child is a ForkedProcessError.

    Args:
        address: "unix:PATH" or "HOST:PORT"; None starts (or joins) this process's own server.
        timeout_s: deadline of one attempt of a call.
        run_timeout_s: the same for the run of a culture, which may simulate for long.
        create_timeout_s: the same for create_session, which may have to settle a large culture.
        connect_timeout_s: how long the first call waits for the server to appear.
        retry_s: how long a call is repeated while the server is away. Every call of the protocol
            may be repeated: what changes a session carries its op_index, and is done once.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        timeout_s: float = 60.0,
        run_timeout_s: float = 600.0,
        create_timeout_s: float = 600.0,
        connect_timeout_s: float = 10.0,
        retry_s: float = 15.0,
    ) -> None:
        self._target = None if address is None else _target(address)
        self._timeout_s = timeout_s
        self.run_timeout_s = run_timeout_s
        self._create_timeout_s = create_timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._retry_s = retry_s
        self._pid = os.getpid()
        self._closed = False
        self._server: local_server.LocalServer | None = None
        self._channel: grpc.Channel | None = None
        self._stubs: dict[str, Any] = {}
        self._info: ServerInfo | None = None
        self._connecting = threading.Lock()
        self._sessions: set[str] = set()  # names, also of those that nobody holds any more
        self._finalizer: weakref.finalize | None = None
        _connections.add(self)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._target or 'own server'})"

    @property
    def address(self) -> str | None:
        """Where the server is; None for an own server that is not started yet."""
        return self._target

    def server_info(self) -> ServerInfo:
        """Versions and limits, asked once per client.

        Raises:
            ServerUnavailableError: no server answers at the address.
            ServerStartError: no own server could be started.
        """
        self._check_usable()
        with self._connecting:
            if self._info is None:
                self._info = self._connect()
            return self._info

    # --- calls ---------------------------------------------------------------------------------

    def call(self, method: str, request: Any, *, timeout_s: float | None = None) -> Any:
        """One call of the protocol, repeated while the server is away; returns its message.

        Args:
            method: "Step", "GetServerInfo" and so on.
            request: the method's request message, or its serialized bytes.
            timeout_s: deadline of one attempt; the client's own by default.

        Raises:
            MessageTooLargeError: larger than the server takes; nothing was sent.
            ServerUnavailableError: no answer within the client's limits.
            LivndError: as the server answered; see livnd.errors.
        """
        payload = request if isinstance(request, bytes) else request.SerializeToString()
        cap = self.server_info().max_receive_message_bytes
        if len(payload) > cap:
            raise MessageTooLargeError(
                f"{method}: the request has {len(payload)} bytes, the server takes {cap}; "
                "use fewer copies in a session",
                reason="MESSAGE_TOO_LARGE",
                metadata={"field": method, "value": str(len(payload)), "accepted": f"0 .. {cap}"},
            )
        timeout_s = self._timeout_s if timeout_s is None else timeout_s
        give_up = time.monotonic() + self._retry_s
        backoff_s = _FIRST_BACKOFF_S
        deadlines = 0
        while True:
            try:
                return self._attempt(method, payload, timeout_s)
            except ServerUnavailableError as error:
                deadlines += error.code == "DEADLINE_EXCEEDED"
                if self._server is not None and not self._server.alive():
                    raise ServerUnavailableError(
                        f"{method}: the client's own server {self._server.why_dead()}",
                        reason=error.reason,
                        code=error.code,
                    ) from error
                if time.monotonic() + backoff_s > give_up and error.code != "DEADLINE_EXCEEDED":
                    raise
                if deadlines >= _MAX_DEADLINES:
                    raise
            time.sleep(backoff_s * random.uniform(0.5, 1.0))
            backoff_s = min(2 * backoff_s, _MAX_BACKOFF_S)

    def _attempt(self, method: str, payload: bytes, timeout_s: float, **options: Any) -> Any:
        self._check_usable()
        stub = self._stubs.get(method)
        if stub is None:
            # The request goes as bytes: what is repeated is the same to the last bit.
            stub = self._channel.unary_unary(
                METHODS[method].path, None, METHODS[method].response.FromString
            )
            self._stubs[method] = stub
        try:
            return stub(payload, timeout=timeout_s, **options)
        except grpc.RpcError as error:
            raise from_rpc_error(error, method) from None
        except ValueError:  # grpc's word for a channel that another thread has closed
            self._check_usable()
            raise

    def _connect(self) -> ServerInfo:
        if self._channel is None:
            if self._target is None:
                self._server = local_server.acquire()
                self._target = self._server.address
            self._channel = grpc.insecure_channel(self._target, _channel_options(self._target))
            self._finalizer = weakref.finalize(
                self, _dispose, self._channel, self._server, self._pid
            )
            self._finalizer.atexit = False  # _close_all does that, sessions first
        try:
            response = self._attempt(
                "GetServerInfo", b"", self._connect_timeout_s, wait_for_ready=True
            )
        except ServerUnavailableError as error:
            raise ServerUnavailableError(
                f"no livnd server answers at {self._target} (waited "
                f"{self._connect_timeout_s:g} s). Start one with: "
                f"livnd serve --listen {self._target} --state-dir DIR --systems DIR",
                reason=error.reason,
                code=error.code,
            ) from error
        except LivndError as error:
            if error.code == "UNIMPLEMENTED":
                raise LivndError(
                    f"what answers at {self._target} is no livnd server, or another version of "
                    "its protocol than livnd.v1",
                    code=error.code,
                ) from error
            raise
        return ServerInfo.from_message(response)

    def _check_usable(self) -> None:
        if os.getpid() != self._pid:
            raise ForkedProcessError(
                f"this client was made in process {self._pid} and cannot be used in its fork "
                f"{os.getpid()}: make a new environment or client there, or use num_envs=N in one "
                "vector environment instead of processes"
            )
        if self._closed:
            raise ClosedError("the client was closed")

    # --- the end -------------------------------------------------------------------------------

    def close(self) -> None:
        """Deletes the client's sessions and hangs up. Idempotent; never raises for a lost server.

        In a forked child it only marks the child's copy as closed.
        """
        if self._closed:
            return
        if os.getpid() == self._pid:
            for name in list(self._sessions):
                self.delete_session(name)
        self._closed = True
        if self._finalizer is not None:
            self._finalizer()

    def own_session(self, name: str) -> None:
        """Has close() delete the session, unless delete_session() does before."""
        self._sessions.add(name)

    def delete_session(self, name: str) -> None:
        """Best effort: a session that stays is let go by the server's idle timeout."""
        self._sessions.discard(name)
        request = pb.DeleteSessionRequest(session=name, allow_missing=True)
        # ValueError: the channel is closed already, late in the interpreter's end.
        with contextlib.suppress(LivndError, ValueError):
            self._attempt("DeleteSession", request.SerializeToString(), 2.0)


def _dispose(channel: grpc.Channel, server: local_server.LocalServer | None, pid: int) -> None:
    if os.getpid() != pid:
        return
    channel.close()
    if server is not None:
        local_server.release(server)


def _target(address: str) -> str:
    if not isinstance(address, str):
        raise invalid_field("address", address, '"unix:PATH" or "HOST:PORT"')
    if address.startswith("unix:"):
        path = address[len("unix:") :]
        if path:
            return "unix:" + os.path.abspath(path)
    else:
        host, colon, port = address.rpartition(":")
        if host and colon and port.isdigit():
            return address
    raise invalid_field("address", address, '"unix:PATH" or "HOST:PORT"')


def _channel_options(target: str) -> list[tuple[str, int]]:
    host = target.rpartition(":")[0].strip("[]")
    local = target.startswith("unix:") or host in ("localhost", "::1") or host.startswith("127.")
    options = [
        # The server's caps hold in both directions; the client checks them before it sends.
        ("grpc.max_send_message_length", -1),
        ("grpc.max_receive_message_length", -1),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2000),
        # One connection a client: closing it or forking beside it touches nobody else's.
        ("grpc.use_local_subchannel_pool", 1),
    ]
    if local:
        options.append(("grpc.enable_http_proxy", 0))
    return options


_connections: weakref.WeakSet[Connection] = weakref.WeakSet()


def _close_all() -> None:
    for connection in list(_connections):
        connection.close()


# After local_server's, so that it runs before it.
atexit.register(_close_all)
