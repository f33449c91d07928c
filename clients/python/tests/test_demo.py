"""The demo, made as short as it can be."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import livnd
import pytest
from conftest import short_folder

DEMO = Path(livnd.__file__).parent.parent / "examples" / "demo.py"
SHORT = ["--population", "4", "--episodes", "1", "--budget", "8"]
LAST_LINE = re.compile(r"demo: agent -\d+\.\d{2,3} random -\d+\.\d{2,3} constant -\d+\.\d{2,3}")


def start_demo(*args: str, **environment: str) -> subprocess.Popen:
    path = os.pathsep.join([str(DEMO.parent.parent), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, str(DEMO), *SHORT, *args],
        env={**os.environ, "PYTHONPATH": path.rstrip(os.pathsep), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def is_picture(path: Path) -> bool:
    data = path.read_bytes()
    return data.startswith(b"\x89PNG") and len(data) > 20_000


def test_it_ends_with_three_numbers_and_a_picture(tmp_path):
    out, err = start_demo("--out", str(tmp_path / "demo.png")).communicate(timeout=300)
    assert LAST_LINE.fullmatch(out.splitlines()[-1]), out + err
    assert is_picture(tmp_path / "demo.png")


def test_json_lines_say_the_same_for_the_same_seed(tmp_path, address):
    runs = []
    for number in range(2):
        picture = str(tmp_path / f"{number}.png")
        process = start_demo("--json", "--seed", "3", "--out", picture, "--address", address)
        *lines, last = process.communicate(timeout=300)[0].splitlines()
        events = [json.loads(line) for line in lines]
        assert [e["event"] for e in events] == ["start", *["generation"] * 4, "result"]
        for event in events:
            event.pop("seconds", None)
            event.pop("out", None)
        runs.append((events, last))
    assert runs[0] == runs[1]


def test_what_is_learned_does_not_depend_on_the_processor(tmp_path, address):
    """OpenBLAS is told to use the code of two processors, whose last places differ."""
    results = []
    for core in ("Nehalem", "Haswell"):
        args = ["--json", "--budget", "24", "--out", str(tmp_path / "demo.png")]
        process = start_demo(*args, "--address", address, OPENBLAS_CORETYPE=core)
        out, err = process.communicate(timeout=300)
        *_, result, last = out.splitlines()
        results.append((json.loads(result)["parameters"], last))
        assert not err
    assert results[0] == results[1]


def test_it_survives_a_restart_of_the_server(tmp_path, start_server):
    server = start_server(f"unix:{short_folder(tmp_path)}/demo.sock")
    process = start_demo("--address", server.address, "--out", str(tmp_path / "demo.png"))
    for line in process.stdout:
        if "median return" in line:
            break
    server.kill()
    server.start()
    out, err = process.communicate(timeout=300)
    # It is told where an episode is played again, and not where it was about to begin.
    assert err == "" or "lost the server" in err
    assert LAST_LINE.fullmatch(out.splitlines()[-1]), out + err


@pytest.mark.parametrize("bad", [["--budget", "0"], ["--population", "1"], ["--episodes", "0"]])
def test_impossible_settings_are_refused(bad):
    process = start_demo(*bad)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert bad[0] in err
