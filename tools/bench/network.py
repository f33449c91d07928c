"""Random networks that both sides of a comparison read from one file.

`net-N` are N cells, four fifths of them excitatory. Each has inputs from 50 others, or from all in
a smaller network. With the noise here they fire at some 40 Hz. livn_baseline.py and engine_bench
take the files with `--network`; network_file.h describes them.
"""

from __future__ import annotations

import atexit
import functools
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

Network = dict[str, Any]

NUM_INPUTS = 50
SIDE_UM = 1000.0
_SEED = 3

NOISE = {
    "g_e0": 0.0012,
    "g_i0": 0.001,
    "std_e": 0.0006,
    "std_i": 0.0004,
    "tau_e": 2.728,
    "tau_i": 10.49,
}
_AMPA = {"weight": 0.2, "g_unit": 0.0005, "tau_rise": 0.5, "tau_decay": 3.0, "e": 0.0}
_NMDA = {"weight": 0.05, "g_unit": 0.0005, "tau_rise": 0.5, "tau_decay": 80.0, "e": 0.0}
_AMPA_OF_INH = {"weight": 0.5, "g_unit": 0.0005, "tau_rise": 0.5, "tau_decay": 7.0, "e": 0.0}
_GABA_A = {"weight": 0.5, "g_unit": 0.001, "tau_rise": 0.3, "tau_decay": 6.0, "e": -60.0}
RECEPTORS = {
    "EXC<-EXC": {"AMPA": _AMPA, "NMDA": _NMDA},
    "INH<-EXC": {"AMPA": _AMPA_OF_INH},
    "EXC<-INH": {"GABA_A": _GABA_A},
    "INH<-INH": {"GABA_A": _GABA_A},
}
# SWC types of the places where synapses sit.
_SOMA, _DENDRITE = 1, 4


def random_network(cells: int, plastic: bool = False) -> Network:
    """The network `net-N`; with `plastic`, its NMDA and GABA_A synapses learn."""
    rng = np.random.default_rng(_SEED)
    num_exc = int(0.8 * cells)
    places = rng.uniform(0.0, SIDE_UM, (cells, 2))
    edges = []
    for target in range(cells):
        others = [gid for gid in range(cells) if gid != target]
        for source in rng.choice(others, size=min(NUM_INPUTS, cells - 1), replace=False).tolist():
            distance_um = float(np.hypot(*(places[source] - places[target])))
            swc_type = _DENDRITE if source < num_exc else _SOMA
            edges.append([source, target, swc_type, 0.5, distance_um])
    return {
        "params": "random network, noise" + (", learning" if plastic else ""),
        "populations": {"EXC": num_exc, "INH": cells - num_exc},
        "positions": [[x, y, 0.0] for x, y in places.tolist()],
        "electrodes": [[k, 120.0 * (k % 4), 120.0 * (k // 4), 50.0] for k in range(16)],
        "receptors": RECEPTORS,
        "edges": edges,
        "noise": NOISE,
        "plasticity": plastic,
    }


@functools.cache
def _folder() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="livnd-bench-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


def write(name: str, network: Network) -> list[str]:
    """Writes a network where it stays until this process ends; the words that name it."""
    path = _folder() / f"{name}.json"
    path.write_text(json.dumps(network))
    return ["--network", str(path)]
