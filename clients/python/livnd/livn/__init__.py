"""A culture under livn's names; see livnd.livn.env."""

from livnd.livn.env import Env, make
from livnd.livn.run import Run
from livnd.livn.stimulus import Stimulus

__all__ = ["Env", "Run", "Stimulus", "make"]
