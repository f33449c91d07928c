"""kill -9 at random moments under stepping clients: every trace is that of an undisturbed server.

What may be lost: nothing that was acknowledged. What was under way is done once, before or after.
"""

from __future__ import annotations

import os
import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator

import livnd
import numpy as np
from livnd import CultureStimulus
from serving import TASK, Serve

NULL = "Null-v0"
NUM_KILLS = int(os.environ.get("LIVND_KILLS", "20"))
# Longer than a server takes to come back, with what its clients have done since the last cut.
PATIENCE_S = 120.0


def arrays(result: object) -> list[bytes]:
    """What an answer says, to the last bit."""
    told = []
    for value in vars(result).values():
        parts = value.values() if isinstance(value, dict) else value
        parts = parts if isinstance(value, (dict, tuple, list)) else [value]
        told += [np.asarray(part).tobytes() for part in parts]
    return told


def wave(shape: tuple[int, ...], step: int) -> np.ndarray:
    return 0.3 * np.sin(1.7 * step + np.arange(np.prod(shape))).reshape(shape)


def of_task(environment_id: str, num_envs: int, mode: str) -> Callable[..., Iterator[object]]:
    def story(client: livnd.Client) -> Iterator[object]:
        session = client.create_session(environment_id, num_envs, autoreset_mode=mode)
        yield session.reset(range(num_envs))
        shape = (num_envs, *session.spec.actions[0].shape)
        for step in range(10**9):
            yield session.step(wave(shape, step).astype(np.float32))

    return story


def of_a_culture(client: livnd.Client) -> Iterator[object]:
    session = client.create_culture("EI-mini", 2)
    session.configure(params={"noise-std_e": 2.0}, plasticity_on=True, spikes=True)
    session.clear([3, 4])
    for run in range(10**9):
        samples = 0.2 * np.abs(wave((30, 1), run))
        push = CultureStimulus("current_na", samples, 0.5, [(0, 0)], timing="exact")
        yield session.run(7.5, [push] if run % 3 == 0 else [])


STORIES = [
    of_task(TASK, 2, "next_step"),
    of_task(NULL, 16, "same_step"),
    of_task(TASK, 1, "same_step"),
    of_a_culture,
]


class Teller(threading.Thread):
    """One client, and all that it was told."""

    def __init__(self, address: str, story: Callable[..., Iterator[object]]) -> None:
        super().__init__()
        self.told: list[list[bytes]] = []
        self.error: Exception | None = None
        self._story, self._address = story, address
        self._over = threading.Event()

    def run(self) -> None:
        try:
            with livnd.connect(self._address, retry_s=PATIENCE_S) as client:
                for result in self._story(client):
                    self.told.append(arrays(result))
                    if self._over.is_set():
                        return
        except Exception as error:
            self.error = error

    def stop(self) -> None:
        self._over.set()
        self.join(2 * PATIENCE_S)
        assert not self.is_alive()


def kill_and_start(server: Serve, random_: random.Random) -> None:
    server.kill()
    while random_.random() < 0.3:  # once more, before it is back
        half_way = subprocess.Popen(
            server.command,
            cwd=server.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(random_.uniform(0.0, 0.5))
        half_way.kill()
        half_way.wait()
    server.start()


def until_told(tellers: list[Teller], more: int) -> None:
    """Returns once they were told so much more, all together."""

    def told() -> int:
        return sum(len(teller.told) for teller in tellers)

    enough, deadline = told() + more, time.monotonic() + PATIENCE_S
    while told() < enough and all(teller.is_alive() for teller in tellers):
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_no_trace_shows_that_the_server_was_killed():
    random_ = random.Random(NUM_KILLS)
    with Serve("--bench-environments", "--threads", "2") as server:
        tellers = [Teller(server.address, story) for story in STORIES]
        for teller in tellers:
            teller.start()
        for _ in range(NUM_KILLS):
            until_told(tellers, random_.randint(1, 40))
            time.sleep(random_.uniform(0.0, 0.05))
            kill_and_start(server, random_)
        until_told(tellers, 10)
        for teller in tellers:
            teller.stop()
            assert teller.error is None, (repr(teller.error), server.log()[-3000:])
            assert len(teller.told) > 1
        assert "not brought back" not in server.log()
    with Serve("--bench-environments", "--threads", "1") as undisturbed:
        for teller, story in zip(tellers, STORIES, strict=True):
            with livnd.connect(undisturbed.address) as client:
                for step, (told, result) in enumerate(zip(teller.told, story(client))):  # noqa: B905
                    assert arrays(result) == told, (STORIES.index(story), step)
