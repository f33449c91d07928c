"""A culture in the loop of any Gymnasium task (docs/tasks/culture_in_loop.md).

    env = CultureInLoop(gymnasium.make("Pendulum-v1"), "EI-100", encoding, decoding)

The agent's action becomes a stimulus, the culture runs, and what it does becomes the task's action.
"""

from __future__ import annotations

from livnd.tasks.culture_in_loop import CultureInLoop
from livnd.tasks.vector import CultureInLoopVectorEnv

__all__ = ["CultureInLoop", "CultureInLoopVectorEnv"]
