"""Programs of MPI and SLURM that a launch starts, each with processes of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from livnd.errors import ServerStartError
from livnd.launch.workers import environment

_END_TIMEOUT_S = 20.0
_KILL_TIMEOUT_S = 5.0
_TAIL = 2000


class ProcessGroup:
    """One program and what it starts. One caller at a time.

    Args:
        command: the program and its arguments.
        log: what it says goes there, behind what is there.

    Raises:
        ServerStartError: it cannot be started.
    """

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._name = command[0]
        self._log = log
        with open(log, "ab") as output:
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=environment(dict(os.environ)),
                    start_new_session=True,
                )
            except OSError as error:
                raise ServerStartError(f"{self._name}: {error.strerror}") from None

    @property
    def status(self) -> int | None:
        """The program's exit code; None while it runs."""
        return self._process.poll()

    def failed(self, what: str) -> ServerStartError:
        """That `what` ended before it has served, with its last words."""
        tail = self._log.read_text(errors="replace")[-_TAIL:].strip()
        return ServerStartError(f"{what} ended with exit code {self.status}; it said:\n{tail}")

    def end(self) -> None:
        """Waits until the program ends by itself; then ends it and all that it has started."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_TIMEOUT_S)
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.status is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(_KILL_TIMEOUT_S)
