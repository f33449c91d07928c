"""SLURM of one node in a folder of its own, without cgroups or systemd."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

_UP_S = 60.0

# More cores than there may be: a task takes one, and two servers have to run beside the command.
_CONFIG = """\
ClusterName=livnd
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,batch_sched_delay=1
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=5
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=1000 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


class SlurmCluster:
    """It runs within the `with` block; root's.

    Attributes:
        environment: what SLURM's commands need to find it.
    """

    def __init__(self) -> None:
        # A socket's name has to be short.
        self.folder = Path(tempfile.mkdtemp(prefix="livnd-slurm-", dir="/tmp"))
        self.environment = {"SLURM_CONF": str(self.folder / "slurm.conf")}
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> SlurmCluster:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        if len(self._processes) == 3:
            # What still runs, or completes, would outlive the daemons.
            self.ask("scancel", "--user=root")
            deadline_s = time.monotonic() + 30
            while self.ask("squeue", "-h") and time.monotonic() < deadline_s:
                time.sleep(0.2)
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> None:
        self.folder.chmod(0o755)
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.touch(0o600)
        key.write_bytes(secrets.token_bytes(128))
        config = _CONFIG.format(
            host=socket.gethostname().partition(".")[0], ports=_free_ports(2), folder=self.folder
        )
        (self.folder / "slurm.conf").write_text(config)
        self._run(
            "munged", "--foreground", "--force", f"--key-file={key}",
            f"--socket={self.folder}/munge.sock", f"--pid-file={self.folder}/munged.pid",
            f"--log-file={self.folder}/munged.log", f"--seed-file={self.folder}/munged.seed",
        )  # fmt: skip
        self._wait_until("munged", lambda: (self.folder / "munge.sock").exists())
        self._run("slurmctld", "-D", "-c")
        self._run("slurmd", "-D", "-c")
        self._wait_until("sinfo", lambda: self.ask("sinfo", "-h", "-o", "%T").strip() == "idle")

    def _run(self, *command: str) -> None:
        with open(self.folder / f"{command[0]}.out", "wb") as out:
            self._processes.append(
                subprocess.Popen(
                    [shutil.which(command[0], path=_path()) or command[0], *command[1:]],
                    env={**os.environ, **self.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                )
            )

    def _wait_until(self, what: str, holds) -> None:
        deadline_s = time.monotonic() + _UP_S
        while not holds():
            ended = [p.args[0] for p in self._processes if p.poll() is not None]
            assert not ended and time.monotonic() < deadline_s, (
                f"{what}: {ended or 'not up'}\n{self.logs()}"
            )
            time.sleep(0.1)

    def ask(self, *command: str) -> str:
        """What one of SLURM's commands prints, or ""."""
        done = subprocess.run(
            command,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.stdout

    def logs(self) -> str:
        """The ends of its logs, for a test that fails."""
        texts = [
            f"--- {path.name}\n{path.read_text(errors='replace')[-2000:]}"
            for path in sorted([*self.folder.glob("*.log"), *self.folder.glob("*.out")])
        ]
        return "\n".join(texts)


def _path() -> str:
    return os.environ["PATH"] + ":/usr/sbin:/sbin"


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
