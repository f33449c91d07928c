"""Requests and answers get lost: what was answered was done, nothing is done twice, and a session
can be used on from wherever the losses leave it.

What may be lost: nothing that was acknowledged.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Iterator

import grpc
import numpy as np
import pytest
from cutting_proxy import CuttingProxy
from livnd._proto import pb
from livnd.conformance.lossy_proxy import ANSWER_LOST, ANSWERED, REQUEST_LOST, Fate
from livnd.tensors import decode
from serving import TASK

from conformance.drivers import Answer, Refused

NULL = "Null-v0"

# --- every order of operations and losses ---------------------------------------------------------


class TaskCopy:
    """One copy of Null-v0 behind a proxy: what is done to it, and where that leaves it.

    A place is (operations done, episodes begun, last action of the episode).
    """

    BEGINNING = "reset"
    OPERATIONS = ("step", "other step", "reset", "masked reset")
    VALUES = {"step": 0.25, "other step": 0.5}  # noqa: RUF012
    TWINS = ("step", "other step")

    def __init__(self, client, direct) -> None:
        self.session = client.session(NULL)
        self.session.reset()
        self._direct = direct

    def do(self, operation: str) -> None:
        if operation in self.VALUES:
            self.session.step(self.session.actions(self.VALUES[operation]))
        else:
            self.session.reset([7], [True] if operation == "masked reset" else [])

    def look(self) -> tuple[int, int, float]:
        seen = self._direct.call("Observe", pb.ObserveRequest(session=self.session.name))
        observation = float(decode(seen.observations[0])[0, 0])
        return seen.next_op_index - 1, int(decode(seen.episodes)[0]), observation

    def after(self, place: tuple[int, int, float], operation: str) -> tuple[int, int, float]:
        done, episodes, _ = place
        if operation in self.VALUES:
            return done + 1, episodes, self.VALUES[operation]
        return done + 1, episodes + 1, 0.0


class CultureCopy:
    """One copy of a culture behind a proxy, likewise.

    A place is (operations done, clears, ticks since the last one, noise stream).
    """

    BEGINNING = "clear"
    OPERATIONS = ("run", "other run", "configure", "clear")
    DURATIONS_MS = {"run": 0.025, "other run": 0.05}  # noqa: RUF012
    TWINS = ("run", "other run")

    def __init__(self, client, direct) -> None:
        self.session = client.culture("EI-mini")
        self.session.clear([7], noise_stream=1)
        self._direct = direct

    def do(self, operation: str) -> None:
        if operation in self.DURATIONS_MS:
            self.session.run(self.DURATIONS_MS[operation])
        elif operation == "configure":
            self.session.configure(noise_stream=2)
        else:
            self.session.clear([7], noise_stream=1)

    def look(self) -> tuple[int, int, int, int]:
        seen = self._direct.call("GetCulture", pb.GetCultureRequest(session=self.session.name))
        return seen.next_op_index - 1, seen.num_clears, seen.ticks, seen.noise_stream

    def after(self, place: tuple[int, int, int, int], operation: str) -> tuple[int, int, int, int]:
        done, clears, ticks, stream = place
        if operation in self.DURATIONS_MS:
            return done + 1, clears, ticks + round(self.DURATIONS_MS[operation] / 0.025), stream
        if operation == "configure":
            return done + 1, clears, ticks, 2
        return done + 1, clears + 1, 0, 1


def orders(copy: type, length: int) -> Iterator[tuple[str, ...]]:
    """All orders of `length` operations. Twins differ in nothing but that they differ, so the first
    of them is the first one. A masked reset is to a client an operation like a step, and left out
    of the longest orders."""
    operations = [o for o in copy.OPERATIONS if o != "masked reset" or length < 4]
    first, second = copy.TWINS
    for order in itertools.product(operations, repeat=length):
        if second not in order or first in order[: order.index(second)]:
            yield order


@pytest.mark.parametrize(
    ("copy", "length"),
    [*((TaskCopy, n) for n in (1, 2, 3, 4)), *((CultureCopy, n) for n in (1, 2, 3))],
)
def test_every_order_of_operations_and_losses(connect, proxy, direct, copy, length):
    """Each order with all that may become of its messages, from a loss on: what follows an answer
    is a shorter order. A message has a fate only if the client sends it, and a client that sends
    fewer messages than there are fates tells the same story for all that it leaves."""
    one = copy(connect(proxy.address, retry_s=0.0), direct)
    place = one.look()
    num_stories = 0
    for order in orders(copy, length):
        met: list[Fate] = []
        for fates in itertools.product((REQUEST_LOST, ANSWER_LOST, ANSWERED), repeat=length):
            if fates[0] == ANSWERED or (met and list(fates[: len(met)]) == met):
                continue
            before = proxy.num_operations
            proxy.fates.extend(fates)
            deeds, told = play(one, order, proxy.fates)
            met = list(fates[: proxy.num_operations - before])
            proxy.fates.clear()
            assert one.look() in possible(one, place, deeds), told
            # From here on nothing is lost, and a beginning goes on from anywhere.
            one.do(one.BEGINNING)
            if deeds[-1] == (one.BEGINNING, False):
                deeds.pop()
            after = one.look()
            assert after in possible(one, place, [*deeds, (one.BEGINNING, True)]), told
            assert one.session.next_op_index == after[0] + 1, told
            place = after
            num_stories += 1
    one.do(one.OPERATIONS[0])
    assert num_stories >= 2 * len(list(orders(copy, length)))


def play(one, order: tuple[str, ...], fates) -> tuple[list[tuple[str, bool]], list[str]]:
    """Does a story's operations. What was done as (operation, answered), one entry for an operation
    that was called again and again until it was answered; and all that was told."""
    deeds: list[tuple[str, bool]] = []
    told: list[str] = []
    for operation in order:
        is_open = bool(deeds) and not deeds[-1][1]
        is_again = is_open and deeds[-1][0] == operation
        ahead = list(fates)
        try:
            one.do(operation)
            refused = None
        except Refused as error:
            refused = error
        met = ahead[: len(ahead) - len(fates)]
        told.append(f"{operation}: {refused}")
        if refused and refused.reason == "UNKNOWN_OUTCOME":
            assert is_open and not is_again and operation != one.BEGINNING, told
            assert not met and not refused.in_doubt and refused.code == "FAILED_PRECONDITION", told
            continue
        assert not is_open or is_again or operation == one.BEGINNING, told
        if met:
            assert (refused is None) == (met[-1] == ANSWERED), told
        assert refused is None or (refused.in_doubt and refused.code == "UNAVAILABLE"), told
        if is_again:
            deeds.pop()
        deeds.append((operation, refused is None))
    return deeds, told


def possible(one, start: tuple, deeds: list[tuple[str, bool]]) -> set:
    """Where the copy may be after these deeds (operation, answered): each that was answered was
    done once, each other one once or not at all."""
    places = {start}
    for operation, answered in deeds:
        after = {one.after(place, operation) for place in places}
        places = after if answered else after | places
    return places


# --- what is repeated, and for how long -----------------------------------------------------------


@pytest.fixture
def copy_of(connect, proxy, direct) -> Callable[[float], TaskCopy]:
    """A copy behind the proxy, on a client that repeats calls for so long."""
    return lambda retry_s: TaskCopy(connect(proxy.address, retry_s=retry_s), direct)


def test_a_call_is_repeated_from_its_first_failure_on(proxy, copy_of):
    copy = copy_of(0.4)
    # The line breaks when the call has lasted for longer than a failure is borne.
    proxy.fates.append(Fate(True, grpc.StatusCode.UNAVAILABLE, delay_s=0.8))
    copy.do("step")
    assert copy.look()[0] == 2


@pytest.mark.parametrize(
    "fate",
    [
        REQUEST_LOST,
        ANSWER_LOST,
        Fate(False, grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN"),
        Fate(False, grpc.StatusCode.RESOURCE_EXHAUSTED),  # gRPC's, which is short of memory
        *(
            Fate(False, grpc.StatusCode.RESOURCE_EXHAUSTED, reason, retry_after_s=0.02)
            for reason in ("TOO_MANY_CALLS", "TOO_BUSY", "OUT_OF_MEMORY")
        ),
    ],
)
def test_servers_that_are_away_end_or_are_full_are_asked_again(proxy, copy_of, fate):
    copy = copy_of(60.0)
    before = proxy.num_operations
    proxy.fates.extend([fate] * 3)
    copy.do("step")
    assert proxy.num_operations - before == 4
    assert copy.look()[0] == 2


def test_a_call_is_repeated_no_sooner_than_the_server_asks_for(proxy, copy_of):
    copy = copy_of(60.0)
    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    proxy.fates.append(Fate(False, code, "TOO_BUSY", retry_after_s=0.9))
    start = time.monotonic()
    copy.do("step")
    assert time.monotonic() - start >= 0.9
    assert copy.look()[0] == 2


@pytest.mark.parametrize(
    ("fate", "in_doubt"),
    [
        (Fate(False, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"), False),
        (Fate(False, grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_SPIKES"), False),
        (Fate(False, grpc.StatusCode.INTERNAL, "INTERNAL"), True),
        (Fate(False, grpc.StatusCode.DEADLINE_EXCEEDED), True),
        (Fate(False, grpc.StatusCode.CANCELLED), True),
        (Fate(False, grpc.StatusCode.UNKNOWN), True),
        (Fate(False, grpc.StatusCode.RESOURCE_EXHAUSTED, "OUT_OF_MEMORY"), False),
        (Fate(False, grpc.StatusCode.RESOURCE_EXHAUSTED, "QUOTA_EXCEEDED"), False),
        (Fate(False, grpc.StatusCode.UNIMPLEMENTED), False),
    ],
)
def test_nothing_else_is_repeated(proxy, copy_of, fate, in_doubt):
    copy = copy_of(60.0)
    before = proxy.num_operations
    proxy.fates.append(fate)
    with pytest.raises(Refused) as caught:
        copy.do("step")
    assert (caught.value.code, caught.value.reason) == (fate.code.name, fate.reason)
    assert caught.value.in_doubt == in_doubt
    assert proxy.num_operations - before == 1
    copy.do("step")


def test_a_refusal_that_follows_a_loss_leaves_no_doubt(connect, proxy):
    session = connect(proxy.address, retry_s=60.0).session(NULL)
    proxy.fates.append(REQUEST_LOST)
    with pytest.raises(Refused) as caught:
        session.step(session.actions(0.25))
    assert (caught.value.reason, caught.value.in_doubt) == ("NOT_RESET", False)
    session.reset([7], [True])


@pytest.mark.parametrize("done", [False, True])
def test_observe_ends_a_doubt_about_what_was_done(proxy, copy_of, done):
    copy = copy_of(0.0)
    proxy.fates.append(ANSWER_LOST if done else REQUEST_LOST)
    with pytest.raises(Refused) as caught:
        copy.do("step")
    assert caught.value.in_doubt
    copy.session.observe()
    if not done:  # it may still come
        with pytest.raises(Refused) as caught:
            copy.do("other step")
        assert caught.value.reason == "UNKNOWN_OUTCOME"
        copy.do("step")
    copy.do("other step")
    assert copy.look()[0] == 3


def test_a_culture_that_is_looked_at_tells_too(connect, proxy, direct):
    copy = CultureCopy(connect(proxy.address, retry_s=0.0), direct)
    proxy.fates.append(ANSWER_LOST)
    with pytest.raises(Refused):
        copy.do("run")
    assert copy.session.describe()["ticks"] == 1
    copy.do("configure")
    assert copy.look()[0] == 3


# --- the same bits with losses and without --------------------------------------------------------


def bits(answer: Answer) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in answer.items()}


@pytest.fixture
def cutting(server) -> Iterator[CuttingProxy]:
    with tempfile.TemporaryDirectory(prefix="livnd-") as folder:
        proxy = CuttingProxy(folder, server.address)
        yield proxy
        proxy.close()


def test_connections_that_break_change_no_bit_of_an_episode(connect, client, cutting):
    ours = connect(cutting.address).session(TASK, 2)
    theirs = client.session(TASK, 2)
    rng = np.random.default_rng(0)
    for number in range(30):
        cutting.lose_answer = number % 3 == 0
        if number % 10 == 0:
            got, want = ours.reset([number, 7]), theirs.reset([number, 7])
        else:
            actions = rng.uniform(-1, 1, (2, *ours.spec.actions[0].shape)).astype(np.float32)
            got, want = ours.step(actions), theirs.step(actions)
        assert not cutting.lose_answer, "the answer was to be lost and was not"
        assert bits(got) == bits(want)
    assert ours.next_op_index == theirs.next_op_index == 31


def test_a_culture_whose_connections_break_has_run_and_changed_once(connect, client, cutting):
    ours, theirs = connect(cutting.address).culture("EI-mini"), client.culture("EI-mini")
    for culture in (ours, theirs):
        culture.clear([5])
    for lose in (False, True, False, True):
        for change in (True, False):
            cutting.lose_answer = lose
            ours.configure(plasticity_on=change)
            assert not cutting.lose_answer
            theirs.configure(plasticity_on=change)
        cutting.lose_answer = lose
        got = ours.run(40)
        assert not cutting.lose_answer
        assert bits(got) == bits(theirs.run(40))
    assert ours.next_op_index == theirs.next_op_index == 14


def test_after_giving_up_the_same_call_gets_its_answer(connect, client, cutting):
    ours = connect(cutting.address, retry_s=0.0).session(TASK)
    theirs = client.session(TASK)
    actions = ours.actions(0.5)
    for session in (ours, theirs):
        session.reset([1])
    cutting.lose_answer = True
    with pytest.raises(Refused) as caught:
        ours.step(actions)
    assert (caught.value.code, caught.value.reason) == ("UNAVAILABLE", "")
    assert caught.value.in_doubt

    def again():
        # The line may need a moment to see that it was cut.
        for _ in range(100):
            try:
                return ours.step(actions)
            except Refused as error:
                assert error.in_doubt
                time.sleep(0.05)
        return ours.step(actions)

    assert bits(again()) == bits(theirs.step(actions))
    assert bits(ours.observe()) == bits(theirs.observe())
