"""The court on which a culture plays Pong."""

from __future__ import annotations

import numpy as np

from livnd.gym.views import canvas, numbers
from livnd.gym.views.activity import History
from livnd.specs import EnvironmentSpec

NAMES = ("ball_x", "ball_y", "paddle_y")
_FEEDBACK = "feedback"
_COUNTS = ("num_hits", "num_misses", "rally")
_LINE = 12  # pixels of a line of text
_COLOURS = (canvas.FAINT, canvas.GREEN, canvas.RED)  # by the info `feedback`: none, hit, miss


class PongView:
    """Draws it from the infos, the paddle at the left; then hits and misses, and the other numbers.

    The wall at the right is green while the culture gets feedback after a hit, red after a miss.

    Args:
        spec: of an environment whose infos have NAMES.
    """

    def __init__(self, spec: EnvironmentSpec) -> None:
        self._rest = numbers.NumbersView(spec, without=(*NAMES, *_COUNTS, _FEEDBACK))
        self._half_paddle = spec.settings.get("half_paddle", 0.1)

    def draw(self, on: np.ndarray, history: History) -> None:
        """The court above, the numbers below it."""
        now = history.now
        ball_x, ball_y, paddle_y = (now.number(name) for name in NAMES)
        bottom = on.shape[0] * 2 // 3
        court = on[:bottom, 8:-8]
        court[:] = canvas.PAPER
        height, width = court.shape[:2]
        feedback = int(np.nan_to_num(now.number(_FEEDBACK)))
        canvas.fill(court, 0, width - 4, height, 4, _COLOURS[min(max(feedback, 0), 2)])
        if np.isfinite([ball_x, ball_y, paddle_y]).all():
            top = (1 - paddle_y - self._half_paddle) * (height - 1)
            canvas.fill(court, top, 0, 2 * self._half_paddle * (height - 1), 5, canvas.INK)
            at = (1 - ball_y) * (height - 1), 5 + ball_x * (width - 10)
            canvas.disc(court, *at, 4, canvas.ORANGE)
        counts = (f"{n.removeprefix('num_')}: {now.number(n):.0f}" for n in _COUNTS)
        canvas.write(on, bottom + 4, 8, "   ".join(counts))
        self._rest.draw(on[bottom + _LINE :], history)
