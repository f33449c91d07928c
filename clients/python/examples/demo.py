#!/usr/bin/env python3
"""Trains an agent to steer a culture of neurons, beside two that cannot adapt, and draws demo.png.

The task: hold the firing rate of a simulated culture at a target that changes by episode, with one
biphasic pulse an electrode every 50 ms, and little charge. Three play it:

  agent     a small feedback policy, learned by separable CMA-ES
  constant  the best unchanging pulses that it finds with the same number of episodes
  random    new random pulses at every step

A whole generation plays at once: one vector environment holds every candidate's episodes. The last
line is `demo: agent R1 random R2 constant R3`, mean returns over episodes that nobody trained on.
The same seed gives the same line on every processor: the server's numbers do not depend on it, and
what the learner computes is rounded far more coarsely than processors differ.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import gymnasium
import livnd
import numpy as np
from cmaes import SepCMA
from demo_picture import draw
from livnd.errors import ServerUnavailableError, UnknownSessionError

HELD_OUT_SEED = 1_000_000  # the first one; training seeds stay below
RESTART_PATIENCE_S = 120.0

# Parameters are of order one; a pattern of one is a tenth of the largest amplitude.
AMPLITUDE = 0.1
START = 0.25  # hardly felt by the culture
SIGMA = 0.5

# Linear algebra and tanh differ between processors in their last places, which learning would
# amplify; 2^-20 is 10^9 times coarser.
STEPS_OF_ONE = 2.0**20

Act = Callable[[np.ndarray], np.ndarray]  # observations [N, size] -> actions [N, electrodes]


def rounded(numbers: np.ndarray) -> np.ndarray:
    """To multiples of 2^-20, so that the last places of a processor's arithmetic are lost."""
    return np.rint(numbers * STEPS_OF_ONE) / STEPS_OF_ONE


# --- what the server's spec says ------------------------------------------------------------------


@dataclass(frozen=True)
class Layout:
    """Where things are in an observation, from the element names that the server gives."""

    rate: int
    target: int
    last_spikes: np.ndarray  # int [electrodes]: the newest count of each
    min_target_hz: float
    max_target_hz: float

    @classmethod
    def of(cls, spec: livnd.EnvironmentSpec) -> Layout:
        observation = spec.observations[0]
        newest: dict[int, tuple[int, int]] = {}  # electrode -> (age in steps, index)
        for index, name in enumerate(observation.element_names):
            if match := re.fullmatch(r"spikes_e(\d+)_t-(\d+)", name):
                electrode, age = int(match[1]), int(match[2])
                newest[electrode] = min(newest.get(electrode, (age, index)), (age, index))
        target = next(o for o in spec.reset_options if o.name == "target_rate_hz")
        return cls(
            rate=observation.index("rate_hz"),
            target=observation.index("target_rate_hz"),
            last_spikes=np.array([newest[electrode][1] for electrode in sorted(newest)]),
            min_target_hz=target.min,
            max_target_hz=target.max,
        )

    def targets_hz(self, count: int) -> np.ndarray:
        """Targets that cover the range evenly, float64 [count]."""
        middle_of_each = (np.arange(count) + 0.5) / count
        return self.min_target_hz + middle_of_each * (self.max_target_hz - self.min_target_hz)


# --- who plays ------------------------------------------------------------------------------------


class Policy(Protocol):
    """Turns parameters [N, size] and observations [N, ...] into actions [N, electrodes]."""

    name: str
    initial: np.ndarray  # parameters before learning, [size]

    def actions(self, parameters: np.ndarray, observations: np.ndarray) -> np.ndarray: ...


class RandomPolicy:
    """New random amplitudes at every step; it has no parameters and learns nothing."""

    name = "random"
    initial = np.zeros(0)

    def __init__(self, num_electrodes: int, seed: int) -> None:
        self._num_electrodes = num_electrodes
        self._rng = np.random.default_rng([seed, 2])

    def actions(self, parameters: np.ndarray, observations: np.ndarray) -> np.ndarray:
        return self._rng.uniform(-1, 1, (len(observations), self._num_electrodes))


class ConstantPolicy:
    """One pattern for ever: an amplitude for each electrode."""

    name = "constant"

    def __init__(self, num_electrodes: int) -> None:
        self.initial = np.full(num_electrodes, START)

    def actions(self, parameters: np.ndarray, observations: np.ndarray) -> np.ndarray:
        return rounded(np.tanh(AMPLITUDE * parameters))


