"""Answers get lost between server and client; nothing is done twice."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import livnd
import numpy as np
import pytest
from conftest import ENVIRONMENT, short_folder
from livnd import errors


class LossyProxy:
    """A Unix socket before the server's that can swallow answers and cut connections."""

    def __init__(self, folder: str, upstream: str) -> None:
        self.address = f"unix:{folder}/proxy.sock"
        self.lose_answers = False
        self._upstream = upstream.removeprefix("unix:")
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.address.removeprefix("unix:"))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._upstream)
            self._pairs.append((near, far))
            for source, sink, answers in ((near, far, False), (far, near, True)):
                threading.Thread(
                    target=self._pump, args=(source, sink, answers), daemon=True
                ).start()

    def _pump(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        swallowed = 0
        try:
            while data := source.recv(1 << 16):
                if answers and self.lose_answers:
                    # Bare acknowledgements are shorter than this, every answer is longer.
                    swallowed += len(data)
                    if swallowed > 100:
                        self.lose_answers = False
                        break
                else:
                    sink.sendall(data)
        except OSError:
            pass
        self._shut(source, sink)

    @staticmethod
    def _shut(*ends: socket.socket) -> None:
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._shut(self._listener)
        self._listener.close()
        for pair in self._pairs:
            self._shut(*pair)


@pytest.fixture
def proxy(tmp_path: Path, address: str) -> Iterator[LossyProxy]:
    proxy = LossyProxy(short_folder(tmp_path), address)
    yield proxy
    proxy.close()


def call_until_answered(call):
    """The connection may need a moment to see that it was cut."""
    for _ in range(50):
        try:
            return call()
        except errors.ServerUnavailableError:
            time.sleep(0.1)
    return call()


def test_lost_answers_are_fetched_again(proxy, client):
    """The same episode with and without losses, step for step."""
    with livnd.connect(proxy.address) as lossy:
        session, reference = (c.create_session(ENVIRONMENT, 2) for c in (lossy, client))
        rng = np.random.default_rng(0)
        shape = (2, *session.spec.actions[0].shape)
        for number in range(30):
            proxy.lose_answers = number % 3 == 0
            if number % 10 == 0:
                got, want = session.reset([number, 7]), reference.reset([number, 7])
            else:
                actions = rng.uniform(-1, 1, shape)
                got, want = session.step(actions), reference.step(actions)
                np.testing.assert_array_equal(got.rewards, want.rewards)
            assert not proxy.lose_answers, "the answer was to be lost and was not"
            np.testing.assert_array_equal(got.observations[0], want.observations[0])
        assert session.next_op_index == reference.next_op_index


def test_after_giving_up_the_same_call_gets_its_answer(proxy, client):
    with livnd.connect(proxy.address, retry_s=0.0) as lossy:
        session, reference = (c.create_session(ENVIRONMENT, 1) for c in (lossy, client))
        actions = np.full((1, *session.spec.actions[0].shape), 0.5)
        session.reset([1])
        reference.reset([1])
        proxy.lose_answers = True
        with pytest.raises(errors.ServerUnavailableError):
            session.step(actions)
        with pytest.raises(errors.UnknownOutcomeError):
            session.step(np.zeros_like(actions))
        with pytest.raises(errors.UnknownOutcomeError):
            session.reset([4], mask=[True])
        got = call_until_answered(lambda: session.step(actions))
        want = reference.step(actions)
        np.testing.assert_array_equal(got.observations[0], want.observations[0])
        assert session.observe().ticks.tolist() == reference.observe().ticks.tolist()


def test_after_giving_up_a_reset_goes_on(proxy):
    with livnd.connect(proxy.address, retry_s=0.0) as lossy:
        session = lossy.create_session(ENVIRONMENT, 1)
        actions = np.full((1, *session.spec.actions[0].shape), 0.5)
        session.reset([1])
        proxy.lose_answers = True
        with pytest.raises(errors.ServerUnavailableError):
            session.step(actions)
        call_until_answered(lambda: session.reset([5]))
        now = session.observe()
        assert now.episodes.tolist() == [2]
        assert now.next_op_index == session.next_op_index
        session.step(actions)


def test_a_culture_whose_answers_were_lost_has_run_and_changed_once(proxy, client):
    with livnd.connect(proxy.address, timeout_s=2, run_timeout_s=20) as lossy:
        ours, theirs = lossy.create_culture("EI-mini"), client.create_culture("EI-mini")
        recordings = []
        for session in (ours, theirs):
            session.clear([5])
            for lose in (False, True, False):
                proxy.lose_answers = lose and session is ours
                call_until_answered(lambda s=session: s.configure(plasticity_on=True))
                proxy.lose_answers = lose and session is ours
                recordings.append(call_until_answered(lambda s=session: s.run(40)))
        assert ours.next_op_index == theirs.next_op_index == 8
        for a, b in zip(recordings[:3], recordings[3:], strict=True):
            assert a.start_tick == b.start_tick
            np.testing.assert_array_equal(a.spike_ticks, b.spike_ticks)
            np.testing.assert_array_equal(a.spike_gids, b.spike_gids)
