"""tools/test_summary.py counts cases, and nothing that went wrong slips through."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SUMMARY = Path(__file__).resolve().parents[2] / "tools/test_summary.py"

GTEST = """<testsuites tests="3"><testsuite name="Lif">
<testcase name="Spikes" status="run" result="completed" classname="Lif" />
<testcase name="Wide" status="run" result="skipped" classname="Lif">
  <skipped message="sim/lif_test.cc:5&#x0A;no AVX-512 here"/></testcase>
<testcase name="Drifts" status="run" result="completed" classname="Lif">
  <failure message="sim/lif_test.cc:9&#x0A;Expected equality"/></testcase>
<testcase name="DISABLED_Slow" status="notrun" result="suppressed" classname="Lif" />
</testsuite></testsuites>"""


class Run:
    """A folder of results, and what the summary makes of it."""

    def __init__(self, folder: Path) -> None:
        self.results = folder / "results"
        self.testlogs = folder / "testlogs"
        self.results.mkdir()

    def report(self, target: str, xml: str) -> None:
        folder = self.testlogs / target
        folder.mkdir(parents=True)
        (folder / "test.xml").write_text(xml)

    def summary(self) -> tuple[int, list[str]]:
        done = subprocess.run(
            [sys.executable, str(SUMMARY), str(self.results), str(self.testlogs)],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout.splitlines()


@pytest.fixture
def ran(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_counts_cases_of_every_source(ran: Run) -> None:
    (ran.results / "checks.tsv").write_text("passed\tlint: ruff\t\n")
    (ran.results / "targets.txt").write_text("//sim/cell:lif_test\n")
    (ran.results / "pytest.xml").write_text(
        '<testsuites><testsuite><testcase classname="t" name="a"/></testsuite></testsuites>'
    )
    ran.report("sim/cell/lif_test", GTEST)
    status, lines = ran.summary()
    assert status == 1
    assert lines[-1] == "3 passed, 1 failed, 2 skipped"
    assert "skipped: //sim/cell:lif_test Lif.Wide: no AVX-512 here" in lines


def test_a_target_without_a_report_has_failed(ran: Run) -> None:
    (ran.results / "targets.txt").write_text("//sim:gone_test\n")
    status, lines = ran.summary()
    assert (status, lines[-1]) == (1, "0 passed, 1 failed, 0 skipped")


def test_every_pytest_counts(ran: Run) -> None:
    case = '<testsuite><testcase classname="t" name="a"/></testsuite>'
    for venv in (".venv", ".venv-rl"):
        (ran.results / f"pytest{venv}.xml").write_text(case)
    assert ran.summary() == (0, ["2 passed, 0 failed, 0 skipped"])


def test_an_unreadable_report_has_failed(ran: Run) -> None:
    (ran.results / "targets.txt").write_text("//sim:cut_test\n")
    ran.report("sim/cut_test", GTEST[:200])
    status, lines = ran.summary()
    assert (status, lines[-1]) == (1, "0 passed, 1 failed, 0 skipped")


def test_a_skip_without_a_reason_has_failed(ran: Run) -> None:
    (ran.results / "pytest.xml").write_text(
        '<testsuite><testcase classname="t" name="a"><skipped message=""/></testcase></testsuite>'
    )
    status, lines = ran.summary()
    assert (status, lines[-1]) == (1, "0 passed, 1 failed, 0 skipped")


def test_shards_count_once_each(ran: Run) -> None:
    (ran.results / "targets.txt").write_text("//sim:big_test\n")
    case = '<testsuite><testcase classname="S" name="{}"/></testsuite>'
    ran.report("sim/big_test/shard_1_of_2", case.format("A"))
    ran.report("sim/big_test/shard_2_of_2", case.format("B"))
    assert ran.summary() == (0, ["2 passed, 0 failed, 0 skipped"])


def test_nothing_run_is_not_a_success(ran: Run) -> None:
    assert ran.summary() == (1, ["0 passed, 0 failed, 0 skipped"])
