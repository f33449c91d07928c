"""The wheel, and what somebody who has just installed it does."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Run by a Python that has the wheel's package and its dependencies alone. Prints "done" last.
FIRST_STEPS = """
import os
import gymnasium
import numpy as np
import livnd

package = os.path.dirname(livnd.__file__)
assert "site-packages" in package, package
env = gymnasium.make("livnd/TargetRate-EI-mini-v0")
# A little learning: the best of some constant actions over an episode's first steps.
low, high = env.action_space.low, env.action_space.high
best, best_return = None, -np.inf
for candidate in np.linspace(0.0, 1.0, 4):
    env.reset(seed=1)
    action = (low + candidate * (high - low)).astype(env.action_space.dtype)
    reached = sum(env.step(action)[1] for _ in range(10))
    if reached > best_return:
        best, best_return = action, reached
assert np.isfinite(best_return)
running = [
    os.readlink(f"/proc/{pid}/exe") for pid in os.listdir("/proc")
    if pid.isdigit() and os.access(f"/proc/{pid}/exe", os.R_OK)
]
assert f"{package}/bin/livnd" in running, running
env.close()
envs = gymnasium.make_vec("livnd/TargetRate-EI-100-v0", num_envs=2)
envs.reset(seed=1)
assert envs.step(envs.action_space.sample())[1].shape == (2,)
envs.close()
print("done", flush=True)
"""


def make(out: Path) -> Path:
    """Makes the wheel with the one command for it."""
    made = subprocess.run(
        [ROOT / "tools/wheel", "--out", out],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=3000,
    )
    assert made.returncode == 0, made.stderr[-3000:]
    return Path(made.stdout.splitlines()[-1])
