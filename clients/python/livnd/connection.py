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

from livnd import addresses, local_server
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
_MAX_BACKOFF_S = 1.0


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
        retry_s: how long after its first failure a call is repeated, with growing pauses, while the
            server is away or ending (UNAVAILABLE) or has no room for one more call of the session
            (TOO_MANY_CALLS); nothing else is repeated. Every call of the protocol may be: what
            changes a session carries its op_index, and is done once.
        threads: how many of an own server's shall simulate; None: LIVND_THREADS, or one for each
            core that this process may use. Clients who want the same number share a server.
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
        threads: int | None = None,
    ) -> None:
        self._address = None if address is None else addresses.parse(address)
        self._threads = _own_threads(threads, address)
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
        return f"{type(self).__name__}({self.address or 'own server'})"

    @property
    def address(self) -> str | None:
        """Where the server is; None for an own server that is not started yet."""
        return None if self._address is None else self._address.text

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
        give_up: float | None = None
        backoff_s = _FIRST_BACKOFF_S
        in_doubt = False  # after any attempt
        while True:
            try:
                return self._attempt(method, payload, timeout_s)
            except LivndError as error:
                repeat = error.code == "UNAVAILABLE" or error.reason == "TOO_MANY_CALLS"
                # The answer to a repeat is the answer to the call, unless it is none.
                in_doubt = error.in_doubt or (in_doubt and repeat)
                error.in_doubt = in_doubt
                self._check_own_server(method, error)
                now = time.monotonic()
                give_up = now + self._retry_s if give_up is None else give_up
                if not repeat or now >= give_up:
                    raise
                line_is_broken = error.reason == "UNAVAILABLE"
            time.sleep(min(backoff_s * random.uniform(0.5, 1.0), give_up - now))
            backoff_s = min(2 * backoff_s, _MAX_BACKOFF_S)
            if line_is_broken and self._server is None:
                # A broken line is mended while a call waits for it.
                with contextlib.suppress(LivndError):
                    self._ask_server(max(0.0, give_up - time.monotonic()))

    def _check_own_server(self, method: str, error: LivndError) -> None:
        if self._server is not None and not self._server.alive():
            dead = ServerUnavailableError(
                f"{method}: the client's own server {self._server.why_dead()}",
                reason=error.reason,
                code=error.code,
            )
            dead.in_doubt = error.in_doubt
            raise dead from error

    def _ask_server(self, patience_s: float) -> Any:
        """GetServerInfo, as soon as there is somebody to ask, for so long."""
        return self._attempt("GetServerInfo", b"", patience_s, wait_for_ready=True)

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
            if self._address is None:
                self._server = local_server.acquire(self._threads)
                self._address = addresses.parse(self._server.address)
            self._channel = grpc.insecure_channel(
                self._address.target, _channel_options(self._address)
            )
            self._finalizer = weakref.finalize(
                self, _dispose, self._channel, self._server, self._pid
            )
            self._finalizer.atexit = False  # _close_all does that, sessions first
        try:
            response = self._ask_server(self._connect_timeout_s)
        except ServerUnavailableError as error:
            raise ServerUnavailableError(
                f"no livnd server answers at {self.address} (waited "
                f"{self._connect_timeout_s:g} s){_proxy_hint(self._address)}. Start one with: "
                f"livnd serve --listen {self.address} --state-dir DIR --systems DIR",
                reason=error.reason,
                code=error.code,
            ) from error
        except LivndError as error:
            if error.code == "UNIMPLEMENTED":
                raise LivndError(
                    f"what answers at {self.address} is no livnd server, or another version of "
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

        An own server that nobody else in this process uses ends at once, with whatever it runs.
        In a forked child it only marks the child's copy as closed.
        """
        if self._closed:
            return
        if os.getpid() == self._pid and not self._server_ends_too():
            for name in list(self._sessions):
                self.delete_session(name)
        self._closed = True
        if self._finalizer is not None:
            self._finalizer()

    def _server_ends_too(self) -> bool:
        """Whether the server's end comes next, so that it need not be asked to forget sessions.

        To ask could mean to wait: a session is deleted after the run that it is in.
        """
        return self._server is not None and local_server.is_last_reference(self._server)

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


def _own_threads(threads: int | None, address: str | None) -> int | None:
    if threads is None:
        return None
    if address is not None:
        raise invalid_field("threads", threads, f"None: the server at {address} has its own")
    most = local_server.MAX_THREADS
    if isinstance(threads, bool) or not hasattr(threads, "__index__") or not 1 <= threads <= most:
        raise invalid_field("threads", threads, f"1 .. {most}")
    return int(threads)


def _proxy_hint(address: addresses.Address) -> str:
    variable = address.proxy_variable()
    if not variable:
        return ""
    return (
        f"; the environment variable {variable} sends calls through the proxy "
        f"{os.environ[variable]}: unset it, or add {address.host} to no_proxy"
    )


def _channel_options(address: addresses.Address) -> list[tuple[str, int]]:
    options = [
        # The server's caps hold in both directions; the client checks them before it sends.
        ("grpc.max_send_message_length", -1),
        ("grpc.max_receive_message_length", -1),
        # Come back soon to a server that comes back.
        ("grpc.initial_reconnect_backoff_ms", 50),
        ("grpc.max_reconnect_backoff_ms", 500),
        # In spite of its name: how long one attempt to connect may take.
        ("grpc.min_reconnect_backoff_ms", 5000),
        # One connection a client: closing it or forking beside it touches nobody else's.
        ("grpc.use_local_subchannel_pool", 1),
    ]
    if not address.proxy_variable():
        options.append(("grpc.enable_http_proxy", 0))
    return options


_connections: weakref.WeakSet[Connection] = weakref.WeakSet()


def _close_all() -> None:
    local_server.stop_all()
    for connection in list(_connections):
        connection.close()


# After local_server's, so that it runs before it.
atexit.register(_close_all)
