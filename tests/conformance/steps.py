"""Steps whose actions depend on their number, and their answers held against each other."""

from __future__ import annotations

import numpy as np

from conformance.drivers import Answer, Session


def actions_of(session: Session, step: int, number: int = 1) -> np.ndarray:
    """Of all copies in a step; of another number others."""
    actions = session.actions(0)
    for copy in range(session.num_envs):
        actions[copy] = 0.3 * np.sin(number + copy + 1.7 * step + np.arange(actions.shape[1]))
    return actions


def steps(session: Session, first: int, last: int, number: int = 1) -> list[Answer]:
    """What the steps first .. last - 1 say."""
    return [session.step(actions_of(session, step, number)) for step in range(first, last)]


def assert_same(told: list[Answer], expected: list[Answer]) -> None:
    """To the last bit."""
    for step, (got, wanted) in enumerate(zip(told, expected, strict=True)):
        assert got.keys() == wanted.keys()
        for name in wanted:
            assert got[name].tobytes() == wanted[name].tobytes(), (step, name)
