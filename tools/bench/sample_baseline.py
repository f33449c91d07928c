"""Samples on livn's native engine: what `livnd sample` is compared with.

    LIVN_BACKEND=native sample_baseline.py SYSTEM SAMPLES COUNT

Runs the first samples of a folder of livnd's: the same seeds and stimuli. Prints the seconds,
without those of building the environment, and the numbers of spikes of both.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
from livn.env import Env
from livnd.datasets.samples.folder import SampleFolder


def main() -> None:
    """Runs the samples."""
    system, samples, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    folder = SampleFolder(samples)
    plan = folder.plan
    duration_ms = plan["duration_ms"]
    parts = list(folder.parts(0, count))
    seeds = np.concatenate([part.seed for part in parts]).tolist()
    features = np.concatenate([part.features for part in parts])
    here = sum(len(part.gids) for part in parts)
    env = Env(system)
    env.init()
    env.apply_model_defaults(noise=True)
    env.record_spikes()
    spikes = 0
    begin = time.perf_counter()
    for seed, numbers in zip(seeds, features, strict=True):
        env.seed = seed
        env.clear(reseed=False)
        env.reseed_noise(0)
        stimulus = None
        if len(numbers):
            # Rows of 1 ms, 100 units 1 uA: io/encoding/livn_pulse.h.
            channel, onset_ms, amplitude = numbers
            inputs_ua = np.zeros((int(duration_ms), len(plan["electrodes"])))
            inputs_ua[int(onset_ms) : int(onset_ms) + 20, int(channel)] = 0.01 * amplitude
            stimulus = env.cell_stimulus(inputs_ua, dt=1.0)
        run = env.run(duration_ms, stimulus)
        spikes += len(run.spike_ids)
    seconds = time.perf_counter() - begin
    print(json.dumps({"seconds": seconds, "spikes": spikes, "here": here}))


if __name__ == "__main__":
    main()
