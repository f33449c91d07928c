"""Render: what cultures were given in the last step, and how they fired."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from serving import TASK

from conformance.drivers import Answer, Refused


def bits(answer: Answer) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in answer.items()}


def refusal_of(call: Callable[[], Any]) -> Refused:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value


def test_render_tells_how_the_last_step_was(client):
    session = client.session(TASK, 3, max_episode_steps=2)
    assert refusal_of(session.render).reason == "NOT_RESET"
    session.reset([1, 2, 3])
    assert not session.render()["simulated"].any()
    actions = session.actions(0)
    actions[:, 1] = [0.5, -1, 0]
    answer = session.step(actions)
    before = session.next_op_index
    seen = session.render()
    assert session.next_op_index == before, "it is no operation"
    assert seen["simulated"].tolist() == [True] * 3
    counts = np.diff(seen["spike_offsets"])
    assert counts.tolist() == answer["infos.num_spikes"].tolist()
    assert seen["pulse_electrodes"].tolist() == [1, 1]
    assert seen["pulse_offsets"].tolist() == [0, 1, 2, 2]
    half, whole = seen["pulse_ua"]  # positive is cathodic first
    assert half < 0 and whole == -2 * half
    chosen = session.render([2, 0])
    assert np.diff(chosen["spike_offsets"]).tolist() == counts[[2, 0]].tolist()
    assert chosen["pulse_ua"].tolist() == seen["pulse_ua"][:1].tolist()
    assert bits(session.render()) == bits(seen)
    session.reset([9, 0, 0], [True, False, False])
    assert session.render()["simulated"].tolist() == [False, True, True]
    assert bits(session.render([1])) != bits(session.render([0]))
    assert session.step(actions)["truncated"].tolist() == [False, True, True]
    session.step(actions)  # of two copies the next episode begins
    assert session.render()["simulated"].tolist() == [True, False, False]


def test_render_shows_the_end_that_same_step_took_away(client):
    session = client.session(TASK, 1, "same_step", max_episode_steps=1)
    session.reset([1])
    answer = session.step(session.actions(1))
    assert answer["began"].all()
    seen = session.render()
    assert seen["simulated"].all() and len(seen["pulse_ua"]) == session.spec.actions[0].shape[0]
    assert len(seen["spike_gids"]) == answer["final_infos.num_spikes"][0]


def test_render_of_copies_that_are_not_there(client):
    session = client.session(TASK, 2)
    session.reset([1, 2])
    for copies, field in (([2], "copies[0]"), ([0, -1], "copies[1]"), ([0, 1, 0], "copies")):
        told = refusal_of(lambda copies=copies: session.render(copies))
        assert (told.reason, told.metadata["field"]) == ("INVALID_FIELD", field)
