"""`./bench rl` prints every line once, in its quick form. No time and no return is judged.

Its name keeps it out of the other legs' pytest: it needs .venv-rl and .venv-peers
(tools/setup.sh --bench-rl).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tools/bench"
FIELDS = ["name", "value", "unit", "baseline", "ratio", "cpu", "isa"]
PARTS = {
    "learning": [
        f"rl/{program}-{figure}"
        for program in ("s1-online", "s1-pulse", "s1-replay", "ei-100-rate")
        for figure in ("cost", "learned", "seconds")
    ],
    "step": ["rl/s1-step"],
    "learners": [
        f"rl/{learner}-{copies}{ending}"
        for learner in ("ppo", "sac", "file")
        for copies in (1, 16, 64)
        for ending in ("", "-share")
    ],
    "peers": [
        f"rl/null-{tool}" for tool in ("dm-env-rpc", "openenv", "ray", "ray-64", "envpool-64")
    ],
    "footprint": ["rl/import", "rl/install"],
}


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    python = ROOT / ".venv/bin/python"
    return subprocess.run(
        [str(python if python.exists() else sys.executable), str(TOOLS / "bench.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """Done already where everything was built before the tests."""
    targets = ["//server:livnd", "//tools/bench/..."]
    subprocess.run(["bazel", "build", "--noshow_progress", *targets], cwd=ROOT, check=True)


@pytest.mark.timeout(2000)
@pytest.mark.parametrize("part", list(PARTS))
def test_it_prints_every_line_once(part: str) -> None:
    done = bench("--quick", *PARTS[part])
    assert done.returncode == 0, done.stderr
    assert "actions differ" not in done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(line["name"] for line in lines) == sorted(PARTS[part])
    for line in lines:
        assert list(line) == FIELDS
        assert line["value"] > 0 and line["baseline"] > 0 and line["ratio"] > 0


def test_the_group_has_no_other_lines() -> None:
    done = bench("rl/none")
    told = {line.strip() for line in done.stderr.splitlines() if line.startswith("  rl/")}
    assert told == {name for names in PARTS.values() for name in names}
