"""Episodes: how they begin, end and begin again, and from which seeds."""

from __future__ import annotations

import numpy as np
import pytest
from serving import TASK

from conformance.drivers import Answer, Refused, Session


def bits(answer: Answer) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in answer.items()}


def some_actions(session: Session, step: int) -> np.ndarray:
    """Actions that differ by step, copy and electrode, within bounds."""
    zeros = session.actions(0)
    return (np.arange(zeros.size).reshape(zeros.shape) * 3 + step * 7) % 21 / np.float32(10) - 1


def play_to_the_end(session: Session) -> Answer:
    """The last step of an episode of which no step was made yet."""
    for step in range(session.spec.max_episode_steps):
        answer = session.step(some_actions(session, step))
        assert answer["truncated"].any() == (step + 1 == session.spec.max_episode_steps)
    return answer


# --- autoreset ------------------------------------------------------------------------------------


def test_under_next_step_the_step_after_the_last_begins_the_next_episode(client):
    session = client.session(TASK, 2)
    first = session.reset([1, 2])
    assert first["seeds"].tolist() == [1, 2]
    last = play_to_the_end(session)
    assert last["truncated"].all() and not last["terminated"].any() and not last["began"].any()
    assert last["episode_seeds"].tolist() == [1, 2]
    begun = session.step(some_actions(session, 0))
    assert begun["began"].all()
    assert not (begun["truncated"] | begun["terminated"]).any()
    assert begun["rewards"].tolist() == [0, 0]
    seen = session.observe()
    assert seen["episodes"].tolist() == [2, 2] and seen["ticks"].tolist() == [0, 0]
    assert seen["episode_seeds"].tolist() == begun["episode_seeds"].tolist() != [1, 2]
    assert seen["observations"].tobytes() == begun["observations"].tobytes()
    assert not session.step(some_actions(session, 1))["began"].any()


def test_under_next_step_the_action_of_an_ended_copy_is_not_looked_at(client):
    sessions = [client.session(TASK, 2) for _ in range(2)]
    for session in sessions:
        session.reset([1, 2])
        session.step(session.actions(0.5))
        session.reset([3, 0], [True, False])  # the second copy ends one step before the first
        for step in range(session.spec.max_episode_steps - 1):
            answer = session.step(some_actions(session, step))
        assert answer["truncated"].tolist() == [False, True]
    fine = sessions[0].actions(0.25)
    odd = fine.copy()
    odd[1] = [np.nan, np.inf, -np.inf, 1e30, -2, 2, np.nan, 0]
    answers = [session.step(a) for session, a in zip(sessions, (fine, odd), strict=True)]
    assert bits(answers[0]) == bits(answers[1])
    assert answers[0]["began"].tolist() == [False, True]
    assert answers[0]["truncated"].tolist() == [True, False]
    # Now it is the first one's that does not matter; the second one's does again.
    with pytest.raises(Refused) as caught:
        sessions[1].step(odd)
    assert caught.value.metadata["field"] == "actions[0].data"
    assert bits(sessions[0].step(fine)) == bits(sessions[1].step(np.stack([odd[1], fine[1]])))


def test_under_next_step_a_reset_may_come_first(client):
    session = client.session(TASK, 1)
    session.reset([1])
    play_to_the_end(session)
    assert session.reset([5])["seeds"].tolist() == [5]
    assert not session.step(session.actions(0))["began"].any()
    assert session.observe()["episodes"].tolist() == [2]


def test_when_disabled_an_ended_copy_must_be_reset(client):
    session = client.session(TASK, 2, "disabled")
    session.reset([1, 2])
    session.step(session.actions(0))
    session.reset([3, 0], [True, False])
    for step in range(session.spec.max_episode_steps - 1):
        answer = session.step(some_actions(session, step))
    assert answer["truncated"].tolist() == [False, True]
    before = session.observe()
    with pytest.raises(Refused) as caught:
        session.step(session.actions(0))
    assert (caught.value.code, caught.value.reason) == ("FAILED_PRECONDITION", "EPISODE_ENDED")
    assert not caught.value.in_doubt
    assert bits(session.observe()) == bits(before)
    session.reset([3, 0], [True, False])  # of another copy: no help
    with pytest.raises(Refused) as caught:
        session.step(session.actions(0))
    assert caught.value.reason == "EPISODE_ENDED"
    assert session.reset([0, 9], [False, True])["seeds"].tolist() == [3, 9]
    assert session.step(session.actions(0))["truncated"].tolist() == [False, False]
    assert session.observe()["episodes"].tolist() == [3, 2]


