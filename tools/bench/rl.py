"""Reinforcement learning: through cultures, how fast, and beside other tools. Group `rl`."""

from __future__ import annotations

import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from report import Report, say
from worker import BenchError, Worker

# Pendulum-v1 through cultures (rl_programs/cultures.py), beside the bare task.
PROGRAMS = ("s1-online", "s1-pulse", "s1-replay", "ei-100-rate")
FIGURES = ("cost", "learned", "seconds")
SEED = 1
BUDGET = {"steps": 3000, "rows": 2048, "updates": 1000, "episode_steps": 200}
QUICK_BUDGET = {"steps": 9, "rows": 16, "updates": 2, "episode_steps": 3}
STEP_LINE = "rl/s1-step"
STEP_MS, ACTIONS = 50, (0.5, -1.2)  # livn needs minutes for the benchmark's 1,000 ms
# Learners on TargetRate (rl_programs/learners.py), and steps of each copy by the number of copies.
LEARNERS = ("ppo", "sac", "file")
COPIES = {1: 512, 16: 128, 64: 64}
LIVN_STEPS = 64
# An environment in which nothing happens, beside other tools' (rl_programs/peers).
PEERS = {
    "rl/null-dm-env-rpc": ("null_dm_env_rpc", 1),
    "rl/null-openenv": ("null_openenv", 1),
    "rl/null-ray": ("null_ray", 1),
    "rl/null-ray-64": ("null_ray", 64),
    "rl/null-envpool-64": ("null_envpool", 64),
}
ROUNDS, CALLS = 30, 30
IMPORT_LINE, INSTALL_LINE = "rl/import", "rl/install"

LEARNING_LINES = [f"rl/{program}-{figure}" for program in PROGRAMS for figure in FIGURES]
LEARNER_LINES = [
    f"rl/{learner}-{copies}{ending}"
    for learner in LEARNERS
    for copies in COPIES
    for ending in ("", "-share")
]
LINES = [*LEARNING_LINES, STEP_LINE, *LEARNER_LINES, *PEERS, IMPORT_LINE, INSTALL_LINE]

HERE = Path(__file__).resolve().parent / "rl_programs"


def python_of(root: Path, environment: str) -> Path:
    """The interpreter of an environment that tools/setup.sh --bench-rl makes."""
    python = root / environment / "bin/python"
    if not python.exists():
        raise BenchError(f"{python}: not there; tools/setup.sh --bench-rl makes it")
    return python


def settings_of(binaries: Path, root: Path) -> dict[str, str]:
    """What programs with a server of their own find it and its systems by."""
    return {
        "LIVND_BINARY": str(binaries / "server/livnd"),
        "LIVND_SYSTEMS": str(root / "systems"),
        "LIVN_BACKEND": "native",
        "PYTHONPATH": str(root / "clients/python"),
        "PYTHONWARNINGS": "ignore",
    }


def mean_cost(returns: list[float], episode_steps: int) -> float:
    """Of a step: the Pendulum's rewards are costs with a minus."""
    return -statistics.mean(returns) / episode_steps


def learning(
    wanted: set[str], report: Report, settings: dict[str, str], root: Path, quick: bool
) -> None:
    """Each program once, with a fixed seed and budget."""
    budget = QUICK_BUDGET if quick else BUDGET
    programs = [p for p in PROGRAMS if wanted & {f"rl/{p}-{figure}" for figure in FIGURES}]
    command = [python_of(root, ".venv-rl"), HERE / "pendulum.py"]
    found: dict[str, Any] = {}
    for program in ("bare", *programs):
        say(f"{program}: learning ({', '.join(f'{n} {name}' for name, n in budget.items())})")
        with Worker(command, settings=settings) as worker:
            answer = worker.ask("learn", program=program, seed=SEED, **budget)
        found[program] = answer
        means = [round(statistics.mean(each), 1) for each in answer["returns"]]
        seconds = {name: round(s, 1) for name, s in answer.items() if name.endswith("_s")}
        say(f"{program}: mean returns of {len(answer['returns'][0])} episodes {means}, {seconds}")
        if program == "bare":
            continue
        steps = budget["episode_steps"]
        before, after = (mean_cost(answer["returns"][i], steps) for i in (0, -1))
        bare = mean_cost(found["bare"]["returns"][-1], steps)
        report.line(f"rl/{program}-cost", after, bare, "cost of a step")
        report.line(f"rl/{program}-learned", after, before, "cost of a step")
        report.line(f"rl/{program}-seconds", answer["learn_s"], found["bare"]["learn_s"], "s")


def one_step(report: Report, settings: dict[str, str], root: Path, quick: bool) -> None:
    """A step through S1 on both engines, with the same action of the task."""
    system = root / "systems/S1-MEA4"
    seconds: dict[str, list[float]] = {}
    actions: dict[str, list[float]] = {}
    for side in ("livnd", "livn"):
        say(f"a step of {STEP_MS} ms through S1 on {side}")
        command = [sys.executable, HERE / "s1_step.py", side, system]
        with Worker(command, settings=settings) as worker:
            told = [
                worker.ask("step", duration_ms=STEP_MS, action=action)
                for action in (ACTIONS[:1] if quick else ACTIONS)
            ]
        seconds[side] = [each["s"] for each in told]
        actions[side] = [each["action"] for each in told]
    if any(abs(a - b) > 1e-5 for a, b in zip(actions["livnd"], actions["livn"], strict=True)):
        say(f"the task's actions differ: {actions}")
    means = {side: statistics.mean(each) * 1000 / STEP_MS for side, each in seconds.items()}
    report.line(STEP_LINE, means["livnd"], means["livn"], "s for a step of 1 s")


