"""What tests of codings have in common: spikes of some units, decoded here and by livn 2.0.0.

Times are multiples of 1/64 ms, which doubles hold exactly. livn's edges of bins are rounded, and a
spike on one is in the one bin or the other by that: such spikes are not drawn.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
BINARIES = Path(os.environ.get("LIVND_BAZEL_BIN", ROOT / "bazel-bin"))
DRAWS = int(os.environ.get("LIVND_CODING_DRAWS", "1000"))
TICK_MS = 1.0 / 64.0


class Driver:
    """run_codings, the decodings here."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [str(BINARIES / "tests/parity/run_codings")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, line: dict) -> dict:
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        """Ends it."""
        self.process.stdin.close()
        assert self.process.wait(timeout=10) == 0


class Case:
    """Spikes of some units in a window, for both."""

    def __init__(self, rng: np.random.Generator, bin_ms: float, rule=None) -> None:
        self.duration = int(rng.integers(30, 1500))
        self.num_units = int(rng.integers(1, 9))
        self.num_ticks = self.duration * 64
        self.bin_ms = bin_ms
        n = int(rng.integers(0, 70)) if rng.random() > 0.05 else 0
        ticks = rng.integers(0, self.num_ticks, n)
        # Some of them together, as in a burst.
        for _ in range(int(rng.integers(0, 4))):
            middle = int(rng.integers(0, self.num_ticks))
            near = middle + rng.normal(0, 64 * rng.choice([0.5, 5, 20]), int(rng.integers(1, 40)))
            ticks = np.concatenate([ticks, near.astype(int)])
        ticks = np.sort(ticks[(ticks >= 0) & (ticks < self.num_ticks)])
        if bin_ms > 0:
            bins = rule(self.duration) if rule else max(1, int(self.duration / bin_ms))
            edges = np.linspace(0.0, self.duration, bins + 1)
            at = ticks * bins
            is_edge = at % self.num_ticks == 0
            is_same = edges[at // self.num_ticks] == ticks * TICK_MS
            ticks = ticks[~is_edge | is_same]
        self.ticks = ticks
        self.units = rng.integers(0, self.num_units, len(ticks))

    @property
    def times(self) -> np.ndarray:
        return self.ticks * TICK_MS

    def keep(self, which: np.ndarray) -> None:
        self.ticks, self.units = self.ticks[which], self.units[which]

    def groups(self, rng: np.random.Generator) -> list[tuple[str, int, int]]:
        first = int(rng.integers(1, self.num_units + 1))
        rest = self.num_units - first
        return [("A", 0, first), *([("B", first, rest)] if rest else [])]

    def line(self, spec: dict, groups=None) -> dict:
        window = {"num_units": self.num_units, "num_ticks": self.num_ticks, "tick_ms": TICK_MS}
        if groups:
            window["groups"] = groups
        spikes = np.stack([self.units, self.ticks], axis=1).tolist()
        return {"spec": spec, "window": window, "spikes": spikes}

    def livn(self, cls, groups=None, **fields):
        from livn.run import Run

        run = Run(duration=self.duration)
        run = run.add_spikes(self.units.astype(np.int64), self.times)
        groups = groups or [("all", 0, self.num_units)]
        env = SimpleNamespace(
            comm=None,
            system=SimpleNamespace(
                gids=np.arange(self.num_units),
                population_ranges={name: (first, count) for name, first, count in groups},
            ),
            cells={
                name: {g: None for g in range(first, first + count)}
                for name, first, count in groups
            },
        )
        return cls(duration=self.duration, **fields)(run, env)


def close(got, expected, tolerance: float = 1e-7) -> bool:
    """Whether numbers are the same but for rounding."""
    return np.allclose(got, expected, rtol=tolerance, atol=tolerance)


def draws(seed: int) -> Iterator[np.random.Generator]:
    """A generator for each draw."""
    for i in range(DRAWS):
        yield np.random.default_rng([seed, i])
