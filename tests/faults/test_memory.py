"""Memory has a budget: what would take more is refused, and whoever else is served notices nothing.

Every server here runs under a limit of its data (RLIMIT_DATA) a little above its budget, so that
an allocation that nobody counted ends it; and beside every attack a learner steps on and compares
what it sees with an undisturbed run.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator

import grpc
import livnd
import numpy as np
import pytest
from livnd import errors
from livnd._proto import METHODS, pb
from prometheus_client.parser import text_string_to_metric_families
from serving import TASK, Serve

MIB = 1 << 20
BUDGET = 400 * MIB
# Threads' stacks, the program's own data, what the allocator keeps, and what is not counted.
SLACK = 500 * MIB
CHANNEL = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class Limited(Serve):
    """A server with a budget, and a limit above it that ends it."""

    def __init__(self, *flags: str, budget: int = BUDGET) -> None:
        super().__init__(
            *("--memory", str(budget), "--threads", "2", "--metrics-listen", "127.0.0.1:0"),
            *flags,
            before=f"ulimit -s 2048; ulimit -d {(budget + SLACK) >> 10}",
        )

    def metric(self, name: str, **labels: str) -> float:
        with urllib.request.urlopen(self.ready["metrics"], timeout=60) as answer:
            families = text_string_to_metric_families(answer.read().decode())
        found = [s for f in families for s in f.samples if s.name == name]
        return sum(s.value for s in found if labels.items() <= s.labels.items())

    def used(self, use: str) -> float:
        return self.metric("livnd_memory_used_bytes", use=use)

    def status(self, field: str) -> int:
        """Bytes that /proc tells: VmRSS, VmHWM."""
        with open(f"/proc/{self.process.pid}/status") as status:
            (line,) = (line for line in status if line.startswith(f"{field}:"))
        return int(line.split()[1]) << 10


def until(condition, what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def actions(session: livnd.Session, step: int) -> np.ndarray:
    spec = session.spec.actions[0]
    drawn = np.random.default_rng(step).uniform(size=(session.num_envs, *spec.shape))
    return (drawn * spec.high).astype(spec.dtype)


def observed(session: livnd.Session, steps: Iterator[int]) -> Iterator[list[bytes]]:
    for step in steps:
        result = session.step(actions(session, step))
        yield [np.asarray(x).tobytes() for x in (*result.observations, result.rewards)]


@contextlib.contextmanager
def neighbour(server: Serve):
    """Steps on from the beginning to the end of the block, and sees what it sees undisturbed."""
    with livnd.connect(server.address, retry_s=60) as client:
        first, again = (client.create_session(TASK, 2) for _ in range(2))
        first.reset([1, 2])
        again.reset([1, 2])
        expected = list(observed(first, range(40)))
        seen: list[list[bytes]] = []
        stop = threading.Event()
        failures: list[Exception] = []

        def go_on() -> None:
            try:
                while not stop.is_set() or len(seen) < 3:
                    if len(seen) == len(expected):
                        stop.wait(0.05)
                        again.reset([1, 2])
                        seen.clear()
                    seen.extend(observed(again, [len(seen)]))
                    assert seen[-1] == expected[len(seen) - 1]
            except Exception as error:  # told at the end
                failures.append(error)

        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(120)
        assert not failures, failures
        assert server.process.poll() is None, server.log()


def test_the_budget_is_published():
    with Limited() as server, livnd.connect(server.address) as client:
        info = METHODS["GetServerInfo"].response.FromString(
            grpc.insecure_channel(server.address).unary_unary(METHODS["GetServerInfo"].path)(
                b"", timeout=60
            )
        )
        assert info.memory_budget_bytes == BUDGET == server.metric("livnd_memory_limit_bytes")
        assert server.used("transport") > 0
        assert server.used("sessions") == 0
        with client.create_session(TASK, 4):
            assert server.used("sessions") > 0
            assert server.used("models") > 0
        until(lambda: server.used("sessions") == 0, "a deleted session's memory comes back")


def test_a_compressed_message_is_not_inflated():
    with Limited() as server, neighbour(server):
        before = server.status("VmHWM")
        with grpc.insecure_channel(server.address, CHANNEL) as channel:
            call = channel.unary_unary(METHODS["Step"].path)
            with pytest.raises(grpc.RpcError) as refused:
                call(bytes(40 * MIB), timeout=120, compression=grpc.Compression.Gzip)
        assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED
        assert server.status("VmHWM") < before + 16 * MIB


def test_copies_for_which_there_is_no_memory():
    with (
        Limited("--max-envs", "1000000") as server,
        neighbour(server),
        livnd.connect(server.address) as client,
    ):
        before = server.used("sessions")
        for environment in ("TargetRate-EI-100-v0", "Culture-EI-100-v0"):
            with pytest.raises(errors.OutOfMemoryError) as refused:
                client.create_session(environment, 50_000)
            assert refused.value.code == "RESOURCE_EXHAUSTED"
            need = int(refused.value.metadata["value"].split()[0])
            assert need > int(refused.value.metadata["accepted"].split()[0])
        session = client.create_session("Culture-EI-100-v0", 2)
        assert before < server.used("sessions") < before + 20 * MIB
        session.close()


READS_NOTHING = """
import os, signal, sys, threading, time
import grpc
address, path, request, calls = sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3]), sys.argv[4]
channel = grpc.insecure_channel(address, [
    ("grpc.max_receive_message_length", -1), ("grpc.http2.bdp_probe", 0)])
