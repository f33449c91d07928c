"""How long sessions live: gone ones are left behind, and none outlives what held it here."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import time

import gymnasium
import livnd
import numpy as np
import pytest
from conftest import ENVIRONMENT, GYM_ID, short_folder, wait_until
from livnd import errors, local_server
from livnd._proto import pb

GYMS = {
    "env": lambda **more: gymnasium.make(GYM_ID, **more),
    "vector": lambda **more: gymnasium.make_vec(GYM_ID, num_envs=2, **more),
}


def session_name(env) -> str:
    return env.unwrapped._session.name


def exists(client: livnd.Client, name: str) -> bool:
    try:
        client.call("Observe", pb.ObserveRequest(session=name))
    except errors.UnknownSessionError:
        return False
    return True


# --- sessions that are gone -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", GYMS)
def test_reset_goes_on_when_the_server_came_back_without_the_session(kind, start_server, tmp_path):
    server = start_server(f"unix:{short_folder(tmp_path)}/gone.sock")
    env = GYMS[kind](address=server.address)
    first = env.reset(seed=3)[0]
    server.kill()
    server.forget()
    server.start()
    for _ in range(2):
        with pytest.raises(errors.UnknownSessionError, match=r"reset\(\)"):
            env.step(env.action_space.sample())
    np.testing.assert_array_equal(env.reset(seed=3)[0], first)
    env.step(env.action_space.sample())
    env.close()


@pytest.mark.parametrize("end", ["close", "collect", "detach"])
def test_an_old_holder_ends_nothing_of_a_new_one_in_the_same_client(end, start_server, tmp_path):
    server = start_server(f"unix:{short_folder(tmp_path)}/held.sock")
    with livnd.connect(server.address) as client, livnd.connect(server.address) as other:
        old = client.create_session(ENVIRONMENT, 1)
        new = client.attach_session(old.name)
        if end == "collect":
            del old
            gc.collect()
        else:
            getattr(old, end)()
        new.reset()
        name = new.name
        client.close()
        assert not exists(other, name)  # it was the new one's to end


def test_reset_goes_on_after_idle_time(start_server, tmp_path):
    listen = f"unix:{short_folder(tmp_path)}/idle.sock"
    server = start_server(listen, "--session-retention", "200ms")
    env = GYMS["env"](address=server.address)
    first = env.reset(seed=3)[0]
    with livnd.connect(server.address) as other:
        name = session_name(env)
        # Asking would keep it: every look waits for longer than it may be idle.
        wait_until(lambda: not exists_after_a_while(other, name), "the idle session is let go")
    np.testing.assert_array_equal(env.reset(seed=3)[0], first)
    env.close()


def exists_after_a_while(client: livnd.Client, name: str) -> bool:
    time.sleep(1.0)
    return exists(client, name)


def test_only_a_reset_of_all_copies_makes_a_new_session(address, client):
    envs = GYMS["vector"](address=address)
    envs.reset(seed=1)
    client.call("DeleteSession", pb.DeleteSessionRequest(session=session_name(envs)))
    mask = np.array([True, False])
    with pytest.raises(errors.UnknownSessionError, match=r"reset\(\)"):
        envs.reset(options={"reset_mask": mask})
    envs.reset(seed=1)
    envs.reset(options={"reset_mask": mask})
    envs.close()


@pytest.mark.parametrize("make", ["make", "make_vec"])
def test_reset_starts_a_new_own_server_when_the_old_one_was_killed(run_python, make):
    process = run_python(
        f"""
import os, signal, time, gymnasium, livnd
from livnd import local_server
env = gymnasium.{make}({GYM_ID!r})
first = env.reset(seed=3)[0]
server = local_server._servers[0]
os.killpg(server._process.pid, signal.SIGKILL)
while server.alive():
    time.sleep(0.01)
for _ in range(2):
    try:
        env.step(env.action_space.sample())
    except livnd.errors.LivndError as error:
        print(type(error).__name__, "reset()" in str(error), "own server ended" in str(error))
print((env.reset(seed=3)[0] == first).all())
env.step(env.action_space.sample())
print(env.unwrapped._client.address != server.address)
env.close()
print(os.path.exists(server.folder), local_server._servers)
"""
    )
    assert process.communicate(timeout=60)[0].splitlines() == [
        "OwnServerEndedError True True",
        "UnknownSessionError True True",
        "True",
        "True",
        "False []",
    ]


def test_a_first_reset_does_not_mind_that_the_own_server_was_killed(run_python):
    process = run_python(
        f"""
