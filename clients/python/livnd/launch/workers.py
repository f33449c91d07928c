"""What a launch asks of its workers, and those that it knows by a folder only."""

from __future__ import annotations

import contextlib
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import livnd
from livnd.errors import ServerStartError
from livnd.launch.folder import LaunchFolder

# A machine elsewhere, to see by which of its addresses this one is called: for documentation only,
# and nothing is sent there.
_ELSEWHERE = "192.0.2.1"


class Workers(Protocol):
    """Servers that are kept running, from start() to stop().

    Attributes:
        num: how many.
    """

    num: int

    def start(self) -> None:
        """Begins to start them; look() tells when they serve."""

    def look(self) -> list[str]:
        """To be called every now and then: the address of each, "" where it does not serve.

        What has ended is started again.

        Raises:
            LivndError: that is not possible.
        """
        ...

    def stop(self) -> None:
        """Ends them. Idempotent; raises nothing."""


class Pauses:
    """Between starts of a worker that ends again and again."""

    def __init__(self, first_s: float, longest_s: float) -> None:
        self._first_s, self._longest_s = first_s, longest_s
        self._pause_s = first_s
        self._started_s = 0.0

    def started(self) -> None:
        """Now."""
        now_s = time.monotonic()
        lasted = now_s - self._started_s > 10 * self._longest_s
        self._pause_s = self._first_s if lasted else min(2 * self._pause_s, self._longest_s)
        self._started_s = now_s

    def is_due(self) -> bool:
        """Whether it may be started again."""
        return time.monotonic() >= self._started_s + self._pause_s


class FolderWorkers:
    """What workers on other machines have in common: `livnd.launch.worker`, and a shared folder."""

    def __init__(self, folder: LaunchFolder, num: int, say: Callable[[str], None]) -> None:
        self.num = num
        self._folder = folder
        self._say = say
        self._have_served = False  # all of them, at one time

    def look(self) -> list[str]:
        self._folder.live()
        if not self._have_served:
            self._check_errors()
        self._keep()
        addresses = [self._folder.address_of(i) for i in range(self.num)]
        self._have_served |= all(addresses)
        return addresses

    def _keep(self) -> None:
        """Starts again what has ended; ServerStartError: before all have served."""

    def _command(self, *index: str) -> list[str]:
        return [sys.executable, "-m", "livnd.launch.worker", str(self._folder.path), *index]

    def _check_errors(self) -> None:
        """ServerStartError: a worker has given up."""
        for i in range(self.num):
            if error := self._folder.error_of(i):
                raise ServerStartError(f"worker {i}: {error.strip()}")


def environment(of: dict[str, str]) -> dict[str, str]:
    """Of a worker: what `of` says, and this package on the path."""
    package = str(Path(livnd.__file__).resolve().parent.parent)
    paths = [package, *filter(None, of.get("PYTHONPATH", "").split(":"))]
    return {**of, "PYTHONPATH": ":".join(dict.fromkeys(paths))}


def own_host(toward: str) -> str:
    """The address of this machine by which the one at `toward` calls it.

    Raises:
        ServerStartError: there is no way there.
    """
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((toward, 9))  # sends nothing
            return str(probe.getsockname()[0])
    except OSError as error:
        raise ServerStartError(f"there is no network to {toward} ({error})") from None


def this_host() -> str:
    """An IPv4 address of this machine, by which others call it."""
    with contextlib.suppress(ServerStartError):
        return own_host(_ELSEWHERE)
    try:
        return socket.gethostbyname(socket.gethostname())
    except OSError:
        return "127.0.0.1"


def settings_of(
    systems: Path, threads: int | None, config: str | None, toward: str
) -> dict[str, Any]:
    """For LaunchFolder.prepare()."""
    return {
        "systems": str(systems),
        "threads": threads,
        "config": None if config is None else str(Path(config).absolute()),
        "toward": toward,
    }
