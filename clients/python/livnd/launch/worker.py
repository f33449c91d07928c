"""A worker on some machine: `python -m livnd.launch.worker FOLDER [N]`, which a launch starts.

N is its number; without one it is what MPI or SLURM says.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from livnd import ranks
from livnd.errors import LivndError
from livnd.launch.folder import LaunchFolder, Silence
from livnd.launch.guarded_server import GuardedServer, cores, flags_of
from livnd.launch.workers import own_host

_PERIOD_S = 0.2


class Worker:
    """A server for a launch, until that is over.

    Args:
        folder: of the launch.
        index: its number.
    """

    def __init__(self, folder: Path, index: int) -> None:
        self._folder = LaunchFolder(folder)
        self._index = index
        self._silence = Silence(self._folder)
        settings = self._folder.settings()
        threads = settings["threads"]
        if threads is None and (beside := ranks.num_here()):
            threads = max(1, cores() // beside)
        flags = flags_of(settings["systems"], threads, settings["config"], self._folder.tokens)
        listen = f"{own_host(settings['toward'])}:0"
        self._server = GuardedServer(self._folder.worker(index), listen, flags)
        self._told = ""
        self._ended = threading.Event()

    def run(self) -> None:
        """Until stop(), or the launch is over. ServerStartError: the server does not start."""
        try:
            while not self._ended.is_set() and not self._silence.is_over():
                self._server.look()
                if self._server.address != self._told:
                    self._told = self._server.address
                    self._folder.tell_address(self._index, self._told)
                self._ended.wait(_PERIOD_S)
        finally:
            self._folder.tell_address(self._index, "")
            self._server.stop()

    def stop(self) -> None:
        """Has run() return."""
        self._ended.set()


def work(folder: Path, index: int, begun: Callable[[Worker], None]) -> int:
    """Makes a worker, tells of it and runs it; the exit status. Its folder has what went wrong."""
    try:
        worker = Worker(folder, index)
        begun(worker)
        worker.run()
    except LivndError as error:
        LaunchFolder(folder).tell_error(index, error)
        print(f"livnd.launch.worker: {error}", file=sys.stderr)
        return 1
    return 0


def main(arguments: list[str]) -> int:
    """Runs one; the exit status."""
    folder = Path(arguments[0])
    index = int(arguments[1]) if len(arguments) > 1 else ranks.rank()
    if index is None:
        print("livnd.launch.worker: neither MPI nor SLURM says its number", file=sys.stderr)
        return 2
    return work(folder, index, _end_by_signals)


def _end_by_signals(worker: Worker) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, frame: worker.stop())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
