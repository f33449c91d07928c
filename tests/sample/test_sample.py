"""livnd sample and merge: what a shell sees of them, and that a data set survives being killed."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import pytest

ROOT = Path(__file__).resolve().parents[2]
LIVND = Path(os.environ.get("LIVND_BINARY", ROOT / "bazel-bin/server/livnd"))
SYSTEM = ROOT / "systems/EI-mini"


def command(*arguments: object) -> list[str]:
    return [str(LIVND), *map(str, arguments)]


def livnd(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, check=False, timeout=100
    )


def short(out: Path, *more: object) -> list[object]:
    """Eleven samples of a tenth of a second, in three files, unless told otherwise."""
    split = [] if "--split" in more else ["--split", "train=9,test=2"]
    return ["sample", SYSTEM, "--out", out, *split, "--part", 4,
            "--warmup", 20, "--duration", 100, "--params", "default", *more]  # fmt: skip


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_makes_a_data_set_and_says_how(tmp_path: Path) -> None:
    out = tmp_path / "a"
    done = livnd(*short(out, "--json"))
    assert done.returncode == 0, done.stderr
    assert "0 of 11 samples are there" in done.stderr
    told = json.loads(done.stdout)
    assert told["samples"] == told["sampled"] == 11
    assert told["splits"] == {"train": 9, "test": 2}
    parts = [f"parts/part-000000{number}.h5" for number in range(3)]
    assert sorted(files(out)) == ["README.md", "conversion_metadata.json", *parts, "run.json"]
    metadata = json.loads((out / "conversion_metadata.json").read_text())
    assert metadata["system"] == "EI-mini" and metadata["num_channels"] == 8
    assert metadata["sampling_frequency"] == 10000 and metadata["warmup_ms"] == 20
    # The card's command makes the same.
    card = (out / "README.md").read_text()
    words = card.split("```")[1].split()
    assert words[:3] == ["livnd", "sample", "EI-mini"]
    words[2], words[words.index("DIR")] = str(SYSTEM), str(tmp_path / "b")
    assert livnd(*words[1:], "--threads", 1, "--batch", 3).returncode == 0
    assert files(tmp_path / "b") == files(out)
    again = livnd(*short(out))
    assert "11 samples of EI-mini, 0 of them new" in again.stdout


def test_survives_kills(tmp_path: Path) -> None:
    def many(out: Path) -> list[str]:
        return command("sample", SYSTEM, "--out", out, "--count", 120, "--part", 4, "--batch", 4,
                       "--params", "default", "--duration", 500, "--threads", 1)  # fmt: skip

    whole, out = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(many(whole), check=True, capture_output=True)
    draw = random.Random(7)
    kills = 0
    while kills < 100:
        with subprocess.Popen(
            many(out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                # Longer each time: on a busy machine, too, some samples are done.
                assert process.wait(draw.uniform(0.1, 0.4) * (1 + kills / 10)) == 0
                break
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
    assert 3 <= kills < 100
    # The lock of a killed process locks nobody out, and goes with the next.
    assert files(out) == files(whole)


def test_ends_on_a_signal_and_keeps_what_it_has(tmp_path: Path) -> None:
    out = tmp_path / "a"
    arguments = command("sample", SYSTEM, "--out", out, "--count", 1000000, "--part", 8)
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        process.stderr.readline()
        line = process.stderr.readline()
        assert "of 1000000 samples" in line and "s left" in line
        second = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60)
        assert second.returncode == 1 and f"process {process.pid}" in second.stderr
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        assert process.wait(20) == 1
        assert time.monotonic() - begun < 10
        assert "the same command goes on from here" in process.stderr.read()
    assert not (out / "README.md").exists()
    assert sorted((out / "parts").iterdir())
    merged = livnd("merge", out, "--out", tmp_path / "b")
    assert f"{out} is not complete" in merged.stderr and not (tmp_path / "b").exists()


def test_parts_of_many_machines_are_one_data_set(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    assert livnd(*short(whole)).returncode == 0
    shares = {"a": "0:4", "b": "4:8", "c": "8:11"}
    for name, ends in shares.items():
        assert livnd(*short(tmp_path / name, "--range", ends)).returncode == 0
    assert "samples 4 .. 7; `livnd merge`" in (tmp_path / "b/README.md").read_text()
    folders = [tmp_path / name for name in "cab"]
    gap = livnd("merge", *folders[:2], "--out", tmp_path / "out")
    assert gap.returncode == 1 and not (tmp_path / "out").exists()
    assert "samples 4 .. 7 are in none of the folders" in gap.stderr
    double = livnd("merge", *folders, tmp_path / "a", "--out", tmp_path / "out")
    assert "samples 0 .. 3 are in" in double.stderr
    done = livnd("merge", *folders, "--out", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["samples"] == 11
    assert files(tmp_path / "out") == files(whole)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--split", "train=9,test"], "--split is train=9,test; accepted: NAME=COUNT,..."),
        (["--split", "a=6,a=5"], "--split is a twice; accepted: each name once"),
        (["--split", "../x=9"], "--split is ../x=9; accepted: NAME=COUNT"),
        (["--count", "10"], "--split is 11 samples; accepted: --count, 10, in all"),
        (["--range", "1-4"], "--range is 1-4; accepted: FIRST:END"),
        (["--range", "1:4"], "--range is 1:4; accepted: FIRST:END with 0 <= FIRST < END <= 11"),
        (["--trials", "0"], "--trials is '0'; accepted: 1 .. "),
        (["--noise", "loud"], "--noise is 'loud'; accepted: on, off"),
        (["--seed", "-1"], "--seed is '-1'; accepted: 0 .. "),
        (["--encoding", "livn_puls"], "livn_pulse (the nearest)"),
        (["--encoding", "{name: rate, max: 3}"], "--encoding: max is an unknown name"),
        (["--ranges", "{amplitude: [0, 1]}"], "--ranges: amplitude is "),
        (["--ranges", "{time: 3}"], "--ranges.time is an unknown name; accepted: time_ms (the"),
        (["--encoding", "none", "--step", "10"], "--step is 10; accepted: absent"),
        (["--step", "30"], "--step is 30; accepted: --duration, 100, or a whole part of it"),
        (["--voltages", "3, 99"], "--voltages: [1] is 99; accepted: all, or gids"),
        (["--sample-dt", "0.01"], "--sample-dt is 0.01; accepted: ms from 0.025"),
        (["--group", "tuned"], "--group is tuned; accepted: default"),
        (["--selection", "e1"], "--selection is "),
        (["--selection", "99"], "--selection is 99"),
        (["--frames", "3"], "unknown flag --frames; accepted: --out, --count, --split"),
    ],
)
def test_refuses_by_argument_value_and_what_is_accepted(
    tmp_path: Path, flags: list[str], said: str
) -> None:
    out = tmp_path / "a"
    done = livnd(*short(out, *flags))
    assert done.returncode in (1, 2) and done.stdout == "" and said in done.stderr, done.stderr
    assert not out.exists()


def test_refuses_files_of_parameters_by_name_key_and_value(tmp_path: Path) -> None:
    document = tmp_path / "mine.json"
    model = "ReducedCalciumSomaDendrite"

    def fault(document_of: object) -> str:
        text = document_of if isinstance(document_of, str) else json.dumps(document_of)
        document.write_text(text)
        words = ["sample", SYSTEM, "--out", tmp_path / "a", "--count", 2, "--params", document]
        done = livnd(*words)
        assert done.returncode == 1 and done.stdout == ""
        return done.stderr

    assert f"{document} is not JSON" in fault("{")
    assert f"{document}: model is {model}" in fault({"other": {"default": {"params": {}}}})
    unknown = {model: {"default": {"params": {"XX-weight": 3}}}}
    assert f"{document}: params[XX-weight].key" in fault(unknown)
    negative = {model: {"default": {"params": {"noise-tau_e": -3}}}}
    assert f"{document}: params[noise-tau_e].value is -3" in fault(negative)


def test_refuses_another_data_set_and_two_at_a_time(tmp_path: Path) -> None:
    out = tmp_path / "a"
    assert livnd(*short(out)).returncode == 0
    before = files(out)
    other = livnd(*short(out, "--seed", 5))
    assert "run.json is of another data set: seed is 123 there and 5 here" in other.stderr
    other = livnd(*short(out, "--ranges", "{amplitude: 500}"))
    assert "is of another data set: input.features is" in other.stderr
    part = out / "parts/part-0000001.h5"
    part.write_bytes(part.read_bytes()[:1000])
    damaged = livnd(*short(out))
    assert damaged.returncode == 1 and str(part) in damaged.stderr
    part.unlink()
    assert livnd(*short(out)).returncode == 0
    assert files(out) == before
    assert "expected one system" in livnd("sample", "--out", out).stderr
    assert "--out is absent" in livnd("sample", SYSTEM, "--count", 3).stderr
    assert "--count is absent" in livnd("sample", SYSTEM, "--out", tmp_path / "b").stderr
    assert "expected one folder or more" in livnd("merge", "--out", tmp_path / "b").stderr
    assert "--out is absent" in livnd("merge", out).stderr
    assert f"--out is {out}; accepted: a name" in livnd("merge", out, "--out", out).stderr
    nothing = livnd("merge", tmp_path, "--out", tmp_path / "b")
    assert f"{tmp_path} is without run.json; accepted: a folder of livnd" in nothing.stderr


LIVN_RUNS = """
import json, sys
from livn.env import Env

