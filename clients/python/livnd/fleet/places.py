"""Where the servers of a fleet are: a list, a text, a file, or what the environment says."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from livnd import addresses, checks
from livnd.errors import InvalidFieldError, bad_file, invalid_field

VARIABLE = "LIVND_ADDRESSES"
FILE_VARIABLE = "LIVND_ADDRESSES_FILE"

_ACCEPTED = 'addresses ("unix:PATH", "HOST:PORT"), separated by commas as text, or "@FILE"'
_MAX_FILE_BYTES = 1 << 20


@dataclass(frozen=True)
class Place:
    """One server's: its address, and the line of a file that tells it, 1 .., or 0.

    A file may be written again while servers come and go: then the same line tells where the same
    server is.
    """

    address: str
    file: Path | None = None
    line: int = 0

    def now(self) -> str:
        """The address that the file tells by now; as before where it tells none."""
        if self.file is None:
            return self.address
        try:
            lines = self.file.read_text(errors="replace").splitlines()
        except OSError:
            return self.address
        text = lines[self.line - 1].strip() if self.line <= len(lines) else ""
        return self.address if not text or text.startswith("#") else text


def places(given: str | Sequence[str] | None = None) -> list[Place]:
    """The servers of a fleet, in their order.

    Args:
        given: a list of addresses; or a text: addresses with commas between them, or "@FILE", a
            file with one a line, where empty lines and those that begin with "#" do not count.
            None: the file that LIVND_ADDRESSES_FILE names, or else what LIVND_ADDRESSES says.

    Returns:
        None of them twice; none at all where nothing is given and the environment says nothing.

    Raises:
        InvalidFieldError: no address, one twice, or what is none.
        BadFileError: the same, of a file; or it cannot be read.
    """
    if given is None:
        return _of_environment()
    if not isinstance(given, str):
        accepted = "a list of addresses, or a text of them"
        each = [checks.text(f"addresses[{i}]", a) for i, a in _entries(given, accepted)]
        return _checked("addresses", each)
    return _of_text("addresses", given)


def _entries(given: object, accepted: str) -> list[tuple[int, object]]:
    return list(enumerate(checks.entries("addresses", given, accepted)))


def _of_environment() -> list[Place]:
    file = os.environ.get(FILE_VARIABLE)
    if file:
        return _of_file(Path(file))
    text = os.environ.get(VARIABLE)
    return _of_text(VARIABLE, text) if text else []


def _of_text(field: str, text: str) -> list[Place]:
    if text.startswith("@"):
        return _of_file(Path(text[1:]))
    return _checked(field, [part.strip() for part in text.split(",")] if text.strip() else [])


def _checked(field: str, texts: list[str]) -> list[Place]:
    if not texts:
        raise invalid_field(field, "", f"at least one of {_ACCEPTED}")
    found: list[str] = []
    for i, text in enumerate(texts):
        try:
            address = addresses.parse(text).text
        except InvalidFieldError as error:
            raise invalid_field(f"{field}[{i}]", text, error.accepted) from None
        if address in found:
            first = found.index(address)
            raise invalid_field(
                f"{field}[{i}]", text, f"each server once; {field}[{first}] is it, too"
            )
        found.append(address)
    return [Place(address) for address in found]


def _of_file(path: Path) -> list[Place]:
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise bad_file(path, "", "larger than that", f"at most {_MAX_FILE_BYTES} bytes")
        text = path.read_text()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no text"
        raise bad_file(path, "", f"unreadable ({why})", "a file with an address a line") from None
    found: dict[str, Place] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            address = addresses.parse(line.strip()).text
        except InvalidFieldError as error:
            raise bad_file(path, f"line {number}", repr(line), error.accepted) from None
        if address in found:
            accepted = f"each server once; line {found[address].line} has it, too"
            raise bad_file(path, f"line {number}", repr(line), accepted)
        found[address] = Place(address, path.absolute(), number)
    if not found:
        raise bad_file(path, "", "without an address", "a file with an address a line")
    return list(found.values())
