"""pygmo's NSGA-II over livn's culture target on its native engine, beside a search of livnd's.

    LIVN_BACKEND=native front_baseline.py SYSTEM SEARCH SECONDS PROCESSES

Begins with the first population of the search of livnd's in SEARCH, with its numbers for NSGA-II
(lab/tune/search.cc) and its rule for what is infeasible, and evaluates as livn's tuner does: clear,
set_params, and the target. The time begins when all processes have their environments. Prints the
points that were evaluated in that time, in the terms of livn's search space.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import sys
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))
from livn_source import livn_source

CROSSOVER, CROSSOVER_INDEX, MUTATION_INDEX = 0.9, 10.0, 20.0
INFEASIBLE = 1e9
READY_S = 600.0  # at most, to build the environments
UNDEFINED_COST, UNDEFINED_CONSTRAINT = 1e3, -10.0

Values = list[float]


class Evaluator:
    """An environment of livn's with its target."""

    def __init__(self, system: str, duration_ms: float, warmup_ms: float) -> None:
        sys.path.insert(0, str(livn_source()))
        from livn.env import Env
        from livn.models.rcsd import ReducedCalciumSomaDendrite
        from systems.targets.EI import Culture

        self._model = ReducedCalciumSomaDendrite(short_term_depression=True)
        self._target = Culture(
            duration=duration_ms, warmup=warmup_ms, system=system, save_spikes=False
        )  # fmt: skip
        self._env = Env(system, model=self._model)
        self._env.init()
        self._target.init(self._env)
        self.space: dict[str, list[float]] = self._target.search_space(self._model)

    def evaluate(self, x: Values) -> Values:
        """What the point is to a search that knows no constraints."""
        point = dict(zip(self.space, x, strict=True))
        self._env.clear()
        self._env.set_params(self._target.decode_params(point, model=self._model))
        objectives, constraints = self._target(self._env)
        costs = [finite(cost, UNDEFINED_COST) for cost, _ in objectives.values()]
        held = [finite(value, UNDEFINED_CONSTRAINT) for value, _ in constraints.values()]
        violation = sum(math.log(1.0 - value) for value in held if value <= 0.0)
        return [INFEASIBLE + violation] * len(costs) if violation > 0.0 else costs


def finite(value: Any, otherwise: float) -> float:
    """The number where it is one."""
    return float(value) if math.isfinite(value) else otherwise


_evaluator: Evaluator


def begin(barrier: Any, *arguments: Any) -> None:
    """In each process, before its first point."""
    global _evaluator
    _evaluator = Evaluator(*arguments)
    barrier.wait(READY_S)


def evaluate(x: Values) -> Values:
    """In a process of the pool."""
    return _evaluator.evaluate(x)


class TimeIsUp(Exception):
    """No more points."""


class Evaluations:
    """Points on all processes, until the time is up."""

    def __init__(self, pool: Any, processes: int, seconds: float) -> None:
        self.done: list[Values] = []
        self._pool = pool
        self._processes = processes
        self._end_s = time.monotonic() + seconds

    def batch(self, points: list[Values]) -> list[Values]:
        """What a population came to; TimeIsUp in the middle of it."""
        values: dict[int, Values] = {}
        running: dict[int, Any] = {}
        waiting = list(range(len(points)))
        while waiting or running:
            while waiting and len(running) < self._processes:
                i = waiting.pop(0)
                running[i] = self._pool.apply_async(evaluate, (points[i],))
            time.sleep(0.01)
            for i in [i for i, result in running.items() if result.ready()]:
                values[i] = running.pop(i).get()
                self.done.append(points[i])
            if time.monotonic() >= self._end_s:
                raise TimeIsUp
        return [values[i] for i in range(len(points))]


class Problem:
    """What pygmo is told of the problem; fitness is asked for in batches."""

    def __init__(self, low: Values, high: Values, num_objectives: int) -> None:
        self._low, self._high, self._num_objectives = low, high, num_objectives

    def fitness(self, x: Any) -> Values:
        raise NotImplementedError("points are evaluated in batches")

    def get_bounds(self) -> tuple[Values, Values]:
        return self._low, self._high

    def get_nobj(self) -> int:
        return self._num_objectives


class Batch:
    """A population as pygmo has it, which copies this."""

    evaluations: Evaluations

    def __call__(self, problem: Any, coordinates: Any) -> Values:
        points = coordinates.reshape(-1, problem.get_nx()).tolist()
        return [value for values in Batch.evaluations.batch(points) for value in values]


def search(first: list[Values], low: Values, high: Values, seed: int) -> None:
    """NSGA-II from the first points on, until TimeIsUp."""
    import pygmo

    values = Batch.evaluations.batch(first)
    problem = pygmo.problem(Problem(low, high, len(values[0])))
    population = pygmo.population(problem, size=0, seed=seed)
    for x, value in zip(first, values, strict=True):
        population.push_back(x, value)
    nsga2 = pygmo.nsga2(
        gen=1,
        cr=CROSSOVER,
        eta_c=CROSSOVER_INDEX,
        m=1.0 / len(low),
        eta_m=MUTATION_INDEX,
        seed=seed,
    )
    nsga2.set_bfe(pygmo.bfe(Batch()))
    algorithm = pygmo.algorithm(nsga2)
    while True:
        population = algorithm.evolve(population)


def main() -> None:
    """Searches for as long as it was told."""
    system, folder, seconds, processes = sys.argv[1:]
    run = json.loads((Path(folder) / "run.json").read_text())
    lines = (Path(folder) / "evaluations.jsonl").read_text().splitlines()[: run["population"]]
    first = [json.loads(line)["x"] for line in lines]
    target = run["target"]
    arguments = (system, float(target["duration_ms"]), float(target["warmup_ms"]))
    space = Evaluator(*arguments).space
    low, high = ([ends[k] for ends in space.values()] for k in (0, 1))
    # Rounding may put livnd's ends of a range beside livn's.
    first = [
        [min(max(value, low[d]), high[d]) for d, value in enumerate(x)] for x in first
    ]  # fmt: skip
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(int(processes) + 1)
    with spawn.Pool(int(processes), begin, (barrier, *arguments)) as pool:
        barrier.wait(READY_S)
        Batch.evaluations = Evaluations(pool, int(processes), float(seconds))
        try:
            search(first, low, high, run["seed"])
        except TimeIsUp:
            pool.terminate()
    print(json.dumps({"points": Batch.evaluations.done}))


if __name__ == "__main__":
    main()
