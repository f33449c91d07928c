"""The cart and the pole that a culture balances."""

from __future__ import annotations

import numpy as np

from livnd.gym.views import canvas, numbers
from livnd.gym.views.activity import History
from livnd.specs import EnvironmentSpec

NAMES = ("cart_position_m", "pole_angle_rad", "force_n")
_TRACK_M = 2.4  # from the middle to where the episode ends
_POLE_M = 1.0


class CartPoleView:
    """Draws them from the infos, with the force that pushes; then the other numbers.

    Args:
        spec: of an environment whose infos have NAMES.
    """

    def __init__(self, spec: EnvironmentSpec) -> None:
        self._rest = numbers.NumbersView(spec, without=NAMES)
        self._most_n = spec.settings.get("max_force_n", 10.0)

    def draw(self, on: np.ndarray, history: History) -> None:
        """The cart above, the numbers below."""
        now = history.now
        position_m, angle_rad, force_n = (now.number(name) for name in NAMES)
        bottom = on.shape[0] // 2
        box = on[:bottom, 8:-8]
        box[:] = canvas.PAPER
        height, width = box.shape[:2]
        if np.isfinite(position_m) and np.isfinite(angle_rad):
            pixels_per_m = width / (2 * _TRACK_M)
            ground, middle = height - 8, width / 2 + position_m * pixels_per_m
            canvas.line(box, (ground, 0), (ground, width - 1), canvas.FAINT)
            canvas.fill(box, ground - 8, middle - 12, 8, 24, canvas.INK)
            length = min(_POLE_M * pixels_per_m, ground - 12)
            foot = (ground - 8.0, middle)
            tip = (foot[0] - length * np.cos(angle_rad), middle + length * np.sin(angle_rad))
            canvas.line(box, foot, tip, canvas.ORANGE, 3)
            pushed = np.nan_to_num(force_n) / self._most_n * 40
            colour = canvas.RED if pushed > 0 else canvas.BLUE
            canvas.line(box, (ground + 4, middle), (ground + 4, middle + pushed), colour, 3)
        self._rest.draw(on[bottom:], history)