import os, signal, time, gymnasium, livnd
from livnd import local_server
env = gymnasium.make({GYM_ID!r})
server = local_server._servers[0]
os.killpg(server._process.pid, signal.SIGKILL)
while server.alive():
    time.sleep(0.01)
env.reset(seed=3)
env.step(env.action_space.sample())
env.close()
print("done")
"""
    )
    assert process.communicate(timeout=60)[0] == "done\n"


def test_a_session_that_is_gone_says_so_without_asking(session, client):
    session.reset([1, 2])
    client.call("DeleteSession", pb.DeleteSessionRequest(session=session.name))
    for call in (session.reset, session.observe, session.reset):
        with pytest.raises(errors.UnknownSessionError, match=r"make another|no session"):
            call()


# --- sessions that nobody holds -------------------------------------------------------------------


@pytest.mark.parametrize("kind", GYMS)
def test_an_environment_that_is_collected_leaves_no_session(kind, address, client):
    env = GYMS[kind](address=address)
    env.reset(seed=1)
    name = session_name(env)
    assert exists(client, name)
    del env
    gc.collect()
    wait_until(lambda: not exists(client, name), "its session is deleted")


def test_sessions_that_are_collected_are_deleted_and_their_client_goes_on(client):
    session = client.create_session(ENVIRONMENT, 1)
    session.reset()
    name = session.name
    culture = client.create_culture("EI-mini")
    del session
    gc.collect()
    wait_until(lambda: not exists(client, name), "the session is deleted")
    culture.clear([1])


def test_collecting_waits_for_no_lock(address, client):
    """The garbage collector may run anywhere, also where these locks are held."""
    env = GYMS["vector"](address=address)
    env.reset(seed=1)
    name = session_name(env)
    with local_server._lock, client._connecting, env.unwrapped._client._connecting:
        del env
        gc.collect()
    wait_until(lambda: not exists(client, name), "its session is deleted")


def test_collecting_in_a_fork_touches_nothing_of_the_parents(address):
    env = GYMS["vector"](address=address)
    env.reset(seed=1)
    pid = os.fork()
    if pid == 0:
        del env
        gc.collect()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    env.step(env.action_space.sample())
    env.close()
    env.close()


@pytest.mark.parametrize("ending", ["", "del env; import gc; gc.collect()", "env.close()"])
def test_a_program_that_ends_leaves_no_session(address, client, run_python, ending):
    process = run_python(
        f"""
