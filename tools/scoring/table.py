"""The page that shows scores.json."""

from __future__ import annotations

from typing import Any

import numpy as np

PLAYERS = ("random", "constant", "script", "CMA-ES", "PPO", "SAC")
_RESAMPLES = 4000

_HEAD = """# Scores

Mean return of whole episodes that nobody trained on, with 95 % intervals. Made by `tools/scores`;
`scores.json` beside this page has every episode's return, and the steps and seconds that each
learner took. `tools/scores ENVIRONMENT` plays what is missing.

- random: every amplitude uniform between its bounds, new in every step.
- constant: the best constant amplitudes: the best of eight on all electrodes, from where separable
  CMA-ES goes on by electrode, if the steps suffice.
- script: what somebody who knows the task would do (`tools/scoring/scripts.py`); it learns nothing.
- CMA-ES: the same search over amplitudes that are linear in what is seen and in where electrodes
  are (`tools/scoring/learners.py`).
- PPO, SAC: Stable-Baselines3's on 16 copies, what they see and their rewards normalised, all else
  as it comes but for rollouts of 64 steps (PPO) and 4 updates for 16 steps (SAC).

An interval is of the mean over seeds and episodes: bootstrap, seeds first and then episodes.
"above both" names whose whole interval lies above those of random and of the best constant. A
script there shows that the task can be played; a learner that is not named there (CMA-ES, PPO, SAC)
has not beaten the best constant with so few steps, or has not played all seeds. "-" is what nobody
has played yet.
"""


def interval(returns: list[list[float]]) -> tuple[float, float, float]:
    """Mean and 95 % interval of returns by seed: seeds are drawn again, and episodes of each."""
    rows = [np.asarray(row, np.float64) for row in returns]
    rng = np.random.default_rng(0)
    means = np.empty(_RESAMPLES)
    for i in range(_RESAMPLES):
        drawn = [rows[k] for k in rng.integers(len(rows), size=len(rows))]
        means[i] = np.mean([rng.choice(row, len(row)).mean() for row in drawn])
    low, high = np.quantile(means, [0.025, 0.975])
    return float(np.mean([row.mean() for row in rows])), float(low), float(high)


def page(scores: dict[str, Any]) -> str:
    """The whole page; environments in the order of their ids."""
    text = [_HEAD]
    text.append(
        "| environment | " + " | ".join(PLAYERS) + " | above both | steps, seeds, episodes |"
    )
    text.append("|---" * (len(PLAYERS) + 3) + "|")
    for environment in sorted(scores):
        played, budget = scores[environment]["players"], scores[environment]["budget"]
        found = {player: _interval_of(played.get(player, {})) for player in PLAYERS}
        cells = [f"`{environment}`"]
        for player in PLAYERS:
            seeds = len(played.get(player, {}))
            cells.append(_cell(found[player]))
            if 0 < seeds < budget["seeds"]:
                cells[-1] += f", {seeds} of {budget['seeds']} seeds"
                found[player] = None  # above nobody yet
        cells.append(_better(found))
        cells.append("{steps}, {seeds}, {episodes} each".format(**budget))
        text.append("| " + " | ".join(cells) + " |")
    return "\n".join(text) + "\n"


def _interval_of(by_seed: dict[str, Any]) -> tuple[float, float, float] | None:
    rows = [cell["returns"] for cell in by_seed.values()]
    return interval(rows) if rows else None


def _cell(found: tuple[float, float, float] | None) -> str:
    return "-" if found is None else "{:.2f} ({:.2f} .. {:.2f})".format(*found)


def _better(found: dict[str, tuple[float, float, float] | None]) -> str:
    """Players whose whole interval is above those of random and of the best constant."""
    trivial = [found["random"], found["constant"]]
    if None in trivial:
        return "-"
    most = max(high for _, _, high in trivial)
    better = [p for p in PLAYERS[2:] if found[p] is not None and found[p][1] > most]
    return ", ".join(better) or "nobody"
