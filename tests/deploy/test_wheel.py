"""The wheel as a user gets it: installed by pip, away from the checkout, with its own server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from wheels import FIRST_STEPS, make

pytestmark = pytest.mark.timeout(3000)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    return make(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory) -> Path:
    """An environment that has the wheel, and its dependencies from this one's."""
    folder = tmp_path_factory.mktemp("user")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin/python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", wheel], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    # Only the folder: what its .pth files name (this checkout) is not followed.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def used(python: Path, program: str, folder: Path, **variables: str) -> str:
    """What a program of a user prints."""
    ran = subprocess.run(
        [python, "-c", program],
        cwd=folder,
        env={"HOME": str(folder), "PATH": os.defpath, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    return ran.stdout


def test_its_name_says_on_which_systems_it_runs(wheel):
    assert re.fullmatch(r"livnd-[\d.]+-py3-none-manylinux_2_\d+_x86_64\.whl", wheel.name)


def test_it_carries_server_libraries_and_systems_and_nothing_of_the_checkouts_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert archive.getinfo("livnd/bin/livnd").external_attr >> 16 & 0o111 == 0o111
    folders = {name.split("/")[0] for name in names}
    assert folders == {"livnd", "livnd.libs", f"livnd-{wheel.name.split('-')[1]}.dist-info"}
    for system in ("EI-mini", "EI-100"):
        assert f"livnd/systems/{system}/graph.json" in names
    assert any(name.startswith("livnd.libs/libgrpc++") for name in names)
    assert not [n for n in names if "test" in Path(n).name or n.endswith((".pyc", "BUILD"))]


def test_a_user_trains_and_no_process_is_left(python, tmp_path):
    assert used(python, FIRST_STEPS, tmp_path).splitlines()[-1] == "done"
    server = python.parents[1].resolve()
    running = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                running.append(os.readlink(process / "exe"))
            except OSError:  # it has ended, or is nobody's business
                continue
    assert not [exe for exe in running if exe.startswith(str(server))]
    assert list(tmp_path.iterdir()) == []


def test_another_server_may_be_named(python, tmp_path):
    program = "import livnd.local_server as l; print(l.find_binary(), l.find_systems(), sep='\\n')"
    packaged = used(python, program, tmp_path).splitlines()
    assert all("site-packages/livnd/" in path for path in packaged)
    other = used(python, program, tmp_path, LIVND_BINARY="/usr/bin/true").splitlines()
    assert other == ["/usr/bin/true", packaged[1]]


def test_the_servers_own_commands_work(python):
    livnd = next(python.parents[1].glob("lib/python*/site-packages/livnd/bin/livnd"))
    ran = subprocess.run([livnd, "--version"], capture_output=True, text=True, timeout=60)
    assert ran.stdout.startswith("livnd "), ran.stderr
