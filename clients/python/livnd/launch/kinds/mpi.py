"""Servers that mpirun starts, one a rank."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence

from livnd.errors import ServerStartError
from livnd.launch.folder import LaunchFolder
from livnd.launch.workers import FolderWorkers, Pauses, environment

_STOP_TIMEOUT_S = 20.0


class MpiWorkers(FolderWorkers):
    """Ranks of one mpirun. MPI ends all of them where one is lost, and all are started again.

    Args:
        folder: of the launch; on every machine the same.
        num: how many ranks.
        mpirun: the command, with its options but -n.
        say: tells people.
    """

    def __init__(
        self, folder: LaunchFolder, num: int, mpirun: Sequence[str], say: Callable[[str], None]
    ) -> None:
        super().__init__(folder, num, say)
        self._mpirun = list(mpirun)
        self._process: subprocess.Popen[bytes] | None = None
        self._pauses = Pauses(1.0, 10.0)
        self._have_served = False

    def start(self) -> None:
        self._pauses.started()
        with open(self._folder.path / "mpirun.log", "ab") as log:
            try:
                self._process = subprocess.Popen(
                    [*self._mpirun, "-n", str(self.num), *self._command()],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment(dict(os.environ)),
                    start_new_session=True,
                )
            except OSError as error:
                raise ServerStartError(f"{self._mpirun[0]}: {error.strerror}") from None

    def look(self) -> list[str]:
        self._folder.live()
        if not self._have_served:
            self._check_errors()
        if self._process is not None and self._process.poll() is not None:
            status, self._process = self._process.returncode, None
            if not self._have_served:
                tail = (self._folder.path / "mpirun.log").read_text(errors="replace")[-2000:]
                raise ServerStartError(
                    f"{self._mpirun[0]} ended with exit code {status}; it said:\n{tail.strip()}"
                )
            self._say(f"{self._mpirun[0]} has ended with exit code {status}; starting it again")
            for i in range(self.num):
                self._folder.tell_address(i, "")
        if self._process is None and self._pauses.is_due():
            self.start()
        addresses = self._addresses()
        self._have_served |= all(addresses)
        return addresses

    def stop(self) -> None:
        self._folder.stop()
        process, self._process = self._process, None
        if process is None:
            return
        deadline_s = time.monotonic() + _STOP_TIMEOUT_S
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline_s - time.monotonic()))
        for number in (signal.SIGTERM, signal.SIGKILL):
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(5)
