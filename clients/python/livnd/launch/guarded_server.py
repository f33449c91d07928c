"""A server that is started again whenever it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from livnd import local_server
from livnd.errors import ServerStartError

_FIRST_PAUSE_S = 0.1
_MAX_PAUSE_S = 5.0
_STOP_TIMEOUT_S = 10.0
# Starts that may fail at an address that served before; then it may be another port.
_TRIES_OF_PORT = 5


class GuardedServer:
    """One `livnd serve`, in a folder of its own, from start() to stop(). One caller at a time.

    It comes back with its sessions, and at its address as long as that is free. It ends with this
    process, in whatever way that ends.

    Args:
        folder: for its state and its log; made where it is not there.
        listen: the address; port 0 for a free one.
        flags: more of `livnd serve`'s.

    Attributes:
        address: where it serves; "" while it does not.
        num_starts: how often it was started.
    """

    def __init__(self, folder: Path, listen: str, flags: Sequence[str]) -> None:
        self.address = ""
        self.num_starts = 0
        self._folder = folder
        self._asked = self._listen = listen
        self._flags = list(flags)
        self._process: subprocess.Popen[bytes] | None = None
        self._has_served = False
        self._num_failed = 0  # starts since it served
        self._due_s = 0.0
        self._pause_s = _FIRST_PAUSE_S

    @property
    def log(self) -> Path:
        """What the server says."""
        return self._folder / "server.log"

    @property
    def process_id(self) -> int | None:
        """Of the server that was started last."""
        return self._process.pid if self._process else None

    def look(self) -> None:
        """To be called every now and then: starts it where it does not run.

        Raises:
            ServerStartError: it ended before it has ever served; the message has its last words.
        """
        if self._process is not None and self._process.poll() is None:
            if not self.address:
                self._read_ready_line()
            return
        if self._process is not None:
            self._has_ended(self._process.returncode)
        if time.monotonic() >= self._due_s:
            self._start()

    def begin_to_stop(self) -> None:
        """Has it end, without waiting for that."""
        self.address = ""
        self._due_s = float("inf")
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()  # it ends with that

    def stop(self) -> None:
        """Ends it. Idempotent."""
        self.begin_to_stop()
        process, self._process = self._process, None
        if process is None:
            return
        for number in (None, signal.SIGTERM, signal.SIGKILL):
            if number is not None:
                process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_TIMEOUT_S)
                return

    def _start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "state").mkdir(exist_ok=True)
        command = [str(local_server.find_binary()), "serve", "--listen", self._listen]
        command += ["--state-dir", str(self._folder / "state"), "--exit-with-stdin", *self._flags]
        with open(self._ready_file, "wb") as out, open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal is for the command
            )
        self.num_starts += 1

    @property
    def _ready_file(self) -> Path:
        return self._folder / "ready"

    def _read_ready_line(self) -> None:
        line, newline, _ = self._ready_file.read_text(errors="replace").partition("\n")
        if not newline:
            return
        try:
            self.address = self._listen = json.loads(line)["address"]
        except (ValueError, KeyError, TypeError):
            binary = local_server.find_binary()
            raise ServerStartError(f"{binary} is no livnd server: it printed {line!r}") from None
        self._has_served = True
        self._num_failed = 0
        self._pause_s = _FIRST_PAUSE_S

    def _has_ended(self, status: int) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.close()
        self._process = None
        if not self._has_served:
            tail = self.log.read_text(errors="replace")[-2000:].strip()
            raise ServerStartError(
                f"a server ended with exit code {status}; its log ends with:\n{tail}"
            )
        if not self.address:
            self._num_failed += 1
            if self._num_failed >= _TRIES_OF_PORT:
                self._listen = self._asked
        self.address = ""
        self._due_s = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, _MAX_PAUSE_S)


def flags_of(
    systems: str, threads: int | None = None, config: str | None = None, tokens: Path | None = None
) -> list[str]:
    """Those of every server of a launch."""
    flags = ["--systems", systems]
    if threads is not None:
        flags += ["--threads", str(threads)]
    if config is not None:
        flags += ["--config", config]
    if tokens is not None:
        flags += ["--tokens", str(tokens)]
    return flags


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0))
