"""The network of Vogels and Abbott (2005) with current synapses: lines `point/vogels-abbott-*`.

4,000 cells, a fifth of them inhibitory, any two connected with a probability of 2 %, in steps of
0.1 ms; beside Brian2 on the same equations, scheme, connections, weights, delays and starting
voltages. `lif` are the cells of the original; `izhikevich` are those of livn in the same network.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import network
import numpy as np
from report import Progress, Report, say
from worker import Worker

BASELINE = Path(__file__).with_name("brian2_baseline.py")
NUM_EXC, NUM_INH = 3200, 800
PROBABILITY = 0.02
STEP_MS = 0.1
TAU_EXC_MS, TAU_INH_MS = 5.0, 10.0
RUN_MS = 1000.0
_ROUNDS = 5
_SEED = 7
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def connected(weight_exc: float, weight_inh: float, point: dict[str, Any]) -> network.Network:
    """The network of some cells; weights in pA, and delays of two steps, the engine's least."""
    rng = np.random.default_rng(_SEED)
    cells = NUM_EXC + NUM_INH
    edges = []
    for source in range(cells):
        targets = np.flatnonzero(rng.random(cells) < PROBABILITY)
        edges += [[source, t, 1, 0.5, 0.0] for t in targets.tolist() if t != source]
    exc = {"I_syn": {"weight": weight_exc, "sign": 1.0, "tau": TAU_EXC_MS}}
    inh = {"I_syn": {"weight": weight_inh, "sign": -1.0, "tau": TAU_INH_MS}}
    return {
        "params": "Vogels-Abbott",
        "populations": {"EXC": NUM_EXC, "INH": NUM_INH},
        "positions": [[0.0, 0.0, 0.0]] * cells,
        "receptors": {"EXC<-EXC": exc, "INH<-EXC": exc, "EXC<-INH": inh, "INH<-INH": inh},
        "edges": edges,
        "point": {
            "dt_ms": STEP_MS,
            # Cells that started alike would fire together for long.
            "start_mv": rng.uniform(-60.0, -50.0, cells).tolist(),
            **point,
        },
    }


def lif() -> network.Network:
    """The cells of the original: they rest above their threshold. 1 pA lifts the rest by 1 mV."""
    params = {
        "tau_m": 20.0,
        "E_L": -49.0,
        "g_L": 1.0,
        "V_threshold_base": -50.0,
        "f_v": 0.0,
        "delta_v": 11.0,  # below E_L: to -60 mV
        "t_ref": 5.0,
    }
    return connected(1.62, 9.0, {"kind": "lif", "params": params})


def izhikevich() -> network.Network:
    """The cells of livn, of which b makes the excitatory ones fire by themselves, and a slowly."""
    point = {
        "kind": "izhikevich",
        "seed": 123,
        "params": {},
        "population_params": {"EXC": {"b": 0.267, "a": 0.005}},
    }
    return connected(0.5, 5.0, point)


NETWORKS: dict[str, Callable[[], network.Network]] = {"lif": lif, "izhikevich": izhikevich}
LINES = [f"point/vogels-abbott-{model}" for model in NETWORKS]


def measure(binaries: Path, line: str, made: network.Network, quick: bool) -> tuple[float, float]:
    """CPU seconds of one simulated second: the engine's, Brian2's."""
    name = line.split("/")[1]
    core = max(os.sched_getaffinity(0))
    # Compiling takes Brian2 a quarter of a minute or more.
    mode, run_ms, rounds = ("numpy", 20.0, 1) if quick else ("compiled", RUN_MS, _ROUNDS)
    words = network.write(name, made)
    steps = round(run_ms / STEP_MS)
    with (
        Worker([binaries / "tools/bench/engine_bench", *words], core) as engine,
        Worker([sys.executable, BASELINE, mode, words[-1], str(run_ms)], core, _ONE_THREAD) as b2,
    ):
        times: dict[Worker, list[float]] = {engine: [], b2: []}
        progress = Progress(name, rounds)
        for _ in range(rounds):
            found_b2 = b2.ask("run")
            engine.ask("start")
            found = engine.ask("advance", steps=steps)
            times[engine].append(found["cpu_s"] / (run_ms * 1e-3))
            times[b2].append(found_b2["cpu_s"] / (run_ms * 1e-3))
            progress.advance()
    rates_hz = [f["spikes"] / (NUM_EXC + NUM_INH) / (run_ms * 1e-3) for f in (found, found_b2)]
    apart = abs(rates_hz[0] - rates_hz[1]) > 0.03 * rates_hz[1]
    say(
        f"{name}: cells fired at {rates_hz[0]:.4g} Hz, in Brian2 at {rates_hz[1]:.4g} Hz"
        + ("; the rates differ" if apart else "")
    )
    return statistics.median(times[engine]), statistics.median(times[b2])


def run(wanted: set[str], report: Report, binaries: Path, root: Path, quick: bool) -> None:
    """Measures and prints the lines that are wanted; needs nothing from the root."""
    for line, make in zip(LINES, NETWORKS.values(), strict=True):
        if line in wanted:
            report.line(line, *measure(binaries, line, make(), quick), "CPU s per simulated s")