class AgentPolicy:
    """The same pattern, stronger or weaker with the target and with how far the rate is from it.

    Two more parameters: the gains of both. At zero, where learning starts, it is the constant one.
    """

    name = "agent"

    def __init__(self, layout: Layout, num_electrodes: int) -> None:
        self._layout = layout
        self.initial = np.concatenate([np.full(num_electrodes, START), [0.0, 0.0]])

    def actions(self, parameters: np.ndarray, observations: np.ndarray) -> np.ndarray:
        pattern, target_gain, error_gain = np.split(parameters, [-2, -1], axis=1)
        target = observations[:, [self._layout.target]]
        rate = observations[:, [self._layout.rate]]
        low, high = self._layout.min_target_hz, self._layout.max_target_hz
        half_range = (high - low) / 2
        drive = 1.0 + target_gain * (target - (low + high) / 2) / half_range
        drive += error_gain * (target - rate) / half_range
        return rounded(np.tanh(AMPLITUDE * pattern * np.maximum(drive, 0.0)))


# --- where they play ------------------------------------------------------------------------------


@dataclass
class Trace:
    """One episode of every copy, a row a step."""

    spikes: np.ndarray  # [steps, copies, electrodes]
    actions: np.ndarray  # [steps, copies, electrodes]
    rate_hz: np.ndarray  # [steps, copies]
    target_hz: np.ndarray  # [copies]
    returns: np.ndarray  # [copies]


class Arena:
    """The vector environment that everybody plays in. It survives a restart of the server."""

    def __init__(self, environment: str, num_envs: int, address: str | None) -> None:
        self._envs = gymnasium.make_vec(environment, num_envs=num_envs, address=address)
        self.spec: livnd.EnvironmentSpec = self._envs.environment_spec
        self.layout = Layout.of(self.spec)
        self.num_envs = num_envs

    def play(self, act: Act, seeds: np.ndarray, targets_hz: np.ndarray | None = None) -> Trace:
        """Plays one episode in every copy.

        Seeds fix episodes: where the server goes away in the middle, the same are played again.

        Args:
            act: gives the actions.
            seeds: one a copy.
            targets_hz: one a copy; None leaves them to the seeds.
        """
        give_up = time.monotonic() + RESTART_PATIENCE_S
        while True:
            try:
                return self._play(act, seeds, targets_hz)
            except (ServerUnavailableError, UnknownSessionError) as error:
                if time.monotonic() > give_up:
                    raise
                # The reset that follows goes on from there, with a new session if need be.
                print(f"demo: lost the server, playing again ({error})", file=sys.stderr)

    def _play(self, act: Act, seeds: np.ndarray, targets_hz: np.ndarray | None) -> Trace:
        seed_list = [int(seed) for seed in seeds]
        observations, _ = self._envs.reset(seed=seed_list)
        for target in () if targets_hz is None else np.unique(targets_hz):
            options = {"reset_mask": targets_hz == target, "target_rate_hz": target}
            observations, _ = self._envs.reset(seed=seed_list, options=options)
        target_hz = observations[:, self.layout.target].copy()
        returns = np.zeros(self.num_envs)
        running = np.ones(self.num_envs, bool)
        spikes, actions, rates = [], [], []
        while running.any():
            actions.append(act(observations))
            observations, rewards, terminated, truncated, _ = self._envs.step(actions[-1])
            returns += np.where(running, rewards, 0.0)
            spikes.append(observations[:, self.layout.last_spikes])
            rates.append(observations[:, self.layout.rate])
            running &= ~(terminated | truncated)
        return Trace(np.array(spikes), np.array(actions), np.array(rates), target_hz, returns)

    def play_held_out(self, policy: Policy, parameters: np.ndarray) -> Trace:
        """Plays episodes that nobody trained on, the same for every policy."""
        rows = np.tile(parameters, (self.num_envs, 1))
        seeds = HELD_OUT_SEED + np.arange(self.num_envs)
        return self.play(lambda observations: policy.actions(rows, observations), seeds)

    def close(self) -> None:
        self._envs.close()


# --- learning -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Generation:
    """How the candidates of one generation did."""

    learner: str
    number: int
    of: int
    episodes: int  # played so far
    scores: list[float]  # mean return of each candidate, worst first
    seconds: float

    @property
    def median(self) -> float:
        return float(np.median(self.scores))


