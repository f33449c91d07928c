"""Servers on this machine, on Unix sockets."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from livnd.launch.folder import LaunchFolder
from livnd.launch.guarded_server import GuardedServer


class LocalWorkers:
    """Processes of this one's own; they end with it, however it ends.

    Args:
        folder: of the launch.
        num: how many.
        flags: of each server.
        say: tells people.
    """

    def __init__(
        self, folder: LaunchFolder, num: int, flags: Sequence[str], say: Callable[[str], None]
    ) -> None:
        self.num = num
        self._say = say
        # Whatever the folder's name is, a socket's has to be short.
        self._sockets = Path(tempfile.mkdtemp(prefix="livnd-", dir="/tmp"))
        self._servers = [
            GuardedServer(folder.worker(i), f"unix:{self._sockets}/{i}.sock", flags)
            for i in range(num)
        ]

    def start(self) -> None:
        self.look()

    def look(self) -> list[str]:
        for server in self._servers:
            server.look()
        return [server.address for server in self._servers]

    def stop(self) -> None:
        for server in self._servers:
            server.begin_to_stop()
        for server in self._servers:
            server.stop()
        shutil.rmtree(self._sockets, ignore_errors=True)
