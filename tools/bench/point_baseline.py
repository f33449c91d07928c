"""Point neurons in NumPy, as a worker of bench.py: what the engine's are compared with.

    point_baseline.py MODEL N    N unconnected cells of izhikevich, lif or glif5

The equations and the scheme are those of livn 2.0.0's Brian2 form, one array operation a term: what
Brian2 does where it has no compiler. The cells fire by themselves, those of engine_bench.cc at the
same times.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
from worker import serve_commands

STEP_MS = 0.025
SEED = 123


class Izhikevich:
    """Regular spiking to chattering cells; b is so large that there is no rest."""

    def __init__(self, cells: int) -> None:
        r = np.random.RandomState(SEED).uniform(size=cells)
        self.a, self.b = 0.02, 0.27
        self.c, self.d = -65.0 + 15.0 * r**2, 8.0 - 6.0 * r**2
        self.v = np.full(cells, -65.0)
        self.u = self.b * self.v

    def step(self) -> int:
        """One step; the number of spikes."""
        dv = 0.04 * self.v**2 + 5.0 * self.v + 140.0 - self.u
        du = self.a * (self.b * self.v - self.u)
        self.v = self.v + STEP_MS * dv
        self.u = self.u + STEP_MS * du
        spikes = np.flatnonzero(self.v > 30.0)
        self.v[spikes] = self.c[spikes]
        self.u[spikes] += self.d[spikes]
        return len(spikes)


class Glif:
    """GLIF 5; the neurons' own parameters make it one of the lower levels."""

    def __init__(self, cells: int, params: dict[str, float]) -> None:
        self.p = {**GLIF5, **params}
        self.v = np.full(cells, self.p["E_L"])
        self.theta_s, self.theta_v = np.zeros(cells), np.zeros(cells)
        self.asc_1, self.asc_2 = np.zeros(cells), np.zeros(cells)
        self.last = np.full(cells, -(10**9))
        self.tick = 0

    def step(self) -> int:
        """One step; the number of spikes."""
        p = self.p
        moves = self.tick - self.last >= int(p["t_ref"] / STEP_MS + 1e-3)
        above = self.v - p["E_L"]
        dv = (-above + (self.asc_1 + self.asc_2) / p["g_L"]) / p["tau_m"]
        dtheta_v = p["a_v"] * above - p["b_v"] * self.theta_v
        self.v = self.v + STEP_MS * moves * dv
        self.theta_v = self.theta_v + STEP_MS * moves * dtheta_v
        self.theta_s = self.theta_s - STEP_MS * p["theta_decay_rate"] * self.theta_s
        self.asc_1 = self.asc_1 - STEP_MS * p["asc_decay_rate_1"] * self.asc_1
        self.asc_2 = self.asc_2 - STEP_MS * p["asc_decay_rate_2"] * self.asc_2
        threshold = p["V_threshold_base"] + self.theta_s + self.theta_v
        spikes = np.flatnonzero((self.v > threshold) & moves)
        t_ref = p["t_ref"]
        self.v[spikes] = p["E_L"] + p["f_v"] * (self.v[spikes] - p["E_L"]) - p["delta_v"]
        self.theta_s[spikes] += p["theta_jump"] * np.exp(p["theta_decay_rate"] * t_ref)
        for asc, amp, rate in (
            (self.asc_1, p["asc_amp_1"], p["asc_decay_rate_1"]),
            (self.asc_2, p["asc_amp_2"], p["asc_decay_rate_2"]),
        ):
            asc[spikes] = asc[spikes] * p["asc_r"] + amp * np.exp(rate * t_ref)
        self.last[spikes] = self.tick
        self.tick += 1
        return len(spikes)


GLIF5 = {
    "tau_m": 5.192,
    "E_L": -78.737,
    "g_L": 3.214,
    "V_threshold_base": -85.0,
    "theta_decay_rate": 0.3406,
    "theta_jump": 3.722,
    "asc_amp_1": 10.0,
    "asc_amp_2": -25.121,
    "asc_decay_rate_1": 0.23614,
    "asc_decay_rate_2": 0.0068869,
    "f_v": 0.7595,
    "delta_v": 0.28477,
    "t_ref": 6.992,
    "a_v": 0.0010,
    "b_v": 0.0100,
    "asc_r": 1.0,
}
LIF = {
    "tau_m": 10.0,
    "E_L": -50.0,
    "g_L": 10.0,
    "V_threshold_base": -55.0,
    "theta_decay_rate": 1.0,
    "theta_jump": 0.0,
    "asc_amp_1": 0.0,
    "asc_amp_2": 0.0,
    "f_v": 0.0,
    "delta_v": 25.0,
    "t_ref": 0.0,
    "a_v": 0.0,
    "b_v": 0.0,
}


def main() -> None:
    """Builds the cells and answers commands until the input ends."""
    model, cells = sys.argv[1], int(sys.argv[2])
    if model == "izhikevich":
        group: Izhikevich | Glif = Izhikevich(cells)
    else:
        group = Glif(cells, LIF if model == "lif" else {})

    def advance(request: dict[str, Any]) -> dict[str, Any]:
        start = time.thread_time()
        spikes = sum(group.step() for _ in range(request["steps"]))
        return {"cpu_s": time.thread_time() - start, "repeats": 1, "spikes": spikes}

    serve_commands({"cells": cells, "step_ms": STEP_MS}, {"advance": advance})


if __name__ == "__main__":
    main()
