"""One gRPC channel to one server, and the sessions that were made over it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import grpc

from livnd import addresses, local_server
from livnd._proto import METHODS, pb
from livnd.credentials import NONE, Credentials, Tls
from livnd.errors import (
    ClosedError,
    ForkedProcessError,
    LivndError,
    ServerUnavailableError,
    UnauthenticatedError,
    UnknownSessionError,
    from_rpc_error,
)
from livnd.renewals import Renewals
from livnd.specs import ServerInfo

_DELETE_TIMEOUT_S = 2.0
_RENEW_TIMEOUT_S = 5.0
_WHY_NOT_TIMEOUT_S = 1.0
# How often it is asked whether a server has come back elsewhere.
_LOOK_AGAIN_S = 0.5
_FALSE_TO_GRPC = ("0", "f", "false", "n", "no")

# Whether this process, or one that it was forked from, has used gRPC.
_has_used_grpc = False
_is_fork_of_grpc = False


class Line:
    """The way to one server, from the first call to the end. Thread-safe.

    While it owns sessions, it renews their leases; see Renewals.

    Args:
        address: of a server; None starts (or joins) this process's own server.
        threads: how many of an own server's shall simulate; None leaves it to the server.
        credentials: what to show the server and ask of it; an own server is shown nothing.
        systems: the folder that an own server serves; None leaves it to the server.
        find_address: tells where the server is by now; see Connection.

    Attributes:
        address: where the server is.
        server: the own server, or None.
        info: what the server said of itself, once it was asked.

    Raises:
        ServerStartError: no own server could be started.
        ForkedProcessError: gRPC cannot be used in this process any more.
        InvalidFieldError: the credentials cannot be read.
    """

    def __init__(
        self,
        address: addresses.Address | None,
        threads: int | None = None,
        credentials: Credentials = NONE,
        systems: Path | None = None,
        find_address: Callable[[], str] | None = None,
    ) -> None:
        _check_grpc()
        self._credentials = credentials if address else NONE
        self._metadata = _metadata_of(self._credentials)
        tls = self._credentials.read_tls()
        self.server = local_server.acquire(threads, systems) if address is None else None
        self.address = addresses.parse(self.server.address) if self.server else address
        self._find_address = find_address
        self.info: ServerInfo | None = None
        self._pid = os.getpid()
        self._channel = _Channel(self.address, tls)  # replaced with _ending held
        # Generations by name, also of those that nobody holds any more.
        self._sessions: dict[str, int] = {}
        self._renewals: Renewals | None = None  # from the first session on
        self._ending = threading.Lock()
        self._ended = False

    def attempt(self, method: str, payload: bytes, timeout_s: float, **options: Any) -> Any:
        """One call, once. The typed error of what went wrong; ClosedError after end()."""
        metadata = self._metadata
        try:
            return self._attempt(method, payload, timeout_s, metadata=metadata, **options)
        except UnauthenticatedError:
            # Nothing was done; and the token may be another one by now.
            if not self.has_renewed_token(metadata):
                raise
        return self._attempt(method, payload, timeout_s, metadata=self._metadata, **options)

    def _attempt(self, method: str, payload: bytes, timeout_s: float, **options: Any) -> Any:
        channel = self._channel
        try:
            return channel.stub(method)(payload, timeout=timeout_s, **options)
        except grpc.RpcError as error:
            failed = from_rpc_error(error, method)
            if channel is self._channel or failed.code != "CANCELLED":
                raise failed from None
        except ValueError:  # grpc's word for a channel that another thread has closed
            if self._ended:
                raise ClosedError("the client was closed") from None
            if channel is self._channel:
                raise
        lost = ServerUnavailableError(f"{method}: the line was opened anew", code="UNAVAILABLE")
        lost.in_doubt = True
        raise lost

    @property
    def metadata(self) -> Any:
        """What calls show the server of who they are."""
        return self._metadata

    def open_stream(self, method: str, requests: Iterable[bytes], metadata: Any) -> Any:
        """A call of gRPC's, whose answers are to be iterated over; it ends with the channel.

        ClosedError after end().
        """
        try:
            return self._channel.stream(method)(iter(requests), metadata=metadata)
        except ValueError:
            raise ClosedError("the client was closed") from None

    def read_stream(self, method: str, payload: bytes, metadata: Any) -> Any:
        """A call of gRPC's with one request, whose answers are to be iterated over.

        ClosedError after end().
        """
        try:
            return self._channel.reader(method)(payload, metadata=metadata)
        except ValueError:
            raise ClosedError("the client was closed") from None

    def has_renewed_token(self, refused: Any) -> bool:
        """Whether there is another token by now than the one in the metadata that was refused."""
        self._metadata = _metadata_of(self._credentials)
        return self._metadata != refused

    def mend(self, patience_s: float) -> None:
        """Waits for a broken line's server, for so long, wherever it is by then. Never raises."""
        give_up_s = time.monotonic() + max(0.0, patience_s)
        while True:
            self._reopen_if_changed()
            left_s = max(0.0, give_up_s - time.monotonic())
            try:
                self.ask(left_s if self._find_address is None else min(left_s, _LOOK_AGAIN_S))
                return
            except LivndError as error:
                if error.code != "DEADLINE_EXCEEDED" or time.monotonic() >= give_up_s:
                    return

    def _reopen_if_changed(self) -> None:
        """To where the server is by now, with the files' certificates, if either is new.

        For a broken line. Calls that other threads have under way are lost, as with a line that
        breaks.
        """
        try:
            tls = self._credentials.read_tls()
            address = addresses.parse(self._find_address()) if self._find_address else self.address
        except LivndError:
            return  # half way to other ones
        with self._ending:
            if self._ended or (tls == self._channel.tls and address == self.address):
                return
            self.address = address
            old, self._channel = self._channel, _Channel(address, tls)
        old.close()

    def ask(self, patience_s: float) -> ServerInfo:
        """GetServerInfo, as soon as there is somebody to ask, for so long."""
        response = self.attempt("GetServerInfo", b"", patience_s, wait_for_ready=True)
        return ServerInfo.from_message(response)

    def describe_tls(self) -> str:
        """Whether there is TLS, and who shows a certificate."""
        if self._channel.tls is None:
            return "without TLS"
        shown = "and" if self._channel.tls.cert else "without"
        return f"with TLS {shown} a certificate of the client's own"

    def why_not(self) -> str:
        """What TLS finds wrong with a line that does not come about; "" if that is not known."""
        if self._channel.tls is None:
            return ""
        try:
            self.attempt("GetServerInfo", b"", _WHY_NOT_TIMEOUT_S)
        except LivndError as error:
            return str(error)
        return ""

    def server_has_ended(self) -> bool:
        """Whether it was an own server and its process is gone."""
        return self.server is not None and not self.server.alive()

    # --- the end -------------------------------------------------------------------------------

    def own(self, session: str, generation: int) -> None:
        """Has end() delete the session, if that was not done and nobody has taken it over."""
        self._sessions[session] = generation
        with self._ending:
            if self._ended:
                return
            if self._renewals is None:
                self._renewals = Renewals(self.info.session_lease_s, self._renew_leases)
            self._renewals.start()

    def _renew_leases(self) -> None:
        """Once. What fails is tried again the next time."""
        for session, generation in list(self._sessions.items()):
            if self._ended:
                return
            if session not in self._sessions:
                continue
            request = pb.RenewLeaseRequest(session=session).SerializeToString()
            try:
                self.attempt("RenewLease", request, _RENEW_TIMEOUT_S)
            except UnknownSessionError:
                self.disown(session, generation)
            except ServerUnavailableError:
                return  # nobody there, and no use in waiting as often as there are sessions
            except (LivndError, ValueError):
                pass

    def disown(self, session: str, generation: int) -> None:
        """Leaves the session to the server, if this line owns it as that generation."""
        if self._sessions.get(session) == generation:
            self._sessions.pop(session, None)

    def delete(self, session: str, generation: int) -> bool:
        """Deletes the session if this line owns it as that generation; False if nobody answered.

        The same client may have taken it over since. Never raises. Best effort: what stays is
        moved to the server's disk, and deleted after its retention.
        """
        if os.getpid() != self._pid or self._ended:
            return True
        if self._sessions.get(session) != generation:
            return True
        self._sessions.pop(session, None)
        request = pb.DeleteSessionRequest(
            session=session, allow_missing=True, generation=generation
        )
        try:
            self.attempt("DeleteSession", request.SerializeToString(), _DELETE_TIMEOUT_S)
        except ServerUnavailableError:
            return False
        except (LivndError, ValueError):
            pass
        return True

    def end(self) -> None:
        """Deletes the sessions, hangs up, gives the own server back. Idempotent; never raises.

        Does nothing in a fork.
        """
        if os.getpid() != self._pid:
            return
        with self._ending:
            if self._ended:
                return
            if self._renewals is not None:
                self._renewals.stop()
            # An own server that ends next need not be asked to forget sessions.
            ends_too = self.server is not None and local_server.is_last_reference(self.server)
            for name, generation in () if ends_too else list(self._sessions.items()):
                if not self.delete(name, generation):
                    break  # nobody there, and no use in waiting as often as there are sessions
            self._ended = True
            self._channel.close()
            if self.server is not None:
                local_server.release(self.server)


