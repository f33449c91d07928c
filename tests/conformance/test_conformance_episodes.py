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


def rows(answer: Answer, copies: np.ndarray, prefix: str = "") -> dict[str, bytes]:
    """Bits of what these copies show, or showed last (prefix "final_")."""
    shown = {}
    for name, array in answer.items():
        if name.startswith((f"{prefix}observations", f"{prefix}infos.")):
            shown[name.removeprefix(prefix)] = (array if prefix else array[copies]).tobytes()
    return shown


def final_names(answer: Answer) -> set[str]:
    return {name for name in answer if name.startswith("final_")}


def shown_names(session: Session) -> set[str]:
    return {"final_observations", *(f"final_infos.{info.name}" for info in session.spec.infos)}


@pytest.mark.parametrize("environment_id", [TASK, "Null-v0"])
def test_a_step_under_same_step_is_one_that_ends_episodes_and_a_reset_after_it(
    client, environment_id
):
    session = client.session(environment_id, 3, "same_step", max_episode_steps=4)
    by_hand = client.session(environment_id, 3, "disabled", max_episode_steps=4)
    for each in (session, by_hand):
        each.reset([1, 2, 3])
        each.step(each.actions(0.5))
        each.reset([0, 7, 0], [False, True, False])  # from here on it ends one step later
    num_ended = 0
    for step in range(14):
        got, want = (each.step(some_actions(each, step)) for each in (session, by_hand))
        ended = got["truncated"]
        for name in ("rewards", "terminated", "truncated"):
            assert got[name].tobytes() == want[name].tobytes()
        assert got["began"].tolist() == ended.tolist()
        assert final_names(got) == (shown_names(session) if ended.any() else set())
        if ended.any():
            num_ended += ended.sum()
            assert rows(got, ended, "final_") == rows(want, ended)
            want = by_hand.reset(mask=ended.tolist())
            assert want["seeds"].tolist() == got["episode_seeds"].tolist()
        assert rows(got, ended) == rows(want, ended)
        assert bits(session.observe()) == bits(by_hand.observe())
    assert num_ended == 9


def test_under_same_step_every_action_counts(client):
    session = client.session(TASK, 2, "same_step", max_episode_steps=1)
    session.reset([1, 2])
    assert session.step(session.actions(0.5))["began"].all()
    before = session.observe()
    odd = session.actions(0.5)
    odd[1, 0] = np.nan
    with pytest.raises(Refused) as caught:
        session.step(odd)
    assert caught.value.metadata["field"] == "actions[0].data"
    assert bits(session.observe()) == bits(before)
    assert session.step(session.actions(0.5))["began"].all()


def test_other_modes_show_nothing_final(client):
    for mode in ("next_step", "disabled"):
        session = client.session(TASK, 1, mode, max_episode_steps=1)
        session.reset([1])
        answer = session.step(session.actions(0))
        assert answer["truncated"].all() and not final_names(answer)


# --- limits of a session's own --------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["next_step", "same_step", "disabled"])
@pytest.mark.parametrize("limit", [1, 3])
def test_a_session_may_end_episodes_earlier(client, mode, limit):
    session = client.session(TASK, 2, mode, max_episode_steps=limit)
    assert session.spec.max_episode_steps == limit
    session.reset([1, 2])
    play_to_the_end(session)


def test_the_environments_own_limit_counts_where_it_is_earlier(client):
    own = client.environment(TASK).max_episode_steps
    for limit in (None, own, own + 1, 2**63 - 1):
        session = client.session(TASK, 1, max_episode_steps=limit)
        assert session.spec.max_episode_steps == own
        session.close()
    session = client.session(TASK, 1, max_episode_steps=own + 1)
    session.reset([1])
    play_to_the_end(session)


def test_a_limit_below_one_step_is_refused(client):
    with pytest.raises(Refused) as caught:
        client.session(TASK, 1, max_episode_steps=-1)
    told = caught.value
    assert (told.code, told.reason) == ("INVALID_ARGUMENT", "INVALID_FIELD")
    assert (told.metadata["field"], told.metadata["value"]) == ("max_episode_steps", "-1")


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


@pytest.mark.parametrize("mode", ["next_step", "same_step"])
def test_episodes_that_autoreset_begins_have_the_seeds_that_a_reset_would_have_given(client, mode):
    stepped, reset = client.session(TASK, 2, mode), client.session(TASK, 2)
    for session in (stepped, reset):
        session.reset([1, 2])
        begun = play_to_the_end(session)
    if mode == "next_step":
        begun = stepped.step(stepped.actions(0))
    else:
        begun = stepped.observe()
    want = reset.reset()
    assert begun["episode_seeds"].tolist() == want["seeds"].tolist()
    assert begun["observations"].tobytes() == want["observations"].tobytes()
    again = client.session(TASK, 2)
    again.reset(begun["episode_seeds"].tolist())
    actions = some_actions(again, 3)
    assert bits(again.step(actions)) == bits(stepped.step(actions)) == bits(reset.step(actions))
