"""A Step over the wire beside a bare echo and beside the simulation alone: group `serve`."""

from __future__ import annotations

import math
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from report import Progress, Report, say
from worker import Worker

ENVIRONMENT = "TargetRate-EI-mini-v0"
SYSTEM = "systems/EI-mini"
NULL_ENVIRONMENT = "Null-v0"  # in which nothing happens
STEP_DURATION_MS = 50.0
LANGUAGES = ("python", "cpp")
# How a client calls: one language or the other, or C++ over a stream.
CLIENTS = (*LANGUAGES, "stream")
FIGURES = ("step", "step-p99", "rate", "overhead")


@dataclass(frozen=True)
class Case:
    """How many copies, and how many calls make a figure.

    Rounds are short, so that what is compared meets the same state of the machine.
    """

    copies: int
    rounds: int
    steps: int  # a round; a p99 needs 100 in all
    echoes: int  # a round

    def lines(self) -> list[str]:
        """Names of the lines that the case prints."""
        return [
            f"serve/{figure}-{language}-{self.copies}"
            for language in LANGUAGES
            for figure in FIGURES
        ]


CASES = [
    Case(copies=1, rounds=60, steps=8, echoes=20),
    Case(copies=16, rounds=50, steps=4, echoes=24),
    Case(copies=64, rounds=50, steps=2, echoes=24),
]
# Of the environment in which nothing happens: only how many calls count here.
NULL_CASES = [
    Case(copies=1, rounds=40, steps=50, echoes=50),
    Case(copies=64, rounds=40, steps=25, echoes=25),
]
_WARMUP = Case(copies=0, rounds=1, steps=2, echoes=20)

# The ends of the lines' names, and whether the clients call over a socket or over TCP.
TRANSPORTS = {"": "unix", "-tcp": "tcp"}


def null_lines(ending: str) -> list[str]:
    """Names of the lines of one transport."""
    return [f"serve/null-{x}-{case.copies}{ending}" for case in NULL_CASES for x in CLIENTS]


NULL_LINES = [line for ending in TRANSPORTS for line in null_lines(ending)]
# Runs of a culture without a task, C++, over the wire beside the simulation alone: culture time a
# second, of all copies.
RUN_CASE = Case(copies=64, rounds=30, steps=10, echoes=0)
RUN_DURATION_MS = 10.0
RUN_LINE = f"serve/run-rate-cpp-{RUN_CASE.copies}"
LINES = [line for case in CASES for line in case.lines()] + NULL_LINES + [RUN_LINE]


@dataclass
class Times:
    """Microseconds of every call, in order."""

    step: list[float] = field(default_factory=list)
    echo: list[float] = field(default_factory=list)


@dataclass
class Sides:
    """The processes that wait for commands: each of CLIENTS, and the simulation alone."""

    clients: dict[str, Worker]
    alone: Worker


@contextmanager
def started(binaries: Path, root: Path, transport: str = "unix") -> Iterator[Sides]:
    """Both servers, on sockets or ports of their own, and everybody who calls them."""
    bench = binaries / "tools/bench"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="livnd-bench-")))
        here = {
            name: f"unix:{folder}/{name}.sock" if transport == "unix" else "127.0.0.1:0"
            for name in ("livnd", "echo")
        }
        serve = [binaries / "server/livnd", "serve", "--listen", here["livnd"], "--exit-with-stdin"]
        serve += ["--state-dir", folder / "state", "--systems", root / "systems"]
        serve += ["--bench-environments"]
        livnd = stack.enter_context(Worker(serve)).ready["address"]
        server = [bench / "echo/echo_server", here["echo"]]
        echo = stack.enter_context(Worker(server)).ready["address"]
        python = [sys.executable, Path(__file__).with_name("step_client.py")]
        descriptors = bench / "echo/echo_descriptor_set.binpb"
        commands = {
            "python": [*python, livnd, echo, descriptors],
            "cpp": [bench / "step_client", livnd, echo],
            "stream": [bench / "step_client", livnd, echo, "stream"],
        }
        clients = {name: stack.enter_context(Worker(commands[name])) for name in CLIENTS}
        alone = stack.enter_context(Worker([bench / "env_bench", root / SYSTEM, ENVIRONMENT]))
        yield Sides(clients, alone)


def percentile(values: list[float], percent: float) -> float:
    """The smallest value that `percent` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def standard_error_of_median(values: list[float]) -> float:
    """As of normal values with as large a median deviation."""
    middle = statistics.median(values)
    deviation = 1.4826 * statistics.median(abs(value - middle) for value in values)
    return 1.2533 * deviation / math.sqrt(len(values))


def open_sessions(
    clients: dict[str, Worker], environment_id: str, copies: int
) -> dict[str, dict[str, int]]:
    """A new session of each client; the bytes of its calls, by the client's name."""
    return {
        name: client.ask("open", environment_id=environment_id, num_envs=copies)
        for name, client in clients.items()
    }


