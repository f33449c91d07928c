#!/usr/bin/env python3
"""Lets players that learn nothing and learners play tasks, and writes the table of their scores."""

from __future__ import annotations

import argparse
import json
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import livnd
import numpy as np
from arena import Act, Arena
from learners import Constant, Linear, evolve, with_torch
from scripts import SCRIPTS
from table import PLAYERS, page

ROOT = Path(__file__).resolve().parents[2]
NUM_ENVS = 16


def main() -> int:
    """Plays what is missing."""
    args = parse_args()
    budget = {"seeds": args.seeds, "episodes": args.episodes, "steps": args.steps}
    store = Store(Path(args.out))
    for environment in args.environments or every_task():
        play_environment(environment, args.players, budget, store)
    store.write()
    return 0


def every_task() -> list[str]:
    """Ids of the tasks on the systems that the server has."""
    with livnd.connect() as client:
        return [s.environment_id for s in client.environments() if s.actions and s.system]


class Store:
    """scores.json, and scores.md beside it."""

    def __init__(self, folder: Path) -> None:
        self._json, self._page = folder / "scores.json", folder / "scores.md"
        self._scores: dict[str, Any] = {}
        if self._json.exists():
            self._scores = json.loads(self._json.read_text())

    def of(self, environment: str, settings: dict[str, Any], budget: dict[str, int]) -> Any:
        """The players of an environment as it is now: another one's are forgotten."""
        entry = self._scores.get(environment, {})
        if entry.get("settings") != settings:
            entry = {"settings": settings, "budget": budget, "players": {}}
            self._scores[environment] = entry
        if entry["budget"] != budget:
            raise SystemExit(
                f"scores: {self._json} has {environment} played with {entry['budget']}, not "
                f"{budget}: take the same options, another --out, or remove it"
            )
        return entry["players"]

    def write(self) -> None:
        """Whole or not at all."""
        self._json.parent.mkdir(parents=True, exist_ok=True)
        for path, text in (
            (self._json, json.dumps(self._scores, indent=1, sort_keys=True) + "\n"),
            (self._page, page(self._scores)),
        ):
            beside = path.with_suffix(".part")
            beside.write_text(text)
            beside.replace(path)


def play_environment(
    environment: str, players: list[str], budget: dict[str, int], store: Store
) -> None:
    """Lets players play one environment, each with every seed that is missing."""
    arena = Arena(environment, NUM_ENVS)
    settings = dict(arena.spec.settings) | {
        "physics_version": arena.spec.physics_version,
        "lowest_action": float(arena.low.min()),
    }
    played = store.of(environment, settings, budget)
    for player in players:
        if player == "script" and arena.spec.task not in SCRIPTS:
            continue
        for seed in range(budget["seeds"]):
            if str(seed) in played.get(player, {}):
                continue
            start = time.monotonic()
            act, steps = learn(arena, environment, player, seed, budget["steps"])
            seconds = time.monotonic() - start
            returns = arena.play_held_out(act, seed, budget["episodes"])
            played.setdefault(player, {})[str(seed)] = {
                "returns": [round(float(r), 4) for r in returns],
                "training_steps": steps,
                "training_seconds": round(seconds, 1),
            }
            store.write()
            print(
                f"scores: {environment} {player} seed {seed}: {returns.mean():.2f} "
                f"({steps} steps, {seconds:.0f} s)",
                file=sys.stderr,
                flush=True,
            )
    arena.close()


def learn(arena: Arena, environment: str, player: str, seed: int, steps: int) -> tuple[Act, int]:
    """What a player plays, and the steps of copies that it took to learn it."""
    if player == "random":
        rng = np.random.default_rng([seed, 2])
        shape = (arena.num_envs, len(arena.low))
        return (lambda _: rng.uniform(arena.low, arena.high, shape)), 0
    if player == "script":
        return SCRIPTS[arena.spec.task](arena), 0
    if player in ("PPO", "SAC"):
        return with_torch(player, environment, seed, steps)
    before = arena.num_steps
    policy = Constant(arena) if player == "constant" else Linear(arena)
    act = evolve(arena, policy, seed, steps)
    return act, arena.num_steps - before


def parse_args() -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(prog="tools/scores", description=__doc__)
    parser.add_argument("environments", nargs="*", metavar="ENVIRONMENT", help="default: all")
    parser.add_argument("--players", nargs="+", choices=PLAYERS, default=list(PLAYERS))
    parser.add_argument(
        "--steps", type=int, default=20_000, help="that a learner takes, of all copies together"
    )
    parser.add_argument("--seeds", type=int, default=3, help="training seeds of each player")
    parser.add_argument("--episodes", type=int, default=32, help="held-out ones of each seed")
    parser.add_argument("--out", default=str(ROOT / "docs/tasks"), help="folder of both files")
    args = parser.parse_args()
    for name, least in (("seeds", 1), ("episodes", 2), ("steps", 1)):
        if getattr(args, name) < least:
            parser.error(f"--{name} is {getattr(args, name)}; takes {least} or more")
    missing = [name for name in ("torch", "stable_baselines3") if not find_spec(name)]
    if missing and {"PPO", "SAC"} & set(args.players):
        parser.error(
            f"PPO and SAC need {' and '.join(missing)}, which tools/requirements-rl.txt installs; "
            "--players random constant script CMA-ES needs neither"
        )
    return args


if __name__ == "__main__":
    sys.exit(main())
