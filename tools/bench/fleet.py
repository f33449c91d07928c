"""What a fleet of two servers of one thread each is worth: group `fleet`."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import livnd
from report import Report, say
from sessions import serving

ENVIRONMENT = "TargetRate-EI-100-v0"
COPIES = 32
LINES = ["fleet/one-thread", "fleet/two-threads"]


def rate(envs: Any, num_steps: int) -> float:
    """Environment steps a second, of one round."""
    actions = envs.action_space.sample()
    start = time.perf_counter()
    for _ in range(num_steps):
        envs.step(actions)
    return envs.num_envs * num_steps / (time.perf_counter() - start)


def run(wanted: set[str], report: Report, binaries: Path, root: Path, quick: bool) -> None:
    """Measures and prints the lines that are wanted; the servers take turns."""
    if not wanted.intersection(LINES):
        return
    copies, num_rounds, num_steps = (4, 1, 3) if quick else (COPIES, 15, 20)
    one, two = ("--threads", "1"), ("--threads", "2")
    with serving(binaries, root, one, one, two, systems="tests/data/served") as servers:
        first, second, both = [server.address for server in servers]
        made = [
            livnd.make_vec(ENVIRONMENT, copies, **where)
            for where in ({"addresses": [first, second]}, {"address": first}, {"address": both})
        ]
        rates: list[list[float]] = [[] for _ in made]
        try:
            for envs in made:
                envs.action_space.seed(1)
                envs.reset(seed=1)
                rate(envs, 2)
            for _ in range(num_rounds):
                for envs, found in zip(made, rates, strict=True):
                    found.append(rate(envs, num_steps))
        finally:
            for envs in made:
                envs.close()
    fleet, *alone = (statistics.median(found) for found in rates)
    say(f"fleet: {copies} copies of {ENVIRONMENT}, {num_rounds} rounds of {num_steps} steps")
    for name, baseline in zip(LINES, alone, strict=True):
        report.line(name, fleet, baseline, "1/s", more_is_better=True)
