"""Processes that are measured, or measure: started by bench.py, commanded in JSON lines.

A worker prints one JSON object when it is ready, then answers each line of its input with one line.
Several workers wait for commands at once, so that what is compared can alternate in short turns.
worker.h is the same for C++.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any


class BenchError(Exception):
    """A benchmark could not be done; the text says why."""


class Worker:
    """One worker process; a context manager that ends it.

    Args:
        command: program and arguments.
        core: the only core that the process may use; None for all.
        settings: environment variables that it gets beside ours.

    Attributes:
        ready: what it said when it was ready.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        core: int | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._command = [str(word) for word in command]
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **(settings or {})},
        )
        if core is not None:
            os.sched_setaffinity(self._process.pid, {core})
        try:
            self.ready = self._answer()
        except BaseException:
            self.close()
            raise

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """One command, with its answer; BenchError if the worker has ended instead."""
        with contextlib.suppress(BrokenPipeError):  # its exit status, in _answer, tells more
            self._process.stdin.write(json.dumps({"command": command, **arguments}) + "\n")
            self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """Ends the process, by force if it does not end by itself."""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=20.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._process.kill()
        self.close()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            status = self._process.wait()
            raise BenchError(
                f"{' '.join(self._command)}: ended with status {status}; see its message above"
            )
        return json.loads(line)


def serve_commands(
    ready: dict[str, Any], commands: dict[str, Callable[[dict[str, Any]], dict[str, Any]]]
) -> None:
    """The worker's side: says `ready`, then answers until its input ends."""
    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    print(json.dumps(ready), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(commands[request["command"]](request)), file=answers, flush=True)