def learn(
    arena: Arena,
    policy: Policy,
    generations: int,
    population: int,
    seed: int,
    report: Callable[[Generation], None],
) -> tuple[np.ndarray, list[Generation]]:
    """Separable CMA-ES over the policy's parameters: the mean it reaches, and how it got there.

    Separable (Ros and Hansen 2008): the full method's eigenvectors, whose signs and order are up to
    the processor, would make another run of every machine.
    """
    episodes = arena.num_envs // population
    optimizer = SepCMA(
        mean=policy.initial.copy(), sigma=SIGMA, population_size=population, seed=seed
    )
    rng = np.random.default_rng([seed, 1])
    history: list[Generation] = []
    start = time.monotonic()
    for number in range(1, generations + 1):
        candidates = rounded(np.array([optimizer.ask() for _ in range(population)]))
        rows = np.repeat(candidates, episodes, axis=0)
        # New noise in every generation, but the same for all candidates: they differ by what they
        # do and not by luck.
        seeds = np.tile(rng.integers(HELD_OUT_SEED, size=episodes), population)
        targets_hz = np.tile(arena.layout.targets_hz(episodes), population)

        def act(observations: np.ndarray, rows: np.ndarray = rows) -> np.ndarray:
            return policy.actions(rows, observations)

        scores = arena.play(act, seeds, targets_hz).returns.reshape(population, -1).mean(axis=1)
        optimizer.tell([(c, -s) for c, s in zip(candidates, scores, strict=True)])
        history.append(
            Generation(
                learner=policy.name,
                number=number,
                of=generations,
                episodes=number * arena.num_envs,
                scores=[round(score, 3) for score in sorted(scores.tolist())],
                seconds=round(time.monotonic() - start, 1),
            )
        )
        report(history[-1])
    return rounded(optimizer.mean), history


# --- progress -------------------------------------------------------------------------------------


class Lines:
    """For people."""

    def start(self, spec: livnd.EnvironmentSpec, num_envs: int, generations: int) -> None:
        seconds = spec.max_episode_steps * spec.step_duration_ms / 1000
        print(
            f"demo: {spec.environment_id}: {spec.description}\n"
            f"demo: {num_envs} episodes of {seconds:g} s side by side, {generations} generations "
            "for the agent and as many for the constant",
            flush=True,
        )

    def generation(self, g: Generation) -> None:
        print(
            f"demo: {g.learner:8} generation {g.number:2} of {g.of}: "
            f"median return {g.median:7.2f}, best {g.scores[-1]:7.2f}; "
            f"{g.episodes:4} episodes, {g.seconds:5.1f} s",
            flush=True,
        )

    def end(self, returns: dict[str, float], learned: dict[str, np.ndarray], out: str) -> None:
        print(f"demo: wrote {out}", flush=True)


class JsonLines:
    """For programs: one JSON object a line."""

    def start(self, spec: livnd.EnvironmentSpec, num_envs: int, generations: int) -> None:
        self._put("start", environment=spec.environment_id, envs=num_envs, generations=generations)

    def generation(self, g: Generation) -> None:
        self._put("generation", **asdict(g))

    def end(self, returns: dict[str, float], learned: dict[str, np.ndarray], out: str) -> None:
        parameters = {name: values.tolist() for name, values in learned.items()}
        self._put("result", out=out, **returns, parameters=parameters)

    @staticmethod
    def _put(event: str, **values: object) -> None:
        print(json.dumps({"event": event, **values}), flush=True)


# --- all together ---------------------------------------------------------------------------------


def main() -> int:
    args = parse_args()
    say = JsonLines() if args.json else Lines()
    arena = Arena(args.environment, args.population * args.episodes, args.address)
    num_electrodes = arena.spec.actions[0].shape[0]
    generations = max(1, args.budget // arena.num_envs)
    say.start(arena.spec, arena.num_envs, generations)

    agent = AgentPolicy(arena.layout, num_electrodes)
    random = RandomPolicy(num_electrodes, args.seed)
    before = arena.play_held_out(agent, agent.initial)
    played = {"random": arena.play_held_out(random, random.initial)}
    history, learned = {}, {}
    for policy in (agent, ConstantPolicy(num_electrodes)):
        learned[policy.name], history[policy.name] = learn(
            arena, policy, generations, args.population, args.seed, say.generation
        )
        played[policy.name] = arena.play_held_out(policy, learned[policy.name])
    with livnd.connect(args.address) as client:
        system = client.system(arena.spec.system)
    arena.close()

    returns = {name: float(trace.returns.mean()) for name, trace in played.items()}
    draw(Path(args.out), arena.spec, system, history, returns, before, played["agent"])
    say.end(returns, learned, args.out)
    print("demo: agent {agent:.2f} random {random:.2f} constant {constant:.2f}".format(**returns))
    return 0


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environment", default="livnd/TargetRate-EI-mini-v0", metavar="ID")
    parser.add_argument("--address", help="unix:PATH or HOST:PORT (default: an own server)")
    parser.add_argument("--budget", type=int, default=288, help="episodes for each learner")
    parser.add_argument("--population", type=int, default=8, help="candidates a generation")
    parser.add_argument("--episodes", type=int, default=3, help="episodes a candidate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default="demo.png", help="the picture")
    parser.add_argument("--json", action="store_true", help="progress as JSON lines")
    args = parser.parse_args()
    for name, least in (("population", 4), ("episodes", 1), ("budget", 1)):
        if getattr(args, name) < least:
            parser.error(f"--{name} is {getattr(args, name)}; takes {least} or more")
    return args


if __name__ == "__main__":
    sys.exit(main())
