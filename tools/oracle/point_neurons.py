#!/usr/bin/env python3
"""Record traces of point neurons: Izhikevich, LIF and GLIF 1 to 5.

  point_neurons.py DIRECTORY    writes one file a case

Three references, named in each file:

  livn-brian2   livn 2.0.0's models on its Brian2 backend, as livn builds and runs them
  livn-diffrax  livn 2.0.0's event-driven GLIF solver, in double precision and with a fine step
  brian2        Brian2 alone, for what livn gets wrong: its synaptic currents never decay

Needs an environment of its own: pip install livn==2.0.0 brian2 jax diffrax. The tests read the
files and need none of these. tests/data/oracle_point/README.md explains the fields.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("LIVN_BACKEND", "brian2")

import brian2 as b2
import numpy as np

# Plain double arithmetic: the compiled targets use -ffast-math.
b2.prefs.codegen.target = "numpy"

Case = dict[str, Any]

DT_MS = 0.025
VELOCITY_UM_PER_MS = 250.0

# Variables of livn's groups: name in the file, brian2 unit.
GLIF_STATES = {
    "v": b2.mV,
    "theta_s": b2.mV,
    "theta_v": b2.mV,
    "asc_1": b2.pA,
    "asc_2": b2.pA,
}
IZHIKEVICH_STATES = {"v": b2.mV, "u": b2.mV}


def rounded(values: np.ndarray) -> list:
    """Thirteen digits: more than any comparison uses."""
    return np.vectorize(lambda x: float(f"{x:.13g}"))(np.asarray(values, dtype=float)).tolist()


def steps_stimulus(duration_ms: float, amplitudes_na: list[list[float]], dt_ms: float) -> Case:
    """[cell][piece] amplitudes: the pieces share the duration equally, a zero row ends it."""
    rows = round(duration_ms / dt_ms)
    pieces = len(amplitudes_na[0])
    samples = [
        [cell[min(row * pieces // rows, pieces - 1)] for cell in amplitudes_na]
        for row in range(rows)
    ]
    samples.append([0.0] * len(amplitudes_na))
    return {"dt_ms": dt_ms, "samples_na": samples}


def run_livn(case: Case) -> None:
    """Runs a case on livn's Brian2 backend; adds its spikes and states."""
    from livn.backend.brian2 import Env
    from livn.io import MEA
    from livn.models.glif import GLIF
    from livn.models.izhikevich import Izhikevich
    from livn.stimulus import Stimulus
    from livn.system import ParallelSystem

    populations = case["populations"]
    edges = case.get("edges", [])

    class EdgeSystem(ParallelSystem):
        def projection_array(self, pre: str, post: str, all: bool = True) -> list:
            first_pre, num_pre = self.population_ranges[pre]
            first_post, num_post = self.population_ranges[post]
            of_post: dict[int, list] = {}
            for e in edges:
                from_pre = first_pre <= e["source"] < first_pre + num_pre
                if from_pre and first_post <= e["target"] < first_post + num_post:
                    of_post.setdefault(e["target"], []).append(e)
            return [
                (gid, ([e["source"] for e in own], np.array([e["distance_um"] for e in own])))
                for gid, own in sorted(of_post.items())
            ]

    cells = sum(populations.values())
    system = EdgeSystem(populations, coordinates=np.zeros((cells, 3)))
    for post in populations if edges else ():
        for pre in populations:
            kind = "inhibitory" if pre == "INH" else "excitatory"
            system.connections_config["synapses"][post][pre] = {"type": kind}
    spec = case["model"]
    if spec["class"] == "Izhikevich":
        model, states = Izhikevich(), IZHIKEVICH_STATES
    elif spec.get("preset") == "leaky_integrate_and_fire":
        model, states = GLIF.leaky_integrate_and_fire(), GLIF_STATES
    else:
        model = GLIF(level=spec["level"], params=spec.get("params"))
        states = GLIF_STATES
    env = Env(system, model, MEA(np.array([[0, 0.0, 0.0, 50.0]])), seed=case.get("seed", 123))
    env.init()
    if case.get("weights"):
        env.set_weights(case["weights"])
    env.record_spikes()
    groups = list(env._populations.values())
    monitors = [
        b2.StateMonitor(g, list(states), record=True, dt=case["sample_ms"] * b2.ms) for g in groups
    ]
    for monitor in monitors:
        env._network.add(monitor)
    if spec["class"] == "Izhikevich":
        case["cells"] = [
            {
                "a": float(g.a[i] * b2.ms),
                "b": float(g.b[i]),
                "c": float(g.c[i] / b2.mV),
                "d": float(g.d[i] / b2.mV),
            }
            for g in groups
            for i in range(g.N)
        ]
    stimulus = case["stimulus"]
    run = env.run(
        case["duration_ms"],
        stimulus=Stimulus(
            np.array(stimulus["samples_na"]), dt=stimulus["dt_ms"], input_mode="current"
        ),
        dt=case["dt_ms"],
    )
    del run
    keep_result(case, groups, list(env._spike_monitors.values()), monitors, states)


