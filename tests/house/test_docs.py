"""What the documentation points at exists."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from checkout import ROOT, tracked

PAGES = tracked("*.md")
ARCHITECTURE = ROOT / "docs/architecture.md"


def without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M))


def anchors(page: Path) -> set[str]:
    """The fragment of every heading, as code hosts make it."""
    titles = re.findall(r"^#+\s+(.*)$", page.read_text(), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_links_within_the_project_lead_somewhere(page: str) -> None:
    here = ROOT / page
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)[^)]*\)", without_code(here.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = target.partition("#")
        found = (here.parent / path).resolve() if path else here
        lost = (
            found.exists() and fragment and found.suffix == ".md" and fragment not in anchors(found)
        )
        if not found.exists() or lost:
            wrong.append(target)
    assert not wrong


@pytest.mark.parametrize("page", PAGES)
def test_bazel_labels_named_in_the_documentation_exist(page: str) -> None:
    wrong = []
    for package, name in re.findall(r"`//([\w/+.-]*):([\w+.-]+)`", (ROOT / page).read_text()):
        build = ROOT / package / "BUILD"
        if not build.exists() or f'"{name}"' not in build.read_text():
            wrong.append(f"//{package}:{name}")
    assert not wrong


def test_the_table_of_folders_has_every_folder_of_the_rooms() -> None:
    rooms = ("base/", "sim/", "io/", "env/", "lab/", "server/")
    folders = {str(Path(path).parent) for path in tracked("*.h", "*.cc") if path.startswith(rooms)}
    table = re.findall(r"^\| (`[\w/.]+`(?:, `[\w/.]+`)*) \|", ARCHITECTURE.read_text(), flags=re.M)
    named = {name.rstrip("/") for row in table for name in re.findall(r"`([\w/.]+)`", row)}
    assert folders <= named
    assert all((ROOT / name).exists() for name in named)


@pytest.mark.parametrize("drawing", tracked("*.svg"))
def test_drawings_are_well_formed(drawing: str) -> None:
    assert ElementTree.parse(ROOT / drawing).getroot().tag.endswith("svg")


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(Path(page).name[:4]) for page in PAGES if page.startswith("docs/decisions/")]
    assert numbers == list(range(len(numbers)))
