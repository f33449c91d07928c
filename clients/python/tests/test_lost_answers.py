"""Requests and answers get lost: what was answered was done, nothing is done twice, and a session
can be used on from wherever the losses leave it. clients/cpp/tests/lost_answers_test.cc tells the
C++ client the same stories."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import grpc
import livnd
import numpy as np
import pytest
from conftest import Server
from livnd import errors
from livnd._proto import pb
from livnd.tensors import decode
from lossy_proxy import ANSWER_LOST, ANSWERED, REQUEST_LOST, Fate, LossyProxy

NULL = "Null-v0"  # costs nothing but the calls
ACTIONS = {"step": 0.25, "other step": 0.5}


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("null")
    server = Server("127.0.0.1:0", folder, "--bench-environments")
    yield server
    server.kill()


@pytest.fixture
def proxy(server, tmp_path_factory) -> Iterator[LossyProxy]:
    proxy = LossyProxy(str(tmp_path_factory.mktemp("p") / "s"), server.address)
    yield proxy
    proxy.close()


@pytest.fixture
def direct(server) -> Iterator[livnd.Client]:
    with livnd.connect(server.address) as client:
        yield client


def act(session: livnd.Session, operation: str) -> None:
    if operation in ACTIONS:
        session.step(np.full((1, *session.spec.actions[0].shape), ACTIONS[operation]))
    else:
        session.reset([7], mask=[True] if operation == "masked reset" else None)


def look(direct: livnd.Client, session: livnd.Session) -> tuple[int, int, float]:
    """Operations done, episodes begun, last action of the episode; past proxy and session."""
    seen = direct.call("Observe", pb.ObserveRequest(session=session.name))
    observation = float(decode(seen.observations[0])[0, 0])
    return seen.next_op_index - 1, int(decode(seen.episodes)[0]), observation


def possible(start: tuple[int, int, float], deeds: list[tuple[str, bool]]) -> set:
    """Where the copy may be after these deeds (operation, answered): each that was answered was
    done once, each other one once or not at all."""
    places = {start}
    for operation, answered in deeds:
        after = set() if answered else set(places)
        for done, episodes, _ in places:
            if operation in ACTIONS:
                after.add((done + 1, episodes, ACTIONS[operation]))
            else:
                after.add((done + 1, episodes + 1, 0.0))
        places = after
    return places


def stories(length: int) -> Iterator[tuple[tuple[str, ...], tuple[Fate, ...]]]:
    """All orders of operations, and of what becomes of their messages, that begin with a loss: what
    follows an answer is a shorter story. The two steps differ in nothing but that they differ, so
    the first is "step". A masked reset is to the client an operation like a step, and left out of
    the longest stories."""
    operations = ["step", "other step", "reset", *(["masked reset"] if length < 4 else [])]
    for order in itertools.product(operations, repeat=length):
        steps = [o for o in order if o in ACTIONS]
        if steps and steps[0] != "step":
            continue
        for fates in itertools.product((REQUEST_LOST, ANSWER_LOST, ANSWERED), repeat=length):
            if fates[0] != ANSWERED:
                yield order, fates


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_every_order_of_operations_and_losses(proxy, direct, length):
    with livnd.connect(proxy.address, retry_s=0.0) as lossy:
        session = lossy.create_session(NULL, 1)
        session.reset()
        for order, fates in stories(length):
            start = look(direct, session)
            deeds: list[tuple[str, bool]] = []
            told = []
            proxy.fates.extend(fates)
            for operation in order:
                is_open = bool(deeds) and not deeds[-1][1]
                is_again = is_open and deeds[-1][0] == operation
                try:
                    act(session, operation)
                    answered = True
                except errors.UnknownOutcomeError:
                    told.append((operation, "unknown"))
                    assert is_open and not is_again and operation != "reset", told
                    continue
                except livnd.LivndError as error:
                    assert error.in_doubt, (told, error)
                    answered = False
                told.append((operation, answered))
                assert not is_open or is_again or operation == "reset", told
                if is_again:
                    deeds.pop()
                deeds.append((operation, answered))
            proxy.fates.clear()
            assert look(direct, session) in possible(start, deeds), told
            # From here on nothing is lost, and a reset goes on from anywhere.
            act(session, "reset")
            if deeds and deeds[-1] == ("reset", False):
                deeds.pop()
            deeds.append(("reset", True))
            assert look(direct, session) in possible(start, deeds), told
        act(session, "step")


# --- what is repeated, and for how long -----------------------------------------------------------


def test_a_call_is_repeated_from_its_first_failure_on(proxy, direct):
    with livnd.connect(proxy.address, retry_s=0.4) as lossy:
        session = lossy.create_session(NULL, 1)
        act(session, "reset")
        # The line breaks when the call has lasted for longer than a failure is borne.
        proxy.fates.append(Fate(True, grpc.StatusCode.UNAVAILABLE, delay_s=0.8))
        act(session, "step")
        assert look(direct, session)[0] == 2


@pytest.mark.parametrize(
    "fate",
    [
        REQUEST_LOST,
        ANSWER_LOST,
        Fate(False, grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN"),
        Fate(False, grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS"),
    ],
)
def test_servers_that_are_away_end_or_are_full_are_asked_again(proxy, direct, fate):
    with livnd.connect(proxy.address, retry_s=60.0) as lossy:
        session = lossy.create_session(NULL, 1)
        act(session, "reset")
        before = proxy.num_operations
        proxy.fates.extend([fate] * 3)
        act(session, "step")
        assert proxy.num_operations - before == 4
        assert look(direct, session)[0] == 2


@pytest.mark.parametrize(
    ("fate", "in_doubt"),
    [
        (Fate(False, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"), False),
        (Fate(False, grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_SPIKES"), False),
        (Fate(False, grpc.StatusCode.INTERNAL, "INTERNAL"), True),
        (Fate(False, grpc.StatusCode.DEADLINE_EXCEEDED), True),
        (Fate(False, grpc.StatusCode.CANCELLED), True),
        (Fate(False, grpc.StatusCode.UNKNOWN), True),
    ],
)
def test_nothing_else_is_repeated(proxy, fate, in_doubt):
    with livnd.connect(proxy.address, retry_s=60.0) as lossy:
        session = lossy.create_session(NULL, 1)
        act(session, "reset")
        before = proxy.num_operations
        proxy.fates.append(fate)
        with pytest.raises(livnd.LivndError) as caught:
            act(session, "step")
        assert caught.value.code == fate.code.name
        assert caught.value.in_doubt == in_doubt
        assert proxy.num_operations - before == 1
        act(session, "step")


def test_a_refusal_that_follows_a_loss_leaves_no_doubt(proxy, direct):
    with livnd.connect(proxy.address, retry_s=60.0) as lossy:
        session = lossy.create_session(NULL, 1)
        proxy.fates.append(REQUEST_LOST)
        with pytest.raises(errors.NotResetError) as caught:
            act(session, "step")
        assert not caught.value.in_doubt
        act(session, "masked reset")


@pytest.mark.parametrize("done", [False, True])
def test_an_interrupted_call_is_in_doubt(direct, monkeypatch, done):
    session = direct.create_session(NULL, 1)
    act(session, "reset")
    call = direct.call

    def interrupted(method, *args, **more):
        if done:
            call(method, *args, **more)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(direct, "call", interrupted)
        with pytest.raises(KeyboardInterrupt):
            act(session, "step")
    with pytest.raises(errors.UnknownOutcomeError):
        act(session, "other step")
    act(session, "step")
    assert look(direct, session)[0] == 2


@pytest.mark.parametrize("done", [False, True])
def test_observe_ends_a_doubt_about_what_was_done(proxy, done):
    with livnd.connect(proxy.address, retry_s=0.0) as lossy:
        session = lossy.create_session(NULL, 1)
        act(session, "reset")
        proxy.fates.append(ANSWER_LOST if done else REQUEST_LOST)
        with pytest.raises(errors.ServerUnavailableError):
            act(session, "step")
        session.observe()
        if done:
            act(session, "other step")
        else:  # it may still come
            with pytest.raises(errors.UnknownOutcomeError):
                act(session, "other step")
            act(session, "step")
