"""Series: arrays of what cells and electrodes do, sampled while they are recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from livnd import checks
from livnd._proto import pb
from livnd.tensors import encode

_RECORDED = {
    "voltage_mv": pb.RECORDED_QUANTITY_VOLTAGE_MV,
    "membrane_current_ua": pb.RECORDED_QUANTITY_MEMBRANE_CURRENT_UA,
    "state": pb.RECORDED_QUANTITY_STATE,
    "electrode_potential_uv": pb.RECORDED_QUANTITY_ELECTRODE_POTENTIAL_UV,
    "learned_weight": pb.RECORDED_QUANTITY_LEARNED_WEIGHT,
}

_SAMPLE_TYPES = {
    np.dtype(np.float64): pb.DATA_TYPE_FLOAT64,
    np.dtype(np.float32): pb.DATA_TYPE_FLOAT32,
}
Sites = Sequence[tuple[int, int]]  # (gid, section); section 0 is the soma


@dataclass(frozen=True)
class SeriesSelection:
    """One array of every recording.

    Attributes:
        quantity: "voltage_mv", "membrane_current_ua", "state", "electrode_potential_uv" or
            "learned_weight".
        sites: (gid, section) of each row; none for the last two.
        sample_dt_ms: a multiple of the culture's dt_ms.
        state: name of the "state".
        dtype: float64, or float32 for half the bytes.
    """

    quantity: str
    sites: Sites = ()
    sample_dt_ms: float = 0.1
    state: str = ""
    dtype: Any = np.float64

    def to_message(self) -> Any:
        message = pb.SeriesSelection(
            quantity=_RECORDED[checks.choice("quantity", self.quantity, _RECORDED)],
            sample_dt_ms=checks.number("sample_dt_ms", self.sample_dt_ms),
            state=checks.text("state", self.state),
            dtype=_sample_type(self.dtype),
        )
        sites = sites_message("sites", self.sites)
        if sites.gids.shape[0]:
            message.sites.CopyFrom(sites)
        return message


def messages_of(field: str, given: Any, kind: type[Any]) -> list[Any]:
    """The messages of objects of a kind; InvalidFieldError below `field` for anything else."""
    accepted = f"livnd.{kind.__name__} objects"
    if not isinstance(given, Iterable):
        raise checks.wrong(field, given, accepted)
    found = []
    for i, each in enumerate(given):
        if not isinstance(each, kind):
            raise checks.wrong(f"{field}[{i}]", each, accepted)
        found.append(each.to_message())
    return found


def sites_message(field: str, sites: Sites) -> Any:
    """(gid, section) pairs for a request; InvalidFieldError for anything else."""
    accepted = "pairs (gid, section)"
    pairs = checks.integers(field, sites, accepted)
    if pairs.size == 0:
        pairs = pairs.reshape(0, 2)
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise checks.wrong(field, sites, accepted)
    return pb.Sites(gids=encode(pairs[:, 0], np.int64), sections=encode(pairs[:, 1], np.int64))


def _sample_type(dtype: Any) -> int:
    try:
        return _SAMPLE_TYPES[np.dtype(dtype)]
    except (KeyError, TypeError):
        raise checks.wrong("dtype", dtype, ", ".join(map(str, _SAMPLE_TYPES))) from None
