"""Which cells are built, in livn's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from livnd import checks
from livnd.errors import invalid_field


def to_selection(select: Any, method: str, bounds: Any, seed: int) -> Any:
    """What the protocol takes for the arguments of livn's selection() (docs/params.md).

    Args:
        select: the name of a stored selection, a number or a fraction of cells, these or gids by
            population; None: all cells, or those within the bounds.
        method: "first", "random" or "patch".
        bounds: ((x0, y0), (x1, y1)) in um; of a "patch".
        seed: of "random".

    Raises:
        InvalidFieldError: a stored selection with a method or bounds, or no plain numbers.
    """
    if isinstance(select, str):
        if method != "first" or bounds is not None:
            raise invalid_field(
                "method, bounds", (method, bounds), f"none: {select!r} is a stored selection"
            )
        return select
    # The protocol has room for so much of it.
    spec: dict[str, Any] = {"method": method, "seed": seed if seed <= 2**53 else seed % 2**53}
    if select is None and bounds is None:
        spec["cells"] = 1.0
    if select is not None:
        spec["cells"] = _plain("select", select)
    if bounds is not None:
        spec["bounds"] = _plain("bounds", bounds)
    return spec


def _plain(field: str, value: Any) -> Any:
    """Numbers, lists and mappings of names without NumPy's types."""
    if isinstance(value, Mapping):
        return {str(name): _plain(f"{field}[{name}]", v) for name, v in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(field, v) for v in value]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise checks.wrong(field, value, "a number of cells, a fraction, or gids")
    return value