call = channel.unary_unary(path)
grpc.channel_ready_future(channel).result(60)
print("ready", flush=True)
sys.stdin.readline()
sent = [call.future(request) for _ in range(int(calls))]
time.sleep(0.05)
os.kill(os.getpid(), signal.SIGSTOP)
"""


def test_answers_that_nobody_reads():
    with Limited() as server, neighbour(server), livnd.connect(server.address) as client:
        cultures = [client.create_culture("EI-100", 24) for _ in range(2)]
        for culture in cultures:
            culture.clear(list(range(24)))
        size = len(cultures[0].snapshot())
        assert 500 * size > 2 * BUDGET
        readers = [
            subprocess.Popen(
                [
                    *(sys.executable, "-c", READS_NOTHING, server.address),
                    METHODS["Snapshot"].path,
                    METHODS["Snapshot"].request(session=culture.name).SerializeToString().hex(),
                    "64",
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            for culture in cultures
            for _ in range(4)
        ]
        try:
            for reader in readers:
                assert reader.stdout.readline() == b"ready\n"
            for reader in readers:
                reader.stdin.write(b"\n")
                reader.stdin.flush()
            denied = "livnd_denials_total"
            until(
                lambda: server.metric(denied, reason="OUT_OF_MEMORY") > 0,
                "answers take all the memory",
            )
            assert server.metric("livnd_memory_used_bytes") <= 1.1 * BUDGET
        finally:
            for reader in readers:
                reader.send_signal(signal.SIGKILL)
                reader.communicate()
        until(lambda: server.used("answers") == 0, "answers to nobody are let go")
        assert len(cultures[1].snapshot()) == size


def test_requests_that_wait():
    with Limited() as server, neighbour(server), livnd.connect(server.address) as client:
        culture = client.create_culture("EI-100", 20)
        culture.clear(list(range(20)))
        request = pb.RunRequest(session=culture.name, op_index=culture.next_op_index)
        request.duration_ms = 50_000.0
        with grpc.insecure_channel(server.address, CHANNEL) as channel:
            run = channel.unary_unary(METHODS["Run"].path)
            long_run = run.future(request.SerializeToString())
            server.until_it_works_hard()
            request.op_index += 1
            request.stimuli.add().samples.data = bytes(30 * MIB)
            payload = request.SerializeToString()
            waiting = [run.future(payload) for _ in range(40)]
            denied = "livnd_denials_total"
            until(
                lambda: (
                    server.metric(denied, reason="OUT_OF_MEMORY") > 0
                    or any(w.done() for w in waiting)
                ),
                "requests take all the memory",
            )
            culture.close()
            codes = {w.exception(60).code() for w in waiting}
            assert codes <= {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.NOT_FOUND}
            assert grpc.StatusCode.RESOURCE_EXHAUSTED in codes
            long_run.exception(60)
        until(lambda: server.used("requests") == 0, "requests that are over are let go")


def stimulus_of(num_bytes: int, duration_ms: float) -> livnd.CultureStimulus:
    sites = [(gid, 0) for gid in range(100)]
    samples = np.zeros((num_bytes // 800, 100))
    dt_ms = 0.025 * max(1, round(duration_ms / len(samples) / 0.025))
    return livnd.CultureStimulus("current_na", samples, dt_ms, sites)


def test_stimuli_of_many_sessions():
    with (
        Limited() as server,
        neighbour(server),
        livnd.connect(server.address, retry_s=1) as client,
    ):
        long = stimulus_of(20 * MIB, 1e6)
        held = []
        with pytest.raises(errors.OutOfMemoryError) as refused:
            for _ in range(16):
                held.append(client.create_culture("EI-100", 16))
                held[-1].clear(list(range(16)))
                held[-1].run(1.0, [long])
        assert len(held) > 2
        assert int(refused.value.metadata["value"].split()[0]) > 20 * MIB
        assert server.used("sessions") > (len(held) - 1) * 20 * MIB
        held[0].run(1.0)  # what there is goes on
        for culture in held:
            culture.close()
        culture = client.create_culture("EI-100", 16)
        culture.clear(list(range(16)))
        culture.run(1.0, [long])


def test_sessions_that_do_not_fit_any_more_stay_on_the_disk():
    flags = ("--threads", "2", "--max-envs", "100000")
    with Serve("--memory", "2G", *flags) as server:
        with livnd.connect(server.address, retry_s=0) as client:
            large = client.create_culture("EI-100", 500)
            small = client.create_culture("EI-100", 1)
            for culture in (large, small):
                culture.clear(list(range(culture.num_envs)))
            names = [large.name, small.name]
            client.disown_session(large)
            client.disown_session(small)
        server.kill()
        server.command = [f if f != "2G" else "256M" for f in server.command]
        server.start()
        assert server.ready is not None, server.log()
        with livnd.connect(server.address, retry_s=0) as client:
            with pytest.raises(errors.OutOfMemoryError) as refused:
                client.attach_session(names[0])
            assert int(refused.value.value.split()[0]) > 100 * MIB
            client.attach_session(names[1]).run(1.0)
        server.kill()
        server.command = [f if f != "256M" else "2G" for f in server.command]
        server.start()
        with livnd.connect(server.address, retry_s=0) as client:
            client.attach_session(names[0]).run(1.0)


def test_a_large_request_leaves_nothing():
    with Limited() as server, livnd.connect(server.address) as client:
        culture = client.create_culture("EI-100", 1)
        culture.clear([1])
        culture.run(1.0)
        used, resident = server.used("sessions"), server.status("VmRSS")
        short = stimulus_of(40 * MIB, 100.0)
        culture.run(len(short.samples) * short.sample_dt_ms + 1.0, [short])
        culture.run(1.0)  # its answer takes the place of the long run's
        assert server.used("sessions") < used + MIB
        until(lambda: server.used("requests") + server.used("answers") == 0, "nothing is left")
        # Nor does the allocator keep it for long.
        until(lambda: server.status("VmRSS") < resident + 30 * MIB, "the memory is given back")


def test_a_run_that_records_more_than_there_is_room_for_is_given_up():
    """How many spikes come nobody knows before; the culture is then as if it had not run."""
    with (
        Limited("--max-envs", "100000", budget=256 * MIB) as server,
        neighbour(server),
        livnd.connect(server.address, retry_s=0) as client,
    ):
        driven, undisturbed = (client.create_culture("EI-mini", 50) for _ in range(2))
        gids = [int(gid) for p in driven.describe().populations for gid in p.gids]
        sites = [(gid, 0) for gid in gids]
        for culture in (driven, undisturbed):
            culture.clear(range(50))
        spare = client.create_culture("EI-100", 40)
        others = []
        for num_envs in (400, 100, 50, 20, 10, 5, 2, 1):
            with contextlib.suppress(errors.OutOfMemoryError):
                while True:
                    others.append(client.create_culture("EI-100", num_envs))
        spare.close()
        current = livnd.CultureStimulus(
            "current_na", np.full((10_000, len(sites)), 1.0), 1.0, sites
        )
        until(lambda: server.used("requests") == 0, "nothing is left")
        with pytest.raises(errors.OutOfMemoryError, match="what the run records"):
            driven.run(10_000.0, [current])
        assert driven.next_op_index == 2
        again, expected = (c.run(200.0, [current]) for c in (driven, undisturbed))
        assert len(again.spike_ticks) > 100
        assert again.spike_ticks.tobytes() == expected.spike_ticks.tobytes()
