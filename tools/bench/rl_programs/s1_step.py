"""A step of livn's benchmark through S1: a worker of bench.py.

    s1_step.py livnd|livn SYSTEM

The command `step` answers the seconds of a step of `duration_ms` for an action, and the task's
action. Of livn these are CPU seconds, and on livnd, whose server is another process, those of the
clock, which are more on a busy machine. The caller sets LIVN_BACKEND=native.
"""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path
from typing import Any

import livnd
import numpy as np
from livnd.livn.gym import FeatureEncoder, FirstSpikeDecoder, Pass

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from worker import serve_commands


def steps(culture: Any, clock: Any) -> Any:
    """The command `step` on a culture, livn's or livnd's, timed by `clock`."""

    def step(request: dict[str, Any]) -> dict[str, Any]:
        encoding = FeatureEncoder(culture, None, request["duration_ms"])
        through = Pass(culture, encoding, FirstSpikeDecoder(culture), {})
        start = clock()
        action = through(np.array([request["action"]], np.float32))
        return {"s": clock() - start, "action": float(action[0])}

    return step


def main() -> None:
    """Builds the culture and answers commands until the input ends."""
    side, system = sys.argv[1:]
    if side == "livnd":
        culture: Any = livnd.Env(Path(system).name, seed=1, timing="livn")
        clock = time.perf_counter
    else:
        from livn.env import Env

        warnings.simplefilter("ignore", UserWarning)
        culture = Env(system, seed=1).init()
        clock = time.process_time
    culture.record_spikes()
    serve_commands({}, {"step": steps(culture, clock)})
    culture.close()


if __name__ == "__main__":
    main()
