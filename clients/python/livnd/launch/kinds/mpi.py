"""Servers that mpirun starts, one a rank."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from livnd.launch.folder import LaunchFolder
from livnd.launch.process_group import ProcessGroup
from livnd.launch.workers import FolderWorkers, Pauses


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
        self._process: ProcessGroup | None = None
        self._pauses = Pauses(1.0, 10.0)

    def start(self) -> None:
        self._pauses.started()
        command = [*self._mpirun, "-n", str(self.num), *self._command()]
        self._process = ProcessGroup(command, self._folder.path / "mpirun.log")

    def _keep(self) -> None:
        process = self._process
        if process is not None and process.status is not None:
            self._process = None
            if not self._have_served:
                raise process.failed(self._mpirun[0])
            self._say(
                f"{self._mpirun[0]} has ended with exit code {process.status}; starting it again"
            )
            for i in range(self.num):
                self._folder.tell_address(i, "")
        if self._process is None and self._pauses.is_due():
            self.start()

    def stop(self) -> None:
        self._folder.stop()
        process, self._process = self._process, None
        if process is not None:
            process.end()
