"""Episodes, their seeds and, with NEXT_STEP, the next ones."""

from __future__ import annotations

import numpy as np

from livnd.conformance.cases import NotOffered, expect, expect_equal, expect_refused
from livnd.conformance.subject import Subject


def a_reset_tells_its_seeds(server: Subject) -> None:
    """A Reset with seeds begins every copy's episode with its seed, and Step and Observe go on
    telling it.
    """
    session = server.session(3)
    seeds = [1, 2**63, 2**64 - 1]
    told = session.reset(seeds)
    expect_equal("episode_seeds", told["episode_seeds"].tolist(), seeds)
    expect_equal("began", told["began"].tolist(), [True] * 3)
    told = session.step()
    expect_equal("episode_seeds of a Step", told["episode_seeds"].tolist(), seeds)
    expect_equal("began of a Step", told["began"].tolist(), [False] * 3)
    seen = session.observe()
    expect_equal("episode_seeds of Observe", seen["episode_seeds"].tolist(), seeds)
    expect_equal("episodes", seen["episodes"].tolist(), [1, 1, 1])


def a_reset_without_seeds_goes_on_with_its_stream(server: Subject) -> None:
    """Reset(seed) and then Reset() have the same pair of seeds each time, and the second is not
    the first; copies that were never given one have seeds of their own.
    """
    pairs = []
    for _ in range(2):
        session = server.session(1)
        pairs.append([int(session.reset(s)["episode_seeds"][0]) for s in ([7], None, None)])
    expect_equal("the seeds of three episodes", pairs[1], pairs[0])
    expect_equal("different seeds among them", len(set(pairs[0])), 3)
    fresh = server.session(4).reset()["episode_seeds"].tolist()
    expect_equal("different seeds of four copies without any", len(set(fresh)), 4)


def a_seed_is_an_episode(server: Subject) -> None:
    """A Reset with the seed that an answer told begins the same episode again."""
    if not server.spec.deterministic:
        raise NotOffered("the environment is not deterministic")
    session = server.session(1)
    session.reset([5])
    first = session.reset()
    told = session.step(1)
    again = server.session(1)
    begun = again.reset([int(first["episode_seeds"][0])])
    name = f"observation {server.spec.observations[0].name}"
    expect_equal("the first observation", begun[name].tobytes(), first[name].tobytes())
    expect_equal("the next one", again.step(1)[name].tobytes(), told[name].tobytes())


def some_copies_may_be_reset(server: Subject) -> None:
    """A Reset with a mask begins the episodes of the selected copies; the others show what they
    showed, and go on.
    """
    session = server.session(2)
    session.reset([1, 2])
    before = session.step(1)
    told = session.reset([0, 9], [False, True])
    name = f"observation {server.spec.observations[0].name}"
    expect_equal("began", told["began"].tolist(), [False, True])
    expect_equal("episode_seeds", told["episode_seeds"].tolist(), [1, 9])
    expect_equal("the other copy", told[name][0].tobytes(), before[name][0].tobytes())
    seen = session.observe()
    expect_equal("episodes", seen["episodes"].tolist(), [1, 2])


def a_mask_selects_something(server: Subject) -> None:
    """A Reset whose mask selects no copy is INVALID_ARGUMENT / INVALID_FIELD of mask; one of
    another length, and seeds of another number, are too.
    """
    session = server.session(2)
    session.reset([1, 2])
    for what, seeds, mask, field in (
        ("a mask of none", [1, 2], [False, False], "mask"),
        ("a mask too long", [1, 2], [True] * 3, "mask"),
        ("seeds too few", [1], None, "seeds"),
    ):
        expect_refused(
            what,
            lambda seeds=seeds, mask=mask: session.reset(seeds, mask),
            "INVALID_ARGUMENT",
            "INVALID_FIELD",
            field,
        )
    session.step()


def an_unknown_option_is_refused(server: Subject) -> None:
    """A Reset with an option that the spec does not name is INVALID_ARGUMENT / INVALID_FIELD of
    options.
    """
    session = server.session(1)
    request = session.reset_request([1])
    request.options.add(name="no_such_option", value=1.0)
    expect_refused(
        "the option no_such_option",
        lambda: server.call("Reset", request),
        "INVALID_ARGUMENT",
        "INVALID_FIELD",
        "options",
    )
    session.reset([1])


def episodes_may_be_made_shorter(server: Subject) -> None:
    """CreateSession's max_episode_steps truncates episodes after so many steps, and the session's
    environment says so; less than 0 is INVALID_FIELD.
    """
    session = server.session(2, max_episode_steps=2)
    expect_equal("the session's max_episode_steps", session.answer.environment.max_episode_steps, 2)
    session.reset([1, 2])
    for wanted in (False, True):
        told = session.step()
        if told["terminated"].any():
            raise NotOffered("an episode of the environment has ended by itself")
        expect_equal("truncated", told["truncated"].tolist(), [wanted] * 2)
    expect_refused(
        "max_episode_steps -1",
        lambda: server.create(1, max_episode_steps=-1),
        "INVALID_ARGUMENT",
        "INVALID_FIELD",
        "max_episode_steps",
    )


def the_step_after_the_last_begins_the_next_episode(server: Subject) -> None:
    """With NEXT_STEP the Step after an episode's end ignores the copy's action, begins the next
    episode, and answers its first observation with reward 0 and both flags false; the other copies
    step as usual.
    """
    session = server.session(2, max_episode_steps=2)
    session.reset([1, 2])
    session.step()
    session.reset([3, 0], [True, False])  # the second copy ends one step before the first
    told = session.step()
    if told["terminated"].any():
        raise NotOffered("an episode of the environment has ended by itself")
    expect_equal("truncated", told["truncated"].tolist(), [False, True])
    expect_equal("began", told["began"].tolist(), [False, False])

    request = session.step_request()
    if np.issubdtype(server.spec.actions[0].dtype, np.floating):
        unread = session.actions()
        unread[1] = np.nan
        request = session.step_request(unread)
    told = session.operate("Step", request)
    expect_equal("began", told["began"].tolist(), [False, True])
    expect_equal("truncated", told["truncated"].tolist(), [True, False])
    expect_equal("the reward of the Step that begins", told["rewards"][1], 0.0)
    expect(told["episode_seeds"][1] != 2, "the next episode has the seed of the last one")
    told = session.step()
    expect_equal("began, one Step later", told["began"].tolist(), [True, False])
    expect_equal("truncated, one Step later", told["truncated"].tolist(), [False, False])
    expect_equal("episodes", session.observe()["episodes"].tolist(), [3, 2])
