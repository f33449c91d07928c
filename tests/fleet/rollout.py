"""A program that knows nothing of servers: `rollout.py FOLDER PAUSE_S [SEED...]`.

Writes how far it is to FOLDER/step, and a digest of all that it saw to FOLDER/digest.
"""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path

import livnd

NUM_ENVS, NUM_STEPS = 5, 24


def main() -> None:
    folder, pause_s = Path(sys.argv[1]), float(sys.argv[2])
    digest = hashlib.sha256()
    envs = livnd.make_vec(
        "TargetRate-EI-mini-v0", NUM_ENVS, autoreset_mode="SameStep", max_episode_steps=7
    )
    envs.action_space.seed(1)
    digest.update(envs.reset(seed=1)[0].tobytes())
    for step in range(NUM_STEPS):
        (folder / "step").write_text(str(step))
        for seen in envs.step(envs.action_space.sample())[:4]:
            digest.update(seen.tobytes())
        time.sleep(pause_s)
    digest.update(envs.unwrapped.snapshot())
    envs.close()
    (folder / "digest").write_text(digest.hexdigest())


if __name__ == "__main__":
    main()
