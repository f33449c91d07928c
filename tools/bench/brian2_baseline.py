"""Brian2 on a network of point neurons, as a worker of bench.py: what the engine is compared with.

    brian2_baseline.py compiled FILE MS    Brian2's C++ program for the whole run, on one thread
    brian2_baseline.py numpy FILE MS       the same equations without a compiler

FILE is a network of network.py; the program goes beside it. The command `run` simulates MS from the
start and answers the CPU seconds of the simulation alone, without setting up, and the spikes.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brian2 as b2
import numpy as np
from worker import serve_commands

DELAY_STEPS = 2  # the engine's least, which edges without a length have

SYNAPSES = """
dI_e/dt = -I_e/tau_e : 1
dI_i/dt = -I_i/tau_i : 1
"""
LIF = """
dv/dt = ((I_e + I_i)/g_L - (v - E_L))/tau_m : 1 (unless refractory)
"""
IZHIKEVICH = """
dv/dt = (0.04*v**2 + 5*v + 140 - u + I_e + I_i)/ms : 1
du/dt = a*(b*v - u)/ms : 1
a : 1 (constant)
b : 1 (constant)
c : 1 (constant)
d : 1 (constant)
"""
START_MV = -65.0  # of livn's Izhikevich cells, where u starts from


def lif_group(cells: int, point: dict[str, Any], namespace: dict[str, Any]) -> b2.NeuronGroup:
    """Leaky integrate-and-fire cells."""
    p = point["params"]
    for name in ("g_L", "E_L"):
        namespace[name] = p[name]
    namespace["tau_m"] = p["tau_m"] * b2.ms
    namespace["threshold_mv"] = p["V_threshold_base"]
    namespace["reset_mv"] = p["E_L"] - p["delta_v"]
    return b2.NeuronGroup(
        cells,
        LIF + SYNAPSES,
        threshold="v > threshold_mv",
        reset="v = reset_mv",
        refractory=p["t_ref"] * b2.ms,
        method="euler",
        namespace=namespace,
    )


def izhikevich_group(
    cells: int, num_exc: int, point: dict[str, Any], namespace: dict[str, Any]
) -> b2.NeuronGroup:
    """Izhikevich cells of livn, which differ by a random number r each."""
    group = b2.NeuronGroup(
        cells,
        IZHIKEVICH + SYNAPSES,
        threshold="v > 30",
        reset="v = c; u += d",
        method="euler",
        namespace=namespace,
    )
    r = np.random.RandomState(point["seed"]).uniform(size=cells)
    exc = np.arange(cells) < num_exc
    values = {
        "a": np.where(exc, 0.02, 0.02 + 0.08 * r),
        "b": np.where(exc, 0.2, 0.25 - 0.05 * r),
        "c": np.where(exc, -65.0 + 15.0 * r**2, -65.0),
        "d": np.where(exc, 8.0 - 6.0 * r**2, 2.0),
    }
    for name, value in point["population_params"]["EXC"].items():
        values[name] = np.where(exc, value, values[name])
    for name, value in values.items():
        setattr(group, name, value)
    group.u = values["b"] * START_MV
    return group


def build(network: dict[str, Any]) -> tuple[b2.Network, b2.SpikeMonitor]:
    """The cells, their connections, and what records their spikes."""
    point, receptors = network["point"], network["receptors"]
    b2.defaultclock.dt = point["dt_ms"] * b2.ms
    num_exc = network["populations"]["EXC"]
    cells = sum(network["populations"].values())
    exc, inh = receptors["EXC<-EXC"]["I_syn"], receptors["EXC<-INH"]["I_syn"]
    namespace = {"tau_e": exc["tau"] * b2.ms, "tau_i": inh["tau"] * b2.ms}
    if point["kind"] == "lif":
        group = lif_group(cells, point, namespace)
    else:
        group = izhikevich_group(cells, num_exc, point, namespace)
    group.v = point["start_mv"]
    spikes = b2.SpikeMonitor(group)
    made = b2.Network(group, spikes)
    source, target = np.array([edge[:2] for edge in network["edges"]]).T
    for variable, receptor, of in (("I_e", exc, source < num_exc), ("I_i", inh, source >= num_exc)):
        synapses = b2.Synapses(
            group,
            group,
            on_pre=f"{variable} += weight",
            delay=DELAY_STEPS * point["dt_ms"] * b2.ms,
            namespace={"weight": receptor["sign"] * receptor["weight"]},
        )
        synapses.connect(i=source[of], j=target[of])
        made.add(synapses)
    return made, spikes


def compiled(
    network: dict[str, Any], run_ms: float, folder: str
) -> Callable[[], tuple[float, int]]:
    """Makes the C++ program in a folder; a function that runs it."""
    b2.set_device("cpp_standalone", directory=folder, build_on_run=False)
    b2.prefs.devices.cpp_standalone.openmp_threads = 0
    made, spikes = build(network)
    b2.device.insert_code("before_network_run", "const std::clock_t livnd_start = std::clock();")
    b2.device.insert_code(
        "after_network_run",
        'std::ofstream("cpu_s") << double(std::clock() - livnd_start) / CLOCKS_PER_SEC;',
    )
    made.run(run_ms * b2.ms)
    b2.device.build(directory=folder, compile=True, run=False, debug=False)

    def run() -> tuple[float, int]:
        b2.device.run(directory=folder, with_output=False)
        return float((Path(folder) / "cpu_s").read_text()), int(spikes.num_spikes)

    return run


def interpreted(
    network: dict[str, Any], run_ms: float, folder: str
) -> Callable[[], tuple[float, int]]:
    """A function that runs the network in NumPy; nothing goes to the folder."""
    b2.prefs.codegen.target = "numpy"
    made, spikes = build(network)
    made.store()

    def run() -> tuple[float, int]:
        made.restore()
        start = time.process_time()
        made.run(run_ms * b2.ms)
        return time.process_time() - start, int(spikes.num_spikes)

    return run


def main() -> None:
    """Builds the network and answers commands until the input ends."""
    mode, path, run_ms = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    network = json.loads(path.read_text())
    make = {"compiled": compiled, "numpy": interpreted}[mode]
    run = make(network, run_ms, str(path.with_suffix(".brian2")))

    def answer(_: dict[str, Any]) -> dict[str, Any]:
        seconds, spikes = run()
        return {"cpu_s": seconds, "spikes": spikes}

    serve_commands({"connections": len(network["edges"])}, {"run": answer})


if __name__ == "__main__":
    main()
