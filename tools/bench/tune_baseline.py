"""livn's culture target on its native engine: what `livnd tune` is compared with.

    LIVN_BACKEND=native tune_baseline.py SYSTEM SEARCH DURATION_MS COUNT

Evaluates the first points of a search of livnd's as livn's tuner does: clear, set_params, and the
target. Prints the seconds, without those of building the environment, and the number of spikes.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from livn_source import livn_source


def main() -> None:
    """Evaluates the points."""
    system, search, duration_ms, count = sys.argv[1:]
    sys.path.insert(0, str(livn_source()))
    from livn.env import Env
    from livn.models.rcsd import ReducedCalciumSomaDendrite
    from systems.targets.EI import Culture

    model = ReducedCalciumSomaDendrite(short_term_depression=True)
    target = Culture(
        duration=float(duration_ms), warmup=100.0, system=system, save_spikes=False
    )  # fmt: skip
    env = Env(system, model=model)
    env.init()
    target.init(env)
    names = list(target.search_space(model))
    lines = (Path(search) / "evaluations.jsonl").read_text().splitlines()[: int(count)]
    spikes = 0
    begin = time.perf_counter()
    for line in lines:
        x = dict(zip(names, json.loads(line)["x"], strict=True))
        env.clear()
        env.set_params(target.decode_params(x, model=model))
        target(env)
        spikes += target.metrics["total_spikes"]
    seconds = time.perf_counter() - begin
    print(json.dumps({"seconds": seconds, "spikes": spikes}))


if __name__ == "__main__":
    main()
