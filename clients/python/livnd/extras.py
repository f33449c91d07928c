"""Packages that a plain installation lacks: loaded when they are needed, and not before."""

from __future__ import annotations

import importlib
from types import ModuleType

from livnd.errors import MissingExtraError


def load(module: str, extra: str, purpose: str) -> ModuleType:
    """The module of that name.

    Args:
        module: what is imported, "pyarrow.parquet".
        extra: the extra of this package that brings it.
        purpose: what it is needed for, as a sentence begins.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise MissingExtraError(
            f"{purpose} needs {package} ({error}): pip install 'livnd[{extra}]'",
            reason="MISSING_EXTRA",
            metadata={"field": package, "value": "not installed", "accepted": f"livnd[{extra}]"},
        ) from None