def keep_result(case: Case, groups: list, spikes: list, monitors: list, states: dict) -> None:
    """Spikes by (time, gid) and the states [sample][cell] go into the case."""
    first, found = 0, []
    for group, monitor in zip(groups, spikes, strict=True):
        found += [
            (round(float(t / b2.ms) / case["dt_ms"]), first + int(i))
            for t, i in zip(monitor.t, monitor.i, strict=True)
        ]
        first += group.N
    found.sort()
    case["spikes"] = {"gid": [gid for _, gid in found], "tick": [tick for tick, _ in found]}
    case["states"] = {
        name: rounded(np.concatenate([getattr(m, name) / unit for m in monitors]).T)
        for name, unit in states.items()
    }


GLIF_EQUATIONS = """
dv/dt = (-(v - E_L) + (I_syn + g_e*(E_e - v) + g_i*(E_i - v) + asc_1 + asc_2
                       + stimulus(t, i))/g_L)/tau_m : volt (unless refractory)
dtheta_s/dt = -theta_decay_rate*theta_s : volt
dtheta_v/dt = a_v*(v - E_L) - b_v*theta_v : volt (unless refractory)
dasc_1/dt = -asc_decay_rate_1*asc_1 : amp
dasc_2/dt = -asc_decay_rate_2*asc_2 : amp
dI_syn/dt = -I_syn/tau_syn : amp
dg_e/dt = -g_e/tau_e : siemens
dg_i/dt = -g_i/tau_i : siemens
"""
GLIF_RESET = """
v = E_L + f_v*(v - E_L) - delta_v
theta_s += theta_jump*exp(theta_decay_rate*t_ref)
asc_1 = asc_1*asc_r + asc_amp_1*exp(asc_decay_rate_1*t_ref)
asc_2 = asc_2*asc_r + asc_amp_2*exp(asc_decay_rate_2*t_ref)
"""
GLIF_UNITS = {
    "tau_m": b2.ms,
    "E_L": b2.mV,
    "g_L": b2.nS,
    "V_threshold_base": b2.mV,
    "theta_decay_rate": 1 / b2.ms,
    "theta_jump": b2.mV,
    "asc_amp_1": b2.pA,
    "asc_amp_2": b2.pA,
    "asc_decay_rate_1": 1 / b2.ms,
    "asc_decay_rate_2": 1 / b2.ms,
    "f_v": 1,
    "delta_v": b2.mV,
    "t_ref": b2.ms,
    "a_v": 1 / b2.ms,
    "b_v": 1 / b2.ms,
    "asc_r": 1,
}
IZHIKEVICH_EQUATIONS = """
dv/dt = (0.04*v**2/mV + 5*v + 140*mV - u + Gohm*(I_syn + stimulus(t, i)))/ms : volt
du/dt = a*(b*v - u) : volt
dI_syn/dt = -I_syn/tau_syn : amp
a : Hz
b : 1
c : volt
d : volt
"""


