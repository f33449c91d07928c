#!/usr/bin/env python3
"""Run cases of the physics oracle with livn 2.0.0 and keep what it computed.

  trace.py run CASE.json BACKEND OUT.h5   one case; BACKEND is native or neuron
  trace.py all DIRECTORY...               every case of a folder on both backends: the native
                                          trace goes beside the case, the largest differences
                                          to NEURON are printed, one line a case
  trace.py cmp A.h5 B.h5                  the largest differences of two traces of one case

Needs livn==2.0.0 and h5py, for the NEURON backend also neuron and mpi4py. A case file is
complete: livnd runs it without livn (tests/parity). tests/data/oracle/README.md explains the
fields of both files.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Case = dict[str, Any]
Arrays = dict[str, np.ndarray]

BACKENDS = ("native", "neuron")

# State variables of a node, as the native library numbers them, and NEURON's names.
STATES = {
    "V": "v",
    "H": "h_Nas",
    "N": "n_Kdr",
    "MN": "m_CaN",
    "HN": "h_CaN",
    "ML": "m_CaL",
    "A": "a_Ka_v1in",
    "B": "b_Ka_v1in",
    "CAI": "cai",
    "NAI": "nai",
    "NAO": "nao",
    "KI": "ki",
    "KO": "ko",
    "ENA": "ena",
    "EK": "ek",
    "INA": "ina",
    "IK": "ik",
    "ICA": "ica",
    "IREST": "irest_Ca_conc",
}


def edge_system(case: Case) -> Any:
    """A livn System of exactly the cells and edges of the case, without NeuroH5 files."""
    from livn.system import ParallelSystem

    cells = case["cells"]
    edges = case.get("edges", [])
    populations = list(dict.fromkeys(c["population"] for c in cells))
    in_order = [c for p in populations for c in cells if c["population"] == p]
    if [c["gid"] for c in in_order] != list(range(len(cells))):
        raise ValueError("gids must be 0, 1, ... in population order")

    class EdgeSystem(ParallelSystem):
        def projection_array(self, pre: str, post: str, all: bool = True) -> list:
            first_pre, num_pre = self.population_ranges[pre]
            first_post, num_post = self.population_ranges[post]
            of_post: dict[int, list] = {}
            for e in edges:
                if (
                    first_pre <= e["pre"] < first_pre + num_pre
                    and first_post <= e["post"] < first_post + num_post
                ):
                    of_post.setdefault(e["post"], []).append(e)
            out = []
            for gid, own in sorted(of_post.items()):
                distances = np.array([e["distance_um"] for e in own], dtype=float)
                attributes = {
                    "Synapses": {"syn_id": np.array([e["syn_id"] for e in own])},
                    "Connections": {"distance": distances},
                }
                out.append((gid, ([e["pre"] for e in own], attributes)))
            return out

        def projections(self, pre: str, post: str, *args: Any, **kwargs: Any) -> Iterator:
            return iter(self.projection_array(pre, post))

        def synapses(
            self, population: str, node_allocation: Any = None, *args: Any, **kwargs: Any
        ) -> Iterator:
            of_post: dict[int, list] = {}
            for e in edges:
                of_post.setdefault(e["post"], []).append(e)
            first, num = self.population_ranges[population]
            for gid in range(first, first + num):
                own = of_post.get(gid, [])
                if own:
                    yield (
                        gid,
                        {
                            "syn_ids": np.array([e["syn_id"] for e in own]),
                            "swc_types": np.array([e["swc_type"] for e in own]),
                            "syn_locs": np.array([e["loc"] for e in own], dtype=float),
                        },
                    )

        def synapse_projections(self) -> list:
            return [
                (post, pre, section, mechanism, config.get("type", "excitatory"))
                for post, pres in self.connections_config["synapses"].items()
                for pre, config in pres.items()
                for section in config["sections"]
                for mechanism in config["mechanisms"]["default"]
            ]

    system = EdgeSystem(
        {p: sum(c["population"] == p for c in cells) for p in populations},
        coordinates=np.array([c["xyz"] for c in in_order], dtype=float),
    )
    sections = sorted({"soma" if e["swc_type"] == 1 else "dend" for e in edges})
    for projection, mechanisms in case.get("receptors", {}).items():
        post, pre = projection.split("<-")
        system.connections_config["synapses"][post][pre] = {
            "sections": sections,
            "mechanisms": {
                "default": mechanisms,
                **case.get("swc_receptors", {}).get(projection, {}),
            },
        }
    return system


def make_stimulus(env: Any, spec: dict | None) -> Any:
    """A livn Stimulus from a case's pulses, or None."""
    from livn.stimulus import Stimulus

    if spec is None:
        return None
    electrodes = spec["mode"] == "electrode_uA"
    columns = [] if electrodes else spec["columns"]
    width = len(env.io.channel_ids) if electrodes else len(columns)
    array = np.zeros((spec["rows"], width))
    for pulse in spec["pulses"]:
        array[pulse["start_row"] : pulse["stop_row"], pulse["column"]] += pulse["value"]
    if electrodes:
        return env.cell_stimulus(array, dt=spec["dt"])
    return Stimulus(
        array,
        dt=spec["dt"],
        gids=np.array([c["gid"] for c in columns]),
        sections=np.array([c["section"] for c in columns]),
        input_mode=spec["mode"],
        units=spec.get("units"),
        **spec.get("extra", {}),
    )


