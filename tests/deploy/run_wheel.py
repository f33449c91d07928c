"""`./test wheel`: the wheel on a Debian 12 that has Python and pip and nothing else.

What pip would fetch from an index is fetched before; the Debian itself reaches no network.
Whatever the machine does not allow is a skip that says so. Needs root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from wheels import FIRST_STEPS, make

pytestmark = pytest.mark.timeout(3600)

ISOLATED = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child"]


@pytest.fixture(scope="module")
def debian(tmp_path_factory) -> Path:
    """The root folder of the empty system."""
    for tool in ("mmdebstrap", "unshare"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is missing: tools/setup.sh --wheel installs it")
    if os.getuid() != 0:
        pytest.skip("making a Debian takes root")
    folder = tmp_path_factory.mktemp("debian") / "root"
    made = subprocess.run(
        ["mmdebstrap", "--variant=minbase", "--include=python3,python3-pip", "bookworm", folder],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if made.returncode != 0:
        pytest.skip(f"mmdebstrap cannot make a Debian here: {made.stderr[-500:]}")
    return folder


def inside(debian: Path, *command: str) -> str:
    """What a command prints that runs in the Debian, without network, among its own processes."""
    script = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
    ran = subprocess.run(
        [*ISOLATED, "sh", "-c", script, debian, *command],
        env={"HOME": "/root", "LANG": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert ran.returncode == 0, f"{command}\n{ran.stdout[-2000:]}\n{ran.stderr[-2000:]}"
    return ran.stdout


def test_a_stranger_installs_it_and_trains(debian, tmp_path):
    wheel = make(tmp_path / "wheel")
    wheels = debian / "wheels"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:"]
    subprocess.run([*pip, "--python-version", "3.11", "-d", wheels, wheel], check=True)
    inside(
        debian,
        *("python3", "-m", "pip", "install", "--quiet", "--break-system-packages"),
        *("--root-user-action=ignore", "--no-index", "--find-links", "/wheels", "livnd"),
    )
    (debian / "first_steps.py").write_text(
        FIRST_STEPS.replace('"site-packages"', '"/dist-packages/"')
    )
    told = inside(
        debian,
        "sh",
        "-c",
        "python3 /first_steps.py && for p in /proc/[0-9]*; do readlink $p/exe; done; true",
    ).splitlines()
    left = told[told.index("done") + 1 :]
    # The shell, and readlink itself.
    assert not [exe for exe in left if "livnd" in exe or "python" in exe], left
