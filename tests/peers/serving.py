"""A real `livnd serve` for tests of what a process meets: few descriptors, signals, odd paths."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIVND = Path(os.environ.get("LIVND_BINARY", ROOT / "bazel-bin/server/livnd"))
# The small ones of the shipped systems: a server reads and builds all that it has before it serves.
SYSTEMS = ROOT / "tests/data/served"
TASK = "TargetRate-EI-mini-v0"


def after(command: list[str], before: str) -> list[str]:
    """`command`, run by a shell that runs the commands `before` first and then becomes it.

    Python code in a process forked from one that uses gRPC would race with the threads that gRPC
    starts in it.
    """
    return ["/bin/sh", "-c", f'{before}; exec "$@"', "sh", *command] if before else command


class Serve:
    """Runs the server in a folder of its own until the end of the `with` block, then kills it.

    Attributes:
        command: which starts it.
        folder: its working folder, with a short name; removed at the end.
        process: the process; its standard input is a pipe unless `stdin` says otherwise.
        ready: the ready line; None if it ended without one.

    Args:
        flags: more of them.
        systems: the folder of its systems.
        listen: the address; True for a socket in the folder, False to leave it to the flags.
        before: commands for a shell that then becomes the server.
        options: of Popen.
    """

    def __init__(
        self,
        *flags: str,
        systems: Path = SYSTEMS,
        listen: str | bool = True,
        before: str = "",
        **options: object,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="livnd-", dir="/tmp"))
        command = [str(LIVND), "serve", "--systems", str(systems)]
        if listen:
            command += ["--listen", f"unix:{self.folder}/s" if listen is True else listen]
        if "--state-dir" not in flags:
            command += ["--state-dir", f"{self.folder}/state"]
        self.command, self._options = after([*command, *flags], before), options
        self.start()

    def start(self) -> None:
        """As at first; after the process has ended."""
        with open(self._log_file, "ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                **{
                    "stdin": subprocess.PIPE,
                    "stdout": subprocess.PIPE,
                    "stderr": log,
                    **self._options,
                },
            )
        line = self.process.stdout.readline() if self.process.stdout else b""
        self.ready = json.loads(line) if line else None

    def kill(self) -> None:
        """SIGKILL: nothing that the process has in memory is left."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Serve:
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _log_file(self) -> Path:
        return self.folder / "log"

    @property
    def address(self) -> str:
        assert self.ready is not None, self.log()
        return self.ready["address"]

    @property
    def journals(self) -> list[Path]:
        """Those of its sessions, in the folder of its own."""
        return sorted((self.folder / "state/sessions").glob("*.journal"))

    def log(self) -> str:
        return self._log_file.read_text(errors="replace")

    def terminate(self) -> int:
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def until_it_works_hard(self) -> None:
        """Returns once it has had a processor for 0.3 s from now on."""

        def cpu_ticks() -> int:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
            return int(fields[11]) + int(fields[12])

        start = cpu_ticks()
        while cpu_ticks() < start + 30:
            time.sleep(0.01)

    def knock(self) -> socket.socket:
        """A connection on which nobody says anything."""
        if self.address.startswith("unix:"):
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(self.address[len("unix:") :])
        else:
            host, _, port = self.address.rpartition(":")
            connection = socket.create_connection((host, int(port)))
        return connection
