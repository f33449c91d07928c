"""Adds up what ./test ran and prints one line: N passed, N failed, N skipped.

    test_summary.py RESULTS_DIR BAZEL_TESTLOGS

RESULTS_DIR holds, each only if that part ran: checks.tsv (status, name, reason), targets.txt
(labels of bazel tests) and pytest*.xml. A bazel test without a test.xml, a skip without a reason
and a report that cannot be read count as failures. The exit status is 1 if anything failed or
nothing ran.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """One test case; status is "passed", "failed" or "skipped"."""

    status: str
    name: str
    reason: str = ""


def first_line(text: str | None) -> str:
    """The first line of text that says something."""
    return next((line.strip() for line in (text or "").splitlines() if line.strip()), "")


def skip_reason(skipped: ElementTree.Element) -> str:
    """Why a case was skipped. gtest puts "file:line" on a line of its own before the reason."""
    lines = [line.strip() for line in (skipped.get("message") or skipped.text or "").splitlines()]
    lines = [line for line in lines if line]
    if len(lines) > 1 and lines[0].rpartition(":")[2].isdigit():
        lines = lines[1:]
    return lines[0] if lines else ""


def read_case(element: ElementTree.Element, prefix: str) -> Case:
    """A <testcase> as gtest, pytest or bazel itself writes it."""
    own = ".".join(filter(None, [element.get("classname"), element.get("name")]))
    # For a test that writes no report of its own, bazel names the only case after the target.
    if own == prefix.removeprefix("//").replace(":", "/"):
        own = ""
    name = " ".join(filter(None, [prefix, own]))
    for kind in ("failure", "error"):
        found = element.find(kind)
        if found is not None:
            return Case("failed", name, first_line(found.get("message") or found.text))
    skipped = element.find("skipped")
    if skipped is not None:
        reason = skip_reason(skipped)
        return Case("skipped" if reason else "failed", name, reason or "skipped without a reason")
    if element.get("status") == "notrun":
        return Case("skipped", name, "disabled in the source (DISABLED_)")
    return Case("passed", name)


def read_junit(path: Path, prefix: str = "") -> Iterator[Case]:
    """Every case of a JUnit-style report."""
    try:
        tree = ElementTree.parse(path)
    except (OSError, ElementTree.ParseError) as error:
        yield Case("failed", prefix or str(path), f"unreadable report: {error}")
        return
    for element in tree.iter("testcase"):
        yield read_case(element, prefix)


def read_target(label: str, testlogs: Path) -> Iterator[Case]:
    """Every case of one bazel test target, over its shards."""
    folder = testlogs / label.removeprefix("//").replace(":", "/")
    reports = sorted(folder.glob("test.xml")) + sorted(folder.glob("shard_*/test.xml"))
    if not reports:
        yield Case("failed", label, "did not run (it does not build, or never started)")
    for report in reports:
        yield from read_junit(report, label)


def read_checks(path: Path) -> Iterator[Case]:
    """The checks that ./test made itself."""
    for line in path.read_text().splitlines():
        status, name, reason = line.split("\t")
        yield Case(status, name, reason)


def read_all(results: Path, testlogs: Path) -> list[Case]:
    """Every case that RESULTS_DIR knows of."""
    cases: list[Case] = []
    if (results / "checks.tsv").exists():
        cases += read_checks(results / "checks.tsv")
    if (results / "targets.txt").exists():
        for label in (results / "targets.txt").read_text().split():
            cases += read_target(label, testlogs)
    for report in sorted(results.glob("pytest*.xml")):
        cases += read_junit(report)
    return cases


def main(arguments: list[str]) -> int:
    """Prints the summary; returns the exit status."""
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    cases = read_all(Path(arguments[0]), Path(arguments[1]))
    for case in cases:
        if case.status != "passed":
            print(f"{case.status}: {case.name}" + (f": {case.reason}" if case.reason else ""))
    count = Counter(case.status for case in cases)
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 1 if count["failed"] or not cases else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
