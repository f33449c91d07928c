"""Requests and answers that are dropped, delayed, doubled and overtaken, as a seed will have it:
every client reads the same answers as on a line on which nothing happens.

What may be lost: nothing that was acknowledged. What no answer came to is done once or not at all,
and what comes again or too late changes nothing.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from livnd import CultureStimulus
from scrambling_proxy import FATES, OPERATIONS, ScramblingProxy
from serving import TASK, Serve

from conformance.cpp_driver import CppDriver
from conformance.drivers import Answer, Client, Refused
from conformance.python_driver import PythonDriver
from conformance.steps import actions_of, assert_same

NUM_LINES = int(os.environ.get("LIVND_LINES", "1"))
NUM_OPERATIONS = 50
# An answer that comes later than this is given up; on a slow machine also one that does not.
DEADLINE_S = 0.2
PATIENCE_S = 120.0
Deed = Callable[[], Answer | None]


class Story(ABC):
    """What a client does to a session, one deed after the other; each tells what it was answered.

    Attributes:
        session: that it is about.
    """

    @abstractmethod
    def __init__(self, client: Client) -> None: ...

    @abstractmethod
    def deed(self, number: int) -> Deed: ...

    def instead(self, number: int) -> Deed:
        """Where it is in doubt whether the deed was done: the same again, unless said otherwise."""
        return self.deed(number)


class Steps(Story):
    """Copies with a task; another episode now and then, and once a place where they were before."""

    def __init__(self, client: Client, of: str = TASK, mode: str = "next_step") -> None:
        self.session = client.session(of, 2, autoreset_mode=mode)
        self._snapshot = b""

    def deed(self, number: int) -> Deed:
        session = self.session
        if number % 23 == 0:
            return lambda: session.reset([number, 7])
        if number == 30:
            return self._remember
        if number == 40:
            return lambda: session.restore(self._snapshot)
        return lambda: session.step(actions_of(session, number))

    def _remember(self) -> None:
        self._snapshot = self.session.snapshot()


class OtherSteps(Steps):
    """Nothing happens in them, so that they come thick and fast."""

    def __init__(self, client: Client) -> None:
        super().__init__(client, "Null-v0", "same_step")


class ChangesOfMind(OtherSteps):
    """A doubt is ended by another episode, not by doing the same again."""

    def deed(self, number: int) -> Deed:
        return super().deed(number) if number % 23 else lambda: self.session.reset([number, 5])

    def instead(self, number: int) -> Deed:
        return lambda: self.session.reset([number, 5])


class Runs(Story):
    """A culture that is pushed, changed and cleared."""

    def __init__(self, client: Client) -> None:
        self.session = client.culture("EI-mini", 2)

    def deed(self, number: int) -> Deed:
        culture = self.session
        if number == 0:
            return lambda: culture.configure(params={"noise-std_e": 2.0}, spikes=True)
        if number % 21 == 1:
            return lambda: culture.clear([number, 4])
        if number % 5 == 2:
            return lambda: culture.configure(plasticity_on=number % 2 == 0)
        samples = np.full((20, 1), 0.01 * number)
        push = CultureStimulus("current_na", samples, 0.5, [(0, 0)], timing="exact")
        return lambda: culture.run(5.0, [push] if number % 3 == 0 else [])


STORIES = [Steps, OtherSteps, ChangesOfMind, Runs]


class Teller(threading.Thread):
    """One session's client, and all that it did and was told."""

    def __init__(self, story: Story) -> None:
        super().__init__()
        # Number of the deed, whether another one was done instead, and the answer.
        self.told: list[tuple[int, bool, Answer]] = []
        self.error: Exception | None = None
        self._story = story

    def run(self) -> None:
        try:
            for number in range(NUM_OPERATIONS):
                self._do(number)
        except Exception as error:
            self.error = error

    def _do(self, number: int) -> None:
        deadline = time.monotonic() + PATIENCE_S
        in_doubt = False
        while True:
            story = self._story
            deed = story.instead(number) if in_doubt else story.deed(number)
            try:
                self.told.append((number, in_doubt, deed() or {}))
                return
            except Refused as error:
                if not error.in_doubt or time.monotonic() > deadline:
                    raise
                in_doubt = True


@pytest.fixture(scope="module")
def server() -> Iterator[Serve]:
    """Of the module alone: what sessions leave behind is to be seen."""
    with Serve("--bench-environments", "--threads", "2") as server:
        yield server


@pytest.fixture(params=["python", "cpp"])
def four_clients(request) -> Iterator[Callable[[str], list[Client]]]:
    """Connects four. Python's are one, which its threads share; the C++ driver has no threads."""
    python = request.param == "python"
    drivers = [PythonDriver()] if python else [CppDriver() for _ in STORIES]
    clients = []

    def connect(address: str) -> list[Client]:
        patience = {"timeout_s": DEADLINE_S, "run_timeout_s": DEADLINE_S, "retry_s": PATIENCE_S}
        clients.extend(driver.connect(address, **patience) for driver in drivers)
        return clients * len(STORIES) if python else clients

    yield connect
    for client in clients:
        client.close()
    for driver in () if python else drivers:
        driver.close()


@pytest.mark.parametrize("seed", range(1, NUM_LINES + 1))
def test_what_happens_on_the_line_changes_no_bit(server, four_clients, seed):
    with tempfile.TemporaryDirectory(prefix="livnd-") as folder:
        proxy = ScramblingProxy(f"{folder}/s", server.address, seed)
        clients = four_clients(proxy.address)
        stories = [story(client) for story, client in zip(STORIES, clients, strict=True)]
        tellers = [Teller(story) for story in stories]
        for teller in tellers:
            teller.start()
        for teller in tellers:
            teller.join()
            assert teller.error is None, (repr(teller.error), server.log()[-3000:])
        forks = stories[1].session.fork(2)
        for session in [*forks, *(story.session for story in stories)]:
            session.close()
        proxy.send_the_rest()
        assert server.journals == [], "a session that nobody holds"
        proxy.close()
    assert_all_met(proxy)
    undisturbed = PythonDriver().connect(server.address)
    for teller, kind in zip(tellers, STORIES, strict=True):
        story = kind(undisturbed)
        answers = []
        for number, instead, _ in teller.told:
            deed = story.instead(number) if instead else story.deed(number)
            answers.append(deed() or {})
        assert_same([told for _, _, told in teller.told], answers)
    undisturbed.close()


def assert_all_met(proxy: ScramblingProxy) -> None:
    assert set(proxy.met) == set(FATES)
    operations = Counter(code for (method, code) in proxy.stale.elements() if method in OPERATIONS)
    assert operations["FAILED_PRECONDITION"] > 0, proxy.stale  # by its number
    codes = {"OK", "FAILED_PRECONDITION", "INVALID_ARGUMENT", "NOT_FOUND"}
    assert set(operations) <= codes, proxy.stale
    creations = {code for method, code in proxy.stale if method in ("CreateSession", "Fork")}
    assert creations <= {"OK", "NOT_FOUND"}, proxy.stale