def run_brian2(case: Case) -> None:
    """The same neurons with synapses that decay, in Brian2 alone."""
    from livn.models.glif import DEFAULT_PARAMS, LIF_LEVEL, LIF_PARAMS, apply_level

    spec = case["model"]
    num_cells = sum(case["populations"].values())
    stimulus = case["stimulus"]
    synapses = case["synapses"]
    namespace = {
        "stimulus": b2.TimedArray(
            np.array(stimulus["samples_na"]) * b2.nA, dt=stimulus["dt_ms"] * b2.ms
        ),
        "tau_syn": synapses["I_syn"].get("tau_ms", 5.0) * b2.ms,
        "tau_e": synapses.get("g_e", {}).get("tau_ms", 5.0) * b2.ms,
        "tau_i": synapses.get("g_i", {}).get("tau_ms", 5.0) * b2.ms,
        "E_e": synapses.get("g_e", {}).get("e_mv", 0.0) * b2.mV,
        "E_i": synapses.get("g_i", {}).get("e_mv", 0.0) * b2.mV,
    }
    start_mv: Any = -65.0
    if spec["class"] == "Izhikevich":
        group = b2.NeuronGroup(
            num_cells,
            IZHIKEVICH_EQUATIONS,
            threshold="v > 30*mV",
            reset="v = c; u += d",
            method="euler",
            namespace=namespace,
            dt=case["dt_ms"] * b2.ms,
        )
        for name, unit in (("a", 1 / b2.ms), ("b", 1), ("c", b2.mV), ("d", b2.mV)):
            setattr(group, name, np.array([cell[name] for cell in case["cells"]]) * unit)
        group.v = start_mv * b2.mV
        group.u = "b*v"
        states = IZHIKEVICH_STATES
    else:
        lif = spec.get("preset") == "leaky_integrate_and_fire"
        values = {**DEFAULT_PARAMS, **(LIF_PARAMS if lif else {}), **spec.get("params", {})}
        values = apply_level(values, LIF_LEVEL if lif else spec["level"])
        namespace.update({name: values[name] * unit for name, unit in GLIF_UNITS.items()})
        group = b2.NeuronGroup(
            num_cells,
            GLIF_EQUATIONS,
            threshold="v > V_threshold_base + theta_s + theta_v",
            reset=GLIF_RESET,
            refractory="t_ref",
            method="euler",
            namespace=namespace,
            dt=case["dt_ms"] * b2.ms,
        )
        group.v = values["E_L"] * b2.mV
        states = {"v": b2.mV} if "g_e" in synapses else GLIF_STATES
    network = b2.Network(group)
    for target, unit in (("I_syn", b2.pA), ("g_e", b2.nS), ("g_i", b2.nS)):
        own = [e for e in case["edges"] if e["state"] == target]
        if not own:
            continue
        pathway = b2.Synapses(
            group, group, "w : 1", on_pre=f"{target} += w*w_unit", namespace={"w_unit": unit}
        )
        pathway.connect(i=[e["source"] for e in own], j=[e["target"] for e in own])
        pathway.w = [e["weight"] for e in own]
        pathway.delay = [e["delay_ms"] for e in own] * b2.ms
        network.add(pathway)
    spikes = b2.SpikeMonitor(group)
    monitor = b2.StateMonitor(group, list(states), record=True, dt=case["sample_ms"] * b2.ms)
    network.add(spikes, monitor)
    network.run(case["duration_ms"] * b2.ms)
    keep_result(case, [group], [spikes], [monitor], states)


def run_diffrax(case: Case) -> None:
    """Spike times of livn's event-driven solver; currents are constant from 0 on."""
    from livn.models.eventloop import SolverConfig
    from livn.models.glif import LIF_LEVEL, LIF_PARAMS, GlifNeurons

    spec = case["model"]
    lif = spec.get("preset") == "leaky_integrate_and_fire"
    currents = np.array(case["currents_na"])
    num_cells = len(currents)
    network = None
    if case.get("edges"):
        network = np.zeros((num_cells, num_cells))
        for e in case["edges"]:
            network[e["source"], e["target"]] = e["weight"]
    neurons = GlifNeurons(
        num_cells,
        LIF_PARAMS if lif else spec.get("params"),
        level=LIF_LEVEL if lif else spec["level"],
        config=SolverConfig(dt_solver=case["solver_dt_ms"], max_rate=1.0),
        network=network,
    )
    solution = neurons.solve(
        input_current=np.stack([currents, currents]),
        t1=case["duration_ms"],
        dt=1.0,
        stimulus_dt=case["duration_ms"],
    )
    assert bool(np.all(solution.solver_ok)) and not bool(np.any(solution.saturated))
    case["spike_times_ms"] = [
        rounded(np.sort(times[np.isfinite(times)])) for times in np.asarray(solution.spike_times)
    ]


