"""livnd as a backend of livn 2.0.0: LIVN_BACKEND=livnd.livn. Needs livn; see docs/livn.md."""

from livnd.livn.backend.env import Env

__all__ = ["Env"]
