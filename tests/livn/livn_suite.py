"""livn 2.0.0's own tests, on its native backend and on livnd; the table of both is in docs/livn.md.

    .venv-livn/bin/python tests/livn/livn_suite.py [--write]

The suite is that of the source distribution on PyPI, with its own runner, `cli`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from livn_source import VERSION, livn_source  # noqa: E402

PAGE = ROOT / "docs/livn.md"
BEGIN, END = "<!-- made by tests/livn/livn_suite.py -->", "<!-- until here -->"
TIERS = ("unit", "contract", "concurrency")
KINDS = ("passed", "failed", "skipped")
BACKENDS = ("native", "livnd")

# Tests that pass on the native backend and not on livnd, and why that is right.
EXPLAINED: dict[str, str] = {}

Outcomes = dict[str, str]  # passed, failed or skipped, by the test's name


def make_system(folder: Path) -> Path:
    """EI-100 with a selection of 30 cells, as the suite's runner takes from the system EI."""
    system = folder / "EI-100"
    shutil.copytree(ROOT / "tests/data/served/EI-100", system)
    num_exc = json.loads((system / "graph.json").read_text())["architecture"]["config"][
        "cell_counts"
    ]["EXC"]
    gids = {"EXC": list(range(24)), "INH": list(range(num_exc, num_exc + 6))}
    (system / "selection").mkdir()
    (system / "selection/e1.json").write_text(json.dumps({"gids": gids}))
    return system


def run(backend: str) -> Outcomes:
    """What became of every test on one of the backends."""
    python_bin = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as scratch:
        system = make_system(Path(scratch))
        source = Path(scratch) / "livn"
        shutil.copytree(livn_source(), source)
        environment = {
            **os.environ,
            # Of the runner, which looks for pytest here.
            "VIRTUAL_ENV": str(python_bin.parent),
            "PATH": f"{python_bin}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join([str(ROOT / "clients/python"), str(ROOT / "tests/livn")]),
            "PYTEST_ADDOPTS": "-p livnd_as_native" if backend == "livnd" else "",
        }
        outcomes: Outcomes = {}
        for tier in TIERS:
            report = Path(scratch) / f"{tier}.xml"
            done = subprocess.run(
                [
                    *("bash", "tests/cli", "verify", "--backend", "native", "--tier", tier),
                    *("--system", str(system), "--selection", "e1"),
                    *("--args", f"-q -p no:cacheprovider -rfE --junitxml={report}"),
                ],
                cwd=source,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            if done.returncode not in (0, 1) or not report.exists():
                raise RuntimeError(f"{tier} on {backend}: {done.stdout[-3000:]}")
            if done.returncode:
                print(f"{tier} on {backend}:\n{done.stdout[-6000:]}", file=sys.stderr)
            outcomes |= read(report)
    return outcomes


def read(report: Path) -> Outcomes:
    """The cases of a JUnit-style report."""
    found = {}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        # A module that is skipped as a whole is a case without a class.
        place, _, name = f"{case.get('classname')}::{case.get('name')}".lstrip(":").partition("::")
        name = f"{place.removeprefix('tests.').replace('.', '/')}::{name}"
        if case.find("failure") is not None or case.find("error") is not None:
            found[name] = "failed"
        elif case.find("skipped") is not None:
            found[name] = "skipped"
        else:
            found[name] = "passed"
    return found


def lost(native: Outcomes, ours: Outcomes) -> list[str]:
    """Tests that pass on the native backend and not on livnd."""
    return sorted(
        name for name, kind in native.items() if kind == "passed" and ours.get(name) != "passed"
    )


def file_of(name: str) -> str:
    """contract/test_cells of contract/test_cells::test_x and contract/test_cells/TestX::test_x."""
    return "/".join(name.partition("::")[0].split("/")[:2])


def table(native: Outcomes, ours: Outcomes) -> str:
    """Both backends' outcomes by file, in Markdown, and the tests that do not pass on native."""
    head = [f"{backend} {kind}" for backend in BACKENDS for kind in KINDS]
    lines = [f"| tests of livn {VERSION} | {' | '.join(head)} |", "|---" * 7 + "|"]
    total: Counter[tuple[str, str]] = Counter()
    files = sorted({file_of(name) for name in (*native, *ours)}, key=_by_tier)
    for file in files:
        count = Counter(
            (backend, kind)
            for backend, outcomes in zip(BACKENDS, (native, ours), strict=True)
            for name, kind in outcomes.items()
            if file_of(name) == file
        )
        total += count
        lines.append(_row(file, count))
    lines.append(_row("all", total))
    failing = sorted(name for name, kind in native.items() if kind == "failed")
    lines += ["", "Fail on livn's native backend: " + ", ".join(f"`{n}`" for n in failing) + "."]
    if EXPLAINED:
        lines += ["", "Pass on native only:", ""]
        lines += [f"- `{name}`: {why}" for name, why in sorted(EXPLAINED.items())]
    return "\n".join(lines)


def _by_tier(file: str) -> tuple[int, str]:
    tier = file.partition("/")[0]
    return (TIERS.index(tier) if tier in TIERS else len(TIERS), file)


def _row(name: str, count: Counter[tuple[str, str]]) -> str:
    cells = [str(count[backend, kind]) for backend in BACKENDS for kind in KINDS]
    return f"| {name} | {' | '.join(cells)} |"


def on_page() -> str:
    """The table that docs/livn.md has."""
    return PAGE.read_text().partition(BEGIN)[2].partition(END)[0].strip()


def main(arguments: list[str]) -> int:
    """Runs the suite on both, prints the table, and writes it if it is asked to."""
    if arguments not in ([], ["--write"]):
        print(__doc__, file=sys.stderr)
        return 2
    outcomes = [run(backend) for backend in BACKENDS]
    made = table(*outcomes)
    print(made)
    for name in lost(*outcomes):
        print(f"passes on native only: {name}", file=sys.stderr)
    if arguments:
        before, _, rest = PAGE.read_text().partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
