"""PyPI livn 2.0.0 on its native backend, as a worker of bench.py: what the engine is compared with.

    livn_baseline.py SYSTEM          a folder; its params/default.json, else livn's default noise
    livn_baseline.py --network FILE  a network that network.py has written
    livn_baseline.py --cells N       N unconnected excitatory cells without noise

It takes the commands of engine_bench.cc and `reset_alone` of state_bench.cc, and times them in the
same way; `runs` are timed by the wall. livn cannot return to an earlier state, so `advance` runs
the steps once. The caller sets LIVN_BACKEND.
"""

from __future__ import annotations

import importlib.util
import json
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from worker import serve_commands

STEP_MS = 0.025
LOOP_STEP_MS = 10.0
LOOP_STEPS_BETWEEN_CLEARS = 100
ORACLE = Path(__file__).resolve().parents[1] / "oracle/trace.py"


def of_system(folder: str) -> tuple[Any, str]:
    """The culture of a system, at the parameters that livn finds for it."""
    from livn.env import Env

    env = Env(folder).init()
    env.apply_default_params()
    if (Path(folder) / "params/default.json").is_file():
        return env, "params/default.json"
    return env, "livn's default noise, weights of the graph"


def unconnected(num_cells: int) -> tuple[Any, str]:
    """Cells that never interact, in the middle of a small electrode array."""
    from livn.env import Env
    from livn.io import MEA
    from livn.models.rcsd import ReducedCalciumSomaDendrite
    from livn.system import ParallelSystem

    xyz = np.random.default_rng(1).uniform(0, 480, (num_cells, 3))
    xyz[:, 2] = 0.0
    array = MEA(np.array([[k, 120.0 * (k % 4), 120.0 * (k // 4), 50.0] for k in range(16)]))
    system = ParallelSystem(num_cells, coordinates=xyz)
    return Env(system, ReducedCalciumSomaDendrite(), array).init(), "no noise"


def oracle() -> Any:
    """tools/oracle/trace.py, whose name is also one of Python's own modules."""
    spec = importlib.util.spec_from_file_location("oracle_trace", ORACLE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def of_network(path: str) -> tuple[Any, str]:
    """A network of cells with noise, learning if the file says so."""
    from livn.env import Env
    from livn.io import MEA
    from livn.models.rcsd import ReducedCalciumSomaDendrite

    network = json.loads(Path(path).read_text())
    populations = [p for p, number in network["populations"].items() for _ in range(number)]
    num_sites = [0] * len(populations)
    edges = []
    for pre, post, swc_type, loc, distance_um in network["edges"]:
        edge = {"pre": pre, "post": post, "swc_type": swc_type, "loc": loc}
        edges.append({**edge, "distance_um": distance_um, "syn_id": num_sites[post]})
        num_sites[post] += 1
    system = oracle().edge_system(
        {
            "cells": [
                {"gid": gid, "population": population, "xyz": xyz}
                for gid, (population, xyz) in enumerate(
                    zip(populations, network["positions"], strict=True)
                )
            ],
            "edges": edges,
            "receptors": network["receptors"],
        }
    )
    array = MEA(np.array(network["electrodes"]))
    env = Env(system, ReducedCalciumSomaDendrite(), array).init()
    env.set_noise(network["noise"])
    if network["plasticity"]:
        env.enable_plasticity()
    return env, network["params"]


def cpu_seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU time of this thread for one call, and what it returned."""
    start = time.thread_time()
    result = work()
    return time.thread_time() - start, result


class ClosedLoop:
    """What ClosedLoop of closed_loop.h does, with what livn has for it."""

    def __init__(self, env: Any) -> None:
        from livn.decoding import MeanFiringRate

        self._env = env
        self._decode = MeanFiringRate(duration=LOOP_STEP_MS)
        self._num_steps = 0
        self._spikes = 0
        env.run(LOOP_STEP_MS)

    def step(self, action_ua: np.ndarray) -> None:
        currents = np.zeros((int(LOOP_STEP_MS), len(action_ua)))
        currents[0], currents[1] = action_ua, -action_ua
        run = self._env.run(LOOP_STEP_MS, self._env.cell_stimulus(currents, dt=1.0))
        self._spikes += self._decode(run, self._env)["total_spikes"]
        self._num_steps += 1
        if self._num_steps % LOOP_STEPS_BETWEEN_CLEARS == 0:
            self._env.clear()

    def steps(self, request: dict[str, Any]) -> dict[str, Any]:
        """Times each of `count` steps."""
        action_ua = np.array(request["action"])
        self._spikes = 0
        seconds = [cpu_seconds(lambda: self.step(action_ua))[0] for _ in range(request["count"])]
        return {"cpu_s": seconds, "spikes": self._spikes}


def main() -> None:
    """Builds the culture and answers commands until the input ends."""
    warnings.filterwarnings("ignore")
    arguments = sys.argv[1:]
    if len(arguments) == 1:
        env, params = of_system(arguments[0])
    elif len(arguments) == 2 and arguments[0] == "--network":
        env, params = of_network(arguments[1])
    elif len(arguments) == 2 and arguments[0] == "--cells":
        env, params = unconnected(int(arguments[1]))
    else:
        sys.exit("usage: livn_baseline.py SYSTEM | --network FILE | --cells N")
    env.record_spikes()

    def advance(request: dict[str, Any]) -> dict[str, Any]:
        seconds, run = cpu_seconds(lambda: env.run(request["steps"] * STEP_MS))
        spikes = 0 if run.spike_ids is None else len(run.spike_ids)
        return {"cpu_s": seconds, "repeats": 1, "spikes": spikes}

    def runs(request: dict[str, Any]) -> dict[str, Any]:
        seconds = []
        for _ in range(request["count"]):
            start = time.perf_counter()
            env.run(request["duration_ms"])
            seconds.append(time.perf_counter() - start)
        return {"wall_s": statistics.median(seconds)}

    def timed_after_a_run(work: Callable[[], Any], count: int) -> dict[str, Any]:
        seconds = []
        for _ in range(count):
            env.run(1.0)  # a reset throws away a culture that has run
            seconds.append(cpu_seconds(work)[0])
        return {"cpu_s": statistics.median(seconds)}

    def reset(request: dict[str, Any]) -> dict[str, Any]:
        def clear_and_step() -> None:
            env.clear()
            env.run(STEP_MS)

        return timed_after_a_run(clear_and_step, request["count"])

    def reset_alone(request: dict[str, Any]) -> dict[str, Any]:
        return timed_after_a_run(env.clear, request["count"])

    loops: list[ClosedLoop] = []

    def loop(request: dict[str, Any]) -> dict[str, Any]:
        if not loops:
            loops.append(ClosedLoop(env))
        return loops[0].steps(request)

    conn = getattr(env, "conn", None)  # the native backend's
    ready = {
        "cells": int(env.system.num_neurons),
        "connections": 0 if conn is None else int(conn.size),
        "params": params,
        "step_ms": STEP_MS,
    }
    commands = {
        "advance": advance,
        "runs": runs,
        "reset": reset,
        "reset_alone": reset_alone,
        "loop": loop,
    }
    serve_commands(ready, commands)


if __name__ == "__main__":
    main()