def learners(
    wanted: set[str], report: Report, settings: dict[str, str], root: Path, quick: bool
) -> None:
    """Environment steps a second while learning, and the share of time in the environment."""
    command = [python_of(root, ".venv-rl"), HERE / "learners.py", root / "systems/EI-mini"]
    for learner in LEARNERS:
        sizes = [n for n in COPIES if wanted & {f"rl/{learner}-{n}", f"rl/{learner}-{n}-share"}]
        if not sizes:
            continue
        rates, shares = {}, {}
        for of, copies, steps in [
            ("livn", 1, LIVN_STEPS),
            *(("livnd", n, COPIES[n]) for n in sizes),
        ]:
            if quick:
                steps = 8
            say(f"{learner}, {copies} x {steps} steps on {of}")
            with Worker(command, settings=settings) as worker:
                told = worker.ask("learn", learner=learner, of=of, copies=copies, steps=steps)
            rates[of, copies] = told["steps"] / told["s"]
            shares[of, copies] = 100 * told["environment_s"] / told["s"]
        for n in sizes:
            report.line(
                f"rl/{learner}-{n}",
                rates["livnd", n],
                rates["livn", 1],
                "environment steps/s",
                more_is_better=True,
            )
            report.line(
                f"rl/{learner}-{n}-share",
                shares["livnd", n],
                shares["livn", 1],
                "% of the time in the environment",
            )


def peers(
    wanted: set[str],
    report: Report,
    settings: dict[str, str],
    binaries: Path,
    root: Path,
    quick: bool,
) -> None:
    """Steps of an environment in which nothing happens, each tool in turn."""
    chosen = {line: PEERS[line] for line in PEERS if line in wanted}
    python = python_of(root, ".venv-peers")
    rounds, calls = (1, 5) if quick else (ROUNDS, CALLS)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="livnd-bench-")))
        serve = [binaries / "server/livnd", "serve", "--listen", "127.0.0.1:0"]
        serve += ["--exit-with-stdin", "--state-dir", folder / "state", "--bench-environments"]
        serve += ["--systems", root / "systems"]
        address = stack.enter_context(Worker(serve)).ready["address"]
        program = HERE / "peers/null_livnd.py"
        ours = stack.enter_context(Worker([python, program, address], settings=settings))
        for line, (name, copies) in chosen.items():
            say(f"{line}: {rounds} x {calls} calls a side")
            with Worker([python, HERE / f"peers/{name}.py"], settings=settings) as theirs:
                us: dict[Worker, list[float]] = {ours: [], theirs: []}
                for turn in range(rounds + 1):
                    for side, found in us.items():
                        told = side.ask("step", count=calls, copies=copies)["us"]
                        if turn:
                            found += told
            value, baseline = (statistics.median(us[side]) for side in (ours, theirs))
            report.line(line, value, baseline, "us")


def footprint(
    wanted: set[str],
    report: Report,
    settings: dict[str, str],
    binaries: Path,
    root: Path,
    quick: bool,
) -> None:
    """What the packages cost before they do anything."""
    sides = {
        "livnd": ("import livnd", "grpcio", "gymnasium", "numpy", "protobuf"),
        "livn": ("from livn.env import Env", "livn"),
    }
    seconds, num_bytes = {}, {}
    for name, arguments in sides.items():
        command = [sys.executable, HERE / "footprint.py", *arguments]
        with Worker(command, settings=settings) as worker:
            if IMPORT_LINE in wanted:
                seconds[name] = statistics.median(
                    worker.ask("import", count=1 if quick else 7)["s"]
                )
            if INSTALL_LINE in wanted:
                num_bytes[name] = worker.ask("size")["bytes"]
    if seconds:
        report.line(IMPORT_LINE, seconds["livnd"], seconds["livn"], "s")
    if num_bytes:
        # What the wheel holds, but for the Debian libraries that auditwheel puts into it.
        package = [p for p in (root / "clients/python/livnd").rglob("*") if p.suffix != ".pyc"]
        package += [*(root / "systems").rglob("*"), binaries / "server/livnd"]
        num_bytes["livnd"] += sum(path.stat().st_size for path in package if path.is_file())
        report.line(INSTALL_LINE, num_bytes["livnd"] / 1e6, num_bytes["livn"] / 1e6, "MB")


def run(wanted: set[str], report: Report, binaries: Path, root: Path, quick: bool) -> None:
    """Measures everything of which a line is wanted."""
    settings = settings_of(binaries, root)
    if wanted.intersection(LEARNING_LINES):
        learning(wanted, report, settings, root, quick)
    if STEP_LINE in wanted:
        one_step(report, settings, root, quick)
    if wanted.intersection(LEARNER_LINES):
        learners(wanted, report, settings, root, quick)
    if wanted.intersection(PEERS):
        peers(wanted, report, settings, binaries, root, quick)
    if wanted & {IMPORT_LINE, INSTALL_LINE}:
        footprint(wanted, report, settings, binaries, root, quick)