env = Env(sys.argv[1])
env.init()
env.apply_model_defaults(noise=True)
env.record_spikes()
trials = []
for seed in json.loads(sys.argv[2]):
    env.seed = seed
    env.clear(reseed=False)
    env.reseed_noise(0)
    for trial in range(2):
        env.run(100)
        run = env.run(400)
        trials.append([run.spike_ids.tolist(), run.spike_times.tolist()])
        env.clear()
print(json.dumps(trials))
"""


def test_livn_does_the_same_with_the_seed_of_a_sample(tmp_path: Path) -> None:
    """Trial k after k clears, with the model's defaults."""
    out = tmp_path / "a"
    flags = ["--count", 3, "--trials", 2, "--encoding", "none", "--warmup", 100, "--duration", 400]
    assert livnd("sample", SYSTEM, "--out", out, *flags, "--part", 3).returncode == 0
    with h5py.File(out / "parts/part-0000000.h5") as file:
        found = {name: file[name][()] for name in file}
    words = [sys.executable, "-W", "ignore", "-c", LIVN_RUNS, str(SYSTEM)]
    done = subprocess.run(
        [*words, json.dumps(found["seed"].tolist())],
        env={**os.environ, "LIVN_BACKEND": "native"},
        capture_output=True,
        text=True,
        check=True,
    )
    offsets = found["spike_offsets"].tolist()
    trials = json.loads(done.stdout.splitlines()[-1])
    assert len(trials) == 6 and offsets[-1] > 0
    for (gids, times_ms), begin, end in zip(trials, offsets[:-1], offsets[1:], strict=True):
        assert found["spike_gids"][begin:end].tolist() == gids
        assert found["spike_ticks"][begin:end].tolist() == [round(t / 0.025) for t in times_ms]