# --- resets of some copies ------------------------------------------------------------------------


def test_a_mask_resets_only_its_copies(client):
    session = client.session(TASK, 3)
    session.reset([1, 2, 3])
    stepped = session.step(some_actions(session, 0))
    answer = session.reset([4, 5, 6], [False, True, False])
    assert answer["seeds"].tolist() == [1, 5, 3]
    for copy in (0, 2):
        kept, before = answer["observations"][copy], stepped["observations"][copy]
        assert kept.tobytes() == before.tobytes()
    seen = session.observe()
    assert seen["episodes"].tolist() == [1, 2, 1]
    ticks = round(session.spec.step_duration_ms * 1e6 / session.spec.tick_ns)
    assert seen["ticks"].tolist() == [ticks, 0, ticks]


def test_a_copy_that_is_reset_does_as_if_it_were_alone(client):
    crowd, alone = client.session(TASK, 11), client.session(TASK, 1)
    crowd.reset(range(11))
    crowd.step(crowd.actions(0.5))
    mask = [copy == 9 for copy in range(11)]
    got, want = crowd.reset([42] * 11, mask), alone.reset([42])
    for step in range(4):
        assert got["observations"][9].tobytes() == want["observations"][0].tobytes()
        actions = some_actions(crowd, step)
        got, want = crowd.step(actions), alone.step(actions[9:10])


def test_the_options_of_the_spec_are_taken(client):
    session = client.session(TASK, 1)
    assert session.spec.reset_options
    for option in session.spec.reset_options:
        for value in (option.min, option.max):
            session.reset([1], options={option.name: value})
            session.step(session.actions(0))


# --- seeds ----------------------------------------------------------------------------------------


def test_the_same_seed_and_actions_give_the_same_episode(client):
    def play(session: Session, seed: int) -> list[dict[str, bytes]]:
        answers = [bits(session.reset([seed]))]
        return answers + [bits(session.step(some_actions(session, step))) for step in range(8)]

    a, b = client.session(TASK), client.session(TASK)
    first = play(a, 5)
    assert play(b, 5) == first
    assert play(a, 5) == first, "a session forgets its past"
    others = [play(a, seed) for seed in (6, 5 + 2**32, 2**64 - 1)]
    assert all(other[1:] != first[1:] for other in others)


def test_a_reset_without_a_seed_goes_on_with_the_copys_own_stream(client):
    a, b = client.session(TASK, 3), client.session(TASK, 3)
    for session in (a, b):
        session.reset([7, 8, 2**64 - 1])
    second = a.reset()
    assert bits(second) == bits(b.reset())
    assert not set(second["seeds"].tolist()) & {7, 8, 2**64 - 1}
    assert len(set(second["seeds"].tolist())) == 3
    mixed = a.reset([None, 3, None])
    assert mixed["seeds"].tolist()[1] == 3
    assert bits(mixed) == bits(b.reset([None, 3, None]))


def test_copies_that_were_never_given_a_seed_are_all_different(client):
    seeds = [s for _ in range(2) for s in client.session(TASK, 4).reset()["seeds"].tolist()]
    assert len(set(seeds)) == 8


def test_episodes_that_autoreset_begins_have_the_seeds_that_a_reset_would_have_given(client):
    stepped, reset = client.session(TASK, 2), client.session(TASK, 2)
    for session in (stepped, reset):
        session.reset([1, 2])
        play_to_the_end(session)
    begun, want = stepped.step(stepped.actions(0)), reset.reset()
    assert begun["episode_seeds"].tolist() == want["seeds"].tolist()
    assert begun["observations"].tobytes() == want["observations"].tobytes()
    again = client.session(TASK, 2)
    again.reset(begun["episode_seeds"].tolist())
    actions = some_actions(again, 3)
    assert bits(again.step(actions)) == bits(stepped.step(actions)) == bits(reset.step(actions))
