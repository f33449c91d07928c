"""What StepStream is in Python alone; tests/conformance holds both clients to the rest."""

from __future__ import annotations

import gc
import os
import threading
import weakref

import livnd
import numpy as np
import pytest
from conftest import ENVIRONMENT, wait_until
from livnd import errors


@pytest.fixture
def stream(client):
    with client.step_stream() as stream:
        yield stream


def some(session: livnd.Session, value: float = 0.1) -> np.ndarray:
    return np.full((session.num_envs, *session.spec.actions[0].shape), value)


def test_answers_are_step_results_beside_their_sessions(client, stream, session):
    session.reset([1, 2])
    twin = client.create_session(ENVIRONMENT, 2)
    twin.reset([1, 2])
    assert stream.num_waiting == 0
    stream.send(session, some(session))
    assert stream.num_waiting == 1
    whose, result = stream.recv()
    assert whose is session and stream.num_waiting == 0
    expected = twin.step(some(twin))
    np.testing.assert_array_equal(result.observations[0], expected.observations[0])
    np.testing.assert_array_equal(result.rewards, expected.rewards)
    assert result.infos.keys() == expected.infos.keys()
    assert result.observations[0].flags.writeable


def test_errors_say_whose_step_failed(client, stream, session):
    stream.send(session, some(session))
    with pytest.raises(errors.NotResetError) as told:
        stream.recv()
    assert told.value.session is session
    with pytest.raises(errors.NothingSentError) as told:
        stream.recv()
    assert told.value.session is None


def test_what_cannot_be_sent_is_refused_and_leaves_the_session_free(client, stream, session):
    session.reset([1, 2])
    with livnd.connect(client.address) as other:
        for wrong in (other.create_session(ENVIRONMENT), session.name, None):
            with pytest.raises(errors.InvalidFieldError) as refused:
                stream.send(wrong, some(session))
            assert refused.value.field == "session"
    for actions in ((), (some(session),) * 2, (["a"],)):
        with pytest.raises(errors.InvalidFieldError):
            stream.send(session, *actions)
    session.step(some(session))
    session.close()
    with pytest.raises(errors.ClosedError):
        stream.send(session, some(session))
    stream.close()
    for call in (stream.recv, lambda: stream.send(session, some(session))):
        with pytest.raises(errors.ClosedError):
            call()
    stream.close()


def test_a_stream_has_one_caller_at_a_time(stream, session):
    session.reset([1, 2])
    stream._one_caller.enter(object())
    with pytest.raises(errors.ConcurrentCallError, match="another thread is in a call of this"):
        stream.send(session, some(session))


def test_a_closed_session_answers_what_was_on_its_way(client, stream, session):
    session.reset([1, 2])
    stream.send(session, some(session))
    session.close()
    try:
        stream.recv()
    except errors.UnknownSessionError as error:
        assert error.session is session


def test_an_interrupt_while_it_waits_loses_nothing(stream, session, monkeypatch):
    session.reset([1, 2])
    stream.send(session, some(session))

    def interrupted(timeout):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stream, "_await", lambda: interrupted(0))
        with pytest.raises(KeyboardInterrupt):
            stream.recv()
    stream.recv()
    session.step(some(session))


def reading_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "livnd-stream"]


@pytest.mark.parametrize("way", ["close", "collect", "close the client"])
def test_a_stream_leaves_no_thread(address, way):
    before = len(reading_threads())
    client = livnd.connect(address)
    session = client.create_session(ENVIRONMENT)
    session.reset([1])
    stream = client.step_stream()
    stream.send(session, some(session))
    stream.recv()
    assert len(reading_threads()) == before + 1
    if way == "close":
        stream.close()
    elif way == "collect":
        gone = weakref.ref(stream)
        del stream
        gc.collect()
        assert gone() is None
    else:
        client.close()
    wait_until(lambda: len(reading_threads()) == before, "the stream's thread ends")
    client.close()


def test_it_is_refused_in_a_fork(stream, session):
    session.reset([1, 2])
    stream.send(session, some(session))
    stream.recv()
    pid = os.fork()
    if pid == 0:
        refused = 0
        for call in (stream.recv, lambda: stream.send(session, some(session))):
            try:
                call()
            except errors.ForkedProcessError:
                refused += 1
        stream.close()
        del stream
        gc.collect()
        os._exit(0 if refused == 2 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    stream.send(session, some(session))
    stream.recv()


def test_the_end_of_an_own_server_is_told(run_python):
    process = run_python(
        f"""
import os, signal, livnd, numpy as np
from livnd import errors, local_server
client = livnd.connect()
sessions = [client.create_session({ENVIRONMENT!r}) for _ in range(2)]
stream = client.step_stream()
for session in sessions:
    session.reset([1])
    stream.send(session, np.zeros((1, 8)))
    stream.recv()
server = local_server._servers[0]
os.killpg(server._process.pid, signal.SIGKILL)
while server.alive():
    pass
for session in sessions:
    stream.send(session, np.zeros((1, 8)))
for _ in sessions:
    try:
        stream.recv()
    except errors.OwnServerEndedError as error:
        print("ended", error.session in sessions)
try:
    stream.send(sessions[0], np.zeros((1, 8)))
except errors.UnknownSessionError:
    print("gone")
session = client.create_session({ENVIRONMENT!r})
session.reset([1])
stream.send(session, np.zeros((1, 8)))
print(stream.recv()[0] is session)
"""
    )
    out = process.communicate(timeout=60)[0].split("\n")
    assert out == ["ended True", "ended True", "gone", "True", ""]
