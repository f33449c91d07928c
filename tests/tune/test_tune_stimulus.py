"""livnd tune with a stimulus: here and on a server, and what it is refused for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import Serve
from test_tune import ROOT, TARGET, search, target, tune
from test_tune_servers import found

__all__ = ["target"]  # a fixture

STIMULUS = """
stimulus:
  amplitudes_ua: [0.01, 30, 60]
  repeats: 2
  trial_ms: 100
  onset_ms: 50
  pre_ms: 50
  post_ms: 20
  recovery_ms: 30
  measured: {below_ua: 0.01, above_ua: 30, probabilities: [0, 0.6, 0.9]}
"""
STIMULATED = (
    TARGET.replace("space:\n", "space:\n  stimulation_gain: true\n  adaptation: true\n").replace(
        "constraints:\n", "  threshold: {feature: recruitment_miss, cost: value}\nconstraints:\n"
    )
    + STIMULUS
    + "trials: 3\n"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Serve]:
    with Serve("--max-envs", "2") as server:
        yield server


def test_stimulates_what_is_good_at_rest(target: Path, tmp_path: Path) -> None:
    target.write_text(STIMULATED)
    out = tmp_path / "a"
    done = tune(*search(target, out, "--evaluations", 64, "--json"))
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (out / "evaluations.jsonl").read_text().splitlines()]
    features = {"stimulus_threshold", "threshold_miss", "recruitment_miss"}
    stimulated = 0
    for line in lines:
        assert features <= line["features"].keys()
        held = all(value > 0 for value in line["constraints"].values())
        told = [line["features"][name] for name in sorted(features)]
        assert held == all(value is not None for value in told)
        assert (line["objectives"]["threshold"] == 1000) == (not held)
        stimulated += held
    assert 0 < stimulated < len(lines)
    front = json.loads((out / "front.json").read_text())
    best = front["solutions"][0]
    assert best["feasible"] is True
    assert 0.53 < best["params"]["io-volume_conductor-stimulation_gain"] < 1000 / 60
    assert 0.1 < best["params"]["cells-EXC:dend.kCa_Ca_conc"] < 40
    summary = tune("--out", out, "--summary")
    assert "recruitment_miss" in summary.stdout
    # Of the same search without a stimulus nothing is told of answers.
    target.write_text(TARGET)
    assert tune(*search(target, tmp_path / "b", "--evaluations", 16)).returncode == 0
    assert "stimulus_threshold" not in (tmp_path / "b/evaluations.jsonl").read_text()


@pytest.mark.parametrize("gate", ["true", "false"])
def test_a_server_finds_the_same(target: Path, tmp_path: Path, server: Serve, gate: str) -> None:
    """Three trials do not fit into one of its sessions; a search that began here goes on there."""
    target.write_text(STIMULATED.replace("  repeats: 2\n", f"  repeats: 2\n  gate: {gate}\n"))
    here, there = tmp_path / "here", tmp_path / "there"
    assert tune(*search(target, here, "--evaluations", 48, "--threads", 1)).returncode == 0
    assert tune(*search(target, there, "--evaluations", 16, "--threads", 2)).returncode == 0
    done = tune(*search(target, there, "--evaluations", 48, "--addresses", server.address))
    assert done.returncode == 0, done.stderr
    assert found(there) == found(here)


def test_livns_culture_with_pulses_is_a_target(tmp_path: Path) -> None:
    path = ROOT / "systems/targets/culture-stimulus.yml"
    done = tune(*search(path, tmp_path / "a", "--evaluations", 24))
    # It is read, and held against the system, before the command looks at the number.
    assert done.returncode == 1
    assert "--evaluations is 24; accepted: a multiple of --population" in done.stderr
    text = path.read_text()
    for word in ("duration_ms: 30000", "repeats: 8", "trial_ms: 6000"):
        assert word in text
    short = tmp_path / "short.yml"
    short.write_text(
        text.replace("duration_ms: 30000", "duration_ms: 100").replace("repeats: 8", "repeats: 1")
    )
    done = tune(*search(short, tmp_path / "b", "--evaluations", 16))
    assert done.returncode == 0, done.stderr


def test_refuses_by_file_and_key(target: Path, tmp_path: Path) -> None:
    def fault(old: str, new: str) -> str:
        assert old in STIMULATED
        target.write_text(STIMULATED.replace(old, new))
        done = tune(*search(target, tmp_path / "a", "--evaluations", 16))
        assert done.returncode == 1 and done.stdout == ""
        assert not (tmp_path / "a").exists()
        return done.stderr

    said = fault("repeats: 2", "electrode: 99")
    assert f"{target}: stimulus.electrode is 99; accepted: the id of one of the 8" in said
    assert "stimulus.width_us is 90" in fault("repeats: 2", "width_us: 90")
    assert "stimulus.onset_ms is 50.01" in fault("onset_ms: 50", "onset_ms: 50.01")
    assert "stimulus.trial_ms is 99" in fault("trial_ms: 100", "trial_ms: 99")
    assert "space.stimulation_gain is true; accepted: weaker pulses" in fault("60]", "6000]")
    measured = STIMULUS[STIMULUS.index("  measured:") :]
    said = fault(measured, "")
    assert "objectives.threshold is" in said and "what was measured" in said
    said = fault(STIMULUS, "\n")
    assert "space.stimulation_gain is true; accepted: false: there is no stimulus" in said
