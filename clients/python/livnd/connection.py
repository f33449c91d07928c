"""The connection to a server: calls, retries, the end. The verbs are in client.py."""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import grpc

from livnd import addresses, checks, cleanup, local_server
from livnd.credentials import Credentials
from livnd.errors import (
    ClosedError,
    ForkedProcessError,
    LivndError,
    MessageTooLargeError,
    OwnServerEndedError,
    ServerUnavailableError,
    from_rpc_error,
    invalid_field,
    is_repeated,
)
from livnd.line import Line
from livnd.patience import Patience
from livnd.specs import ServerInfo

_Connection = TypeVar("_Connection", bound="Connection")  # what inherits from it


class Connection:
    """A connection to one livnd server. Thread-safe; a context manager.

    Nothing is connected, and no server started, before the first call. Where the client's own
    server ends before the client, the call that finds it out is an OwnServerEndedError, and the
    next one starts another. A client belongs to the process that made it: after a fork every use in
    the child is a ForkedProcessError. It is copied and pickled by its arguments, without its
    sessions. Where it holds sessions, a thread of its own renews their leases.

    Args:
        address: "unix:PATH" or "HOST:PORT"; None starts (or joins) this process's own server.
        timeout_s: deadline of one attempt of a call.
        run_timeout_s: the same for the run of a culture, which may simulate for long.
        create_timeout_s: the same for create_session, which may have to settle a large culture.
        connect_timeout_s: how long the first call waits for the server to appear.
        retry_s: how long after its first failure a call is repeated, with growing pauses, while the
            server is away or ending (UNAVAILABLE), has asked for it because it has no room at the
            moment (retry_after_s of the error says after how long), or has broken off a call for
            want of memory (RESOURCE_EXHAUSTED without a reason); nothing else is repeated. Every
            call of the protocol may be: what changes a session carries its op_index, and is done
            once.
        threads: how many of an own server's shall simulate; None: LIVND_THREADS, or one for each
            core that this process may use. Clients who want the same number share a server.
        systems: the folder that an own server serves, the same for clients that share one; None:
            LIVND_SYSTEMS, or the systems that come with the package.
        find_address: asked where the server is by now when the line breaks, for one that may come
            back elsewhere; `address` is where it is first.
        token: names the caller to a server that asks for one ("lines 'TOKEN TENANT'" there).
        token_file: a file that holds the token alone; read again when the server refuses it.
        tls_ca: call with TLS: a file of the CAs, in PEM, to one of which the server's certificate
            has to lead. It names the host as the address does; "localhost" for a Unix socket.
        tls_cert, tls_key: files of a certificate to show, and its private key, in PEM. All three
            are read again when the line breaks.

    What the last five leave open the environment says: LIVND_TOKEN or LIVND_TOKEN_FILE,
    LIVND_TLS_CA, LIVND_TLS_CERT, LIVND_TLS_KEY; "" is none, whatever it says. An own server takes
    none of them. A pickle holds the paths, and a token that was given as text; where it is
    unpickled, files and environment are those of that place. Without TLS a token crosses the
    network in clear.
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
        token: str | None = None,
        token_file: str | None = None,
        tls_ca: str | None = None,
        tls_cert: str | None = None,
        tls_key: str | None = None,
        systems: str | os.PathLike[str] | None = None,
        find_address: Callable[[], str] | None = None,
    ) -> None:
        self._address = None if address is None else addresses.parse(address)
        self._threads = _own_threads(threads, address)
        self._systems = _own_systems(systems, address)
        self._credentials = Credentials.parse(
            token=token, token_file=token_file, tls_ca=tls_ca, tls_cert=tls_cert, tls_key=tls_key
        )
        if address is None:
            for field, value in self._credentials.arguments().items():
                if value:
                    raise checks.wrong(
                        field, None if field == "token" else value, "None without an address"
                    )
        self._timeout_s = checks.limit("timeout_s", timeout_s)
        self.run_timeout_s = checks.limit("run_timeout_s", run_timeout_s)
        self._create_timeout_s = checks.limit("create_timeout_s", create_timeout_s)
        self._connect_timeout_s = checks.limit("connect_timeout_s", connect_timeout_s)
        self._retry_s = checks.limit("retry_s", retry_s)
        self._find_address = find_address
        self._pid = os.getpid()
        self._closed = False
        self._connecting = threading.Lock()
        self._line: Line | None = None  # set, and set again, with _connecting held
        self._finalizer: weakref.finalize[Any, Any] | None = None  # of the line
        _connections.add(self)

    def __enter__(self: _Connection) -> _Connection:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address or 'own server'})"

    def __reduce__(self) -> Any:
        self.check_usable()
        return _make, (type(self), self._address and self._address.text, self._limits)

    @property
    def _limits(self) -> dict[str, Any]:
        return {
            "timeout_s": self._timeout_s,
            "run_timeout_s": self.run_timeout_s,
            "create_timeout_s": self._create_timeout_s,
            "connect_timeout_s": self._connect_timeout_s,
            "retry_s": self._retry_s,
            "threads": self._threads,
            "systems": self._systems,
            "find_address": self._find_address,
            **self._credentials.arguments(),
        }

    @property
    def timeout_s(self) -> float:
        """Deadline of one attempt of a call."""
        return self._timeout_s

    @property
    def retry_s(self) -> float:
        """How long after its first failure a call is repeated."""
        return self._retry_s

    @property
    def address(self) -> str | None:
        """Where the server is; None for an own server that is not started yet."""
        address = (self._line and self._line.address) or self._address
        return address.text if address else None

    def server_info(self) -> ServerInfo:
        """Versions and limits, asked once per server.

        Raises:
            ServerUnavailableError: no server answers at the address.
            ServerStartError: no own server could be started.
        """
        return self._connected().info

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
            OwnServerEndedError: the client's own server is gone, and its sessions with it.
            LivndError: as the server answered; see livnd.errors.
        """
        payload = request if isinstance(request, bytes) else request.SerializeToString()
        line = self._connected()
        check_size(method, payload, line.info)
        timeout_s = self._timeout_s if timeout_s is None else timeout_s
        patience: Patience | None = None
        in_doubt = False  # after any attempt
        while True:
            try:
                return line.attempt(method, payload, timeout_s)
            except LivndError as error:
                repeat = is_repeated(error)
                # The answer to a repeat is the answer to the call, unless it is none.
                in_doubt = error.in_doubt or (in_doubt and repeat)
                error.in_doubt = in_doubt
                if line.server_has_ended():
                    raise self.leave(line, method, error) from error
                patience = patience or Patience(self._retry_s)
                if not repeat or patience.next_try_s(error) is None:
                    raise
                line_is_broken = not error.reason
            patience.wait()
            self.check_usable()
            if line_is_broken and line.server is None:
                # A broken line is mended while a call waits for it.
                line.mend(patience.give_up_s - time.monotonic())

    def stream(self, method: str, request: Any, go_on: Callable[[Any, Any], None]) -> Iterator[Any]:
        """The answers of a call that has many; where the line breaks, asked for again.

        Args:
            method: "ReadRecording".
            request: the method's request message, which is changed.
            go_on: has the request ask for what follows an answer.

        Raises:
            As call(); no answer has to come within a time.
        """
        line = self._connected()
        patience: Patience | None = None
        while True:
            payload, metadata = request.SerializeToString(), line.metadata
            check_size(method, payload, line.info)
            call = line.read_stream(method, payload, metadata)
            try:
                for response in call:
                    go_on(request, response)
                    patience = None
                    yield response
                return
            except grpc.RpcError as error:
                failed = from_rpc_error(error, method)
            finally:
                call.cancel()
            failed.in_doubt = False  # nothing was changed
            if failed.code == "UNAUTHENTICATED" and line.has_renewed_token(metadata):
                continue
            if line.server_has_ended():
                raise self.leave(line, method, failed) from failed
            if failed.code == "CANCELLED":  # the line was opened anew
                failed = ServerUnavailableError(f"{method}: cut off", code="UNAVAILABLE")
            patience = patience or Patience(self._retry_s)
            if not is_repeated(failed) or patience.next_try_s(failed) is None:
                raise failed
            patience.wait()
            self.check_usable()
            if not failed.reason and line.server is None:
                line.mend(patience.give_up_s - time.monotonic())

    def line(self) -> Line:
        """The line to the server, which has answered; for what is no single call: StepStream."""
        return self._connected()

    def _connected(self) -> Line:
        self.check_usable()
        line = self._line
        if line is not None and line.info is not None:
            return line
        with self._connecting:
            if self._line is not None and self._line.info is None and self._line.server_has_ended():
                self._line.end()
                self._line = None
            if self._line is None:
                self._line = Line(
                    self._address,
                    self._threads,
                    self._credentials,
                    self._systems,
                    self._find_address,
                )
                self._finalizer = cleanup.when_collected(self, self._line.end)
            if self._line.info is None:
                self._line.info = self._first_answer(self._line)
            return self._line

    def _first_answer(self, line: Line) -> ServerInfo:
        try:
            return line.ask(self._connect_timeout_s)
        except ServerUnavailableError as error:
            raise ServerUnavailableError(
                f"no livnd server answers at {self.address} (waited {self._connect_timeout_s:g} s, "
                f"{line.describe_tls()}){_proxy_hint(line.address)}{_advice(line)}",
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

    def leave(self, line: Line, method: str, error: LivndError) -> OwnServerEndedError:
        """Gives up a line whose own server has ended; the error that tells it."""
        ended = OwnServerEndedError(
            f"{method}: the client's own server {line.server.why_dead()}",
            reason=error.reason,
            code=error.code,
        )
        ended.in_doubt = error.in_doubt
        with self._connecting:
            if self._line is line:
                self._line = None
                self._finalizer.detach()
        line.end()
        return ended

    def check_usable(self) -> None:
        """ForkedProcessError, ClosedError: it cannot be used here, or not any more."""
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
        self._closed = True
        if self._line is not None:
            self._finalizer.detach()
            self._line.end()

    def own_session(self, session: Any) -> Callable[[], None]:
        """Has a session deleted with this client, or when nobody holds it any more.

        The answer deletes it at once. Until then its lease is renewed. All of this is best effort:
        a session that stays is moved to the server's disk, and deleted after its retention.
        """
        line, name, generation = self._line, session.name, session.generation
        line.own(name, generation)
        finalizer = cleanup.when_collected(session, lambda: line.delete(name, generation))

        def delete() -> None:
            finalizer.detach()
            line.delete(name, generation)

        return delete

    def disown_session(self, session: Any) -> None:
        """Leaves a session to the server, for somebody who attaches to it."""
        if self._line is not None:
            self._line.disown(session.name, session.generation)


def check_size(method: str, payload: bytes, info: ServerInfo) -> None:
    """MessageTooLargeError for a request that the server would not take."""
    cap = info.max_receive_message_bytes
    if len(payload) > cap:
        raise MessageTooLargeError(
            f"{method}: the request has {len(payload)} bytes, the server takes {cap}; "
            "use fewer copies in a session",
            reason="MESSAGE_TOO_LARGE",
            code="RESOURCE_EXHAUSTED",
            metadata={"value": f"{len(payload)} bytes", "accepted": f"{cap} bytes"},
        )


def _make(kind: type[Connection], address: str | None, limits: dict[str, Any]) -> Connection:
    return kind(address, **limits)


def _own_threads(threads: int | None, address: str | None) -> int | None:
    if threads is None:
        return None
    if address is not None:
        raise invalid_field("threads", threads, f"None: the server at {address} has its own")
    most = local_server.MAX_THREADS
    return checks.integer("threads", threads, f"1 .. {most}", 1, most + 1)


def _own_systems(systems: Any, address: str | None) -> Path | None:
    if systems is None:
        return None
    if address is not None:
        raise invalid_field("systems", systems, f"None: the server at {address} has its own")
    if not isinstance(systems, (str, os.PathLike)) or not Path(systems).is_dir():
        raise checks.wrong("systems", systems, "a folder of systems")
    return Path(systems).absolute()


def _advice(line: Line) -> str:
    if why_not := line.why_not():
        return f": {why_not}"
    address = line.address.text
    return f". Start one with: livnd serve --listen {address} --state-dir DIR --systems DIR"


def _proxy_hint(address: addresses.Address) -> str:
    variable = address.proxy_variable()
    if not variable:
        return ""
    return (
        f"; the environment variable {variable} sends calls through the proxy "
        f"{os.environ[variable]}: unset it, or add {address.host} to no_proxy"
    )


_connections: weakref.WeakSet[Connection] = weakref.WeakSet()


def _close_all() -> None:
    local_server.stop_all()
    for connection in list(_connections):
        connection.close()
    cleanup.finish()


# After local_server's, so that it runs before it.
atexit.register(_close_all)