class _Channel:
    """gRPC's channel, and its callables by the method's name."""

    def __init__(self, address: addresses.Address, tls: Tls | None) -> None:
        self.tls = tls
        options = _channel_options(address)
        if tls is None:
            self._channel = grpc.insecure_channel(address.target, options)
        else:
            if not address.host:
                # Of a socket gRPC's versions have different ideas of the host's name.
                options.append(("grpc.ssl_target_name_override", "localhost"))
            credentials = grpc.ssl_channel_credentials(tls.ca, tls.key, tls.cert)
            self._channel = grpc.secure_channel(address.target, credentials, options)
        self._stubs: dict[str, Any] = {}

    def stub(self, method: str) -> Any:
        stub = self._stubs.get(method)
        if stub is None:
            # The request goes as bytes: what is repeated is the same to the last bit.
            stub = self._channel.unary_unary(
                METHODS[method].path, None, METHODS[method].response.FromString
            )
            self._stubs[method] = stub
        return stub

    def stream(self, method: str) -> Any:
        return self._channel.stream_stream(
            METHODS[method].path, None, METHODS[method].response.FromString
        )

    def reader(self, method: str) -> Any:
        return self._channel.unary_stream(
            METHODS[method].path, None, METHODS[method].response.FromString
        )

    def close(self) -> None:
        self._channel.close()


def _metadata_of(credentials: Credentials) -> tuple[tuple[str, str], ...] | None:
    token = credentials.read_token()
    return (("authorization", f"Bearer {token}"),) if token else None


def _check_grpc() -> None:
    global _has_used_grpc
    setting = os.environ.get("GRPC_ENABLE_FORK_SUPPORT", "")
    if _is_fork_of_grpc and setting.lower() in _FALSE_TO_GRPC:
        raise ForkedProcessError(
            f"GRPC_ENABLE_FORK_SUPPORT={setting} in the environment switches off gRPC's support of "
            "forks, and this process was forked from one that had used gRPC: calls would hang. "
            "Unset it, or start processes by the method 'spawn' or 'forkserver'"
        )
    _has_used_grpc = True


def _after_fork_in_child() -> None:
    global _is_fork_of_grpc
    _is_fork_of_grpc = _has_used_grpc


def _channel_options(address: addresses.Address) -> list[tuple[str, int | str]]:
    options: list[tuple[str, int | str]] = [
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


os.register_at_fork(after_in_child=_after_fork_in_child)
