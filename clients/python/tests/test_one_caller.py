"""A session is driven by one caller at a time: who comes between is told, and does no harm."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import gymnasium
import livnd
import numpy as np
import pytest
from beside_livn import SYSTEM
from conftest import GYM_ID
from livnd.errors import ConcurrentCallError


class HeldCall:
    """The next call of a client waits, in a thread of its own, until release()."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, client: livnd.Client, do: Callable[[], Any]
    ) -> None:
        self._reached, self._go = threading.Event(), threading.Event()
        self.result: Any = None
        call = client.call

        def held(*args: Any, **kwargs: Any) -> Any:
            monkeypatch.setattr(client, "call", call)
            self._reached.set()
            assert self._go.wait(60)
            return call(*args, **kwargs)

        def run() -> None:
            self.result = do()

        monkeypatch.setattr(client, "call", held)
        self._thread = threading.Thread(target=run)
        self._thread.start()
        assert self._reached.wait(60)

    def release(self) -> Any:
        self._go.set()
        self._thread.join(60)
        return self.result


def test_a_session_refuses_a_second_caller(
    monkeypatch: pytest.MonkeyPatch, client: livnd.Client, session: livnd.Session
):
    session.reset([1, 2])
    actions = np.zeros((2, 8), np.float32)
    held = HeldCall(monkeypatch, client, lambda: session.step(actions))
    for do in (lambda: session.step(actions), session.reset, session.observe):
        with pytest.raises(ConcurrentCallError, match="one caller at a time"):
            do()
    assert held.release() is not None
    assert session.next_op_index == session.observe().next_op_index == 3
    session.reset([1, 2])


def test_a_culture_refuses_a_second_caller(monkeypatch: pytest.MonkeyPatch, client: livnd.Client):
    with client.create_culture(SYSTEM) as culture:
        culture.clear([1])
        held = HeldCall(monkeypatch, client, lambda: culture.run(1))
        for do in (lambda: culture.run(1), culture.clear, culture.configure, culture.describe):
            with pytest.raises(ConcurrentCallError):
                do()
        assert held.release().num_ticks > 0
        assert culture.run(1).start_tick > 0


def test_operations_that_were_made_at_once_are_numbered_as_they_come(
    monkeypatch: pytest.MonkeyPatch, session: livnd.Session
):
    """One is overtaken between its making and its sending."""
    session.reset([1, 2])
    actions = np.zeros((2, 8), np.float32)
    operate = session._operate

    def overtaken(method: str, request: Any, **options: Any) -> Any:
        monkeypatch.setattr(session, "_operate", operate)
        session.step(actions)
        return operate(method, request, **options)

    monkeypatch.setattr(session, "_operate", overtaken)
    session.step(actions)
    assert session.next_op_index == session.observe().next_op_index == 4


def test_an_interrupted_call_is_no_caller(
    monkeypatch: pytest.MonkeyPatch, client: livnd.Client, session: livnd.Session
):
    session.reset([1, 2])

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(client, "call", interrupted)
        with pytest.raises(KeyboardInterrupt):
            session.step(np.zeros((2, 8), np.float32))
    session.reset([1, 2])


@pytest.mark.parametrize("num_envs", [None, 2])
def test_environments_lose_no_step_to_other_threads(address: str, num_envs: int | None):
    if num_envs is None:
        env = gymnasium.make(GYM_ID, address=address).unwrapped
        actions = np.zeros(8, np.float32)
    else:
        env = gymnasium.make_vec(GYM_ID, num_envs=num_envs, address=address).unwrapped
        actions = np.zeros((num_envs, 8), np.float32)
    env.reset(seed=1)
    done, refused, others = [], [], []

    def drive() -> None:
        for _ in range(10):
            try:
                env.step(actions)
                done.append(1)
            except ConcurrentCallError:
                refused.append(1)
            except Exception as error:
                others.append(error)

    threads = [threading.Thread(target=drive) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not others
    assert len(done) + len(refused) == 40
    # The reset came first.
    assert env._session._session.observe().next_op_index == 2 + len(done)
    env.reset(seed=1)
    env.close()
