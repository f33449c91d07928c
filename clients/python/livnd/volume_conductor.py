"""What lies between electrodes and cells."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from livnd import checks
from livnd.errors import UnknownParameterError, invalid_field


class PointSourceModel:
    """The medium between electrodes and cells as point sources see it.

    At a distance of r um a current gives, with h = sqrt(electrode_radius_um^2 +
    culture_height_um^2) and m = min_distance_um (livn 2.0.0, io.py):

        stimulation_gain * h / sqrt(r^2 + h^2)    mV outside a cell for 1 uA of an electrode
        recording_gain * m / (r + m)              uV at an electrode for 1 uA of a membrane
    """

    stimulation_gain: float
    recording_gain: float
    min_distance_um: float
    electrode_radius_um: float
    culture_height_um: float

    NAMES = (
        "stimulation_gain",
        "recording_gain",
        "min_distance_um",
        "electrode_radius_um",
        "culture_height_um",
    )

    def __init__(
        self,
        stimulation_gain: float = 5.335497577070286,
        recording_gain: float = 53051.64769729845,
        min_distance_um: float = 5.0,
        electrode_radius_um: float = 15.0,
        culture_height_um: float = 50.0,
    ) -> None:
        self._set(
            stimulation_gain=stimulation_gain,
            recording_gain=recording_gain,
            min_distance_um=min_distance_um,
            electrode_radius_um=electrode_radius_um,
            culture_height_um=culture_height_um,
        )

    def source_gain(self, distances_um: np.ndarray) -> np.ndarray:
        """What an electrode hears of 1 uA of a membrane at each distance, uV."""
        m = self.min_distance_um
        return self.recording_gain * (m / (distances_um + m))

    def induction_gain(self, distances_um: np.ndarray) -> np.ndarray:
        """What 1 uA of an electrode makes outside a cell at each distance, mV."""
        h = (self.electrode_radius_um**2 + self.culture_height_um**2) ** 0.5
        return self.stimulation_gain * (h / np.sqrt(distances_um**2 + h**2))

    def set_params(self, params: Mapping[str, float]) -> PointSourceModel:
        """Sets some of the five by name; UnknownParameterError, InvalidFieldError."""
        for name in params:
            if name not in self.NAMES:
                raise unknown_parameter(f"volume_conductor-{name}", self.NAMES)
        self._set(**params)
        return self

    def serialize(self) -> dict[str, float]:
        """The five, by name."""
        return {name: getattr(self, name) for name in self.NAMES}

    def _set(self, **params: float) -> None:
        found = {}
        for name, value in params.items():
            low = "above 0" if name == "min_distance_um" else "from 0 on"
            number = checks.number(name, value, f"a number {low}")
            if not 0 <= number < math.inf or (name == "min_distance_um" and number == 0):
                raise checks.wrong(name, value, f"a number {low}")
            found[name] = number
        both = [
            found.get(name, getattr(self, name, 0.0))
            for name in ("electrode_radius_um", "culture_height_um")
        ]
        if not any(both):
            raise invalid_field("culture_height_um", 0.0, "above 0, where electrode_radius_um is 0")
        vars(self).update(found)


def unknown_parameter(name: str, known: Iterable[str]) -> UnknownParameterError:
    """The error for a name that is no parameter's."""
    accepted = ", ".join(known)
    return UnknownParameterError(
        f"{name} is no parameter; accepted: {accepted}",
        reason="INVALID_FIELD",
        code="INVALID_ARGUMENT",
        metadata={"field": name, "value": name, "accepted": accepted},
    )
