"""A command whose output is lost says so, and does not end with success."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from serving import LIVND, ROOT, SYSTEMS, Serve

FULL = "exec > /dev/full"
MINI = str(SYSTEMS / "EI-mini")
CASE = str(ROOT / "tests/data/oracle/exc_rest.json")


def output_lost(*arguments: str) -> str:
    """The error of a command whose output cannot be written, which must be one line."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [str(LIVND), *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=120
        )
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.fixture(scope="module")
def server() -> Iterator[Serve]:
    with Serve() as running:
        yield running


@pytest.mark.parametrize(
    "arguments",
    [
        *(["--version"], ["--help"], ["help"]),
        *([command, "--help"] for command in ("serve", "health", "inspect", "parity")),
        *(["inspect", MINI, *flags] for flags in ([], ["--json"], ["--culture"])),
        ["parity", CASE],
    ],
    ids=lambda arguments: " ".join(arguments).replace(str(ROOT), ""),
)
def test_a_command_whose_output_is_lost_fails(arguments):
    assert output_lost(*arguments).startswith("livnd: cannot write to standard output")


def test_the_error_says_why():
    assert "No space left on device" in output_lost("--version")


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_health_whose_output_is_lost_fails(server, flags):
    assert "cannot write to standard output" in output_lost("health", server.address, *flags)


def test_a_command_that_fails_says_why_and_keeps_its_exit_status():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [str(LIVND), "serve", "--no-such-flag"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 2
    assert "--no-such-flag" in done.stderr


def test_a_server_whose_ready_line_is_lost_ends():
    with Serve(before=FULL) as server:
        assert server.ready is None
        assert server.process.wait(60) == 1
        last = server.log().splitlines()[-1]
        assert "cannot write the ready line to standard output: No space left on device" in last
        assert not (server.folder / "state/endpoint.json").exists()
        assert not (server.folder / "s").exists()