def sections_of(env: Any) -> Iterator:
    """Every section of every built cell, and its cell."""
    for cells in env.cells.values():
        for cell in cells.values():
            inner = getattr(cell, "_cell", None) or getattr(cell, "cell", None) or cell
            yield from inner.sections


def states(env: Any, native: bool) -> np.ndarray:
    """The state variables of the middle of every section."""
    out = []
    for section in sections_of(env):
        if native:
            from livn.backend.native import _lib

            node = env._lib.rcsd_section_node(env._sim, section, 0.5)
            out.append(
                [
                    env._lib.rcsd_node_state(env._sim, node, getattr(_lib, "S_" + name))
                    for name in STATES
                ]
            )
        else:
            middle = section(0.5)
            out.append([float(getattr(middle, name, float("nan"))) for name in STATES.values()])
    return np.array(out, dtype=float)


def raw_voltage(env: Any, native: bool) -> np.ndarray:
    """The voltage records of the last run in double precision (livn hands out float32)."""
    if not native:
        return np.array([np.array(r.as_numpy(), copy=True) for r in env.v_recs.values()])
    from livn.backend.native import _lib

    rows = []
    for record in env.v_recs.values():
        length = env._lib.rcsd_voltage_record_length(env._sim, record)
        rows.append(_lib.copy_doubles(env._lib.rcsd_voltage_record(env._sim, record), length))
    return np.array(rows)


class RunSamples:
    """Cuts records into runs.

    NEURON puts the sample at a run's end into that run or into the next one: join the runs and
    cut them where they nominally begin.
    """

    def __init__(self, native: bool):
        self._native = native
        self.clear()

    def clear(self) -> None:
        self._joined: np.ndarray | None = None
        self._start_ms = 0.0

    def __call__(self, samples: np.ndarray, duration_ms: float, dt_ms: float) -> np.ndarray:
        if self._native:
            return samples
        if self._joined is not None:
            samples = np.concatenate([self._joined, samples], axis=1)
        self._joined = samples
        first = round(self._start_ms / dt_ms)
        self._start_ms += duration_ms
        return samples[:, first : first + round(duration_ms / dt_ms)]


def use_edge_list_with_neuron() -> None:
    """Give the NEURON backend the edges from memory; it reads them from NeuroH5 files."""
    from livn.backend.neuron.synapses import SynapseBuilder

    def placement(self: Any, population: str, local_gids: Any) -> dict:
        return {
            gid: {
                int(syn_id): (int(swc), float(location))
                for syn_id, swc, location in zip(
                    a["syn_ids"], a["swc_types"], a["syn_locs"], strict=True
                )
            }
            for gid, a in self.system.synapses(population)
            if gid in local_gids
        }

    def projection(self: Any, pre: str, post: str, local: Any) -> list:
        return self.system.projection_array(pre, post)

    SynapseBuilder._read_placement = placement
    SynapseBuilder._read_projection = projection


