"""What a client shows of itself and asks of its server, a token and TLS; where they come from."""

from __future__ import annotations

import os
import re
import ssl
from dataclasses import dataclass, fields
from typing import NamedTuple

from livnd import checks
from livnd.errors import InvalidFieldError, invalid_field

_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/=]{1,512}")
_ACCEPTED_TOKEN = "one token: 1 .. 512 letters, digits and any of -._~+/="
_MAX_FILE_BYTES = 1 << 20
# By argument; what an argument leaves open, the environment says.
_VARIABLES = {
    "token": "LIVND_TOKEN",
    "token_file": "LIVND_TOKEN_FILE",
    "tls_ca": "LIVND_TLS_CA",
    "tls_cert": "LIVND_TLS_CERT",
    "tls_key": "LIVND_TLS_KEY",
}


class Tls(NamedTuple):
    """What the files of TLS hold, in PEM."""

    ca: bytes
    cert: bytes | None
    key: bytes | None


@dataclass(frozen=True, repr=False)
class Credentials:
    """As they were given: None leaves it to the environment, "" says that there is none.

    Files and environment are read when they are needed, and what they hold is kept nowhere else.
    """

    token: str | None = None
    token_file: str | None = None
    tls_ca: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None

    @classmethod
    def parse(cls, **given: str | None) -> Credentials:
        """InvalidFieldError: not text, no token, or both a token and a file of one."""
        known = {}
        for field, value in given.items():
            if value is None or value == "":
                known[field] = value
            elif field == "token":
                known[field] = _checked_token(field, value)
            else:
                known[field] = os.path.abspath(checks.text(field, value, "the path of a file"))
        if known.get("token") and known.get("token_file"):
            raise invalid_field("token_file", known["token_file"], "None beside a token")
        return cls(**known)

    def __repr__(self) -> str:
        return f"Credentials(of {', '.join(self.arguments())})"

    def arguments(self) -> dict[str, str]:
        """What parse() makes them of; a token that was given as text is among it."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in given.items() if value is not None}

    def read_token(self) -> str:
        """The token as it is now; "" for none.

        Raises:
            InvalidFieldError: there are two, or what should hold one does not.
        """
        if self.token is not None or self.token_file is not None:
            sources = [("token", self.token), ("token_file", self.token_file)]
        else:
            variables = [_VARIABLES["token"], _VARIABLES["token_file"]]
            sources = [(variable, os.environ.get(variable)) for variable in variables]
        given = [(name, value) for name, value in sources if value]
        if not given:
            return ""
        if len(given) > 1:
            raise invalid_field(given[1][0], given[1][1], f"nothing beside {given[0][0]}")
        ((name, value),) = given
        if name in ("token", _VARIABLES["token"]):
            return _checked_token(name, value)
        text = _read(name, value, _ACCEPTED_TOKEN)
        return _checked_token(f"{name} ({value})", text.decode(errors="replace").strip())

    def read_tls(self) -> Tls | None:
        """What the files of TLS hold now; None for a call in clear.

        Raises:
            InvalidFieldError: files that do not go together, or that OpenSSL does not take.
        """
        names, paths = {}, {}
        for field in ("tls_ca", "tls_cert", "tls_key"):
            names[field], paths[field] = field, getattr(self, field) or ""
            if getattr(self, field) is None and os.environ.get(_VARIABLES[field]):
                names[field] = _VARIABLES[field]
                paths[field] = os.environ[_VARIABLES[field]]
        for field, other in (("tls_cert", "tls_key"), ("tls_key", "tls_cert")):
            if paths[field] and not paths[other]:
                raise invalid_field(names[other], None, f"a file beside {names[field]}")
        if not paths["tls_ca"]:
            if paths["tls_cert"]:
                raise invalid_field(names["tls_ca"], None, f"a file beside {names['tls_cert']}")
            return None
        ca = _read_certificates(names["tls_ca"], paths["tls_ca"])
        if not paths["tls_cert"]:
            return Tls(ca, None, None)
        cert = _read_certificates(names["tls_cert"], paths["tls_cert"])
        accepted = f"the private key of {names['tls_cert']} in PEM, which needs no password"
        key = _read(names["tls_key"], paths["tls_key"], accepted)
        try:
            # Without the password OpenSSL would ask for one at the terminal.
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(
                paths["tls_cert"], paths["tls_key"], password=""
            )
        except (ssl.SSLError, OSError, ValueError) as error:
            accepted = _with(accepted, error)
            raise invalid_field(names["tls_key"], paths["tls_key"], accepted) from None
        return Tls(ca, cert, key)


# Of who shows and asks nothing, whatever the environment says.
NONE = Credentials("", "", "", "", "")


def _checked_token(field: str, value: object) -> str:
    if isinstance(value, str) and _TOKEN.fullmatch(value):
        return value
    # Nobody shall read it in a log.
    shown = f"text of {len(value)} characters" if isinstance(value, str) else type(value).__name__
    raise InvalidFieldError(
        f"{field} is {shown}; accepted: {_ACCEPTED_TOKEN}",
        reason="INVALID_FIELD",
        code="INVALID_ARGUMENT",
        metadata={"field": field, "value": shown, "accepted": _ACCEPTED_TOKEN},
    )


def _read_certificates(field: str, path: str) -> bytes:
    accepted = "a file of certificates in PEM"
    data = _read(field, path, accepted)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(
            cadata=data.decode("ascii", errors="backslashreplace")
        )
    except (ssl.SSLError, ValueError) as error:
        raise invalid_field(field, path, _with(accepted, error)) from None
    return data


def _read(field: str, path: str, accepted: str) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise invalid_field(field, path, _with(accepted, error)) from None
    if len(data) > _MAX_FILE_BYTES:
        raise invalid_field(field, path, f"{accepted}, of at most {_MAX_FILE_BYTES} bytes")
    return data


def _with(accepted: str, error: Exception) -> str:
    why = getattr(error, "strerror", None) or str(error)
    return f"{accepted} ({why})"
