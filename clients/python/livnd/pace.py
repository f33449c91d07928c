"""How culture time goes by beside the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from livnd import checks
from livnd._proto import pb

_NAMES = {"free": 0.0, "real": 1.0}
_ACCEPTED = "None, 'free', 'real', or seconds of culture time a second: 0, or 0.001 .. 1000"


def message_of(pace: Any) -> Any:
    """A pb.Pace of what a caller says; None, which leaves it to the server, for None.

    Raises:
        InvalidFieldError: it is no pace.
    """
    if pace is None:
        return None
    if isinstance(pace, str):
        if pace not in _NAMES:
            raise checks.wrong("pace", pace, _ACCEPTED)
        return pb.Pace(speed=_NAMES[pace])
    if isinstance(pace, (bool, np.bool_)):
        raise checks.wrong("pace", pace, _ACCEPTED)
    speed = checks.number("pace", pace, _ACCEPTED)
    if not (speed == 0 or 0.001 <= speed <= 1000):
        raise checks.wrong("pace", pace, _ACCEPTED)
    return pb.Pace(speed=speed)


@dataclass(frozen=True, eq=False)
class PaceReport:
    """How well a paced session has kept its time, since it was made or brought back."""

    speed: float  # seconds of culture time a second
    num_steps: int  # steps and runs that were paced
    num_late: int  # of these, answered more than 1 ms after they were due
    mean_jitter_us: float  # answered so long after they were due
    max_jitter_us: float
    # Steps whose jitter is less than a bound and not less than the one before it; the last count,
    # one more than there are bounds, is of the rest.
    jitter_counts: np.ndarray  # int64 [num_bounds + 1]
    jitter_bounds_us: np.ndarray  # float64 [num_bounds]

    @classmethod
    def from_message(cls, message: Any) -> PaceReport:
        return cls(
            speed=message.speed,
            num_steps=int(message.num_steps),
            num_late=int(message.num_late),
            mean_jitter_us=message.mean_jitter_us,
            max_jitter_us=message.max_jitter_us,
            jitter_counts=np.array(message.jitter_counts, np.int64),
            jitter_bounds_us=np.array(message.jitter_bounds_us, np.float64),
        )
