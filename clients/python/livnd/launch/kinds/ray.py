"""Servers that actors of Ray own: in a cluster that runs, or in one of this machine's own."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from livnd import extras
from livnd.launch.folder import LaunchFolder
from livnd.launch.worker import work
from livnd.launch.workers import FolderWorkers, environment

_PAUSE_S = 5.0
# What a worker's process needs of this one's environment.
_PASSED_ON = ("LIVND_BINARY", "LIVND_SYSTEMS", "PYTHONPATH")


class _Owner:
    """An actor: as long as it lives, its server does. Ray makes it again where it is lost."""

    def __init__(self, folder: str, index: int) -> None:
        threading.Thread(target=self._work, args=(Path(folder), index), daemon=True).start()

    def _work(self, folder: Path, index: int) -> None:
        status = 1
        try:
            status = work(folder, index, lambda worker: None)
        finally:
            # The launch is over; or Ray makes the actor again, on another node perhaps.
            if status:
                time.sleep(_PAUSE_S)
            os._exit(status)

    def process_id(self) -> int:
        return os.getpid()


class RayWorkers(FolderWorkers):
    """Actors, one a worker, spread over the cluster's nodes.

    Args:
        folder: of the launch; on every node the same.
        num: how many.
        address: of the cluster; None starts one on this machine, which ends with stop().
        cores: of the cluster that each worker takes.
        say: tells people.

    Raises:
        MissingExtraError: Ray is not installed.
    """

    def __init__(
        self,
        folder: LaunchFolder,
        num: int,
        address: str | None,
        cores: float,
        say: Callable[[str], None],
    ) -> None:
        super().__init__(folder, num, say)
        self._ray: Any = extras.load("ray", "ray", "`livnd.launch ray`")
        self._address = address
        self._cores = cores
        self._actors: list[Any] = []

    def start(self) -> None:
        passed_on = environment(dict(os.environ))
        variables = {name: passed_on[name] for name in _PASSED_ON if name in passed_on}
        if not self._address:
            # Ray has its workers wait for everybody else's, by a niceness of 15: not these.
            os.environ.setdefault("RAY_worker_niceness", "0")
        own: dict[str, Any] = {"include_dashboard": False, "num_cpus": self._cores * self.num}
        self._ray.init(
            log_to_driver=False,
            logging_level="ERROR",
            runtime_env={"env_vars": variables},
            **({"address": self._address} if self._address else own),
        )
        owner = self._ray.remote(_Owner).options(
            num_cpus=self._cores,
            max_restarts=-1,
            scheduling_strategy="SPREAD",
        )
        self._actors = [owner.remote(str(self._folder.path), i) for i in range(self.num)]

    def stop(self) -> None:
        self._folder.stop()
        if not self._ray.is_initialized():
            return
        for actor in self._actors:
            self._ray.kill(actor, no_restart=True)
        self._actors = []
        self._ray.shutdown()