import gymnasium, livnd
env = gymnasium.make({GYM_ID!r}, address={address!r})
env.reset(seed=1)
print(env.unwrapped._session.name, flush=True)
{ending}
"""
    )
    name = process.communicate(timeout=60)[0].strip()
    assert process.returncode == 0
    assert name and not exists(client, name)


# --- copies ---------------------------------------------------------------------------------------


COPIES = [copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))]


@pytest.mark.parametrize("kind", GYMS)
@pytest.mark.parametrize("way", COPIES)
def test_an_environment_that_was_not_reset_can_be_copied(kind, way, address):
    env = GYMS[kind](address=address)
    other = way(env)
    first = env.reset(seed=5)[0]
    np.testing.assert_array_equal(other.reset(seed=5)[0], first)
    assert session_name(env) != session_name(other)
    env.close()
    other.step(other.action_space.sample())
    other.close()


@pytest.mark.parametrize("kind", GYMS)
@pytest.mark.parametrize("way", COPIES)
def test_an_environment_that_was_reset_goes_on_alike_in_a_copy(kind, way, address):
    env = GYMS[kind](address=address)
    env.reset(seed=5)
    env.action_space.seed(5)
    env.step(env.action_space.sample())
    other = way(env)
    assert session_name(env) != session_name(other)
    for _ in range(3):
        action = env.action_space.sample()
        for a, b in zip(env.step(action), other.step(action), strict=True):
            np.testing.assert_equal(a, b)
    env.close()
    other.step(other.action_space.sample())
    np.testing.assert_array_equal(other.reset(seed=5)[0], way(other).reset(seed=5)[0])
    other.close()


@pytest.mark.parametrize("kind", GYMS)
def test_an_environment_goes_back_and_branches(kind, address):
    env = GYMS[kind](address=address, render_mode="rgb_array")
    there = env.unwrapped
    assert there.restore(there.snapshot()) is None  # nothing was seen yet
    env.reset(seed=5)
    env.action_space.seed(5)
    actions = [env.action_space.sample() for _ in range(4)]
    seen = env.step(actions[0])
    snapshot = there.snapshot()
    expected = [there.step(action) for action in actions[1:]]
    env.reset(seed=6)
    observation, info = there.restore(snapshot)
    np.testing.assert_array_equal(observation, seen[0])
    np.testing.assert_equal(info, seen[4])
    there.render()
    forks = there.fork(2)
    for branch in (there, *forks):
        for action, wanted in zip(actions[1:], expected, strict=True):
            np.testing.assert_equal(branch.step(action), wanted)
    assert len({branch._session.name for branch in (there, *forks)}) == 3
    # In a new session, where the old one is gone.
    env.close()
    for fork in forks:
        fork._client.call("DeleteSession", pb.DeleteSessionRequest(session=fork._session.name))
        fork.restore(snapshot)
        np.testing.assert_equal(fork.step(actions[1]), expected[0])
        for wrong in (0, -1, 1.0, "2"):
            with pytest.raises(errors.InvalidFieldError, match="n is"):
                fork.fork(wrong)
        for wrong in (b"", "text", None, snapshot[:-1]):
            with pytest.raises(errors.InvalidFieldError, match="snapshot is"):
                fork.restore(wrong)
        fork.close()


def test_the_copies_of_a_vector_environment_become_one_of_them(address):
    envs = GYMS["vector"](address=address)
    single = GYMS["env"](address=address).unwrapped
    envs.reset(seed=5)
    single.reset(seed=11)
    single.step(np.zeros(single.action_space.shape, np.float32))
    observations, _ = envs.restore(single.snapshot(), [-1, 0])
    np.testing.assert_array_equal(envs.episode_seeds, np.array([5, 11], np.uint64))
    assert not np.array_equal(*observations)
    observations, _ = envs.restore(envs.snapshot(), [1, 1])
    np.testing.assert_array_equal(*observations)
    actions = np.full(envs.action_space.shape, 0.1, np.float32)
    stepped = envs.step(actions)[0]
    np.testing.assert_array_equal(stepped[0], stepped[1])
    np.testing.assert_array_equal(stepped[0], single.step(actions[0])[0])
    envs.close()
    single.close()


def test_an_environment_with_an_episode_limit_keeps_it_in_a_copy(address):
    envs = GYMS["vector"](address=address, max_episode_steps=3)
    envs.reset(seed=5)
    envs.step(envs.action_space.sample())
    other = copy.deepcopy(envs)
    for _ in range(2):
        truncated = other.step(other.action_space.sample())[3]
    assert truncated.all()
    envs.close()
    other.close()


def test_an_async_vector_environment_carries_environments_in_use(address):
    env = GYMS["env"](address=address)
    env.reset(seed=5)
    env.step(np.zeros(env.action_space.shape, np.float32))
    branches = pickle.dumps(env)
    envs = gymnasium.vector.AsyncVectorEnv([lambda: pickle.loads(branches)] * 2)
    actions = np.full(envs.action_space.shape, 0.1, np.float32)
    envs.reset(seed=9)
    stepped = envs.step(actions)
    single = env.reset(seed=9), env.step(actions[0])
    np.testing.assert_array_equal(stepped[0][0], single[1][0])
    envs.close()
    env.close()


@pytest.mark.parametrize("way", COPIES)
def test_a_session_goes_on_alike_in_a_copy(way, session):
    session.reset([1] * session.num_envs)
    actions = np.zeros((session.num_envs, *session.spec.actions[0].shape))
    session.step(actions)
    other = way(session)
    assert other.name != session.name
    np.testing.assert_array_equal(
        other.step(actions).observations[0], session.step(actions).observations[0]
    )


@pytest.mark.parametrize("way", COPIES)
def test_a_livn_env_goes_on_alike_in_a_copy(way, address):
    with livnd.make("EI-mini", address=address) as env:
        env.record_spikes()
        env.run(20)
        with way(env) as other:
            assert other.t == env.t
            a, b = env.run(30), other.run(30)
            np.testing.assert_array_equal(a.spike_ids, b.spike_ids)
            np.testing.assert_array_equal(a.spike_times, b.spike_times)
            other.run(1)
            assert other.t != env.t


@pytest.mark.parametrize("way", COPIES)
def test_what_was_closed_is_not_copied(way, address):
    env = GYMS["env"](address=address)
    env.reset(seed=5)
    env.close()
    with pytest.raises(errors.ClosedError):
        way(env)


@pytest.mark.parametrize("way", COPIES)
def test_a_client_is_copied_by_its_arguments(way, address):
    with livnd.connect(address, retry_s=1.5) as client:
        client.systems()
        with way(client) as other:
            assert other.address == client.address
            assert other._limits == client._limits
            other.systems()
            client.close()
            other.systems()
