"""docs/tasks/writing.md says how it is done: its code is compiled elsewhere (//tests/tutorial)."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from checkout import ROOT

PAGE = ROOT / "docs/tasks/writing.md"
CODE = ("sides.h", "sides.cc", "sides_test.cc")


def code(name: str) -> str:
    command = ["awk", "-v", f"file=env/task/{name}", "-f", ROOT / "tests/tutorial/blocks.awk", PAGE]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_every_block_of_code_is_of_a_file_that_is_compiled() -> None:
    blocks = re.findall(r"^```cpp\n// (.*)$", PAGE.read_text(), flags=re.M)
    assert set(blocks) == {f"env/task/{name}" for name in CODE}
    assert len(blocks) == PAGE.read_text().count("```cpp")


@pytest.mark.skipif(shutil.which("clang-format") is None, reason="clang-format is not installed")
@pytest.mark.parametrize("name", CODE)
def test_the_code_is_formatted(name: str) -> None:
    command = ["clang-format", f"--assume-filename={ROOT / 'env/task' / name}"]
    done = subprocess.run(command, input=code(name), capture_output=True, text=True, check=True)
    assert done.stdout == code(name)


def test_lines_that_list_the_task_look_as_those_of_others() -> None:
    lines = re.findall(r"^- `([\w/.]+)`, in `\w+`: `(.*?Sides.*?)`", PAGE.read_text(), flags=re.M)
    assert len(lines) == 2
    for path, line in lines:
        assert line.replace("Sides", "CartPole") in (ROOT / path).read_text()
    listed = (ROOT / "clients/python/livnd/__init__.py").read_text()
    assert re.search(r'^_TASKS = \(.*"CartPole"', listed, flags=re.M)


@pytest.mark.parametrize("path", sorted((ROOT / "docs/tasks").glob("*.md")))
def test_the_table_of_tasks_leads_to_every_page(path) -> None:
    if path.name != "README.md":
        assert f"({path.name})" in (ROOT / "docs/tasks/README.md").read_text()
