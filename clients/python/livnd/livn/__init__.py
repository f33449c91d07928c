"""A culture under livn's names; see livnd.livn.env.

With LIVN_BACKEND=livnd.livn this is a backend of livn 2.0.0: livn finds an Env of its own form
here, livnd.livn.backend.Env, and its programs run on a livnd server (docs/livn.md).
"""

from __future__ import annotations

import os
from typing import Any

from livnd.livn.run import Run
from livnd.livn.stimulus import Stimulus


def _is_backend() -> bool:
    return os.environ.get("LIVN_BACKEND") == __name__


def __getattr__(name: str) -> Any:
    # Neither is imported before it is asked for: livn is no part of livnd, and livnd.Env none of
    # livn's programs.
    if name not in ("Env", "make"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if _is_backend():
        from livnd.livn.backend import Env

        if name == "Env":
            return Env
        raise AttributeError(f"{name}: livnd.make, or livn.make")
    from livnd.livn import env

    return getattr(env, name)


def __dir__() -> list[str]:
    # livn takes over what a backend lists: no more than that.
    return ["Env"] if _is_backend() else __all__


__all__ = ["Env", "Run", "Stimulus", "make"]
