"""livn 2.0.0 on its native backend, for test_params.py. Prints one JSON object.

livn_culture.py run SYSTEM OPTIONS    what a culture comes to, and a run of it; OPTIONS as of
                                      run_culture.cc
livn_culture.py set SYSTEM PARAMS     the synapses after each of PARAMS, a JSON list of [key, value]
livn_culture.py select SYSTEM SPECS   which cells selections choose; SPECS is a JSON list
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from typing import Any

os.environ["LIVN_BACKEND"] = "native"
warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
from livn.backend.native import _lib  # noqa: E402
from livn.env import Env  # noqa: E402
from livn.system import System  # noqa: E402


def synapses(env: Any) -> dict:
    """The distinct numbers of every kind of connection."""
    names = {
        code: {v: k for k, v in codes.items()}
        for code, codes in (
            ("pop", env._pop_code),
            ("sec", env._sectype_code),
            ("mech", env._mech_code),
        )
    }
    receptors = {v: k for k, v in env.model.neuron_synapse_mechanisms().items()}
    rules = env.model.neuron_synapse_rules()
    found: dict[str, dict[str, set]] = {}
    for row in range(env.conn.size):
        mechanism = names["mech"][int(env.conn.mech_id[row])]
        key = "{}_{}-{}-{}".format(
            names["pop"][int(env.conn.post_pop[row])],
            names["pop"][int(env.conn.pre_pop[row])],
            names["sec"][int(env.conn.dest_sectype[row])],
            receptors[mechanism],
        )
        numbers = found.setdefault(key, {})
        numbers.setdefault("weight", set()).add(float(env._w[row, 0]))
        numbers.setdefault("g_unit", set()).add(float(env._w[row, 1]))
        site = int(env.conn.syn_row[row])
        for name in rules[mechanism]["mech_params"]:
            numbers.setdefault(name, set()).add(float(env._sp[_lib.SP[name], site]))
    return {key: {n: sorted(v) for n, v in numbers.items()} for key, numbers in found.items()}


def noise(env: Any) -> dict | None:
    """The distinct numbers of the sections of every population, axons aside."""
    if not env._flucts:
        return None
    found: dict[str, dict[str, set]] = {}
    for key, (_, _, site) in env._flucts.items():
        if "ais" in site._section_name:
            continue
        gid = int(key.rpartition("-")[0])
        population = next(p for p, cells in env.cells.items() if gid in cells)
        numbers = found.setdefault(population, {})
        for name in ("std_e", "std_i", "g_e0", "g_i0", "tau_e", "tau_i", "E_e", "E_i"):
            numbers.setdefault(name, set()).add(float(getattr(site, name)))
    return {p: {n: sorted(v) for n, v in numbers.items()} for p, numbers in found.items()}


def build(folder: str, options: dict) -> Any:
    """The culture as the documents of the folder make it."""
    env = Env(folder)
    if "selection" in options:
        env.selection(options["selection"])
    env.init()
    env.apply_default_params()
    return env


def advance(env: Any, options: dict) -> tuple[list, dict]:
    """Runs a culture; its spikes, and its voltages at the end."""
    env.record_spikes()
    stimulus = env.cell_stimulus(np.array(options["electrodes_ua"], dtype=np.float64), dt=1.0)
    result = env.run(options["ms"], stimulus)
    lib, sim = env._lib, env._sim
    spikes = zip(result.spike_ids, result.spike_times, strict=True)
    voltages_mv = {
        str(gid): [
            lib.rcsd_node_state(sim, lib.rcsd_section_node(sim, section, 0.5), _lib.S_V)
            for section in cell.sections
        ]
        for cells in env.cells.values()
        for gid, cell in cells.items()
    }
    return [[int(g), float(t)] for g, t in spikes], voltages_mv


def run(folder: str, options: dict) -> dict:
    """Describes and runs a culture, and runs it again from 1e-12 mV away."""
    env = build(folder, options)
    out = {
        "gids": {p: sorted(int(g) for g in cells) for p, cells in env.cells.items()},
        "synapses": synapses(env),
        "noise": noise(env),
        "cells": {name: list(map(float, v)) for name, v in env.cells.get_params().items()},
        "electrodes": {
            "input_radius": float(env.io.input_radius),
            "output_radius": float(env.io.output_radius),
            "volume_conductor": env.io.volume_conductor.serialize(),
        },
    }
    out["spikes"], out["voltages_mv"] = advance(env, options)
    env.close()
    twin = build(folder, options)
    twin.v_init += 1e-12
    _, out["twin_voltages_mv"] = advance(twin, options)
    return out


def set_params(folder: str, params: list) -> dict:
    """Sets parameters one after the other, each on top of those before."""
    env = build(folder, {})
    out = []
    for key, value in params:
        env.set_params({key: value})
        out.append(synapses(env))
    return {"synapses": out}


def select(folder: str, specs: list[dict]) -> dict:
    """Resolves selections as Env.selection does, over the populations that are built."""
    system = System(folder)
    out = []
    for spec in specs:
        gids = system.selection(
            spec.get("cells"),
            populations=["EXC", "INH"],
            seed=spec.get("seed", 123),
            method=spec.get("method", "first"),
            bounds=spec.get("bounds"),
        )
        out.append({p: [int(g) for g in v] for p, v in gids.items() if len(v)})
    return {"selections": out}


def main() -> None:
    """Answers one command line."""
    command, folder, text = sys.argv[1:]
    function = {"run": run, "set": set_params, "select": select}[command]
    print(json.dumps(function(folder, json.loads(text))))


if __name__ == "__main__":
    main()
