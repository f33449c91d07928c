"""How the outcomes of livn's own tests are read and compared; ./test livn runs them."""

from __future__ import annotations

from pathlib import Path

import livn_suite

REPORT = """<testsuites><testsuite>
<testcase classname="tests.contract.test_cells" name="test_a[1]"/>
<testcase classname="tests.unit.test_run.TestRun" name="test_b"><skipped message="x"/></testcase>
<testcase classname="tests.unit.test_run" name="test_c"><failure message="x"/></testcase>
<testcase classname="tests.unit.test_run" name="test_d"><error message="x"/></testcase>
<testcase classname="" name="tests.unit.test_random"><skipped message="no neuroh5"/></testcase>
</testsuite></testsuites>"""


def outcomes(folder: Path) -> livn_suite.Outcomes:
    report = folder / "report.xml"
    report.write_text(REPORT)
    return livn_suite.read(report)


def test_cases_are_read(tmp_path: Path):
    assert outcomes(tmp_path) == {
        "contract/test_cells::test_a[1]": "passed",
        "unit/test_run/TestRun::test_b": "skipped",
        "unit/test_run::test_c": "failed",
        "unit/test_run::test_d": "failed",
        "unit/test_random::": "skipped",
    }


def test_what_passes_on_native_only_is_lost(tmp_path: Path):
    native = outcomes(tmp_path)
    assert livn_suite.lost(native, native) == []
    for kind in ("failed", "skipped"):
        ours = {**native, "contract/test_cells::test_a[1]": kind}
        assert livn_suite.lost(native, ours) == ["contract/test_cells::test_a[1]"]
    assert livn_suite.lost(native, {}) == ["contract/test_cells::test_a[1]"]


def test_the_table_counts_by_file(tmp_path: Path):
    native = outcomes(tmp_path)
    made = livn_suite.table(native, {**native, "unit/test_run::test_c": "passed"}).splitlines()
    assert made[2:6] == [
        "| unit/test_random | 0 | 0 | 1 | 0 | 0 | 1 |",
        "| unit/test_run | 0 | 2 | 1 | 1 | 1 | 1 |",
        "| contract/test_cells | 1 | 0 | 0 | 1 | 0 | 0 |",
        "| all | 1 | 2 | 2 | 2 | 1 | 2 |",
    ]


def test_the_page_says_that_nothing_is_lost():
    rows = [line.split("|") for line in livn_suite.on_page().splitlines() if line.startswith("| ")]
    assert len(rows) > 30
    for row in rows[1:]:
        assert row[2] == row[5] or livn_suite.EXPLAINED, row
