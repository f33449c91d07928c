"""livnd tune: what a shell sees of it, and that a search survives being killed."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIVND = Path(os.environ.get("LIVND_BINARY", ROOT / "bazel-bin/server/livnd"))
SYSTEM = ROOT / "systems/EI-mini"

TARGET = """
name: short
warmup_ms: 50
duration_ms: 300
min_spikes: 20
space:
  reference: [0.5, 20, log10]
  ratio: [0.1, 10, log10]
  noise: {g_e0: [0.0002, 0.02, log10], g_i0: [0.002, 0.06, log10], std_e: [0.0001, 0.02, log10]}
objectives:
  mfr: {target: 5, cost: log_square}
  isi_cv: {target: 1.0}
  active_fraction: {target: 1.0}
constraints:
  awake: {feature: mfr, min: 0.5}
  calm: {feature: mfr, max: 40}
feature_bands: {mfr: [2, 10], active_fraction: [0.5, 1]}
"""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "target.yml"
    path.write_text(TARGET)
    return path


def command(*arguments: object) -> list[str]:
    return [str(LIVND), "tune", *map(str, arguments)]


def tune(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, check=False, timeout=100
    )


def search(target: Path, out: Path, *more: object) -> list[object]:
    return [SYSTEM, "--target", target, "--out", out, "--population", 16, *more]


def test_finds_a_front_and_tells_how_far_it_is(target: Path, tmp_path: Path) -> None:
    done = tune(*search(target, tmp_path / "a", "--evaluations", 96, "--json"))
    assert done.returncode == 0, done.stderr
    assert "0 of 96 evaluations are there" in done.stderr
    assert "96 of 96 evaluations" in done.stderr and "on the front" in done.stderr
    told = json.loads(done.stdout)
    front = json.loads(Path(told["front"]).read_text())
    assert told["evaluated"] == front["evaluations"] == 96
    assert front["system"] == str(SYSTEM)
    assert front["target"]["name"] == "short"
    assert front["solutions"][0]["feasible"] is True
    assert [s["loc"] for s in front["solutions"]] == list(range(len(front["solutions"])))
    for solution in front["solutions"]:
        assert set(solution["objectives"]) == {"mfr", "isi_cv", "active_fraction"}
        assert solution["constraints"]["awake"] > 0
        params = solution["params"]
        assert 0.5 <= params["EXC_EXC-dend-AMPA-weight"] <= 20
        assert not any(key.endswith("_ratio") for key in params)
    # None dominates another.
    costs = [tuple(s["objectives"].values()) for s in front["solutions"]]
    for a in costs:
        assert not any(a != b and all(x <= y for x, y in zip(b, a, strict=True)) for b in costs)
    # The search has got somewhere: the last quarter is nearer than the first.
    lines = (tmp_path / "a/evaluations.jsonl").read_text().splitlines()
    rates = [json.loads(line)["objectives"]["mfr"] for line in lines]
    assert sorted(rates[-24:])[12] < sorted(rates[:24])[12]


def test_is_the_same_on_any_number_of_threads_and_goes_on(target: Path, tmp_path: Path) -> None:
    for name, threads in (("a", 1), ("b", 3)):
        done = tune(*search(target, tmp_path / name, "--evaluations", 48, "--threads", threads))
        assert done.returncode == 0, done.stderr
    log = (tmp_path / "a/evaluations.jsonl").read_bytes()
    assert (tmp_path / "b/evaluations.jsonl").read_bytes() == log
    # With more evaluations the search goes on; its beginning stays.
    more = tune(*search(target, tmp_path / "a", "--evaluations", 64, "--json"))
    assert json.loads(more.stdout)["evaluated"] == 16
    assert (tmp_path / "a/evaluations.jsonl").read_bytes().startswith(log)
    other = tune(*search(target, tmp_path / "c", "--evaluations", 48, "--seed", 2))
    assert other.returncode == 0
    assert (tmp_path / "c/evaluations.jsonl").read_bytes() != log


def test_survives_kills(target: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    assert tune(*search(target, whole, "--evaluations", 160)).returncode == 0
    out = tmp_path / "killed"
    draw = random.Random(7)
    kills = 0
    while kills < 100:
        with subprocess.Popen(
            command(*search(target, out, "--evaluations", 160, "--threads", 2)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                # Longer each time: on a busy machine, too, some evaluations are done.
                assert process.wait(draw.uniform(0.1, 0.6) * (1 + kills / 10)) == 0
                break
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
    assert 3 <= kills < 100
    for name in ("evaluations.jsonl", "front.json"):
        # Only the folder's own name differs.
        killed = (out / name).read_text().replace(str(out), str(whole))
        assert killed == (whole / name).read_text(), name


def test_ends_on_a_signal_and_keeps_what_it_has(target: Path, tmp_path: Path) -> None:
    target.write_text(TARGET.replace("duration_ms: 300", "duration_ms: 3000"))
    arguments = command(*search(target, tmp_path / "a", "--evaluations", 1600))
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        process.stderr.readline()
        line = process.stderr.readline()
        assert "of 1600 evaluations" in line and "s left" in line
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        assert process.wait(20) == 1
        assert time.monotonic() - begun < 10
        assert "the same command goes on from here" in process.stderr.read()
    done = len((tmp_path / "a/evaluations.jsonl").read_text().splitlines())
    summary = tune("--out", tmp_path / "a", "--summary")
    assert f"of {done} evaluations" in summary.stdout


def test_what_is_searched_is_not_fixed(target: Path, tmp_path: Path) -> None:
    for key in ("EXC_EXC-dend-AMPA-weight", "INH_EXC-soma-AMPA-weight", "noise-g_i0"):
        target.write_text(TARGET.replace("space:\n", f"space:\n  fixed: {{{key}: 3}}\n"))
        refused = tune(*search(target, tmp_path / "a", "--evaluations", 16))
        assert refused.returncode == 1
        told = f"space.fixed.{key} is 3; accepted: a parameter that is not searched"
        assert told in refused.stderr


def test_shows_exports_and_goes_on_with_the_noise(target: Path, tmp_path: Path) -> None:
    out = tmp_path / "a"
    assert tune(*search(target, out, "--evaluations", 32)).returncode == 0
    front = json.loads((out / "front.json").read_text())
    summary = tune("--out", out, "--summary")
    assert summary.returncode == 0, summary.stderr
    assert f"{len(front['solutions'])} solutions of 32 evaluations" in summary.stdout
    assert "* within the band:" in summary.stdout
    exported = tune("--out", out, "--export", tmp_path / "front.json")
    assert exported.returncode == 0, exported.stderr
    assert json.loads((tmp_path / "front.json").read_text()) == front
    shown = tune("--out", out, "--inspect")
    assert "EXC_EXC-dend-AMPA-weight" in shown.stdout
    # The first command goes on with what the folder is of.
    line = next(x.strip() for x in shown.stdout.splitlines() if x.startswith("  livnd tune"))
    on = tune(*line.split()[2:], "--json")
    assert json.loads(on.stdout)["evaluated"] == 160
    kept = (out / "front.json").read_bytes()
    refused = tune("--out", out, "--export", out / "front.json")
    assert refused.returncode == 1 and "there already" in refused.stderr
    assert (out / "front.json").read_bytes() == kept
    assert tune("--out", out, "--export", out / "front.json", "--overwrite").returncode == 0
    front = json.loads((out / "front.json").read_text())
    line = next(x.strip() for x in shown.stdout.splitlines() if "--search noise-" in x)
    words = line.split()
    assert words[:2] == ["livnd", "tune"]
    words[words.index("--evaluations") + 1] = "32"
    noise = tune(*words[2:])
    assert noise.returncode == 0, noise.stderr
    best = front["solutions"][0]["params"]
    for solution in json.loads((tmp_path / "a-noise/front.json").read_text())["solutions"]:
        for key, value in solution["params"].items():
            assert (value == best[key]) is not key.startswith("noise-"), key
    assert "--loc is 99; accepted: 0 .." in tune("--out", out, "--inspect", "--loc", 99).stderr


def test_refuses_by_file_key_and_value(target: Path, tmp_path: Path) -> None:
    def fault(*arguments: object) -> str:
        done = tune(*arguments)
        assert done.returncode != 0
        assert done.stdout == ""
        return done.stderr

    out = tmp_path / "a"
    assert "--evaluations is 40; accepted: a multiple of --population, 16" in fault(
        *search(target, out, "--evaluations", 40)
    )
    target.write_text(TARGET.replace("ratio:", "rato:"))
    assert f"{target}: space.rato is an unknown name; accepted: ratio (the nearest)" in fault(
        *search(target, out, "--evaluations", 48)
    )
    target.write_text(TARGET.replace("noise:", "params: {XX-weight: [1, 2]}\n  noise:"))
    assert f"{target}: space.params[XX-weight]" in fault(*search(target, out, "--evaluations", 48))
    assert not out.exists()
    target.write_text(TARGET)
    assert "expected one system" in fault("--target", target)
    assert "--target is absent" in fault(SYSTEM, "--out", out)
    assert tune(*search(target, out, "--evaluations", 16)).returncode == 0
    assert "is of another search: seed is 1 there and 2 here" in fault(
        *search(target, out, "--evaluations", 16, "--seed", 2)
    )


LIVN_RUN = """
import json, sys
from livn.decoding import ActiveFraction, ISICV, MeanFiringRate, Slice
from livn.env import Env

