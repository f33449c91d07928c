"""Who learns: evolution of constant pulses and of a policy, and Stable-Baselines3's PPO and SAC.

Each takes an arena, a seed and a number of steps of copies, and gives what it plays.
"""

from __future__ import annotations

import re

import numpy as np
from arena import HELD_OUT_SEED, Act, Arena
from cmaes import SepCMA

EPISODES = 2  # of a candidate
SIGMA = 0.3
LEVELS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)  # of the largest amplitude, tried first


class Constant:
    """One amplitude an electrode, for ever; first the best of LEVELS on all electrodes."""

    def __init__(self, arena: Arena) -> None:
        self._low, self._high = arena.low, arena.high
        self.starts = np.outer(LEVELS, np.ones(len(arena.high)))

    def actions(self, parameters: np.ndarray, observations: np.ndarray) -> np.ndarray:
        return np.clip(parameters * self._high, self._low, self._high)


class Linear:
    """Amplitudes that are linear in what is seen, and in where the electrode is; 0 at least.

    An electrode is at 1, along and across. All electrodes see, weighted by where they are, a
    constant, the elements of the observation that name no electrode, and means over electrodes of
    those that do; and each sees what is its own of these, with the same weight everywhere. Small at
    first.
    """

    def __init__(self, arena: Arena) -> None:
        seen = arena.spec.observations[0]
        own: dict[str, list[int]] = {}
        self._common = []
        for i, name in enumerate(seen.element_names):
            kind = re.sub(r"_e\d+", "", name)
            if kind == name:
                self._common.append(i)
            else:
                own.setdefault(kind, []).append(i)
        self._own = np.array(list(own.values()), int).reshape(len(own), -1)  # [kinds, electrodes]
        bounds = np.maximum(np.abs(seen.low), np.abs(seen.high)).ravel()
        self._scale = np.sqrt(np.clip(bounds, 1.0, 25.0))
        self._high = arena.high
        self._basis = np.column_stack([np.ones(len(arena.places)), arena.places])
        self._num_common = 1 + len(self._common) + len(own)
        self.starts = np.zeros((1, self._num_common * self._basis.shape[1] + len(own)))
        self.starts[0, 0] = 0.1

    def actions(self, parameters: np.ndarray, observations: np.ndarray) -> np.ndarray:
        seen = observations / self._scale
        own = seen[:, self._own]
        ones = np.ones((len(seen), 1))
        common = np.concatenate([ones, seen[:, self._common], own.mean(axis=2)], axis=1)
        split = self._num_common * self._basis.shape[1]
        weights = parameters[:, :split].reshape(len(parameters), self._num_common, -1)
        drive = np.einsum("ns,nsb,eb->ne", common, weights, self._basis)
        drive += np.einsum("nke,nk->ne", own, parameters[:, split:])
        return self._high * np.clip(drive, 0.0, 1.0)


def evolve(arena: Arena, policy: Constant | Linear, seed: int, steps: int) -> Act:
    """Separable CMA-ES from the best of the policy's starts, which is kept if nothing is better.

    Candidates of a generation play the same few episodes. Starts are played in any case; the search
    ends when a generation as long as the longest one, and the last comparison, would take too many
    steps.
    """
    until = arena.num_steps + steps
    population = arena.num_envs // EPISODES
    longest = 0
    rng = np.random.default_rng([seed, 1])

    def judge(candidates: np.ndarray) -> np.ndarray:
        nonlocal longest
        before = arena.num_steps
        episodes = arena.num_envs // len(candidates)
        rows = np.repeat(candidates, episodes, axis=0)
        seeds = np.tile(rng.integers(HELD_OUT_SEED, size=episodes), len(candidates))
        returns = arena.play(lambda seen: policy.actions(rows, seen), seeds)
        longest = max(longest, arena.num_steps - before)
        return returns.reshape(-1, episodes).mean(axis=1)

    best = policy.starts[0]
    if len(policy.starts) > 1:
        best = policy.starts[np.argmax(judge(policy.starts))]
    optimizer = SepCMA(mean=best.copy(), sigma=SIGMA, population_size=population, seed=seed)
    while arena.num_steps + 2 * longest <= until:
        candidates = np.array([optimizer.ask() for _ in range(population)])
        scores = judge(candidates)
        optimizer.tell([(c, -s) for c, s in zip(candidates, scores, strict=True)])
    if optimizer.generation > 0:
        both = np.stack([best, optimizer.mean])
        best = both[np.argmax(judge(both))]
    return lambda observations: policy.actions(np.tile(best, (len(observations), 1)), observations)


def with_torch(algorithm: str, environment: str, seed: int, steps: int) -> tuple[Act, int]:
    """Stable-Baselines3's PPO or SAC on 16 copies: what it plays, and the steps it took."""
    import stable_baselines3
    import torch
    from livnd.adapters import sb3
    from stable_baselines3.common.vec_env import VecNormalize

    torch.set_num_threads(1)
    envs = VecNormalize(sb3.make(f"livnd/{environment}", 16))
    try:
        if algorithm == "PPO":
            model = stable_baselines3.PPO("MlpPolicy", envs, n_steps=64, seed=seed, device="cpu")
        else:
            model = stable_baselines3.SAC(
                "MlpPolicy", envs, train_freq=1, gradient_steps=4, seed=seed, device="cpu"
            )
        model.learn(steps)
    finally:
        envs.close()

    def act(observations: np.ndarray) -> np.ndarray:
        return model.predict(envs.normalize_obs(observations), deterministic=True)[0]

    return act, int(model.num_timesteps)
