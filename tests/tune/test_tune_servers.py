"""livnd tune over servers: the same bytes, whichever of them are lost on the way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import livnd as livnd_client
import pytest
from serving import Serve
from test_tune import SYSTEM, TARGET, command, search, target, tune

__all__ = ["target"]  # a fixture

# Of some cells, with another model than the system's, by electrodes and with several trials.
OTHER = f"""{TARGET}
trials: 3
readout: electrodes
selection: 8
model: {{cls: livn.models.rcsd.ReducedCalciumSomaDendrite, kwargs: {{size_cv: {{EXC: 0.2}}}}}}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Serve]:
    with Serve() as server:
        yield server


def found(out: Path) -> dict[str, str]:
    """What a search leaves, without its own name."""
    names = ("run.json", "evaluations.jsonl", "front.json")
    return {name: (out / name).read_text().replace(str(out), "DIR") for name in names}


@pytest.mark.parametrize("text", [TARGET, OTHER], ids=["cells", "other"])
def test_servers_find_what_one_process_finds(
    target: Path, tmp_path: Path, server: Serve, text: str
) -> None:
    target.write_text(text)
    out = tmp_path / "here"
    assert tune(*search(target, out, "--evaluations", 48)).returncode == 0
    here = found(out)
    done = tune(
        *search(target, tmp_path / "one", "--evaluations", 48, "--addresses", server.address)
    )
    assert done.returncode == 0, done.stderr
    assert "48 of 48 evaluations" in done.stderr and "on the front" in done.stderr
    assert found(tmp_path / "one") == here
    with Serve("--threads", "3", "--max-envs", "2") as other:
        both = f"{server.address},{other.address}"
        out = tmp_path / "two"
        # By the environment; and what is there already is not done again.
        begun = tune(*search(target, out, "--evaluations", 16, "--addresses", other.address))
        assert begun.returncode == 0, begun.stderr
        done = subprocess.run(
            command(*search(target, out, "--evaluations", 48, "--json")),
            env={**os.environ, "LIVND_ADDRESSES": both},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["evaluated"] == 32
        assert found(out) == here
        assert not server.journals and not other.journals  # of no session that is left


def test_what_a_lost_server_had_is_done_elsewhere(target: Path, tmp_path: Path) -> None:
    """One of two is killed, and the other one too; a third is named in the file later."""
    target.write_text(TARGET.replace("duration_ms: 300", "duration_ms: 1500"))
    arguments = ["--evaluations", 160]
    assert tune(*search(target, tmp_path / "here", *arguments)).returncode == 0
    out, listed = tmp_path / "there", tmp_path / "servers"
    with Serve() as one, Serve() as two, Serve() as three:
        listed.write_text(f"# of a cluster\n{one.address}\n{two.address}\n")
        words = search(target, out, *arguments, "--addresses-file", listed)
        with subprocess.Popen(command(*words), stderr=subprocess.PIPE, text=True) as process:
            _wait_for(out, 10)
            one.process.send_signal(signal.SIGKILL)
            _wait_for(out, _num_done(out) + 10)
            two.process.send_signal(signal.SIGKILL)
            time.sleep(0.5)
            assert _num_done(out) < 160
            listed.write_text(f"{one.address}\n{three.address}\n")
            assert process.stderr is not None
            told = process.stderr.read()
            assert process.wait(60) == 0, told
    assert found(out) == found(tmp_path / "here")


def test_goes_on_with_a_server_that_returns_and_after_a_kill(target: Path, tmp_path: Path) -> None:
    target.write_text(TARGET.replace("duration_ms: 300", "duration_ms: 1500"))
    assert tune(*search(target, tmp_path / "here", "--evaluations", 96)).returncode == 0
    out = tmp_path / "there"
    with Serve() as server:
        words = command(*search(target, out, "--evaluations", 96, "--addresses", server.address))
        with subprocess.Popen(words, stderr=subprocess.DEVNULL) as process:
            _wait_for(out, 20)
            server.kill()
            server.start()
            _wait_for(out, _num_done(out) + 20)
            process.kill()
        assert _num_done(out) < 96
        assert tune(*words[2:]).returncode == 0
    assert found(out) == found(tmp_path / "here")


def _num_done(out: Path) -> int:
    log = out / "evaluations.jsonl"
    return len(log.read_text().splitlines()) if log.exists() else 0


def _wait_for(out: Path, num_evaluations: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if _num_done(out) >= num_evaluations:
            return
        time.sleep(0.01)
    pytest.fail(f"no {num_evaluations} evaluations")


def test_servers_that_are_of_no_use_are_named(target: Path, tmp_path: Path, server: Serve) -> None:
    def fault(*flags: object) -> str:
        done = tune(*search(target, tmp_path / "a", "--evaluations", 16, *flags))
        assert done.returncode == 1 and done.stdout == ""
        assert _num_done(tmp_path / "a") == 0
        return done.stderr

    assert "--addresses is without an address; accepted: HOST:PORT" in fault("--addresses", ", ")
    assert "twice; accepted: each server once" in fault("--addresses", "a:1,a:1")
    assert "beside --addresses-file" in fault("--addresses", "a:1", "--addresses-file", "x")
    missing = tmp_path / "none"
    assert f"{missing} " in fault("--addresses-file", missing)
    assert not (tmp_path / "a").exists()
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
        said = fault("--addresses", stranger.address)
        assert f"{stranger.address} has another system EI-mini" in said
    # And one that does not have it.
    shutil.move(other, tmp_path / "systems/other")
    with Serve(systems=tmp_path / "systems") as stranger:
        assert "EI-mini" in fault("--addresses", stranger.address)


def test_a_server_without_room_is_waited_for(target: Path, tmp_path: Path) -> None:
    with Serve("--max-sessions", "1") as full:
        words = search(target, tmp_path / "a", "--evaluations", 16, "--addresses", full.address)
        with livnd_client.connect(full.address) as client, client.create_culture("EI-mini", 1):
            done = tune(*words, "--patience", "100ms")
        assert done.returncode == 1
        assert "TOO_MANY_SESSIONS" in done.stderr and "goes on from here" in done.stderr
        # One at a time, whatever number of threads the server has.
        done = tune(*words)
        assert done.returncode == 0, done.stderr
    assert tune(*search(target, tmp_path / "b", "--evaluations", 16)).returncode == 0
    assert found(tmp_path / "a") == found(tmp_path / "b")


def test_is_interrupted_on_servers(target: Path, tmp_path: Path, server: Serve) -> None:
    words = command(
        *search(target, tmp_path / "a", "--evaluations", 1600, "--addresses", server.address)
    )
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        _wait_for(tmp_path / "a", 5)
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        assert process.wait(20) == 1
        assert "the same command goes on from here" in process.stderr.read()
    assert not server.journals
