"""Where a server is, as users write it, and what gRPC has to be told."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from urllib.parse import quote

from livnd.errors import invalid_field

_ACCEPTED = '"unix:PATH", "HOST:PORT" or "[IPV6]:PORT"'
_MAX_PATH_BYTES = 107  # of a socket's address


@dataclass(frozen=True)
class Address:
    """An address that has been checked."""

    text: str  # as users write it; a path is absolute
    target: str  # gRPC's URI
    host: str  # "" for a Unix socket

    @property
    def is_local(self) -> bool:
        """On this machine: a Unix socket, localhost, a loopback address."""
        host = self.host.lower()
        return host in ("", "localhost", "::1") or host.startswith("127.")

    def proxy_variable(self) -> str:
        """The environment variable that makes gRPC call through an HTTP proxy, or "".

        gRPC looks at grpc_proxy, https_proxy and http_proxy, and spares the names that
        no_grpc_proxy or no_proxy lists; this machine is never called through one.
        """
        if self.is_local:
            return ""
        variable = _first_set("grpc_proxy", "https_proxy", "http_proxy")
        spared = os.environ.get(_first_set("no_grpc_proxy", "no_proxy"), "")
        names = [name.strip().lower() for name in spared.split(",")]
        if any(name and self.host.lower().endswith(name) for name in names):
            return ""
        return variable


def parse(address: str) -> Address:
    """InvalidFieldError unless it is "unix:PATH", "HOST:PORT" or "[IPV6]:PORT".

    A path may hold any characters but a zero byte and a comma, and has to fit into a socket's
    address.
    """
    if not isinstance(address, str):
        raise invalid_field("address", address, _ACCEPTED)
    if address.startswith("unix:"):
        path = address[len("unix:") :]
        if not path or "\0" in path:
            raise invalid_field("address", address, _ACCEPTED)
        path = os.path.abspath(path)
        if len(os.fsencode(path)) > _MAX_PATH_BYTES:
            raise invalid_field("address", address, f"a path of at most {_MAX_PATH_BYTES} bytes")
        if not can_be_called(path):
            raise invalid_field("address", address, f"{_ACCEPTED}, the path without a comma")
        # In a URI '#', '?' and '%' would mean something else.
        return Address(f"unix:{path}", f"unix:{quote(os.fsencode(path))}", "")
    host, _, port = address.rpartition(":")
    if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise invalid_field("address", address, _ACCEPTED)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise invalid_field("address", address, _ACCEPTED) from None
    elif not re.fullmatch(r"[0-9A-Za-z._-]+", host):
        raise invalid_field("address", address, _ACCEPTED)
    return Address(address, address, host)


def can_be_called(path: str) -> bool:
    """Whether gRPC can call a socket there: quoted or not, it splits a path at each comma."""
    return "," not in path


def _first_set(*variables: str) -> str:
    return next((name for name in variables if os.environ.get(name)), "")