def make_env(case: Case, native: bool) -> Any:
    """The case's culture, its recordings switched on."""
    from livn.io import MEA
    from livn.models.rcsd import ReducedCalciumSomaDendrite

    if native:
        from livn.backend.native.env import Env
    else:
        from livn.backend.neuron import Env

        use_edge_list_with_neuron()

    options = dict(case.get("model", {}))
    parameter_sets = options.pop("parameter_sets", {})
    population_params = options.pop("population_params", {})

    class Model(ReducedCalciumSomaDendrite):
        def opsin_config(self) -> dict:
            config = super().opsin_config()
            if case.get("opsin"):
                config["params"] = case["opsin"]
            return config

        def _inh_params_name(self) -> str:
            return parameter_sets.get("INH", super()._inh_params_name())

        def cell_types(self) -> dict[str, tuple[str, str]]:
            return {
                population: (template, parameter_sets.get(population, name))
                for population, (template, name) in super().cell_types().items()
            }

        def params(self, name: str) -> dict:
            params = super().params(name)
            for population, (_, used) in self.cell_types().items():
                if used == name:
                    own = dict(population_params.get(population, {}))
                    if "global_e_pas" in own:  # as the templates call it
                        own["e_pas"] = own.pop("global_e_pas")
                    params = {**params, **own}
            return params

    electrodes = np.array(case.get("electrodes", [[0, 0.0, 0.0, 50.0]]), dtype=float)
    env = Env(
        edge_system(case),
        Model(**options),
        MEA(electrodes),
        seed=case.get("seed", 123),
    )
    env.init()
    for gid, params in (case.get("cell_params") or {}).items():
        # Keys of the template ("global_diam") rebuild the cell and undo those of its sections
        # ("soma.cm"), whatever their order: they come first.
        for of_sections in (False, True):
            some = {key: value for key, value in params.items() if ("." in key) == of_sections}
            for cells in env.cells.values():
                if some and int(gid) in cells:
                    cells[int(gid)].set_params(some)
    if case.get("weights"):
        env.set_weights(case["weights"])
    if case.get("noise") is not None:
        env.set_noise(case["noise"])
    if case.get("plasticity"):
        env.enable_plasticity(None if case["plasticity"] is True else case["plasticity"])
    if case.get("v_init") is not None:
        env.v_init = case["v_init"]
    env.record_spikes()
    env.record_voltage(dt=case["record"].get("sample_dt", 0.025))
    if case["record"].get("current"):
        env.record_membrane_current(dt=case["record"]["current"])
    if case.get("input_spikes"):
        env.play_input_spikes({int(gid): times for gid, times in case["input_spikes"].items()})
    return env


def start(env: Any, case: Case) -> Arrays:
    """Initialises the native backend; state, pin currents and areas at time 0."""
    from livn.backend.native import _lib

    env.run(0.0, dt=case.get("dt", 0.025))
    nodes = [(s, env._lib.rcsd_section_node(env._sim, s, 0.5)) for s in sections_of(env)]
    pins = [env._lib.rcsd_section_get(env._sim, section, _lib.P_IC) for section, _ in nodes]
    areas = [env._lib.rcsd_node_area(env._sim, node) for _, node in nodes]
    return {"state0": states(env, True), "ic": np.array(pins), "area": np.array(areas)}


def run_case(case: Case, backend: str) -> Arrays:
    """Every run of a case; the arrays of a trace by name."""
    os.environ["LIVN_BACKEND"] = backend
    import livn.backend

    assert livn.backend.backend() == backend
    native = backend == "native"
    env = make_env(case, native)
    record = case["record"]
    out = start(env, case) if native else {}
    nodes = list(env.v_recs)
    out["node_gid"] = np.array([gid for gid, *_ in nodes])
    out["node_section"] = np.array([section for _, section, *_ in nodes])
    volts, amps = RunSamples(native), RunSamples(native)
    plastic = case.get("plasticity") or any("plasticity_on" in r for r in case["runs"])
    for i, run in enumerate(case["runs"]):
        if run.get("clear"):
            volts.clear()
            amps.clear()
            env.clear(reseed=run.get("reseed", True))
        if run.get("reseed_noise") is not None:
            env.reseed_noise(run["reseed_noise"])
        if "plasticity_on" in run:
            if run["plasticity_on"]:
                table = run["plasticity_on"]
                env.enable_plasticity(None if table is True else table)
            else:
                env.disable_plasticity()
        if run.get("normalize_weights") is not None:
            env.normalize_weights(run["normalize_weights"])
        stimulus = make_stimulus(env, run.get("stimulus"))
        if stimulus is not None and run["stimulus"]["mode"] == "electrode_uA":
            out[f"r{i}_field_row_gid"] = np.asarray(stimulus.gids)
            out[f"r{i}_field_row_section"] = np.asarray(stimulus.sections)
            gains = env.io.reach(env.stimulus_coordinates())
            out[f"r{i}_field_gain_mV_per_uA"] = np.asarray(gains)
        step = {"dt": case["dt"]} if case.get("dt") else {}
        result = env.run(run["duration"], stimulus, **step)
        voltage = raw_voltage(env, native)
        voltage = volts(voltage, run["duration"], record.get("sample_dt", 0.025))
        out[f"r{i}_v"] = voltage[:, :: record.get("every", 1)]
        gids = np.asarray([] if result.spike_ids is None else result.spike_ids, dtype=int)
        times = np.asarray([] if result.spike_times is None else result.spike_times, dtype=float)
        order = np.lexsort((gids, times))
        out[f"r{i}_spike_gid"], out[f"r{i}_spike_t"] = gids[order], times[order]
        out[f"r{i}_state"] = states(env, native)
        if record.get("current") and result.current is not None:  # None for a run of no time
            current = amps(np.asarray(result.current), run["duration"], record["current"])
            potential = env.potential_recording(current, result.current_ids)
            out[f"r{i}_current_uA"] = current
            out[f"r{i}_current_gid"] = np.asarray(result.current_ids)
            out[f"r{i}_electrode_uV"] = np.asarray(potential)
        if case.get("edges") and native:
            out[f"r{i}_conn_weights"] = np.array(env._w, copy=True)
            out[f"r{i}_syn_state"] = np.array(env._ss, copy=True)
        if plastic:
            weights = env.get_weights()
            keys = sorted(weights)
            out[f"r{i}_wplastic_key"] = np.array(["{}/{}/{}".format(*key) for key in keys])
            out[f"r{i}_wplastic"] = np.array([weights[key] for key in keys])
    return out


