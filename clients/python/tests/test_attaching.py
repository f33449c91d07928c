"""Environments that go on with a session that is there already."""

from __future__ import annotations

import gymnasium
import livnd
import numpy as np
import pytest
from conftest import ENVIRONMENT, GYM_ID
from livnd import errors


def some(env, number: int) -> np.ndarray:
    space = env.action_space
    return np.full(space.shape, 0.1 * number, space.dtype)


def test_an_environment_goes_on_where_another_process_was_killed(address, run_python):
    process = run_python(
        f"""
import os, signal, gymnasium, livnd
env = gymnasium.make({GYM_ID!r}, address={address!r})
env.reset(seed=3)
print(env.step(env.action_space.low * 0)[0].tobytes().hex())
print(env.unwrapped._session.name, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    )
    seen, name = process.communicate(timeout=60)[0].split()
    env = gymnasium.make(GYM_ID, address=address, session=name)
    observation, _ = env.reset(options={"resume": True})
    assert observation.tobytes().hex() == seen
    assert env.unwrapped.episode_seed == 3
    other = gymnasium.make(GYM_ID, address=address)
    other.reset(seed=3)
    other.step(some(other, 0))
    for step in range(3):
        told, expected = env.step(some(env, step)), other.step(some(other, step))
        assert told[0].tobytes() == expected[0].tobytes() and told[1:4] == expected[1:4]
    # A reset begins an episode, in the same session.
    env.reset(seed=5)
    assert env.unwrapped._session.name == name
    env.close()
    other.close()


def test_a_vector_environment_goes_on_and_its_last_holder_is_told(address):
    how = {"num_envs": 3, "address": address, "autoreset_mode": "SameStep"}
    first = gymnasium.make_vec(GYM_ID, max_episode_steps=7, **how)
    assert first.observe() is None
    first.reset(seed=1)
    shown = first.step(some(first, 1))[0]
    envs = gymnasium.make_vec(GYM_ID, session=first._session.name, **how)
    np.testing.assert_array_equal(envs.observe()[0], shown)
    np.testing.assert_array_equal(envs.reset(options={"resume": True})[0], shown)
    with pytest.raises(errors.SupersededError):
        first.step(some(first, 2))
    envs.step(some(envs, 2))
    name = envs.detach()
    envs.close()
    again = gymnasium.make_vec(GYM_ID, session=name, max_episode_steps=7, **how)
    assert again.observe()[0].shape == shown.shape
    again.step(some(again, 3))
    again.close()
    first.close()


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("environment_id", {"id": "livnd/TargetRate-EI-100-v0"}),
        ("num_envs", {"num_envs": 3}),
        ("autoreset_mode", {"autoreset_mode": "Disabled"}),
        ("max_episode_steps", {"max_episode_steps": 9}),
        ("pace", {"pace": "real"}),
    ],
)
def test_a_session_of_another_kind_is_refused_and_stays_its_holders(client, address, field, change):
    session = client.create_session(ENVIRONMENT, 2, max_episode_steps=8)
    session.reset([1, 2])
    how = {"id": GYM_ID, "num_envs": 2, "address": address, "session": session.name}
    with pytest.raises(errors.InvalidFieldError) as refused:
        gymnasium.make_vec(**{**how, **change})
    assert refused.value.field == field
    session.step(np.zeros((2, 8)))  # nobody has taken it over
    gymnasium.make_vec(**how).close()


def test_one_copy_and_no_autoreset_are_what_make_takes(client, address):
    for field, more in (("num_envs", {"num_envs": 2}), ("autoreset_mode", {})):
        session = client.create_session(ENVIRONMENT, **more)
        with pytest.raises(errors.InvalidFieldError) as refused:
            gymnasium.make(GYM_ID, address=address, session=session.name)
        assert refused.value.field == field


@pytest.mark.parametrize("make", ["make", "make_vec"])
def test_there_has_to_be_something_to_resume(address, make):
    env = getattr(gymnasium, make)(GYM_ID, address=address)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.reset(options={"resume": True})
    first = env.reset(seed=1)[0]
    for how in ({"seed": 1, "options": {"resume": True}}, {"options": {"resume": 1}}):
        with pytest.raises(errors.InvalidFieldError):
            env.reset(**how)
    np.testing.assert_array_equal(env.reset(options={"resume": True})[0], first)
    env.close()


def test_a_session_that_is_not_there_is_told(address):
    with pytest.raises(errors.UnknownSessionError):
        gymnasium.make(GYM_ID, address=address, session="nobody's")
    with pytest.raises(errors.InvalidFieldError):
        gymnasium.make(GYM_ID, address=address, session=7)


# --- paces ----------------------------------------------------------------------------------------


def test_an_environment_keeps_a_pace_and_tells_how_well(address):
    env = gymnasium.make(GYM_ID, address=address, pace=200)
    envs = gymnasium.make_vec(GYM_ID, num_envs=2, address=address, pace="free")
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.unwrapped.pace_report()
    env.reset(seed=1)
    envs.reset(seed=1)
    for step in range(3):
        told, expected = env.step(some(env, step))[0], envs.step(some(envs, step))[0]
        assert told.tobytes() == expected[0].tobytes()
    report = env.unwrapped.pace_report()
    assert (report.speed, report.num_steps) == (200.0, 3)
    assert report.jitter_counts.sum() == 3
    assert len(report.jitter_counts) == len(report.jitter_bounds_us) + 1
    assert 0 <= report.num_late <= 3
    assert 0 <= report.mean_jitter_us <= report.max_jitter_us
    assert envs.pace_report() is None
    env.close()
    envs.close()


def test_paces_have_names(client):
    for pace, speed in ((None, 0.0), ("free", 0.0), ("real", 1.0), (2, 2.0), (0.5, 0.5)):
        assert client.create_session(ENVIRONMENT, pace=pace).pace == speed


@pytest.mark.parametrize("pace", ["fast", -1, 1e-4, 1001, float("nan"), True, [1]])
def test_no_other_pace_is_taken(client, address, pace):
    for call in (
        lambda: client.create_session(ENVIRONMENT, pace=pace),
        lambda: gymnasium.make(GYM_ID, address=address, pace=pace),
    ):
        with pytest.raises(errors.InvalidFieldError) as refused:
            call()
        assert refused.value.field == "pace"
    with livnd.connect(address) as still_good:
        still_good.server_info()
