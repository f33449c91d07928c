"""Processes that were forked from one that had used gRPC.

What may be lost: nothing of the parent's.
"""

from __future__ import annotations

import pytest
from conftest import GYM_ID

IN_A_FORK = f"""
import os, signal, gymnasium, livnd
env = gymnasium.make({GYM_ID!r})
env.reset(seed=1)
pid = os.fork()
if pid == 0:
    signal.alarm(40)
    try:
        other = gymnasium.make({GYM_ID!r})
        other.reset(seed=1)
        other.close()
        print("works", flush=True)
    except livnd.errors.ForkedProcessError as error:
        print("refused", "GRPC_ENABLE_FORK_SUPPORT" in str(error), flush=True)
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
env.step(env.action_space.sample())
env.close()
"""


@pytest.mark.parametrize(
    ("setting", "said"), [("0", "refused True"), ("False", "refused True"), ("1", "works")]
)
def test_a_fork_works_or_says_why_not(run_python, setting, said, monkeypatch):
    """With the support switched off its first call would hang."""
    monkeypatch.setenv("GRPC_ENABLE_FORK_SUPPORT", setting)
    process = run_python(IN_A_FORK)
    assert process.communicate(timeout=60)[0].strip() == said
    assert process.returncode == 0
