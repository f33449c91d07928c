"""The commands at the root: they explain themselves without set-up, and refuse nonsense."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ["demo", "test", "bench"]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    # A bare environment, as on a machine where nothing is set up.
    return subprocess.run(
        command,
        cwd="/",
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_help_works_without_set_up(command: str) -> None:
    done = run(str(ROOT / command), "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: ./{command}")
    assert done.stderr == ""


@pytest.mark.parametrize("command", [*COMMANDS, ".ci/run", "tools/setup.sh", "tools/wheel"])
def test_command_is_executable(command: str) -> None:
    assert os.access(ROOT / command, os.X_OK)


def test_test_knows_the_legs_that_its_help_lists() -> None:
    text = run(str(ROOT / "test"), "--help").stdout
    listed = re.findall(r"^  ([a-z]+)(?: {2,}\S|$)", text, flags=re.M)
    script = (ROOT / "test").read_text()
    known = re.search(r"^ +([a-z |]+)\)\s+legs\+=", script, flags=re.M)[1].split(" | ")
    assert listed == known
    by_itself = re.search(r"\|\| legs=\(([a-z ]+)\)", script)[1].split()
    when_named = {"long", "kills", "fuzz", "asan", "draws", "soak", "rl", "formats", "wheel"}
    when_named |= {"livn", "fleet", "container"}
    assert by_itself == [leg for leg in listed if leg not in when_named]


def test_test_refuses_an_unknown_leg() -> None:
    done = run(str(ROOT / "test"), "everything")
    assert done.returncode == 2
    assert "unknown leg 'everything'" in done.stderr


def test_bench_without_a_name_explains_itself() -> None:
    done = run(str(ROOT / "bench"))
    assert done.returncode == 2
    assert done.stdout == ""
    assert "usage: ./bench" in done.stderr


def test_setup_refuses_an_unknown_option() -> None:
    done = run(str(ROOT / "tools/setup.sh"), "--frobnicate")
    assert done.returncode == 2
    assert "tools/setup.sh --check" in done.stderr


def test_setup_clears_nothing_that_a_link_leads_to(tmp_path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "clients" / "python").mkdir(parents=True)
    (tmp_path / "tools" / "setup.sh").write_text((ROOT / "tools" / "setup.sh").read_text())
    (tmp_path / "tools" / "requirements.txt").write_text("# nothing\n")
    others = tmp_path / "others"
    others.mkdir()
    (others / "kept").touch()
    (tmp_path / ".venv").symlink_to(others)
    subprocess.run(["bash", "tools/setup.sh"], cwd=tmp_path, check=True, timeout=120)
    assert [path.name for path in others.iterdir()] == ["kept"]
    assert not (tmp_path / ".venv").is_symlink()
    assert (tmp_path / ".venv" / "bin" / "python").exists()