env = Env(sys.argv[1])
env.init()
env.apply_default_params(group=sys.argv[2])
env.record_spikes()
run = env.run(50 + 300)
window = Slice(start=50, stop=350)(run)
rate = MeanFiringRate(duration=300)(window, env)
print(json.dumps({
    "spikes": len(window.spike_ids),
    "isi_cv": (ISICV(duration=300, min_spikes_per_unit=5)(window, env) or {}).get("isi_cv", 0.0),
    "active_fraction": ActiveFraction(duration=300)(window, env)["active_fraction"],
}))
"""


def promote(*arguments: object) -> subprocess.CompletedProcess[str]:
    words = [str(LIVND), "promote", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=100)


def test_promotes_what_livn_runs_with_the_same_rates(target: Path, tmp_path: Path) -> None:
    system = tmp_path / "EI-mini"
    shutil.copytree(SYSTEM, system)
    out = tmp_path / "a"
    done = tune(system, "--target", target, "--out", out, "--population", 16, "--evaluations", 64)
    assert done.returncode == 0, done.stderr
    front = json.loads((out / "front.json").read_text())
    before = json.loads((system / "params/default.json").read_text())
    refused = promote(out)
    assert refused.returncode == 1 and "--group is default; accepted: a name that" in refused.stderr
    assert "--loc is 77" in promote(out, "--loc", 77).stderr
    assert json.loads((system / "params/default.json").read_text()) == before
    for loc in (0, len(front["solutions"]) - 1):
        assert promote(out, "--loc", loc, "--group", f"tuned{loc}").returncode == 0
        script = [sys.executable, "-W", "ignore", "-c", LIVN_RUN, str(system), f"tuned{loc}"]
        livn = subprocess.run(
            script,
            capture_output=True,
            text=True,
            check=True,
            timeout=100,
            env={**os.environ, "LIVN_BACKEND": "native"},
        )
        told = json.loads(livn.stdout.splitlines()[-1])
        features = front["solutions"][loc]["features"]
        assert told["spikes"] == features["total_spikes"]
        assert told["active_fraction"] == pytest.approx(features["active_fraction"])
        assert told["isi_cv"] == pytest.approx(features["isi_cv"], abs=1e-6)
    after = json.loads((system / "params/default.json").read_text())
    groups = after["ReducedCalciumSomaDendrite"]
    assert groups["default"] == before["ReducedCalciumSomaDendrite"]["default"]
    assert groups["tuned0"]["params"] == front["solutions"][0]["params"]
    assert groups["tuned0"]["meta"]["feasible"] is True
    # And livnd begins with it once it is the default.
    assert promote(out, "--force").returncode == 0
    after = json.loads((system / "params/default.json").read_text())
    begun = after["ReducedCalciumSomaDendrite"]["default"]
    assert begun["params"] == front["solutions"][0]["params"]
    weight = begun["params"]["EXC_EXC-dend-AMPA-weight"]
    shown = subprocess.run(
        [str(LIVND), "inspect", str(system), "--culture"],
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    found = re.search(r"EXC_EXC-dend-AMPA: weight ([\d.e+-]+)", shown.stdout)
    assert found is not None and float(found[1]) == pytest.approx(weight, rel=1e-3)


def test_searches_by_decomposition_too(target: Path, tmp_path: Path) -> None:
    for name in "ab":
        done = tune(
            *search(target, tmp_path / name, "--evaluations", 64, "--algorithm", "moead", "--json")
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["feasible"] > 0
    logs = [(tmp_path / name / "evaluations.jsonl").read_bytes() for name in "ab"]
    assert logs[0] == logs[1]
