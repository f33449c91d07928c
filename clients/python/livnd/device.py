"""Electrodes, fibres and their limits, as docs/stimuli-and-devices.md describes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from livnd import checks
from livnd._proto import pb
from livnd.plain import document, fill
from livnd.tensors import decode

_ACCEPTED = "the name of a preset, or a device as a dictionary"


def device(given: Any) -> Any:
    """A pb.Device.

    Args:
        given: {"preset": "mcs_60", "limits": {...}} or {"array": what mea.json says}; a preset's
            name alone; the same as a text of YAML or JSON, or a pathlib.Path of such a file; or a
            pb.Device. A limit of None is one of the preset's that shall not hold.

    Raises:
        InvalidFieldError: a field that no device has, or a value of another kind.
    """
    if isinstance(given, pb.Device):
        return given
    said = document("device", given, "a device as YAML or JSON")
    said = dict(
        checks.mapping("device", {"preset": said} if isinstance(said, str) else said, _ACCEPTED)
    )
    limits = dict(checks.mapping("device.limits", said.get("limits") or {}, "limits by name"))
    # In a message no electrodes are a limit that nobody has given.
    lifted = [name for name, limit in limits.items() if limit is None or _is_empty(limit)]
    if lifted:
        said["limits"] = limits | {"lifted": lifted}
    message = pb.Device()
    fill(message, "device", said)
    return message


def _is_empty(limit: Any) -> bool:
    return not isinstance(limit, (str, Mapping)) and hasattr(limit, "__len__") and len(limit) == 0


def light_array(given: Any) -> Any:
    """A pb.LightArray of what lightarray.json says: a dictionary, a text, a pathlib.Path."""
    if isinstance(given, pb.LightArray):
        return given
    message = pb.LightArray()
    said = document("light_array", given, "fibres as YAML or JSON")
    fill(message, "light_array", said)
    return message


@dataclass(frozen=True, eq=False)
class DeviceInfo:
    """The electrodes of a culture, and what a plan may ask of them."""

    ids: np.ndarray  # int64 [electrodes], in declared order
    positions_um: np.ndarray  # float64 [electrodes, 3]
    input_radius_um: float
    output_radius_um: float
    limits: Mapping[str, Any]  # those that there are, by name

    @classmethod
    def from_message(cls, message: Any) -> DeviceInfo:
        rows = decode(message.array.electrode_coordinates)
        limits = {}
        for field, value in message.limits.ListFields():
            limits[field.name] = list(value) if field.name == "record_only" else value
        return cls(
            rows[:, 0].astype(np.int64),
            rows[:, 1:].copy(),
            message.array.input_radius,
            message.array.output_radius,
            limits,
        )


@dataclass(frozen=True, eq=False)
class LightArrayInfo:
    """The fibres of a culture."""

    ids: np.ndarray  # int64 [fibres], in declared order
    positions_um: np.ndarray  # float64 [fibres, 3], of their tips
    numerical_aperture: float
    fiber_radius_um: float
    wavelength_nm: float
    scattering_per_mm: float

    @classmethod
    def from_message(cls, message: Any) -> LightArrayInfo:
        rows = decode(message.fiber_coordinates)
        return cls(
            rows[:, 0].astype(np.int64),
            rows[:, 1:].copy(),
            message.numerical_aperture,
            message.fiber_radius_um,
            message.wavelength_nm,
            message.scattering_coefficient,
        )
