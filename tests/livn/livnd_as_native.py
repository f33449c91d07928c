"""A pytest plugin that puts livnd in the place of livn's native backend.

Many tests of livn's suite name the backends that they are for, and livnd is none of them. With this
they find livnd's Env where they ask for "native".
"""

from __future__ import annotations

import os

# Also in the processes that the suite starts, which inherit "native" from below.
os.environ["LIVN_BACKEND"] = "livnd.livn"

from livn.backend import Env, config

if not Env.__module__.startswith("livnd."):
    raise RuntimeError(f"livn took {Env.__module__} instead of livnd's Env")
config._BACKEND = os.environ["LIVN_BACKEND"] = "native"
