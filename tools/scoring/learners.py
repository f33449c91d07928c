"""Who learns: evolution of constant pulses and of a policy, and Stable-Baselines3's PPO and SAC.

Each takes an arena, a seed and a number of steps of copies, and gives what it plays.
"""

from __future__ import annotations

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

    Seen are the elements of the observation that name no electrode, and a constant; an electrode is
    at 1, along and across. Small at first.
    """

    def __init__(self, arena: Arena) -> None:
        names = arena.spec.observations[0].element_names
        self._seen = [i for i, name in enumerate(names) if not name.startswith("spikes_e")]
        bounds = np.abs([arena.spec.observations[0].low, arena.spec.observations[0].high])
        self._scale = np.clip(bounds.max(axis=0).ravel()[self._seen], 1.0, 25.0)
        self._high = arena.high
        self._basis = np.column_stack([np.ones(len(arena.places)), arena.places])
        self.starts = np.zeros((1, (len(self._seen) + 1) * self._basis.shape[1]))
        self.starts[0, 0] = 0.1

    def actions(self, parameters: np.ndarray, observations: np.ndarray) -> np.ndarray:
        seen = observations[:, self._seen] / np.sqrt(self._scale)
        seen = np.column_stack([np.ones(len(seen)), seen])
        weights = parameters.reshape(len(parameters), seen.shape[1], -1)
        drive = np.einsum("ns,nsb,eb->ne", seen, weights, self._basis)
        return self._high * np.clip(drive, 0.0, 1.0)


def evolve(arena: Arena, policy: Constant | Linear, seed: int, steps: int) -> Act:
    """Separable CMA-ES from the best of the policy's starts, which is kept if nothing is better.

    Candidates of a generation play the same few episodes. The starts are played in any case, and no
    generation is begun that the steps may not suffice for.
    """
    until = arena.num_steps + steps
    population = arena.num_envs // EPISODES
    generation = arena.num_envs * arena.spec.max_episode_steps
    rng = np.random.default_rng([seed, 1])

    def judge(candidates: np.ndarray) -> np.ndarray:
        rows = np.repeat(np.resize(candidates, (population, candidates.shape[1])), EPISODES, axis=0)
        seeds = np.tile(rng.integers(HELD_OUT_SEED, size=EPISODES), population)
        returns = arena.play(lambda seen: policy.actions(rows, seen), seeds)
        return returns.reshape(population, EPISODES).mean(axis=1)[: len(candidates)]

    best = policy.starts[0]
    if len(policy.starts) > 1:
        best = policy.starts[np.argmax(judge(policy.starts))]
    optimizer = SepCMA(mean=best.copy(), sigma=SIGMA, population_size=population, seed=seed)
    # The last generation's worth of steps tells whether the search has found anything better.
    while arena.num_steps + 2 * generation <= until:
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

    torch.set_num_threads(1)
    envs = sb3.make(f"livnd/{environment}", 16)
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
    return (lambda o: model.predict(o, deterministic=True)[0]), int(model.num_timesteps)
