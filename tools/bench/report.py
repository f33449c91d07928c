"""The lines that ./bench prints, and what it says beside them."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def say(text: str) -> None:
    """Progress and remarks, on standard error."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


class Progress:
    """Says how far a long measurement has come, at most every ten seconds."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._done = 0
        self._said_s = time.monotonic()

    def advance(self) -> None:
        """One more of the total is done."""
        self._done += 1
        if time.monotonic() - self._said_s >= 10.0 and self._done < self._total:
            say(f"{self._what}: {self._done} of {self._total} rounds")
            self._said_s = time.monotonic()


def cpu_model() -> str:
    """The processor's name, as the kernel gives it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return "unknown"


def warn_if_busy() -> None:
    """Other people's work slows down what is measured; the reader of the figures has to know."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > 0.3 * cores:
        say(f"this machine is busy: load {load:.1f} on {cores} cores. Figures will suffer")


def significant(number: float, digits: int = 4) -> float:
    """The number without digits that nobody could measure."""
    return float(f"{number:.{digits}g}")


class Report:
    """Prints the wanted lines.

    Args:
        wanted: names of lines; others are dropped.
        isa: the instruction set of the engine's kernels.
    """

    def __init__(self, wanted: set[str], isa: str) -> None:
        self._wanted = wanted
        self._cpu = cpu_model()
        self._isa = isa

    def line(
        self,
        name: str,
        value: float,
        baseline: float | None,
        unit: str,
        *,
        more_is_better: bool = False,
    ) -> None:
        """One result beside its baseline, both in `unit`.

        No ratio if there is no baseline, or if one of the two is not positive.
        """
        if name not in self._wanted:
            return
        ratio: float | None = None
        if baseline is None:
            pass
        elif value > 0.0 and baseline > 0.0:
            ratio = significant(value / baseline if more_is_better else baseline / value)
        else:
            say(f"{name}: too small to be measured here, so there is no ratio")
        fields = {
            "name": name,
            "value": significant(value),
            "unit": unit,
            "baseline": None if baseline is None else significant(baseline),
            "ratio": ratio,
            "cpu": self._cpu,
            "isa": self._isa,
        }
        print(json.dumps(fields), flush=True)
