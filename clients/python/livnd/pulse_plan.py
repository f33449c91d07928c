"""Plans of pulses, as docs/stimuli-and-devices.md describes them, and what they deliver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from livnd._proto import pb
from livnd.plain import document, fill
from livnd.tensors import decode


def pulse_plan(plan: Any) -> Any:
    """A pb.PulsePlan.

    Args:
        plan: {"pulses": [{"electrodes": [12, 34], "amplitude_ua": 10, ...}]}; the same as a text
            of YAML or JSON, or a pathlib.Path of such a file; or a pb.PulsePlan.

    Raises:
        InvalidFieldError: a field that no entry has, or a value of another kind.
    """
    if isinstance(plan, pb.PulsePlan):
        return plan
    message = pb.PulsePlan()
    fill(message, "pulse_plan", document("pulse_plan", plan, "a plan as YAML or JSON"))
    return message


@dataclass(frozen=True, eq=False)
class ElectrodeCharges:
    """What a plan delivered to each electrode of the array, in its order."""

    electrodes: np.ndarray  # int64 [electrodes]: ids
    num_pulses: np.ndarray  # int64 [electrodes]
    net_nc: np.ndarray  # float64 [electrodes]; 0 where all pulses have two phases
    absolute_nc: np.ndarray  # float64 [electrodes], of all phases without their signs
    max_phase_nc: np.ndarray  # float64 [electrodes], of the largest phase

    @classmethod
    def from_message(cls, message: Any) -> ElectrodeCharges:
        return cls(
            decode(message.electrodes),
            decode(message.num_pulses),
            decode(message.net_nc),
            decode(message.absolute_nc),
            decode(message.max_phase_nc),
        )
