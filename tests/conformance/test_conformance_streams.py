"""Steps over a stream are those that single calls would have done, whatever becomes of the stream.

Nothing that was answered may be lost in any case of this file, and nothing is done twice. Answers
that are lost on their way come again.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from cutting_proxy import CuttingProxy
from livnd._proto import pb
from serving import TASK, Serve

from conformance.drivers import Answer, Refused, Session, Stream
from conformance.steps import actions_of, assert_same, steps

NULL = "Null-v0"


@pytest.fixture
def own() -> Iterator[Serve]:
    """A server that a case may kill."""
    with Serve("--bench-environments", "--threads", "2") as server:
        yield server


@pytest.fixture
def stream(client) -> Iterator[Stream]:
    stream = client.stream()
    yield stream
    stream.close()


def made(client, number: int, environment_id: str, num_envs: int = 2) -> Session:
    """A session that was reset with seeds of its number."""
    session = client.session(environment_id, num_envs)
    session.reset([10 * number + copy for copy in range(num_envs)])
    return session


def unary(client, number: int, environment_id: str, num_steps: int) -> list[Answer]:
    """The steps of a session of this number, as single calls."""
    return steps(made(client, number, environment_id), 0, num_steps, number)


def in_turns(stream: Stream, sessions: list[Session], num_steps: int, lose=None) -> list[list]:
    """One step of each session on its way at a time; what each was told.

    lose(n) is called before the n-th answer is received.
    """
    told: list[list] = [[] for _ in sessions]
    for number, session in enumerate(sessions):
        stream.send(session, actions_of(session, 0, number))
    for received in range(num_steps * len(sessions)):
        if lose is not None:
            lose(received)
        session, outcome = stream.recv()
        number = sessions.index(session)
        assert not isinstance(outcome, Refused), outcome
        told[number].append(outcome)
        if len(told[number]) < num_steps:
            stream.send(session, actions_of(session, len(told[number]), number))
    return told


def refused(call) -> Refused:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value


# --- answers and their order ----------------------------------------------------------------------


@pytest.mark.parametrize("environment_id", [TASK, NULL])
def test_answers_are_those_of_single_calls(client, stream, environment_id):
    sessions = [made(client, number, environment_id) for number in range(3)]
    told = in_turns(stream, sessions, 8)
    for number, session in enumerate(sessions):
        assert_same(told[number], unary(client, number, environment_id, 8))
        assert session.next_op_index == 10
        # And it goes on in either way.
        steps(session, 8, 9, number)
        stream.send(session, actions_of(session, 9, number))
        assert not isinstance(stream.recv()[1], Refused)


@pytest.mark.parametrize(("environment_id", "num_steps"), [(TASK, 12), (NULL, 200)])
def test_many_steps_are_sent_ahead(client, stream, environment_id, num_steps):
    """Also more than a server reads at once."""
    session = made(client, 1, environment_id)
    for step in range(num_steps):
        stream.send(session, actions_of(session, step))
    told = [stream.recv() for _ in range(num_steps)]
    assert all(whose is session for whose, _ in told)
    assert_same([answer for _, answer in told], unary(client, 1, environment_id, num_steps))
    assert session.next_op_index == num_steps + 2


def test_who_is_done_first_is_received_first(client, stream):
    slow, fast = made(client, 1, TASK, 256), made(client, 2, NULL)
    stream.send(slow, actions_of(slow, 0))
    for step in range(5):
        stream.send(fast, actions_of(fast, step, 2))
    order = [stream.recv()[0] for _ in range(6)]
    assert order == [fast] * 5 + [slow]


def test_same_step_shows_the_ends_of_episodes(client, stream):
    how = {"autoreset_mode": "same_step", "max_episode_steps": 2}
    sessions = [client.session(NULL, 2, **how) for _ in range(2)]
    for session in sessions:
        session.reset([1, 2])
    expected = steps(sessions[0], 0, 4)
    told = []
    for step in range(4):
        stream.send(sessions[1], actions_of(sessions[1], step))
        told.append(stream.recv()[1])
    assert "final_observations" in told[1]
    assert_same(told, expected)


# --- errors ---------------------------------------------------------------------------------------


def test_after_an_error_in_the_middle_nothing_is_done_until_it_is_known(client, stream):
    session, other = made(client, 1, NULL), made(client, 2, NULL)
    good = [actions_of(session, step) for step in range(4)]
    bad = session.actions(np.nan)
    for actions in (good[0], bad, good[1], good[2]):
        stream.send(session, actions)
    stream.send(other, actions_of(other, 0, 2))
    told: dict[Session, list] = {session: [], other: []}
    while len(told[session]) < 2:
        whose, outcome = stream.recv()
        told[whose].append(outcome)
    # Those behind it may still be on their way when the next one is sent.
    stream.send(session, good[1])
    stream.send(session, good[2])
    for _ in range(7 - sum(map(len, told.values()))):
        whose, outcome = stream.recv()
        told[whose].append(outcome)
    first, nan, *behind, second, third = told[session]
    assert (nan.code, nan.reason) == ("INVALID_ARGUMENT", "INVALID_FIELD") and not nan.in_doubt
    assert nan.metadata["field"].startswith("actions[0]")
    for each in behind:
        assert (each.code, each.reason) == ("FAILED_PRECONDITION", "WRONG_OP_INDEX")
        assert not each.in_doubt
    assert len(behind) == 2 and session.next_op_index == 5
    assert_same([first, second, third], unary(client, 1, NULL, 3))
    assert_same(told[other], unary(client, 2, NULL, 1))


def test_a_step_before_the_first_reset_is_refused(client, stream):
    session = client.session(NULL)
    stream.send(session, session.actions(0))
    whose, told = stream.recv()
    assert whose is session and told.reason == "NOT_RESET" and not told.in_doubt
    session.reset([1])
    stream.send(session, session.actions(0))
    assert not isinstance(stream.recv()[1], Refused)


def test_a_session_that_goes_takes_no_other_with_it(client, stream, direct):
    session, other = made(client, 1, NULL), made(client, 2, NULL)
    direct.call("DeleteSession", pb.DeleteSessionRequest(session=session.name))
    stream.send(session, actions_of(session, 0))
    stream.send(other, actions_of(other, 0, 2))
    told = dict(stream.recv() for _ in range(2))
    assert told[session].session_gone and told[session].reason == "UNKNOWN_SESSION"
    assert_same([told[other]], unary(client, 2, NULL, 1))


def test_who_was_superseded_is_told(client, stream, connect, server):
    session = made(client, 1, NULL)
    taken = connect(server.address).attach(session.name)
    stream.send(session, actions_of(session, 0))
    _, told = stream.recv()
    assert (told.code, told.reason) == ("ABORTED", "SUPERSEDED") and not told.in_doubt
    steps(taken, 0, 1)


def test_nothing_else_is_called_while_steps_are_on_their_way(client, stream):
    session = made(client, 1, TASK, 2)
    other = client.stream()
    stream.send(session, actions_of(session, 0))
    for call in (
        lambda: session.step(actions_of(session, 1)),
        lambda: session.reset([1, 2]),
        session.observe,
        session.snapshot,
        lambda: session.fork(1),
        lambda: other.send(session, actions_of(session, 1)),
    ):
        told = refused(call)
        assert (told.code, told.reason) == ("FAILED_PRECONDITION", "STEPS_UNDER_WAY")
        assert not told.in_doubt
    stream.recv()
    other.send(session, actions_of(session, 1))
    assert not isinstance(other.recv()[1], Refused)
    other.close()
    steps(session, 2, 3)


def test_where_nothing_was_sent_nothing_is_received(client, stream):
    for _ in range(2):
        told = refused(stream.recv)
        assert (told.code, told.reason) == ("FAILED_PRECONDITION", "NOTHING_SENT")
    session = made(client, 1, NULL)
    stream.send(session, actions_of(session, 0))
    stream.recv()
    assert refused(stream.recv).reason == "NOTHING_SENT"


def test_a_closed_stream_leaves_its_steps_in_doubt(client):
    session = made(client, 1, TASK, 64)
    stream = client.stream()
    actions = actions_of(session, 0)
    stream.send(session, actions)
    stream.close()
    assert refused(lambda: session.step(actions_of(session, 1))).reason == "UNKNOWN_OUTCOME"
    session.step(actions)
    assert session.next_op_index == 3


# --- streams that break ---------------------------------------------------------------------------


@pytest.fixture
def cutting(server: Serve) -> Iterator[CuttingProxy]:
    with tempfile.TemporaryDirectory(prefix="livnd-") as folder:
        proxy = CuttingProxy(folder, server.address)
        yield proxy
        proxy.close()


@pytest.mark.parametrize("environment_id", [TASK, NULL])
def test_lost_answers_come_again_and_nothing_is_done_twice(
    connect, client, cutting, environment_id
):
    there = connect(cutting.address)
    sessions = [made(there, number, environment_id) for number in range(3)]
    stream = there.stream()

    def lose(received: int) -> None:
        cutting.lose_answer = received % 4 == 1

    told = in_turns(stream, sessions, 6, lose)
    cutting.lose_answer = False
    for number in range(3):
        assert_same(told[number], unary(client, number, environment_id, 6))
    stream.close()


def sent_ahead(stream: Stream, session: Session, first: int, num_steps: int) -> list[Answer]:
    """So many steps without waiting for an answer, and then all answers."""
    for step in range(first, first + num_steps):
        stream.send(session, actions_of(session, step))
    received = [stream.recv() for _ in range(num_steps)]
    assert all(whose is session for whose, _ in received)
    return [told for _, told in received]


def test_lost_answers_of_steps_sent_ahead_come_again(connect, client, cutting):
    there = connect(cutting.address)
    session = made(there, 1, NULL)
    stream = there.stream()
    told: list[Answer] = []
    for ahead in (1, 2, 5, 32, 33, 100):
        for after in (0, ahead // 2):
            cutting.lose_answer = after == 0
            told += sent_ahead(stream, session, len(told), ahead)
            assert session.next_op_index == len(told) + 2
    cutting.lose_answer = False
    assert_same(told, unary(client, 1, NULL, len(told)))
    stream.close()


def test_answers_of_steps_sent_ahead_come_again_after_a_crash(connect, client, own):
    """And after a second one: the first recovery wrote the journal anew."""
    with tempfile.TemporaryDirectory(prefix="livnd-") as folder:
        proxy = CuttingProxy(folder, own.address)
        there = connect(proxy.address)
        session = made(there, 1, NULL)
        stream = there.stream()
        told: list[Answer] = []
        for ahead in (3, 20, 32):
            proxy.lose_answer = True
            for step in range(len(told), len(told) + ahead):
                stream.send(session, actions_of(session, step))
            while proxy.lose_answer:
                time.sleep(0.001)
            for _ in range(2):
                own.kill()
                own.start()
            told += [stream.recv()[1] for _ in range(ahead)]
        assert_same(told, unary(client, 1, NULL, len(told)))
        stream.close()
        proxy.close()


def test_killed_servers_come_back_and_nobody_notices(connect, client, own):
    there = connect(own.address)
    sessions = [made(there, number, environment) for number, environment in enumerate([TASK, NULL])]
    stream = there.stream()

    def lose(received: int) -> None:
        if received in (3, 7):
            own.kill()
            own.start()

    told = in_turns(stream, sessions, 6, lose)
    for number, environment in enumerate([TASK, NULL]):
        assert_same(told[number], unary(client, number, environment, 6))
    stream.close()


def test_a_server_that_ends_in_peace_says_goodbye_and_its_successor_goes_on(connect, client, own):
    there = connect(own.address)
    sessions = [made(there, number, TASK) for number in range(3)]
    stream = there.stream()

    def replace() -> None:
        assert own.terminate() == 0, own.log()
        own.start()

    replacing: list[threading.Thread] = []

    def lose(received: int) -> None:
        if received in (4, 13):
            replacing.append(threading.Thread(target=replace))
            replacing[-1].start()
        elif received == 12:
            replacing[0].join()

    told = in_turns(stream, sessions, 8, lose)
    for thread in replacing:
        thread.join()
    for number in range(3):
        assert_same(told[number], unary(client, number, TASK, 8))
    stream.close()


def test_what_a_server_that_ends_does_not_begin_it_says(connect, own):
    """To a client without patience: acknowledged or not begun, and nothing in between."""
    there = connect(own.address, retry_s=0.0)
    sessions = [made(there, number, TASK, 64) for number in range(3)]
    stream = there.stream()
    for step in range(3):
        for number, session in enumerate(sessions):
            stream.send(session, actions_of(session, step, number))
    first, answer = stream.recv()
    assert not isinstance(answer, Refused)
    own.process.terminate()
    num_done = {session: int(session is first) for session in sessions}
    for _ in range(8):
        session, told = stream.recv()
        if isinstance(told, Refused):
            assert told.reason in ("SHUTTING_DOWN", "WRONG_OP_INDEX"), told
            assert not told.in_doubt
        else:
            num_done[session] += 1
    assert own.process.wait(60) == 0, own.log()
    own.start()
    for session, number in num_done.items():
        assert session.next_op_index == number + 2
        until_there(lambda session=session, number=number: steps(session, number, number + 1))
    assert min(num_done.values()) < 3
    stream.close()


def test_when_patience_ends_all_is_in_doubt_and_a_reset_goes_on(connect, own):
    there = connect(own.address, retry_s=0.0)
    session = made(there, 1, TASK, 64)
    stream = there.stream()
    for step in range(5):
        stream.send(session, actions_of(session, step))
    told = [stream.recv()[1]]
    own.kill()
    told += [stream.recv()[1] for _ in range(4)]
    lost = [each for each in told if isinstance(each, Refused)]
    assert 0 < len(lost) < 5 and told[-len(lost) :] == lost
    assert all(each.code == "UNAVAILABLE" and each.in_doubt for each in lost)
    own.start()
    assert refused(lambda: session.step(actions_of(session, 9))).reason == "UNKNOWN_OUTCOME"
    seeds = list(range(64))
    assert until_there(lambda: session.reset(seeds))["seeds"].tolist() == seeds
    assert there.session_info(session.name)["next_op_index"] == session.next_op_index
    steps(session, 0, 1)
    stream.send(session, actions_of(session, 1))
    assert not isinstance(stream.recv()[1], Refused)
    stream.close()


@pytest.mark.parametrize("way", ["observe", "repeat", "repeat over a stream", "reset"])
def test_a_session_learns_how_far_its_steps_have_come(connect, client, cutting, way):
    """Some of them were done, and no answer came."""
    there = connect(cutting.address, retry_s=0.0)
    session = made(there, 1, NULL)
    stream = there.stream()
    cutting.lose_answer = True
    for step in range(5):
        stream.send(session, actions_of(session, step))
    lost = [stream.recv()[1] for _ in range(5)]
    assert all(each.in_doubt for each in lost)
    assert session.next_op_index == 2
    if way == "observe":
        until_there(session.observe)
        assert session.next_op_index > 2
    elif way == "reset":
        until_there(lambda: session.reset([10, 11]))
        assert session.next_op_index > 3
    else:
        told = [until_there(lambda: session.step(actions_of(session, 0)))]
        assert session.next_op_index == 3
        # The others are as much in doubt as they were.
        assert refused(lambda: session.step(actions_of(session, 9))).reason == "UNKNOWN_OUTCOME"
        for step in range(1, 5):
            if way == "repeat":
                told.append(session.step(actions_of(session, step)))
            else:
                stream.send(session, actions_of(session, step))
                told.append(stream.recv()[1])
        assert_same(told, unary(client, 1, NULL, 5))
    assert session.next_op_index == there.session_info(session.name)["next_op_index"]
    steps(session, 0, 1)
    stream.close()


def test_an_answer_that_takes_too_long_is_in_doubt_and_comes_later(connect, server):
    there = connect(server.address, timeout_s=0.05)
    session = there.session(TASK, 256)
    insist(lambda: session.reset(list(range(256))))
    stream = there.stream()
    actions = actions_of(session, 0)
    stream.send(session, actions)
    _, told = stream.recv()
    assert isinstance(told, Refused), "faster than the test expects of any machine"
    assert (told.code, told.in_doubt) == ("DEADLINE_EXCEEDED", True)
    insist(lambda: session.step(actions))
    assert session.next_op_index == 3
    stream.close()


def insist(call) -> Any:
    while True:
        try:
            return call()
        except Refused as error:
            assert error.in_doubt, error


def until_there(call) -> Any:
    """For a client without patience, whose line is broken."""
    while True:
        try:
            return call()
        except Refused as error:
            if error.code != "UNAVAILABLE" or error.reason:
                raise


# --- paces ----------------------------------------------------------------------------------------


def test_a_paced_session_tells_how_it_kept_its_time(client, stream):
    paced, free = client.session(TASK, 1, pace=100.0), client.session(TASK, 1)
    assert client.session_info(paced.name)["pace"] == 100.0
    assert client.session_info(free.name)["pace"] == 0.0
    assert free.pace_report() is None
    for session in (paced, free):
        session.reset([1])
    expected = steps(free, 0, 4)
    told = steps(paced, 0, 3)
    stream.send(paced, actions_of(paced, 3))
    told.append(stream.recv()[1])
    assert_same(told, expected)
    report = paced.pace_report()
    assert (report.speed, report.num_steps) == (100.0, 4)
    assert sum(report.jitter_counts) == 4
    assert len(report.jitter_counts) == len(report.jitter_bounds_us) + 1


@pytest.mark.parametrize("pace", [-1.0, 1e-9, 1e9])
def test_no_other_pace_is_taken(client, pace):
    told = refused(lambda: client.session(NULL, pace=pace))
    assert (told.code, told.reason) == ("INVALID_ARGUMENT", "INVALID_FIELD")