def ring_edges(num_cells: int, num_exc: int) -> list[Case]:
    """Two targets a cell, distances from touching to 1.2 mm; cells from num_exc on inhibit."""
    return [
        {
            "source": source,
            "target": (source * 2 + step) % num_cells,
            "distance_um": 1200.0 * ((source * 5 + step * 3) % 11) / 10.0,
            "inhibitory": source >= num_exc,
        }
        for source in range(num_cells)
        for step in (1, 3)
        if (source * 2 + step) % num_cells != source
    ]


def with_delays(edges: list[Case], state: str, weight: float, inhibitory: tuple) -> list[Case]:
    """Edges for run_brian2: delays as livn derives them, but of whole steps."""
    out = []
    for e in edges:
        delay_ms = max(round(e["distance_um"] / VELOCITY_UM_PER_MS / DT_MS), 2) * DT_MS
        own_state, own_weight = inhibitory if e["inhibitory"] else (state, weight)
        out.append(
            {
                "source": e["source"],
                "target": e["target"],
                "state": own_state,
                "weight": own_weight,
                "delay_ms": float(f"{delay_ms:.12g}"),
            }
        )
    return out


def cases() -> dict[str, Case]:
    """All cases by name, not run yet."""
    out: dict[str, Case] = {}
    glif_currents = [[0.2, 0.2, 0.2], [0.13, 0.4, -0.1], [0.5, 0.05, 0.22]]
    stimulus = steps_stimulus(150.0, glif_currents, 1.0)
    shared = {
        "dt_ms": DT_MS,
        "sample_ms": 2.5,
        "duration_ms": 150.0,
        "populations": {"EXC": 2, "INH": 1},
        "stimulus": stimulus,
    }
    for level in (1, 2, 3, 4, 5):
        out[f"livn_glif{level}"] = {
            "reference": "livn-brian2",
            "model": {"class": "GLIF", "level": level},
            **shared,
        }
    lif = {"class": "GLIF", "preset": "leaky_integrate_and_fire"}
    out["livn_lif"] = {"reference": "livn-brian2", "model": lif, **shared}
    out["livn_glif5_cells"] = {
        "reference": "livn-brian2",
        "model": {
            "class": "GLIF",
            "level": 5,
            # One value a cell; the spike cuts are not all multiples of the step.
            "params": {
                "tau_m": [12.0, 5.2, 20.0],
                "t_ref": [0.0, 2.51, 7.0],
                "asc_r": [0.5, 1.0, 0.0],
                "E_L": [-70.0, -78.0, -65.0],
                "V_threshold_base": [-50.0, -45.0, -52.0],
                "f_v": [0.3, 0.7, -0.1],
            },
        },
        **shared,
    }
    izhikevich = {"class": "Izhikevich"}
    out["livn_izhikevich"] = {
        "reference": "livn-brian2",
        "model": izhikevich,
        **shared,
        "populations": {"EXC": 3, "INH": 2},
        "stimulus": steps_stimulus(
            150.0,
            [
                [0.01, 0.01, 0.01],
                [0.004, 0.015, -0.005],
                [0.02, 0.0, 0.006],
                [0.004, 0.01, 0.03],
                [-0.02, 0.0, 0.01],
            ],
            1.0,
        ),
        "seed": 123,
    }
    out["livn_izhikevich_coarse"] = {
        **out["livn_izhikevich"],
        "dt_ms": 0.1,
        "seed": 7,
        "stimulus": {
            "dt_ms": 0.7,
            "samples_na": [
                [0.012 * np.sin(0.05 * row * (cell + 1)) ** 2 for cell in range(5)]
                for row in range(216)
            ],
        },
    }
    edges = ring_edges(6, 4)
    drive = [[0.25, 0.3, 0.2], [0.2, 0.2, 0.2], [0.1, 0.3, 0.0], [0.15, 0.15, 0.3]]
    glif_drive = steps_stimulus(150.0, [*drive, [0.2, 0.1, 0.2], [0.2, 0.3, 0.2]], 1.0)
    weights = {"EXC_EXC": 3.0, "EXC_INH": 5.0, "INH_EXC": 4.0, "INH_INH": 2.0}
    out["livn_glif3_network"] = {
        "reference": "livn-brian2",
        "model": {"class": "GLIF", "level": 3},
        **shared,
        "populations": {"EXC": 4, "INH": 2},
        "stimulus": glif_drive,
        "edges": edges,
        "weights": weights,
    }
    izhikevich_drive = steps_stimulus(
        150.0, [[0.01 * (1 + i % 3), 0.008, 0.012] for i in range(6)], 1.0
    )
    out["livn_izhikevich_network"] = {
        "reference": "livn-brian2",
        "model": izhikevich,
        **shared,
        "populations": {"EXC": 4, "INH": 2},
        "stimulus": izhikevich_drive,
        "edges": edges,
        "weights": {name: 0.5 * w for name, w in weights.items()},
        "seed": 11,
    }
    out["brian2_glif4_network"] = {
        "reference": "brian2",
        "model": {"class": "GLIF", "level": 4},
        **shared,
        "populations": {"EXC": 4, "INH": 2},
        "stimulus": glif_drive,
        "synapses": {"I_syn": {"tau_ms": 5.0}},
        "edges": with_delays(edges, "I_syn", 120.0, ("I_syn", -90.0)),
    }
    out["brian2_izhikevich_network"] = {
        "reference": "brian2",
        "model": izhikevich,
        **shared,
        "populations": {"EXC": 4, "INH": 2},
        "stimulus": izhikevich_drive,
        "synapses": {"I_syn": {"tau_ms": 3.0}},
        "edges": with_delays(edges, "I_syn", 9.0, ("I_syn", -7.0)),
        "cells": [
            {"a": 0.02 + 0.01 * i, "b": 0.2 + 0.01 * i, "c": -65.0 + 2.0 * i, "d": 8.0 - i}
            for i in range(6)
        ],
    }
    # Conductances as in Vogels and Abbott (2005), in absolute units.
    out["brian2_lif_conductance_network"] = {
        "reference": "brian2",
        "model": {
            **lif,
            "params": {
                "tau_m": 20.0,
                "E_L": -60.0,
                "V_threshold_base": -50.0,
                "delta_v": 0.0,
                "t_ref": 5.0,
            },
        },
        **shared,
        "populations": {"EXC": 4, "INH": 2},
        "stimulus": glif_drive,
        "synapses": {
            "I_syn": {},
            "g_e": {"tau_ms": 5.0, "e_mv": 0.0},
            "g_i": {"tau_ms": 10.0, "e_mv": -80.0},
        },
        "edges": with_delays(edges, "g_e", 6.0, ("g_i", 67.0)),
    }
    for level in (1, 2, 3, 4, 5):
        out[f"diffrax_glif{level}"] = {
            "reference": "livn-diffrax",
            "model": {"class": "GLIF", "level": level},
            "duration_ms": 100.0,
            "solver_dt_ms": 0.001,
            "currents_na": [0.2, 0.35],
        }
    out["diffrax_lif"] = {**out["diffrax_glif1"], "model": lif}
    # Coupled without delay.
    for level in (3, 5):
        out[f"diffrax_glif{level}_network"] = {
            **out[f"diffrax_glif{level}"],
            "duration_ms": 60.0,
            "populations": {"EXC": 4, "INH": 2},
            "currents_na": [0.2, 0.26, 0.23, 0.1, 0.25, 0.15],
            "edges": [
                {
                    "source": e["source"],
                    "target": e["target"],
                    "weight": -90.0 if e["inhibitory"] else 120.0,
                }
                for e in edges
            ],
        }
    return out


def main(directory: Path) -> None:
    """Runs every case and writes its file."""
    runners = {"livn-brian2": run_livn, "livn-diffrax": run_diffrax, "brian2": run_brian2}
    for name, case in cases().items():
        runners[case["reference"]](case)
        path = directory / f"{name}.json"
        path.write_text(json.dumps(case, separators=(",", ":")) + "\n")
        spikes = case.get("spikes", {}).get("gid", case.get("spike_times_ms"))
        print(name, len(spikes), path.stat().st_size, flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
