"""What keeping sessions costs: journals, snapshots over the wire, coming back; group `sessions`."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import livnd
import numpy as np
from engine import CULTURES
from report import Report, say
from serve import NULL_ENVIRONMENT, percentile
from worker import Worker

EI_100 = "TargetRate-EI-100-v0"
LANGUAGES = ("python", "cpp")
COPIES = (1, 64)
JOURNAL = {(x, n): f"sessions/journal-{x}-{n}" for n in COPIES for x in LANGUAGES}
POWER = "sessions/journal-power-python-1"
STATE = {"sessions/snapshot": "snapshot", "sessions/fork": "fork"}
MANY = 1000
RECOVERY = f"sessions/recovery-{MANY}"
MEMORY = f"sessions/memory-{MANY}"
P99 = f"sessions/step-p99-{MANY}"
LINES = [*JOURNAL.values(), POWER, *STATE, RECOVERY, MEMORY, P99]


class Server:
    """`livnd serve` in a folder of its own, which can be killed and started again."""

    def __init__(self, binaries: Path, systems: Path, folder: Path, *flags: str) -> None:
        self.address = f"unix:{folder}/livnd.sock"
        self._command = [binaries / "server/livnd", "serve", "--listen", self.address]
        self._command += ["--exit-with-stdin", "--state-dir", folder / "state"]
        self._command += ["--systems", systems, "--bench-environments", *flags]
        folder.mkdir(exist_ok=True)
        self.start()

    def start(self) -> float:
        """Seconds until it can be called."""
        start = time.perf_counter()
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        if not self._process.stdout.readline():
            raise RuntimeError("livnd serve ended before it was ready")
        return time.perf_counter() - start

    def kill(self) -> None:
        """As a crash does."""
        self._process.kill()
        self._process.communicate()

    def resident_bytes(self) -> int:
        """Memory that the process has."""
        pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def serving(
    binaries: Path, root: Path, *kinds: tuple[str, ...], systems: str = "systems"
) -> Iterator[list[Server]]:
    """A server for each list of flags, on a real disk where the temporary folder is on one."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="livnd-bench-")))
        servers = []
        for number, flags in enumerate(kinds):
            servers.append(Server(binaries, root / systems, folder / str(number), *flags))
            stack.callback(servers[-1].kill)
        yield servers


def measure_journals(report: Report, binaries: Path, root: Path, quick: bool) -> None:
    """Steps of Null-v0 with each durability beside the same without; the servers take turns."""
    rounds, steps = (1, 5) if quick else (60, 25)
    bench = binaries / "tools/bench"
    kinds = ("none", "process", "power")
    with ExitStack() as stack:
        flags = [("--durability", kind) for kind in kinds]
        servers = stack.enter_context(serving(binaries, root, *flags))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="livnd-bench-")))
        echo = f"unix:{folder}/echo.sock"
        stack.enter_context(Worker([bench / "echo/echo_server", echo]))
        python = [sys.executable, Path(__file__).with_name("step_client.py")]
        descriptors = bench / "echo/echo_descriptor_set.binpb"
        for language in LANGUAGES:
            for copies in COPIES:
                clients = {}
                for kind, server in zip(kinds, servers, strict=True):
                    command = [*python, server.address, echo, descriptors]
                    if language == "cpp":
                        command = [bench / "step_client", server.address, echo]
                    clients[kind] = stack.enter_context(Worker(command))
                    clients[kind].ask("open", environment_id=NULL_ENVIRONMENT, num_envs=copies)
                us: dict[str, list[float]] = {kind: [] for kind in kinds}
                for turn in range(rounds + 1):
                    for kind, client in clients.items():
                        told = client.ask("step", count=steps if turn else 2)["us"]
                        us[kind] += told if turn else []
                middle = {kind: statistics.median(found) for kind, found in us.items()}
                name = JOURNAL[language, copies]
                report.line(name, middle["process"], middle["none"], "us")
                if name == "sessions/journal-python-1":
                    report.line(POWER, middle["power"], middle["none"], "us")


def median_us(call: Callable[[], object], count: int) -> float:
    """Of so many calls, the first one left out."""
    us = []
    for _ in range(count + 1):
        start = time.perf_counter()
        call()
        us.append((time.perf_counter() - start) * 1e6)
    return statistics.median(us[1:])


def measure_state(report: Report, binaries: Path, root: Path, quick: bool) -> None:
    """A snapshot of one copy of EI-100 over the wire, and a fork, beside the engine's own."""
    count = 3 if quick else 50
    program = binaries / "tools/bench/state_bench"
    core = max(os.sched_getaffinity(0))
    with Worker([program, *CULTURES["EI-100"].subject(root)], core) as engine:
        alone = {
            command: statistics.median(
                [engine.ask(command, count=count)["cpu_s"] * 1e6 for _ in range(3)]
            )
            for command in STATE.values()
        }
    with serving(binaries, root, ()) as (server,), livnd.connect(server.address) as client:
        session = client.create_session(EI_100, 1)
        session.reset([1])
        session.step(np.zeros((1, *session.spec.actions[0].shape)))

        def fork() -> None:
            for made in session.fork(1):
                made.close()

        deletion_us = median_us(lambda: client.create_session(NULL_ENVIRONMENT, 1).close(), count)
        say(f"making and deleting a session of nothing takes {deletion_us:.0f} us of a fork's time")
        for line, call in (("sessions/snapshot", session.snapshot), ("sessions/fork", fork)):
            report.line(line, median_us(call, count), alone[STATE[line]], "us")


def measure_many(report: Report, binaries: Path, root: Path, quick: bool) -> None:
    """Many sessions of one copy: their memory, a step among them, and how soon they are back."""
    many = 20 if quick else MANY
    flags = ("--max-sessions", str(MANY + 8))
    with serving(binaries, root, flags) as (server,):
        server.kill()
        empty_s = server.start()
        empty_bytes = server.resident_bytes()
        with livnd.connect(server.address) as client:
            one = client.create_session(EI_100, 1)
            one.reset([0])
            actions = np.zeros((1, *one.spec.actions[0].shape), np.float32)
            alone_us = step_times(lambda number: one.step(actions), many)
            one_bytes = server.resident_bytes()
            say(f"{one_bytes - empty_bytes} bytes for the model and one session")
            sessions = [client.create_session(EI_100, 1) for _ in range(many)]
            for number, session in enumerate(sessions):
                session.reset([number])
            among_us = step_times(lambda number: sessions[number].step(actions), many)
            each_bytes = (server.resident_bytes() - one_bytes) / many
            snapshot_bytes = len(one.snapshot())
            report.line(MEMORY, each_bytes, snapshot_bytes, "bytes")
            report.line(P99, percentile(among_us, 99), percentile(alone_us, 99), "us")
            server.kill()
            report.line(RECOVERY, server.start(), empty_s, "s")
            sessions[0].step(actions)


def step_times(step: Callable[[int], object], count: int) -> list[float]:
    """Microseconds of each of so many steps."""
    us = []
    for number in range(count):
        start = time.perf_counter()
        step(number)
        us.append((time.perf_counter() - start) * 1e6)
    return us


def run(wanted: set[str], report: Report, binaries: Path, root: Path, quick: bool) -> None:
    """Measures every part of which a line is wanted."""
    if wanted.intersection([*JOURNAL.values(), POWER]):
        measure_journals(report, binaries, root, quick)
    if wanted.intersection(STATE):
        measure_state(report, binaries, root, quick)
    if wanted.intersection([RECOVERY, MEMORY, P99]):
        measure_many(report, binaries, root, quick)