def test_the_page_runs(tmp_path: Path) -> None:
    """docs/sampling.md, its blocks of commands and of Python in their order."""
    (tmp_path / "systems").symlink_to(SYSTEM.parent)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/livnd").symlink_to(LIVND.resolve())
    path = f"{tmp_path}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "LIVND_BINARY": str(LIVND)}
    environment["LIVND_SYSTEMS"] = str(ROOT / "tests/data/served")
    page = (ROOT / "docs/sampling.md").read_text()
    blocks = re.findall(r"^```(python)?\n(.*?)^```", page, flags=re.S | re.M)
    assert [language for language, _ in blocks] == ["", "python", "", ""]
    for language, block in blocks:
        words = [sys.executable, "-c"] if language else ["bash", "-ec"]
        subprocess.run([*words, block], cwd=tmp_path, env=environment, check=True)
    whole = tmp_path / "whole"
    plan = ["--count", 24, "--part", 8, "--params", "default"]
    assert livnd("sample", SYSTEM, "--out", whole, *plan).returncode == 0
    merged = files(tmp_path / "EI-mini-merged")
    expected, served = files(whole), files(tmp_path / "EI-mini-served")
    # Which tells the path of the system.
    for found in (merged, expected, served):
        del found["run.json"]
    assert merged == expected == served
