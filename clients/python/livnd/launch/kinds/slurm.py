"""Servers that SLURM starts: tasks of a job array, or steps of the allocation that this runs in."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
from collections.abc import Callable, Sequence

from livnd.errors import ServerStartError
from livnd.launch.folder import LaunchFolder
from livnd.launch.process_group import ProcessGroup
from livnd.launch.workers import FolderWorkers, Pauses, environment

_ASK_TIMEOUT_S = 60.0


def is_in_allocation() -> bool:
    """Whether this process runs in one: by salloc, or in a job of sbatch."""
    return bool(os.environ.get("SLURM_JOB_ID"))


def num_nodes() -> int:
    """Of the allocation."""
    return int(os.environ.get("SLURM_JOB_NUM_NODES") or os.environ.get("SLURM_NNODES") or 1)


class ArrayWorkers(FolderWorkers):
    """Tasks of a job array, one a worker; what is lost is submitted again.

    Args:
        folder: of the launch; on every node the same.
        num: how many.
        options: of sbatch: partition, time, cores.
        say: tells people.
    """

    def __init__(
        self, folder: LaunchFolder, num: int, options: Sequence[str], say: Callable[[str], None]
    ) -> None:
        super().__init__(folder, num, say)
        self._options = list(options)
        self._job_of: dict[int, str] = {}  # the array that has each worker
        self._pauses = [Pauses(5.0, 60.0) for _ in range(num)]
        self._asking = Pauses(2.0, 2.0)
        self._name = f"livnd-{folder.path.name}-{os.getpid()}"

    def start(self) -> None:
        self._submit(list(range(self.num)))

    def _submit(self, which: list[int]) -> None:
        numbers = ",".join(map(str, which))
        if which == list(range(self.num)):
            numbers = f"0-{self.num - 1}"
        log = self._folder.path / "slurm-%A_%a.log"
        script = f"#!/bin/sh\nexec {shlex.join(self._command())}\n"
        answer = _ask(
            ["sbatch", "--parsable", f"--array={numbers}", f"--job-name={self._name}",
             "--nodes=1", "--ntasks=1", "--open-mode=append", f"--output={log}", f"--error={log}",
             f"--chdir={self._folder.path}", "--export=ALL", *self._options],
            script,
        )  # fmt: skip
        job = answer.strip().partition(";")[0]
        for i in which:
            self._job_of[i] = job
            self._pauses[i].started()

    def _keep(self) -> None:
        if not self._asking.is_due():
            return
        self._asking.started()
        alive = set(
            _ask(
                ["squeue", "--noheader", "--array", "--format=%F_%K", f"--name={self._name}"]
            ).split()
        )
        lost = [
            i
            for i, job in self._job_of.items()
            if f"{job}_{i}" not in alive and self._pauses[i].is_due()
        ]
        if not lost:
            return
        if not self._have_served:
            logs = [self._folder.path / f"slurm-{self._job_of[i]}_{i}.log" for i in lost]
            tail = "".join(log.read_text(errors="replace")[-1000:] for log in logs if log.exists())
            raise ServerStartError(f"SLURM's job of worker {lost[0]} has ended; it said:\n{tail}")
        for i in lost:
            self._say(f"SLURM's job of worker {i} has ended; submitting another one")
            self._folder.tell_address(i, "")
        self._submit(lost)

    def stop(self) -> None:
        self._folder.stop()
        jobs = sorted(set(self._job_of.values()))
        if jobs:
            with contextlib.suppress(ServerStartError):
                _ask(["scancel", *jobs])


class StepWorkers(FolderWorkers):
    """Steps of the allocation, one a node; what is lost is started again.

    Args:
        folder: of the launch; on every node the same.
        num: how many, at most as many as nodes.
        options: of srun.
        say: tells people.
    """

    def __init__(
        self, folder: LaunchFolder, num: int, options: Sequence[str], say: Callable[[str], None]
    ) -> None:
        super().__init__(folder, num, say)
        self._options = list(options)
        self._steps: dict[int, ProcessGroup] = {}
        self._pauses = [Pauses(1.0, 30.0) for _ in range(num)]

    def start(self) -> None:
        for i in range(self.num):
            self._start(i)

    def _start(self, i: int) -> None:
        self._pauses[i].started()
        where = ["--nodes=1", "--ntasks=1", f"--relative={i % num_nodes()}", "--overlap"]
        command = ["srun", *where, *self._options, *self._command(str(i))]
        self._steps[i] = ProcessGroup(command, self._folder.path / f"srun-{i}.log")

    def _keep(self) -> None:
        for i in range(self.num):
            step = self._steps.get(i)
            if step is not None and step.status is not None:
                del self._steps[i]
                if not self._have_served:
                    raise step.failed(f"srun of worker {i}")
                self._say(f"SLURM's step of worker {i} has ended; starting another one")
                self._folder.tell_address(i, "")
            if i not in self._steps and self._pauses[i].is_due():
                self._start(i)

    def stop(self) -> None:
        self._folder.stop()
        steps, self._steps = list(self._steps.values()), {}
        for step in steps:
            step.end()


def _ask(command: list[str], script: str | None = None) -> str:
    """What SLURM's command answers. ServerStartError: it fails."""
    try:
        done = subprocess.run(
            command,
            input=script,
            capture_output=True,
            text=True,
            timeout=_ASK_TIMEOUT_S,
            env=environment(dict(os.environ)),
            check=False,
        )
    except OSError as error:
        raise ServerStartError(f"{command[0]}: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise ServerStartError(f"{command[0]} has not answered for {_ASK_TIMEOUT_S:g} s") from None
    if done.returncode:
        raise ServerStartError(f"{command[0]} failed: {done.stderr.strip()}")
    return done.stdout
