"""A livnd server of this process's own, on a Unix socket that only this user can reach.

All clients of a process share one server; it ends with the last of them. The server's standard
input is a pipe that this process holds open: when the process dies, by whatever signal, the kernel
closes the pipe, the server ends (`--exit-with-stdin`) and the shell around it removes the folder.
A forked child gives up its copy of the pipe and starts a server of its own when it needs one.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from livnd import addresses
from livnd.errors import ServerStartError

_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 10.0
MAX_THREADS = 1024
_MAX_SOCKET_PATH_BYTES = 100  # the kernel takes 107

# $0 is the server's folder, "$@" the server. When the server has ended for a reason of its own, the
# folder with its log stays for the client to read, until the client lets go of the pipe.
_SHELL = '"$@"; echo $? > "$0/exit_code"; cat > /dev/null; rm -rf -- "$0"'

_PACKAGE = Path(__file__).resolve().parent


def find_binary() -> Path:
    """LIVND_BINARY, else the wheel's bin/livnd, else bazel-bin/server/livnd above the package.

    Raises:
        ServerStartError: none of them is an executable file; the message lists them.
    """
    given = os.environ.get("LIVND_BINARY")
    if given:
        candidates = [Path(given).absolute()]
    else:
        candidates = [_PACKAGE / "bin" / "livnd"]
        candidates += [parent / "bazel-bin/server/livnd" for parent in _PACKAGE.parents]
    for path in candidates:
        if path.is_file() and os.access(path, os.X_OK):
            return path
    raise ServerStartError(
        "no livnd binary to start a server with: LIVND_BINARY is "
        + (f"{given!r}, which is no executable file" if given else "not set")
        + (", and no bazel-bin/server/livnd lies above the package" if not given else "")
        + ". Build it (bazel build //server:livnd), set LIVND_BINARY, or pass address=..."
    )


def find_systems() -> Path:
    """LIVND_SYSTEMS, else the package's systems/, else the repository's systems/.

    Raises:
        ServerStartError: none of them is a folder.
    """
    given = os.environ.get("LIVND_SYSTEMS")
    if given:
        candidates = [Path(given).absolute()]
    else:
        candidates = [_PACKAGE / "systems"]
        candidates += [
            parent / "systems" for parent in _PACKAGE.parents if (parent / "WORKSPACE").exists()
        ]
    for path in candidates:
        if path.is_dir():
            return path
    raise ServerStartError(
        "no systems folder for the server: "
        + (f"LIVND_SYSTEMS={given!r} is no folder" if given else "set LIVND_SYSTEMS")
    )


class LocalServer:
    """One server process. Use acquire() and release(), not the constructor.

    Args:
        threads: how many shall simulate; None leaves it to the server.
        systems: the folder that it serves; None: find_systems().

    Attributes:
        address: "unix:PATH" to connect to.
        folder: its private folder: socket, state, logs.
        wish: what it was asked for: threads and systems.
    """

    def __init__(self, threads: int | None = None, systems: Path | None = None) -> None:
        self.wish = (threads, systems)
        binary = find_binary()
        if systems is None:
            systems = find_systems()
        self.references = 0
        self._pid = os.getpid()
        self._stopped = False
        self.folder = Path(_make_folder())
        self.address = f"unix:{self.folder / 'livnd.sock'}"
        command = [str(binary), "serve", "--listen", self.address]
        command += ["--state-dir", str(self.folder / "state"), "--systems", str(systems)]
        command += ["--exit-with-stdin", "--session-retention", "never", "--max-sessions", "4096"]
        if threads is not None:
            command += ["--threads", str(threads)]
        (self.folder / "state").mkdir()
        read_end, self._pipe = os.pipe()
        try:
            with open(self._ready_file, "wb") as out, open(self._log_file, "wb") as log:
                self._process = subprocess.Popen(
                    ["/bin/sh", "-c", _SHELL, str(self.folder), *command],
                    stdin=read_end,
                    stdout=out,
                    stderr=log,
                    # Ctrl-C in the terminal is for the client, which then ends the server.
                    start_new_session=True,
                )
        except BaseException:
            os.close(self._pipe)
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        finally:
            os.close(read_end)
        try:
            self._wait_until_ready(binary)
        except BaseException:
            self.stop()
            raise

    @property
    def _ready_file(self) -> Path:
        return self.folder / "stdout"

    @property
    def _log_file(self) -> Path:
        return self.folder / "server.log"

    def _wait_until_ready(self, binary: Path) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while True:
            alive = self.alive()
            line, newline, _ = self._ready_file.read_text(errors="replace").partition("\n")
            if newline:
                try:
                    ready = json.loads(line)
                except ValueError:
                    ready = None
                if isinstance(ready, dict) and ready.get("event") == "ready":
                    self.address = ready.get("address", self.address)
                    return
                raise ServerStartError(f"{binary} is no livnd server: it printed {line[:200]!r}")
            if not alive:
                raise ServerStartError(f"{binary} {self.why_dead()}")
            if time.monotonic() > deadline:
                raise ServerStartError(
                    f"{binary} was not ready after {_START_TIMEOUT_S:.0f} s{self._log_tail()}"
                )
            time.sleep(0.005)

    def alive(self) -> bool:
        """Whether the server process still runs."""
        return (
            not self._stopped
            and self._process.poll() is None
            and not (self.folder / "exit_code").exists()
        )

    def why_dead(self) -> str:
        """What is known of the end of a server that is not alive: its exit code and last words."""
        try:
            code = (self.folder / "exit_code").read_text().strip()
        except OSError:
            code = "unknown"
        return f"ended with exit code {code}{self._log_tail()}"

    def _log_tail(self) -> str:
        try:
            tail = self._log_file.read_text(errors="replace")[-2000:].strip()
        except OSError:
            return ""
        return f"; its log ends with:\n{tail}" if tail else ""

    def stop(self) -> None:
        """Ends the process and removes its folder. Does nothing the second time or in a fork."""
        if self._stopped or os.getpid() != self._pid:
            return
        self._stopped = True
        os.close(self._pipe)
        for number in (None, signal.SIGTERM, signal.SIGKILL):
            if number is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, number)
            try:
                self._process.wait(_STOP_TIMEOUT_S)
                break
            except subprocess.TimeoutExpired:
                continue
        shutil.rmtree(self.folder, ignore_errors=True)

    def forget(self) -> None:
        """In a forked child: drops the copy of the pipe that would keep the server alive."""
        if not self._stopped:
            self._stopped = True
            os.close(self._pipe)


def _make_folder() -> str:
    for root in (None, "/tmp"):
        folder = tempfile.mkdtemp(prefix="livnd-", dir=root)
        fits = len(os.fsencode(folder)) + len("/livnd.sock") <= _MAX_SOCKET_PATH_BYTES
        if fits and addresses.can_be_called(folder):
            return folder
        os.rmdir(folder)
    raise ServerStartError(
        "the temporary folder's name is too long for a Unix socket, or has a comma: set TMPDIR"
    )


# The running servers of this process: one that new clients join, and, after a crash, older ones
# that still have clients.
_lock = threading.Lock()
_servers: list[LocalServer] = []


def acquire(threads: int | None = None, systems: Path | None = None) -> LocalServer:
    """The process's server, started if there is none. Every caller owes one release().

    Args:
        threads: how many of the server's shall simulate, 1 .. 1024; callers who want different
            numbers get different servers. None: LIVND_THREADS, or the server's own default, one
            for each core that this process may use.
        systems: the folder that it shall serve; callers who want different ones get different
            servers. None: find_systems().

    Raises:
        ServerStartError: no binary, no systems, a bad LIVND_THREADS, or it ended before it was
            ready.
    """
    if threads is None:
        threads = _threads_of_environment()
    with _lock:
        wish = (threads, systems)
        server = next((s for s in _servers if s.alive() and s.wish == wish), None)
        if server is None:
            server = LocalServer(*wish)
            _servers.append(server)
        server.references += 1
        return server


def release(server: LocalServer) -> None:
    """Gives a server back; the last one to do so ends it."""
    with _lock:
        server.references -= 1
        if server.references > 0 or server not in _servers:
            return
        _servers.remove(server)
    server.stop()


def _threads_of_environment() -> int | None:
    given = os.environ.get("LIVND_THREADS")
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and 1 <= int(given) <= MAX_THREADS):
        raise ServerStartError(f"LIVND_THREADS is {given!r}; accepted: 1 .. {MAX_THREADS}")
    return int(given)


def is_last_reference(server: LocalServer) -> bool:
    """Whether the next release() ends the server, or it has ended already."""
    with _lock:
        return server.references <= 1 or not server.alive()


def stop_all() -> None:
    """Ends every server of this process, whoever uses it."""
    with _lock:
        stopping = _servers[:]
        _servers.clear()
    for server in stopping:
        server.stop()


def _after_fork_in_child() -> None:
    global _lock
    _lock = threading.Lock()
    for server in _servers:
        server.forget()
    _servers.clear()


atexit.register(stop_all)
os.register_at_fork(after_in_child=_after_fork_in_child)
