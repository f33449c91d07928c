"""livnd sample over servers: the same bytes, whichever of them are lost on the way."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import livnd as livnd_client
import pytest
from serving import LIVND, Serve
from test_sample import SYSTEM, files, livnd

PLAN = ["--count", 24, "--part", 2, "--params", "default", "--warmup", 20, "--duration", 100,
        "--trials", 2, "--voltages", "3, 8", "--potentials", "--sample-dt", 1]  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What one process makes of the plan."""
    out = tmp_path_factory.mktemp("whole") / "a"
    assert livnd("sample", SYSTEM, "--out", out, *PLAN).returncode == 0
    return files(out)


@pytest.fixture(scope="module")
def server() -> Iterator[Serve]:
    with Serve() as server:
        yield server


def address(server: Serve) -> str:
    assert server.ready is not None
    return server.ready["address"]


def test_servers_make_the_bytes_of_one_process(
    tmp_path: Path, whole: dict[str, bytes], server: Serve
) -> None:
    with Serve() as other:
        both = f"{address(server)},{address(other)}"
        done = livnd("sample", SYSTEM, "--out", tmp_path / "a", *PLAN, "--addresses", both)
        assert done.returncode == 0, done.stderr
        assert files(tmp_path / "a") == whole
        # By the environment, with a selection, and half of it there already.
        named = [*PLAN, "--selection", "8"]
        here = livnd("sample", SYSTEM, "--out", tmp_path / "b", *named)
        assert here.returncode == 0, here.stderr
        expected = files(tmp_path / "b")
        for number in range(0, 12, 2):
            (tmp_path / f"b/parts/part-{number:07d}.h5").unlink()
        done = subprocess.run(
            [str(word) for word in (LIVND, "sample", SYSTEM, "--out", tmp_path / "b", *named)],
            env={**os.environ, "LIVND_ADDRESSES": both},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "12 of 24 samples are there" in done.stderr
        assert files(tmp_path / "b") == expected


def test_what_a_lost_server_had_is_done_elsewhere(tmp_path: Path, whole: dict[str, bytes]) -> None:
    """One of two is killed, and the other one too; a third is named in the file later."""
    long = ["--count", 80, "--part", 2, "--params", "default", "--duration", 400]
    assert livnd("sample", SYSTEM, "--out", tmp_path / "a", *long).returncode == 0
    out, listed = tmp_path / "b", tmp_path / "servers"
    with Serve() as one, Serve() as two, Serve() as three:
        listed.write_text(f"# of a cluster\n{address(one)}\n{address(two)}\n")
        words = ["sample", SYSTEM, "--out", out, *long, "--batch", 2, "--addresses-file", listed]
        with subprocess.Popen(
            [str(LIVND), *map(str, words)], stderr=subprocess.PIPE, text=True
        ) as process:
            _wait_for(out, 3)
            one.process.send_signal(signal.SIGKILL)
            _wait_for(out, len(list((out / "parts").iterdir())) + 3)
            two.process.send_signal(signal.SIGKILL)
            time.sleep(0.5)
            listed.write_text(f"{address(one)}\n{address(three)}\n")
            assert process.stderr is not None
            told = process.stderr.read()
            assert process.wait(60) == 0, told
    assert files(out) == files(tmp_path / "a")


def _wait_for(out: Path, num_parts: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if (out / "parts").is_dir() and len(list((out / "parts").glob("*.h5"))) >= num_parts:
            return
        time.sleep(0.01)
    pytest.fail(f"no {num_parts} files")


def test_servers_that_are_of_no_use_are_named(tmp_path: Path, server: Serve) -> None:
    def fault(*flags: object) -> str:
        done = livnd("sample", SYSTEM, "--out", tmp_path / "a", *PLAN, *flags)
        assert done.returncode == 1 and done.stdout == ""
        assert not list((tmp_path / "a").glob("parts/*"))
        return done.stderr

    assert "--addresses is without an address; accepted: HOST:PORT" in fault("--addresses", ", ")
    assert "twice; accepted: each server once" in fault("--addresses", "a:1,a:1")
    assert "beside --addresses-file" in fault("--addresses", "a:1", "--addresses-file", "x")
    missing = tmp_path / "none"
    assert f"{missing} " in fault("--addresses-file", missing)
    assert "address" in fault("--addresses", "nonsense")
    away = fault("--addresses", f"unix:{tmp_path}/nobody", "--patience", "100ms")
    assert f"unix:{tmp_path}/nobody: " in away and "goes on from here" in away
    # A system of the same name.
    other = tmp_path / "systems/EI-mini"
    shutil.copytree(SYSTEM, other)
    text = (other / "graph.json").read_text()
    assert '"e": 0,' in text
    (other / "graph.json").write_text(text.replace('"e": 0,', '"e": -20,'))
    with Serve(systems=tmp_path / "systems") as stranger:
        said = fault("--addresses", address(stranger))
        assert f"{address(stranger)} has another system EI-mini" in said
    # And one that does not have it.
    shutil.move(other, tmp_path / "systems/other")
    with Serve(systems=tmp_path / "systems") as stranger:
        assert "EI-mini" in fault("--addresses", address(stranger))


def test_a_server_without_room_is_waited_for(tmp_path: Path, whole: dict[str, bytes]) -> None:
    with Serve("--max-sessions", "1") as full:
        words = ["sample", SYSTEM, "--out", tmp_path / "a", *PLAN, "--addresses", address(full)]
        with livnd_client.connect(address(full)) as client, client.create_culture("EI-mini", 1):
            done = livnd(*words, "--patience", "100ms")
        assert done.returncode == 1
        assert "TOO_MANY_SESSIONS" in done.stderr and "goes on from here" in done.stderr
        assert livnd(*words).returncode == 0
    assert files(tmp_path / "a") == whole
