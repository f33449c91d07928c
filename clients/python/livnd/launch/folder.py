"""The folder by which a launch and its workers know of each other, on whatever machines."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
from pathlib import Path
from typing import Any

from livnd.errors import LivndError, bad_file

# A worker whose launch has not been heard of for so long ends: that, or its machine, was killed.
_SILENCE_S = 60.0


def write(path: Path, text: str) -> None:
    """All of it or nothing, for whoever reads it meanwhile."""
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    new.write_text(text)
    os.replace(new, path)


def write_secret(path: Path, text: str) -> None:
    """For this user alone to read."""
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


class LaunchFolder:
    """What lies in it, by name: of the launch, and of its workers.

    settings.json   what workers have to know
    addresses       where the servers are, one a line; those that are away behind a '#'
    token, tokens   of the servers' only tenant
    alive, stop     of the launch: its sign of life, and the end
    worker-N/       state, log, and address of worker N

    Args:
        path: it is made where it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: Any = None

    @property
    def addresses(self) -> Path:
        return self.path / "addresses"

    @property
    def token(self) -> Path:
        """A file with the token alone, for clients."""
        return self.path / "token"

    @property
    def tokens(self) -> Path:
        """A file with the token and its tenant, for servers."""
        return self.path / "tokens"

    def worker(self, index: int) -> Path:
        """Of worker number `index`."""
        return self.path / f"worker-{index}"

    # --- the launch ----------------------------------------------------------------------------

    def open(self) -> None:
        """Takes it; what an earlier launch has left of its workers' states stays.

        Raises:
            BadFileError: another launch has it.
            OSError: it cannot be made or written to.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = open(self.path / "lock", "a")  # noqa: SIM115
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise bad_file(self.path, "", "in use by another launch", "another folder") from None
        for path in (self.path / "stop", self.addresses, *self.path.glob("worker-*/address")):
            path.unlink(missing_ok=True)
        for path in self.path.glob("worker-*/error"):
            path.unlink()

    def prepare(self, settings: dict[str, Any]) -> None:
        """What workers need before they start: settings, a token, and a sign of life."""
        token = secrets.token_hex(32)
        write_secret(self.token, token + "\n")
        write_secret(self.tokens, f"{token} launch\n")
        write(self.path / "settings.json", json.dumps(settings) + "\n")
        self.live()

    def live(self) -> None:
        """A sign of life; to be given more often than once in half a minute."""
        write(self.path / "alive", f"{time.monotonic()}\n")

    def stop(self) -> None:
        """Tells all workers to end."""
        (self.path / "stop").touch()

    def address_of(self, index: int) -> str:
        """Where a worker says that it serves; "" where it does not."""
        try:
            return (self.worker(index) / "address").read_text().strip()
        except OSError:
            return ""

    def error_of(self, index: int) -> str:
        """Why a worker has given up, or ""."""
        try:
            return (self.worker(index) / "error").read_text()
        except OSError:
            return ""

    # --- a worker ------------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """What the launch has prepared.

        Raises:
            BadFileError: there is none.
        """
        path = self.path / "settings.json"
        try:
            settings = json.loads(path.read_text())
            if isinstance(settings, dict):
                return settings
        except (OSError, ValueError):
            pass
        raise bad_file(path, "", "unreadable", "the folder of a launch") from None

    def tell_address(self, index: int, address: str) -> None:
        """Where a worker serves; "" where it does not."""
        path = self.worker(index) / "address"
        if address:
            write(path, address + "\n")
        else:
            path.unlink(missing_ok=True)

    def tell_error(self, index: int, error: LivndError) -> None:
        """Why a worker gives up."""
        self.worker(index).mkdir(exist_ok=True)
        write(self.worker(index) / "error", f"{error}\n")


class Silence:
    """Notices that a launch is over, for a worker on whatever machine."""

    def __init__(self, folder: LaunchFolder) -> None:
        self._folder = folder
        self._heard = ""
        self._heard_s = time.monotonic()

    def is_over(self) -> bool:
        """Whether it has said so, or has said nothing for too long."""
        if (self._folder.path / "stop").exists():
            return True
        try:
            said = (self._folder.path / "alive").read_text()
        except OSError:
            said = self._heard
        now_s = time.monotonic()
        if said != self._heard:
            self._heard, self._heard_s = said, now_s
        return now_s - self._heard_s > _SILENCE_S
