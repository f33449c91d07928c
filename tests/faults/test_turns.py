"""Sessions share a server's threads whatever their size, and end in the middle of what they do."""

from __future__ import annotations

import threading

import livnd
import numpy as np
import pytest
from livnd import errors
from serving import TASK, Serve

MINUTES_MS = 90_000.0  # of so many copies of EI-mini
COPIES = 200
STEPS = 60


class Call:
    """A call in a thread of its own."""

    def __init__(self, call) -> None:
        self.answer = None
        self.error: Exception | None = None
        self._call = call
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.answer = self._call()
        except Exception as error:
            self.error = error

    def is_waiting(self) -> bool:
        return self._thread.is_alive()

    def join(self) -> Exception | None:
        self._thread.join(120)
        assert not self._thread.is_alive()
        return self.error


def begin_long_run(client: livnd.Client, copies: int = COPIES) -> tuple[livnd.CultureSession, Call]:
    session = client.create_culture("EI-mini", copies)
    session.clear(list(range(copies)))
    return session, Call(lambda: session.run(MINUTES_MS))


def play(session: livnd.Session, steps: int) -> list[np.ndarray]:
    """Everything that some steps from a seed on answer."""
    seen = list(session.reset([7]).observations)
    for step in range(steps):
        shape = (1, *session.spec.actions[0].shape)
        result = session.step(np.full(shape, 0.5 * np.sin(step), np.float32))
        seen += [*result.observations, result.rewards, *result.infos.values()]
    return seen


def are_equal(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return len(a) == len(b) and all(x.tobytes() == y.tobytes() for x, y in zip(a, b, strict=True))


@pytest.fixture(params=[1, 2], ids=["1 thread", "2 threads"])
def server(request):
    with Serve("--threads", str(request.param), "--drain-timeout", "0") as made:
        yield made


@pytest.fixture
def client(server):
    with livnd.connect(server.address, retry_s=0) as made:
        yield made


def test_steps_of_others_are_answered_while_a_long_run_goes_on(client):
    alone = play(client.create_session(TASK), STEPS)
    runs = [begin_long_run(client) for _ in range(3)]
    # Creation, too, of an environment that is there already.
    among_others = play(client.create_session(TASK), STEPS)
    assert all(run.is_waiting() for _, run in runs)
    assert are_equal(alone, among_others)
    for session, run in runs:
        session.close()
        assert isinstance(run.join(), errors.UnknownSessionError)


def test_deletion_ends_a_run_that_is_under_way(client):
    session, run = begin_long_run(client)
    probe = client.create_session(TASK)
    probe.reset()
    assert run.is_waiting()
    session.close()
    error = run.join()
    assert isinstance(error, errors.UnknownSessionError) and not error.in_doubt
    # Nothing of it is left behind: as many sessions as the server takes can run the same.
    for _ in range(3):
        again, run = begin_long_run(client)
        again.close()
        assert isinstance(run.join(), errors.UnknownSessionError)
    probe.observe()


def test_a_run_does_not_depend_on_neighbours(client):
    def record(neighbours: int) -> livnd.culture.Recording:
        others = [begin_long_run(client) for _ in range(neighbours)]
        session = client.create_culture("EI-mini", 5)
        session.configure(
            spikes=True, series=[livnd.SeriesSelection("voltage_mv", [(0, 0), (3, 0)])]
        )
        session.clear(list(range(5)))
        recording = session.run(200.0)
        for other, run in others:
            assert run.is_waiting()
            other.close()
            run.join()
        return recording

    def arrays(r: livnd.culture.Recording) -> list[np.ndarray]:
        return [r.spike_offsets, r.spike_gids, r.spike_ticks, *r.series]

    alone = arrays(record(0))
    assert alone[1].size > 0
    assert are_equal(alone, arrays(record(2)))


def test_sessions_of_one_server_are_served_in_turns(client):
    """Of long runs none waits for another one's end."""
    sessions = [client.create_culture("EI-mini", COPIES) for _ in range(4)]
    for session in sessions:
        session.clear(list(range(COPIES)))
    endless = [Call(lambda s=s: s.run(MINUTES_MS)) for s in sessions[:-1]]
    for _ in range(3):
        assert sessions[-1].run(50.0).num_ticks == 2000
    assert all(run.is_waiting() for run in endless)
    for session, run in zip(sessions, endless, strict=False):
        session.close()
        run.join()
