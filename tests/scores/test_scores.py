"""tools/scores plays, goes on where it was stopped, and writes it; no score is judged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
SCORING = ROOT / "tools/scoring"
ENVIRONMENT = "CartPole-EI-mini-v0"


def load(name: str) -> ModuleType:
    sys.path.insert(0, str(SCORING))
    try:
        return __import__(name)
    finally:
        sys.path.remove(str(SCORING))


def play(out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """With players that need no torch, of few steps."""
    command = [sys.executable, SCORING / "scores.py", ENVIRONMENT, "--out", out, "--episodes", "8"]
    command += ["--players", "random", "constant", "script", "CMA-ES", "--steps", "500", *options]
    environment = os.environ | {"LIVND_SYSTEMS": str(ROOT / "tests/data/served")}
    return subprocess.run(
        [*map(str, command)], capture_output=True, text=True, check=False, env=environment
    )


def test_what_was_played_is_written_and_not_played_again(tmp_path: Path):
    done = play(tmp_path, "--seeds", "2")
    assert done.returncode == 0, done.stderr
    scores = json.loads((tmp_path / "scores.json").read_text())
    played = scores[ENVIRONMENT]["players"]
    assert {player: set(cells) for player, cells in played.items()} == {
        "random": {"0", "1"},
        "constant": {"0", "1"},
        "script": {"0", "1"},
        "CMA-ES": {"0", "1"},
    }
    for cells in played.values():
        for cell in cells.values():
            assert len(cell["returns"]) == 8
            assert np.isfinite(cell["returns"]).all()
    page = (tmp_path / "scores.md").read_text()
    assert f"| `{ENVIRONMENT}` | " in page
    # Stopped before the last: that alone is played.
    del played["CMA-ES"]["1"]
    played["random"]["0"]["returns"][0] = -123.0
    (tmp_path / "scores.json").write_text(json.dumps(scores))
    again = play(tmp_path, "--seeds", "2")
    assert again.returncode == 0, again.stderr
    assert again.stderr.count(ENVIRONMENT) == 1
    assert "CMA-ES seed 1" in again.stderr
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores[ENVIRONMENT]["players"]["random"]["0"]["returns"][0] == -123.0
    # Another budget does not mix with it.
    other = play(tmp_path, "--seeds", "1")
    assert other.returncode != 0
    assert "remove it" in other.stderr


def test_who_is_better_is_above_both_intervals():
    table = load("table")
    mean, low, high = table.interval([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]])
    assert mean == 2.5
    assert 1.0 < low < 2.5 < high < 4.0
    assert table.interval([[5.0] * 4]) == (5.0, 5.0, 5.0)

    def players(**returns: float) -> dict:
        return {
            name.replace("_", "-"): {"0": {"returns": [value, value + 0.1]}}
            for name, value in returns.items()
        }

    budget = {"seeds": 1, "episodes": 2, "steps": 60}
    scores = {
        "A-v0": {"players": players(random=1.0, constant=2.0, script=2.05, CMA_ES=3.0)},
        "B-v0": {"players": players(random=1.0)},
        "C-v0": {"players": players(random=1.0, constant=2.0, PPO=1.5)},
    }
    for entry in scores.values():
        entry["budget"] = budget
    scores["D-v0"] = scores["A-v0"] | {"budget": budget | {"seeds": 2}}
    scores["D-v0"]["players"] = scores["A-v0"]["players"] | {
        name: {seed: {"returns": [value, value]} for seed in ("0", "1")}
        for name, value in (("random", 1.0), ("constant", 2.0))
    }
    first, second, third, fourth = table.page(scores).splitlines()[-4:]
    assert first.startswith("| `A-v0` | 1.05 (1.00 .. 1.10) | 2.05 (2.00 .. 2.10) |")
    assert first.endswith("| CMA-ES | 60, 1, 2 each |")
    assert second == "| `B-v0` | 1.05 (1.00 .. 1.10) | - | - | - | - | - | - | 60, 1, 2 each |"
    assert third.endswith("| nobody | 60, 1, 2 each |")
    # Whoever lacks a seed is shown with those that there are, and beats nobody yet.
    assert "| 3.05 (3.00 .. 3.10), 1 of 2 seeds |" in fourth
    assert fourth.endswith("| nobody | 60, 2, 2 each |")


def test_every_script_plays_within_the_bounds():
    arena, scripts = load("arena"), load("scripts")
    for task, script in scripts.SCRIPTS.items():
        where = arena.Arena(f"{task}-EI-mini-v0", 2)
        seeds = np.array([arena.HELD_OUT_SEED, 1])
        act = script(where)

        def checked(observations: np.ndarray, where=where, act=act) -> np.ndarray:
            actions = act(observations)
            assert actions.shape == (2, len(where.low))
            assert (actions >= where.low).all() and (actions <= where.high).all()
            return actions

        assert np.isfinite(where.play(checked, seeds)).all()
        where.close()


def test_places_lie_along_the_longer_side():
    places = load("arena").places_of(np.array([[0, 0, 5], [50, 0, 5], [0, 300, 5], [50, 300, 5]]))
    assert places.tolist() == [[-1, -1], [-1, 1], [1, -1], [1, 1]]
    assert load("arena").places_of(np.zeros((3, 3))).tolist() == [[0, 0]] * 3


@pytest.mark.parametrize("options", [["--seeds", "0"], ["--steps", "0"], ["--players", "nobody"]])
def test_nonsense_is_refused(tmp_path: Path, options: list[str]):
    done = play(tmp_path, *options)
    assert done.returncode == 2
    assert not list(tmp_path.iterdir())


def test_learners_that_need_torch_say_so(monkeypatch, capsys):
    scores = load("scores")
    monkeypatch.setattr(scores, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["scores", ENVIRONMENT, "--players", "script", "PPO"])
    with pytest.raises(SystemExit):
        scores.parse_args()
    needs = "PPO and SAC need torch and stable_baselines3, which tools/requirements-rl.txt installs"
    assert needs in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["scores", ENVIRONMENT, "--players", "script", "CMA-ES"])
    assert scores.parse_args().players == ["script", "CMA-ES"]


class Bandit:
    """An arena whose every episode is one step, worth more the nearer all amplitudes are to 0.6."""

    num_envs, num_steps = 16, 0
    low, high, places = np.zeros(4), np.ones(4), np.zeros((4, 2))

    def play(self, act, seeds: np.ndarray) -> np.ndarray:
        assert len(seeds) == self.num_envs
        self.num_steps += self.num_envs
        return -np.abs(act(np.zeros((self.num_envs, 1))) - 0.6).sum(axis=1)


def test_evolution_finds_what_is_better_than_its_starts_within_its_steps():
    learners, arena = load("learners"), Bandit()
    act = learners.evolve(arena, learners.Constant(arena), 1, 1600)
    assert 1600 - 2 * 16 <= arena.num_steps <= 1600
    np.testing.assert_allclose(act(np.zeros((3, 1))), np.full((3, 4), 0.6), atol=0.02)
    # No steps but for the starts: the best of them.
    act = learners.evolve(arena, learners.Constant(arena), 1, 1)
    assert act(np.zeros((1, 1))).tolist() == [[0.5] * 4]
