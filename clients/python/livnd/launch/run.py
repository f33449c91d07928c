"""A launch: servers that run, a file that says where they are, and a command on them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from livnd.client import Client
from livnd.errors import LivndError, ServerStartError
from livnd.fleet.places import FILE_VARIABLE, VARIABLE
from livnd.fleet.servers import at_once
from livnd.launch.folder import LaunchFolder, write
from livnd.launch.workers import Workers

_PERIOD_S = 0.2
_HEALTH_PERIOD_S = 2.0
_HEALTH_TIMEOUT_S = 5.0
# Since a signal: the terminal has sent it to the command, too; what it may take to end.
_PATIENCE_S = 1.0
_GRACE_S = 30.0


class Ended(Exception):
    """By a signal, before the command ran.

    Attributes:
        status: the exit status.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.status = 128 + number


class Launch:
    """Keeps workers running and tells where they serve, while a command runs.

    Args:
        folder: opened.
        workers: not started.
        has_token: whether the servers ask for the folder's token.
        start_timeout_s: how long all of them may take to serve.
        say: tells people.
    """

    def __init__(
        self,
        folder: LaunchFolder,
        workers: Workers,
        has_token: bool,
        start_timeout_s: float,
        say: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._workers = workers
        self._token_file = str(folder.token) if has_token else None
        self._start_timeout_s = start_timeout_s
        self._say = say
        self._health = _Health(workers.num, self._token_file)
        self._written: list[str] | None = None
        self._last = [""] * workers.num  # addresses, also of those that are away
        self._signals: list[int] = []
        self._over = threading.Event()

    def run(self, command: Sequence[str]) -> int:
        """Starts the workers, runs the command, ends the workers; the command's exit status.

        Where a signal ends the command, 128 and its number, as in a shell.

        Raises:
            LivndError: not all workers serve within the time; the command was not started.
            Ended: a signal came before they did.
        """
        handlers = self._listen()
        guard: threading.Thread | None = None
        try:
            self._workers.start()
            self._listen()  # Ray has handlers of its own
            self._wait_until_all_serve()
            guard = threading.Thread(target=self._guard, name="livnd-launch", daemon=True)
            guard.start()
            return self._run(command)
        finally:
            self._over.set()
            if guard is not None:
                guard.join()
            self._health.close()
            self._workers.stop()
            self._folder.addresses.unlink(missing_ok=True)
            for number, handler in handlers.items():
                signal.signal(number, handler)

    # --- workers -------------------------------------------------------------------------------

    def _wait_until_all_serve(self) -> None:
        give_up_s = time.monotonic() + self._start_timeout_s
        while True:
            if self._signals:
                raise Ended(self._signals[0])
            addresses = self._health.checked(self._workers.look())
            if all(addresses):
                break
            if time.monotonic() > give_up_s:
                away = [str(i) for i, address in enumerate(addresses) if not address]
                raise ServerStartError(
                    f"worker {', '.join(away)} of {len(addresses)} did not serve within "
                    f"{self._start_timeout_s:g} s{self._health.why()}"
                )
            time.sleep(_PERIOD_S)
        self._tell(addresses)
        self._say(f"serving at {', '.join(addresses)}")

    def _guard(self) -> None:
        """While the command runs: nothing that goes wrong with workers ends it."""
        said = ""
        while not self._over.wait(_PERIOD_S):
            try:
                self._tell(self._health.checked(self._workers.look()))
                said = ""
            except (LivndError, OSError) as error:
                if str(error) != said:
                    said = str(error)
                    self._say(said)

    def _tell(self, addresses: list[str]) -> None:
        """Writes the file of addresses, where they have changed."""
        if addresses == self._written:
            return
        for i, address in enumerate(addresses):
            if self._written is not None and address != self._written[i]:
                self._say(
                    f"worker {i} serves again, at {address}" if address else f"worker {i} is lost"
                )
            self._last[i] = address or self._last[i]
        lines = [address or f"#{last}" for address, last in zip(addresses, self._last, strict=True)]
        write(self._folder.addresses, "\n".join(lines) + "\n")
        self._written = list(addresses)

    # --- the command ---------------------------------------------------------------------------

    def _run(self, command: Sequence[str]) -> int:
        assert self._written is not None
        environment = {
            **os.environ,
            VARIABLE: ",".join(self._written),
            FILE_VARIABLE: str(self._folder.addresses),
        }
        if self._token_file is not None:
            environment.pop("LIVND_TOKEN", None)
            environment["LIVND_TOKEN_FILE"] = self._token_file
        try:
            process = subprocess.Popen(command, env=environment)
        except OSError as error:
            self._say(f"{command[0]}: {error.strerror}")
            return 127 if isinstance(error, FileNotFoundError) else 126
        try:
            status = self._wait(process)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        return status if status >= 0 else 128 - status

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        """For the command, which is told of every signal that this process gets."""
        num_passed_on = 0
        signalled_s = kill_s = float("inf")
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(0.1)
            now_s = time.monotonic()
            if len(self._signals) > num_passed_on and signalled_s == float("inf"):
                signalled_s = now_s
                kill_s = min(kill_s, now_s + _GRACE_S)
            if signalled_s < float("inf"):
                number = self._signals[num_passed_on]
                if number != signal.SIGINT or now_s > signalled_s + _PATIENCE_S:
                    process.send_signal(number)
                    num_passed_on += 1
                    signalled_s = float("inf")
            if now_s > kill_s:
                self._say(f"the command has not ended for {_GRACE_S:g} s: killed")
                process.kill()
                kill_s = float("inf")

    def _listen(self) -> dict[int, Any]:
        """Notes signals from now on; what handled them until then."""
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        return {number: signal.signal(number, self._note) for number in numbers}

    def _note(self, number: int, frame: Any) -> None:
        self._signals.append(number)


class _Health:
    """Whether servers can be called from here. One caller at a time."""

    def __init__(self, num: int, token_file: str | None) -> None:
        self._token_file = token_file
        self._clients: list[Client | None] = [None] * num
        self._found: list[str] = [""] * num  # addresses that have answered
        self._errors: list[str] = [""] * num
        self._due_s = 0.0

    def checked(self, addresses: list[str]) -> list[str]:
        """Those of servers that answer; "" for the others."""
        now_s = time.monotonic()
        new = [i for i, address in enumerate(addresses) if address and address != self._found[i]]
        asked = new
        if now_s >= self._due_s:
            asked = [i for i, address in enumerate(addresses) if address]
            self._due_s = now_s + _HEALTH_PERIOD_S
        if asked:
            answers = at_once([self._call_of(i, addresses[i]) for i in asked])
            for i, answered in zip(asked, answers, strict=True):
                self._found[i] = addresses[i] if answered else ""
        for i, address in enumerate(addresses):
            if not address:
                self._found[i] = ""
        return list(self._found)

    def _call_of(self, i: int, address: str) -> Callable[[], bool]:
        client = self._clients[i]
        if client is None or client.address != address:
            if client is not None:
                client.close()
            client = self._clients[i] = Client(
                address,
                token_file=self._token_file,
                connect_timeout_s=_HEALTH_TIMEOUT_S,
                timeout_s=_HEALTH_TIMEOUT_S,
                retry_s=0.0,
            )
        answering = client

        def call() -> bool:
            try:
                answering.systems()
            except LivndError as error:
                self._errors[i] = str(error)
                return False
            return True

        return call

    def why(self) -> str:
        """What one that does not answer has said; "" if there is nothing to say."""
        said = next(filter(None, self._errors), "")
        return f": {said}" if said else ""

    def close(self) -> None:
        for client in self._clients:
            if client is not None:
                client.close()