def save(path: str | Path, arrays: Arrays) -> None:
    """Write arrays as HDF5 data sets, text as UTF-8 of variable length."""
    with h5py.File(path, "w") as file:
        for name, value in arrays.items():
            array = np.asarray(value)
            if array.dtype.kind == "U":
                text = array.astype(object)
                file.create_dataset(name, data=text, dtype=h5py.string_dtype())
            elif array.ndim and array.size:
                file.create_dataset(name, data=array, compression="gzip", shuffle=True)
            else:
                file.create_dataset(name, data=array)


def load(path: str | Path) -> Arrays:
    """Read back what save wrote."""
    with h5py.File(path, "r") as file:
        return {name: file[name][()] for name in file}


def compare(a: Arrays, b: Arrays) -> dict[str, Any]:
    """The largest differences of two traces of one case."""
    report: dict[str, Any] = {}
    for name in sorted(a.keys() & b.keys()):
        x, y = a[name], b[name]
        if name.endswith(("_v", "_current_uA", "_electrode_uV")):
            n = min(x.shape[1], y.shape[1])
            difference = np.abs(x[:, :n] - y[:, :n])
            report[name] = float(difference.max(initial=0.0))
            report[name + "_q99"] = float(np.quantile(difference, 0.99))
        elif name.endswith("_spike_t"):
            gid = name.removesuffix("t") + "gid"
            same = x.shape == y.shape and np.array_equal(a[gid], b[gid])
            report[name] = float(np.abs(x - y).max(initial=0.0)) if same else "DIFFERENT"
            report[name + "_n"] = [int(x.size), int(y.size)]
        elif name.endswith("_state"):
            known = np.isfinite(x) & np.isfinite(y) & (y != 0)
            scale = np.maximum(np.abs(y[known]), 1e-12)
            relative = np.abs(x[known] - y[known]) / scale
            report[name + "_maxrel"] = float(relative.max(initial=0.0))
        elif name.endswith("_wplastic"):
            same = x.shape == y.shape
            report[name] = float(np.abs(x - y).max(initial=0.0)) if same else "DIFFERENT"
    return report


def run_all(folder: Path) -> None:
    """Every case of a folder, each run in a process of its own."""
    for path in sorted(folder.glob("*.json")):
        backends = json.loads(path.read_text()).get("backends", BACKENDS)
        with tempfile.TemporaryDirectory() as scratch:
            traces = {}
            for backend in BACKENDS:
                if backend not in backends:
                    continue
                native = path.with_suffix(".h5")
                target = native if backend == "native" else Path(scratch) / native.name
                done = subprocess.run(
                    [sys.executable, __file__, "run", str(path), backend, str(target)],
                    capture_output=True,
                    text=True,
                    check=False,
                )
                if done.returncode:
                    print(path.stem, backend, "FAILED", done.stderr[-600:], flush=True)
                else:
                    traces[backend] = load(target)
            if len(traces) == 2:
                print(path.stem, json.dumps(compare(*traces.values())), flush=True)


def main() -> None:
    """Run the command line."""
    match sys.argv[1:]:
        case ["run", case_path, ("native" | "neuron") as backend, out]:
            save(out, run_case(json.loads(Path(case_path).read_text()), backend))
        case ["cmp", a, b]:
            print(json.dumps(compare(load(a), load(b)), indent=1))
        case ["all", *folders] if folders:
            for folder in folders:
                run_all(Path(folder))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
