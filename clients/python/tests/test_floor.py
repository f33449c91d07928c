"""The oldest Gymnasium that pyproject.toml allows, and the ones between it and the installed one.

Each is installed, without what it depends on, into a folder of its own beside the Python that runs
the tests, and stays there for the next time.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import livnd
import pytest
from conftest import ENVIRONMENT

PACKAGE = Path(livnd.__file__).resolve().parent.parent
FLOOR = re.search(r'"gymnasium>=([0-9.]+)"', (PACKAGE / "pyproject.toml").read_text())[1]
VERSIONS = [f"{FLOOR}.0" if FLOOR.count(".") == 1 else FLOOR, "1.2.2"]


def installed(version: str) -> Path:
    folder = Path(sys.prefix) / "floors" / f"gymnasium-{version}"
    if not (folder / "gymnasium").is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"]
        subprocess.run([*command, "--target", folder, f"gymnasium=={version}"], check=True)
    return folder


@pytest.fixture(params=VERSIONS)
def run_with_gymnasium(request):
    """Runs Python with this version of Gymnasium; its standard output and error as one text."""

    def run(*args: str) -> str:
        path = os.pathsep.join([str(installed(request.param)), str(PACKAGE)])
        check = f"import gymnasium; assert gymnasium.__version__ == {request.param!r}"
        environment = {**os.environ, "PYTHONPATH": path}
        subprocess.run([sys.executable, "-c", check], env=environment, check=True)
        done = subprocess.run(
            [sys.executable, *args],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=280,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    return run


def test_the_floor_is_one_that_rllib_can_have():
    assert tuple(map(int, FLOOR.split("."))) <= (1, 2, 2)


def test_environments_behave_as_with_the_newest(run_with_gymnasium):
    tests = Path(__file__).parent
    out = run_with_gymnasium(
        *("-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *(str(tests / "test_env.py"), str(tests / "test_vector.py")),
    )
    assert " passed" in out and "skipped" not in out


def test_a_constructor_that_fails_says_nothing_more(run_with_gymnasium):
    out = run_with_gymnasium(
        "-c",
        f"""
import gc, livnd
from livnd.gym.env import RemoteEnv
from livnd.gym.vector import RemoteVectorEnv
for make in (
    lambda: RemoteEnv({ENVIRONMENT!r}, "nowhere"),
    lambda: RemoteVectorEnv(2, {ENVIRONMENT!r}, "nowhere"),
    lambda: RemoteVectorEnv(2, {ENVIRONMENT!r}, render_mode="nothing"),
    lambda: RemoteVectorEnv(0, {ENVIRONMENT!r}),
    lambda: RemoteVectorEnv(2, "Juggling-v0"),
):
    try:
        make()
    except (ValueError, LookupError) as error:
        print("refused")
gc.collect()
""",
    )
    assert out.split() == ["refused"] * 5
