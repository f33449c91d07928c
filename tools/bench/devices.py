"""Encoding, decoding and hearing through electrodes, beside livn: lines `devices/...`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from report import Report, say
from worker import BenchError, Worker

BASELINE = Path(__file__).with_name("devices_baseline.py")
ENCODE, DECODE, POTENTIALS, MEMORY = (
    f"devices/{name}" for name in ("encode", "decode", "potentials", "memory")
)
LINES = [ENCODE, DECODE, POTENTIALS, MEMORY]
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "LIVN_BACKEND": "native"}
_CELLS, _STEP_TICKS, _SAMPLES_OF_SECOND = 1000, 400, 10_000


def culture(num_cells: int, side: int, pitch_um: float, seed: int) -> dict[str, Any]:
    """An array of side x side electrodes in the middle of cells on a plane, 250 um to each side."""
    extent = (side - 1) * pitch_um + 500.0
    xyz = np.random.default_rng(seed).uniform(0.0, extent, (num_cells, 3))
    xyz[:, 2] = 0.0
    at = 250.0 + pitch_um * np.arange(side)
    electrodes = [
        [side * j + i, float(at[i]), float(at[j]), 50.0] for j in range(side) for i in range(side)
    ]
    return {"array": {"electrode_coordinates": electrodes}, "points": xyz.tolist()}


def hold(line: str, ours: Any, theirs: Any) -> None:
    """Both must have done the same."""
    if not np.allclose(ours, theirs, rtol=1e-6, atol=1e-9):
        raise BenchError(f"{line}: what livn gives differs")


def run(wanted: set[str], report: Report, binaries: Path, root: Path, quick: bool) -> None:
    """Measures and prints the lines that are wanted: CPU time of one thread."""
    if not wanted.intersection(LINES):
        return
    part = 20 if quick else 1
    random = np.random.default_rng(1)
    with (
        Worker([binaries / "tools/bench/devices_bench"]) as engine,
        Worker([sys.executable, BASELINE], settings=_ONE_THREAD) as livn,
    ):
        small = culture(_CELLS, 8, 200.0, seed=1)
        engine.ask("array", **small)
        livn.ask("array", **small)
        if ENCODE in wanted:
            values = random.uniform(-1.0, 1.0, 64).astype(np.float32).tolist()
            num, num_livn = 2000 // part, 400 // part
            ours = engine.ask("encode", values=values, repeats=num)
            given = {"samples": ours["samples"] // 2 * 2, "sample_dt_ms": ours["sample_dt_ms"]}
            theirs = livn.ask("encode", values=values, repeats=num_livn, scale_ua=1.0, **given)
            scale = ours["first_mv"][0] / theirs["first_mv"][0]
            hold(ENCODE, ours["first_mv"], np.multiply(scale, theirs["first_mv"]))
            say(f"{ENCODE}: {ours['samples']} samples of {ours['sample_dt_ms']} ms")
            report.line(ENCODE, 1e6 * ours["cpu_s"] / num, 1e6 * theirs["cpu_s"] / num_livn, "us")
        if DECODE in wanted:
            spikes = {
                "gids": random.integers(0, _CELLS, 100).tolist(),
                "ticks": sorted(random.integers(0, _STEP_TICKS, 100).tolist()),
                "num_ticks": _STEP_TICKS,
            }
            num, num_livn = 100_000 // part, 1000 // part
            ours = engine.ask("decode", repeats=num, **spikes)
            theirs = livn.ask("decode", repeats=num_livn, **spikes)
            hold(DECODE, ours["counts"], theirs["counts"])
            report.line(DECODE, 1e6 * ours["cpu_s"] / num, 1e6 * theirs["cpu_s"] / num_livn, "us")
        if POTENTIALS in wanted:
            num_samples = 100
            currents = random.normal(0.0, 1e-3, num_samples * _CELLS).tolist()
            num = _SAMPLES_OF_SECOND // num_samples // (part if quick else 1)
            ours = engine.ask("potentials", currents_ua=currents, repeats=num)
            theirs = livn.ask("potentials", currents_ua=currents, repeats=num)
            hold(POTENTIALS, ours["potentials_uv"], theirs["potentials_uv"])
            scale = _SAMPLES_OF_SECOND / (num * num_samples)
            report.line(POTENTIALS, scale * ours["cpu_s"], scale * theirs["cpu_s"], "s")
        if MEMORY in wanted:
            large = culture(2000 if quick else 10_000, 32, 120.0, seed=2)
            ours, theirs = engine.ask("array", **large), livn.ask("array", **large)
            hold(MEMORY, ours["pairs"], theirs["pairs"])
            report.line(MEMORY, ours["bytes"], theirs["bytes"], "bytes")
