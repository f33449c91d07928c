"""./bench measures what it says it does, in lines that a script can read. No time is judged."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

# A minute on a machine of its own.
pytestmark = pytest.mark.timeout(1500)

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "tools/bench/bench.py"
FIELDS = ["name", "value", "unit", "baseline", "ratio", "cpu", "isa"]
BOTH = ["cells-100", "EI-100", "EI-1000", "net-100", "net-1000", "net-100-stdp"]
WITHOUT_BASELINE = ["engine/snapshot", "engine/fork", "recording/stepping"]
LONG_LINES = [
    *("generate/million", "generate/million-memory", "engine/minute-100"),
    *("tune/front-EI-100", "tune/front-EI-100-bands"),
]
LINES = [
    "engine/EI-10000",
    *(f"engine/{name}" for name in BOTH),
    *(f"livn/{name}" for name in [*BOTH, "cells-10", "cells-1000", "S1", "net-300"]),
    *(f"engine/{name}" for name in ("copies-64-mini", "copies-64-100", "threads-copies-64")),
    "engine/threads-net-1000",
    *(f"engine/{name}" for name in ("snapshot", "fork", "reset", "memory-per-copy")),
    *(f"livn/{name}" for name in ("reset-100", "loop-10", "loop-100")),
    *(f"livn/{name}" for name in ("backend-EI-100", "backend-run-1")),
    *(f"point/vogels-abbott-{model}" for model in ("lif", "izhikevich")),
    *(f"point/{model}-1000" for model in ("izhikevich", "lif", "glif5")),
    *(
        f"serve/{figure}-{language}-{copies}"
        for copies in (1, 16, 64)
        for language in ("python", "cpp")
        for figure in ("step", "step-p99", "rate", "overhead")
    ),
    *(
        f"serve/null-{client}-{copies}{ending}"
        for copies in (1, 64)
        for client in ("python", "cpp", "stream")
        for ending in ("", "-tcp")
    ),
    "serve/run-rate-cpp-64",
    *(f"devices/{name}" for name in ("encode", "decode", "potentials", "memory")),
    *(f"fleet/{name}" for name in ("one-thread", "two-threads")),
    *(f"recording/{name}" for name in ("write", "stepping", "hour-bytes", "slice", "served-step")),
    *(f"generate/{name}" for name in ("EI", "EI-memory", "10000", "10000-memory")),
    *(f"tune/{name}" for name in ("EI-100", "EI-mini")),
    *(f"sample/{name}" for name in ("S1", "EI-mini")),
]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BENCH), *arguments],
        cwd="/",
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )


@pytest.fixture(scope="module")
def built() -> None:
    """Done already where everything was built before the tests."""
    targets = ["//server:livnd", "//tools/bench/..."]
    subprocess.run(["bazel", "build", "--noshow_progress", *targets], cwd=ROOT, check=True)


@pytest.fixture(scope="module")
def quick(built: None) -> list[dict]:
    done = bench(
        *("--quick", "engine", "serve", "livn", "point", "devices", "fleet", "recording"),
        *("generate", "tune", "sample"),
    )
    assert done.returncode == 0, done.stderr
    assert "not those of the simulation alone" not in done.stderr
    assert "rewards are not the same" not in done.stderr
    assert "differ" not in done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_line_is_printed_once(quick: list[dict]) -> None:
    assert sorted(line["name"] for line in quick) == sorted(LINES)


def test_lines_have_the_agreed_fields(quick: list[dict]) -> None:
    for line in quick:
        assert list(line) == FIELDS
        assert line["unit"]
        assert line["cpu"]
        assert line["isa"] in ("avx512", "avx2", "portable")
        assert math.isfinite(line["value"])
        if line["name"] in WITHOUT_BASELINE:
            assert line["baseline"] is None
        else:
            assert line["baseline"] > 0.0


def test_ratio_above_one_means_better_than_the_baseline(quick: list[dict]) -> None:
    for line in quick:
        value, baseline = line["value"], line["baseline"]
        if line["ratio"] is None:
            if baseline is None:
                continue
            assert line["name"].startswith("serve/overhead-")
            assert value <= 0.0
            continue
        more_is_better = line["name"].startswith(
            ("serve/rate-", "serve/run-rate-", "fleet/", "tune/", "sample/")
        )
        expected = value / baseline if more_is_better else baseline / value
        assert line["ratio"] == pytest.approx(expected, rel=0.01)


def test_engine_and_livn_print_one_measurement_in_two_forms(quick: list[dict]) -> None:
    ratios = {line["name"]: line["ratio"] for line in quick}
    assert ratios["engine/EI-100"] == ratios["livn/EI-100"]


def test_one_line_can_be_asked_for_alone(built: None) -> None:
    done = bench("--quick", "livn/cells-10")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["name"] for line in done.stdout.splitlines()] == ["livn/cells-10"]


def test_an_instruction_set_can_be_chosen(built: None) -> None:
    done = bench("--quick", "--isa", "portable", "livn/cells-10")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["isa"] == "portable"
    refused = bench("--quick", "--isa", "mmx", "livn/cells-10")
    assert refused.returncode == 1
    assert "'mmx'" in refused.stderr
    assert "portable" in refused.stderr


def test_an_unknown_name_is_refused_with_the_names_there_are() -> None:
    done = bench("engine", "swiftness")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "'swiftness'" in done.stderr
    assert all(name in done.stderr for name in LINES)


def test_help_lists_every_line() -> None:
    done = bench("--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in LINES + LONG_LINES)


def test_lines_that_take_minutes_have_to_be_asked_for(built: None) -> None:
    refused = bench("--quick", *LONG_LINES)
    assert refused.returncode == 2
    assert "--long" in refused.stderr
    done = bench("--quick", "--long", *LONG_LINES)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["name"] for line in done.stdout.splitlines()] == LONG_LINES


def test_missing_binaries_are_told_and_not_a_traceback(tmp_path: Path) -> None:
    done = bench("--binaries", str(tmp_path), "engine")
    assert done.returncode == 1
    assert "engine_bench" in done.stderr
    assert "Traceback" not in done.stderr
