"""Steps and their actions."""

from __future__ import annotations

import numpy as np

from livnd.conformance.cases import (
    NotOffered,
    expect,
    expect_equal,
    expect_refused,
    expect_same_bits,
)
from livnd.conformance.subject import Answer, Driven, Subject
from livnd.tensors import encode


def before_a_reset_there_is_nothing(server: Subject) -> None:
    """Step and Observe of a session that was never reset are FAILED_PRECONDITION / NOT_RESET, and
    so is a Step after a Reset of some of its copies.
    """
    session = server.session(2)
    expect_refused("Step", session.step, "FAILED_PRECONDITION", "NOT_RESET")
    expect_refused("Observe", session.observe, "FAILED_PRECONDITION", "NOT_RESET")
    expect_refused(
        "a Reset that leaves a copy out",
        lambda: session.reset([1, 2], [True, False]),
        "FAILED_PRECONDITION",
        "NOT_RESET",
    )
    session.reset([1, 2])
    session.step()


def answers_are_as_the_spec_says(server: Subject) -> None:
    """Reset, Step and Observe answer every observation and info of the spec, with its dtype, shape
    and bounds and one row for each copy; rewards are finite.
    """
    session = server.session(3)
    session.reset([1, 2, 3])
    for number in range(4):
        told = session.step(number)
        expect(np.all(np.isfinite(told["rewards"])), "a reward is not finite")
    seen = session.observe()
    shown = [name for name in told if name.startswith(("observation ", "info "))]
    expect_same_bits("Observe", {n: seen[n] for n in shown}, {n: told[n] for n in shown})


def _story(session: Driven, num_steps: int = 5) -> list[Answer]:
    return [session.step(number) for number in range(num_steps)]


def seeds_and_actions_decide_everything(server: Subject) -> None:
    """Two sessions with the same seeds and actions have the same bits, where the environment says
    that it is deterministic.
    """
    if not server.spec.deterministic:
        raise NotOffered("the environment is not deterministic")
    told = []
    for _ in range(2):
        session = server.session(2)
        told.append([session.reset([21, 22]), *_story(session)])
    for step, (got, wanted) in enumerate(zip(*told, strict=True)):
        expect_same_bits(f"the second session, operation {step + 1}", got, wanted)


def copies_are_alone(server: Subject) -> None:
    """What a copy does depends on its own seed and actions, not on how many others there are and
    at which place it is.
    """
    if not server.spec.deterministic:
        raise NotOffered("the environment is not deterministic")
    many, alone = server.session(3), server.session(1)
    got, wanted = many.reset([31, 32, 33]), alone.reset([32])
    for number in range(5):
        expect_same_bits(
            f"copy 1 of 3 beside one alone, operation {number + 1}",
            {name: array[1:2] for name, array in got.items()},
            wanted,
        )
        request = alone.step_request(many.actions(number)[1:2])
        got, wanted = many.step(number), alone.operate("Step", request)


def actions_have_to_fit(server: Subject) -> None:
    """A Step whose actions have another count, dtype, shape or length, are not finite or out of
    bounds is INVALID_ARGUMENT / INVALID_FIELD of actions[0], and changes nothing.
    """
    session = server.session(2)
    session.reset([1, 2])
    before = session.position()
    spec = server.spec.actions[0]
    good = session.actions()

    def refused(what: str, change: object) -> None:
        request = session.step_request()
        change(request.actions[0])
        expect_refused(
            what,
            lambda: server.call("Step", request),
            "INVALID_ARGUMENT",
            "INVALID_FIELD",
            "actions[0]",
        )

    other = np.float64 if spec.dtype == np.float32 else np.float32
    refused("another dtype", lambda t: t.CopyFrom(encode(good, other)))
    refused("one copy too few", lambda t: t.CopyFrom(encode(good[:1], spec.dtype)))
    flat = good.reshape(-1, *([1] * (good.ndim - 1)))
    if flat.shape != good.shape:
        refused("another shape", lambda t: t.CopyFrom(encode(flat, spec.dtype)))
    refused("a byte too few", lambda t: setattr(t, "data", t.data[:-1]))
    if np.issubdtype(spec.dtype, np.floating):
        for value in (np.nan, np.inf):
            bad = good.copy()
            bad.flat[-1] = value
            refused(f"{value}", lambda t, bad=bad: t.CopyFrom(encode(bad, spec.dtype)))
    above = np.nextafter(spec.high.max(), np.inf)
    if np.isfinite(above):
        bad = good.copy()
        bad[-1] = spec.high + np.maximum(1, np.abs(spec.high))
        refused("above the bounds", lambda t: t.CopyFrom(encode(bad, spec.dtype)))
    expect_equal("Observe afterwards", session.position(), before)
    session.step(1)


def actions_are_counted(server: Subject) -> None:
    """A Step with a tensor too many is INVALID_ARGUMENT / INVALID_FIELD of actions."""
    session = server.session(1)
    session.reset([1])
    request = session.step_request()
    request.actions.append(request.actions[0])
    expect_refused(
        "one tensor too many",
        lambda: server.call("Step", request),
        "INVALID_ARGUMENT",
        "INVALID_FIELD",
        "actions",
    )