def measure(sides: Sides, case: Case) -> tuple[dict[str, Times], list[float]]:
    """All sides in turn, each with the same steps.

    Returns:
        Times by language, and the microseconds of every step without server and client.
    """
    sides.alone.ask("open", num_envs=case.copies)
    clients = {language: sides.clients[language] for language in LANGUAGES}
    sizes = open_sessions(clients, ENVIRONMENT, case.copies)
    found = {language: Times() for language in clients}
    alone: list[float] = []
    progress = Progress(f"x {case.copies}", case.rounds + 1)
    for turn in range(case.rounds + 1):
        count = case if turn else _WARMUP
        answer = sides.alone.ask("step", count=count.steps)
        reward_sum = answer["reward_sum"]
        if turn:
            alone += answer["us"]
        for language, client in clients.items():
            echo_us = client.ask("echo", count=count.echoes, **sizes[language])["us"]
            answer = client.ask("step", count=count.steps)
            if answer["reward_sum"] != reward_sum:
                say(f"{language}: the rewards are not those of the simulation alone")
            if turn:
                found[language].echo += echo_us
                found[language].step += answer["us"]
        progress.advance()
    return found, alone


def measure_null(sides: Sides, case: Case) -> dict[str, Times]:
    """The clients in turn, each with the same steps of the environment in which nothing happens."""
    sizes = open_sessions(sides.clients, NULL_ENVIRONMENT, case.copies)
    found = {name: Times() for name in sides.clients}
    for turn in range(case.rounds + 1):
        count = case if turn else _WARMUP
        rewards = set()
        for name, client in sides.clients.items():
            echo_us = client.ask("echo", count=count.echoes, **sizes[name])["us"]
            answer = client.ask("step", count=count.steps)
            rewards.add(answer["reward_sum"])
            if turn:
                found[name].echo += echo_us
                found[name].step += answer["us"]
        if len(rewards) > 1:
            say("the clients' rewards are not the same")
    return found


def measure_runs(sides: Sides, case: Case) -> tuple[list[float], list[float]]:
    """Microseconds of every run over the wire, and of the same ones without server and client."""
    both = [sides.clients["cpp"], sides.alone]
    for side in both:
        side.ask("open_culture", system=Path(SYSTEM).name, num_envs=case.copies)
    found: tuple[list[float], list[float]] = ([], [])
    for turn in range(case.rounds + 1):
        count = (case if turn else _WARMUP).steps
        answers = [side.ask("run", count=count, duration_ms=RUN_DURATION_MS) for side in both]
        if answers[0]["num_spikes"] != answers[1]["num_spikes"]:
            say("the spikes are not those of the simulation alone")
        if turn:
            for us, answer in zip(found, answers, strict=True):
                us += answer["us"]
    return found


def print_lines(report: Report, copies: int, language: str, us: Times, alone: list[float]) -> None:
    """The four lines of a language and a number of copies."""
    name = f"{language}-{copies}"
    echo_us = statistics.median(us.echo)
    report.line(f"serve/step-{name}", statistics.median(us.step), echo_us, "us")
    report.line(f"serve/step-p99-{name}", percentile(us.step, 99), percentile(us.echo, 99), "us")
    report.line(
        f"serve/rate-{name}",
        copies * 1e6 / statistics.mean(us.step),
        copies * 1e6 / statistics.mean(us.echo),
        "environment steps/s",
        more_is_better=True,
    )
    overheads_us = [a - b for a, b in zip(us.step, alone, strict=True)]
    overhead_us = statistics.median(overheads_us)
    uncertain_us = standard_error_of_median(overheads_us)
    if uncertain_us > 0.2 * overhead_us:
        say(f"overhead-{name}: {overhead_us:.0f} us is uncertain by {uncertain_us:.0f} us")
    report.line(f"serve/overhead-{name}", overhead_us, echo_us, "us")


def run(wanted: set[str], report: Report, binaries: Path, root: Path, quick: bool) -> None:
    """Measures every case of which a line is wanted."""
    for ending, transport in TRANSPORTS.items():
        cases = [case for case in CASES if not ending and wanted.intersection(case.lines())]
        null_cases = NULL_CASES if wanted.intersection(null_lines(ending)) else []
        runs = not ending and RUN_LINE in wanted
        if not cases and not null_cases and not runs:
            continue
        say(f"starting the servers, {transport}, {os.cpu_count()} cores")
        with started(binaries, root, transport) as sides:
            for case in cases:
                if quick:
                    case = Case(case.copies, rounds=1, steps=2, echoes=5)
                say(f"{ENVIRONMENT} x {case.copies}: {case.rounds} x {case.steps} steps a side")
                found, alone = measure(sides, case)
                say(f"x {case.copies}: {statistics.median(alone):.0f} us a step without serving")
                for language, us in found.items():
                    print_lines(report, case.copies, language, us, alone)
            for case in null_cases:
                if quick:
                    case = Case(case.copies, rounds=1, steps=5, echoes=5)
                say(f"{NULL_ENVIRONMENT} x {case.copies}: {case.rounds} x {case.steps} a side")
                for name, us in measure_null(sides, case).items():
                    line = f"serve/null-{name}-{case.copies}{ending}"
                    report.line(line, statistics.median(us.step), statistics.median(us.echo), "us")
            if runs:
                case = RUN_CASE
                if quick:
                    case = Case(case.copies, rounds=1, steps=2, echoes=0)
                say(f"{SYSTEM} x {case.copies}: {case.rounds} x {case.steps} runs a side")
                us, alone = measure_runs(sides, case)
                lived_us = case.copies * RUN_DURATION_MS * 1e3
                report.line(
                    RUN_LINE,
                    lived_us / statistics.median(us),
                    lived_us / statistics.median(alone),
                    "culture s/s",
                    more_is_better=True,
                )
