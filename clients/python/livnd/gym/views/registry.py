"""Which view a task has."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from livnd.gym.views import cart_pole, pong
from livnd.gym.views.cart_pole import CartPoleView
from livnd.gym.views.numbers import Marked, NumbersView, TaskView, WantedAndGot
from livnd.gym.views.pong import PongView
from livnd.specs import EnvironmentSpec

# Makes the view of an environment; None where it lacks what the view draws.
MakeView = Callable[[EnvironmentSpec], "TaskView | None"]


def maker(kind: Callable[[EnvironmentSpec], TaskView], *names: str) -> MakeView:
    """A view of these infos, for environments that have them all."""

    def make(spec: EnvironmentSpec) -> TaskView | None:
        return kind(spec) if set(names) <= {s.name for s in spec.infos} else None

    return make


def wanted_and_got(wanted: str, got: str) -> MakeView:
    """WantedAndGot of two infos."""
    return maker(partial(WantedAndGot, wanted=wanted, got=got), wanted, got)


def marked(number: str, mark: str) -> MakeView:
    """Marked of two infos."""
    return maker(partial(Marked, number=number, mark=mark), number, mark)


_BY_TASK: dict[str, MakeView] = {
    "TargetRate": wanted_and_got("target_rate_hz", "rate_hz"),
    "PatternEvocation": wanted_and_got("wanted_spikes", "heard_spikes"),
    "BurstSuppression": marked("spikes_per_cell", "is_burst"),
    "CartPole": maker(CartPoleView, *cart_pole.NAMES),
    "Pong": maker(PongView, *pong.NAMES),
    "PongFeedback": maker(PongView, *pong.NAMES),
}


def register(task: str, make: MakeView) -> None:
    """Has `make` give the view of a task, by its name in EnvironmentSpec.task.

    The last one that is registered counts.
    """
    _BY_TASK[task] = make


def view_of(spec: EnvironmentSpec) -> TaskView:
    """The task's own view; for a task without one, a list of its numbers."""
    make = _BY_TASK.get(spec.task)
    view = make(spec) if make is not None else None
    return NumbersView(spec) if view is None else view
