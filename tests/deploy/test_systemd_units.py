"""systemd takes the units of deploy/ as they are meant."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"

pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing"
)


def analyze(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def installed(tmp_path) -> Path:
    """The units, with a program that is there."""
    program = tmp_path / "livnd"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for name in ("livnd.service", "livnd.socket"):
        text = (DEPLOY / name).read_text()
        (tmp_path / name).write_text(text.replace("/usr/local/bin/livnd", str(program)))
    return tmp_path


def test_units_are_well_formed(installed):
    done = analyze("verify", installed / "livnd.service", installed / "livnd.socket")
    assert done.returncode == 0
    assert "livnd" not in done.stderr


def test_a_mistake_would_be_found(installed):
    unit = installed / "livnd.service"
    unit.write_text(unit.read_text().replace("Type=notify", "Type=notifyy"))
    assert "livnd.service" in analyze("verify", unit).stderr


def test_the_server_may_do_little_but_serve():
    done = analyze("security", "--offline=true", "--threshold=20", DEPLOY / "livnd.service")
    assert done.returncode == 0, done.stdout


def test_the_settings_named_are_settings():
    text = (DEPLOY / "livnd.service").read_text()
    serve = (ROOT / "server/commands/serve.cc").read_text()
    flags = set(re.findall(r" --([\w-]+)", re.search(r"^ExecStart=.*$", text, re.M).group()))
    assert flags == {"config", "state-dir"}
    assert all(f'"{flag}"' in serve or flag == "config" for flag in flags)


def test_systemd_waits_for_longer_than_a_drain_takes_by_default():
    text = (DEPLOY / "livnd.service").read_text()
    serve = (ROOT / "server/commands/serve.cc").read_text()
    drain_s = int(re.search(r"drain_timeout = absl::Seconds\((\d+)\)", serve).group(1))
    stop_s = int(re.search(r"^TimeoutStopSec=(\d+)s$", text, re.M).group(1))
    assert stop_s > drain_s + 4
