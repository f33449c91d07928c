"""Limits of a server: what they are, and what a client is told at them."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator

import grpc
import numpy as np
import pytest
from livnd import CultureStimulus, SeriesSelection
from livnd._proto import METHODS, pb
from serving import ROOT, TASK, Serve

from conformance.drivers import Refused, Session


@pytest.fixture(scope="module")
def small() -> Iterator[Serve]:
    """A server with little room."""
    flags = ("--max-sessions", "2", "--max-envs", "3", "--lease", "7m", "--threads", "1")
    with Serve(*flags) as server:
        yield server


def test_a_server_tells_its_limits(connect, small, server):
    info = connect(small.address).info()
    assert (info.max_sessions, info.max_envs_per_session) == (2, 3)
    assert (info.session_lease_s, info.num_workers) == (420, 1)
    assert info.session_retention_s == 7 * 24 * 3600
    assert min(info.max_receive_message_bytes, info.max_send_message_bytes) >= 4 << 20
    assert info.physics_version and info.server_version
    assert connect(server.address).info().max_envs_per_session == 1024


def test_copies_up_to_the_limit(connect, small):
    client = connect(small.address)
    session = client.session(TASK, 3)
    session.reset()
    session.close()
    with pytest.raises(Refused) as caught:
        client.session(TASK, 4)
    told = caught.value
    assert (told.code, told.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_ENVS")
    assert (told.metadata["value"], told.metadata["accepted"]) == ("4", "1 .. 3")


def test_a_full_server_says_who_holds_what_and_has_room_again(connect, small):
    client = connect(small.address)
    session, culture = client.session(TASK, 2), client.culture("EI-mini", 3)
    session.reset()
    for make in (lambda: client.session(TASK), lambda: client.culture("EI-mini")):
        with pytest.raises(Refused) as caught:
            make()
        told = caught.value
        assert (told.code, told.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_SESSIONS")
        assert not told.in_doubt
        for name in (TASK, "Culture-EI-mini-v0"):
            assert name in told.metadata["holders"]
    session.step(session.actions(0))  # others are not touched by it
    culture.close()
    again = client.culture("EI-mini")
    again.clear()
    again.close()
    session.close()


def test_a_session_that_nobody_holds_gives_its_place_back(connect, small):
    client = connect(small.address)
    for _ in range(5):
        session = at_last(lambda: client.session(TASK))
        session.reset()
        session.forget()
    both = [at_last(lambda: client.session(TASK)) for _ in range(2)]
    for session in both:
        session.close()


def at_last(make: Callable[[], Session]) -> Session:
    """A client may take its time to delete what nobody holds."""
    for _ in range(2000):
        try:
            return make()
        except Refused as error:
            assert error.reason == "TOO_MANY_SESSIONS"
            time.sleep(0.01)
    return make()


def test_a_request_above_the_cap_is_not_sent(client):
    session = client.session(TASK)
    session.reset([1])
    cap = client.info().max_receive_message_bytes
    with pytest.raises(Refused) as caught:
        session.reset(options={"x" * cap: 1.0})
    told = caught.value
    assert (told.code, told.reason) == ("RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE")
    assert not told.in_doubt
    assert told.metadata["accepted"] == f"{cap} bytes"
    assert int(told.metadata["value"].removesuffix(" bytes")) > cap
    assert session.next_op_index == 2
    session.step(session.actions(0))


def test_a_request_just_below_the_cap_is_read_and_answered_in_few_words(client):
    session = client.session(TASK)
    session.reset([1])
    cap = client.info().max_receive_message_bytes
    with pytest.raises(Refused) as caught:
        session.reset(options={"x" * (cap - 200): 1.0})
    told = caught.value
    assert (told.code, told.reason) == ("INVALID_ARGUMENT", "INVALID_FIELD")
    assert told.metadata["field"] == "options"
    assert sum(len(text) for text in told.metadata.values()) < 2000
    session.step(session.actions(0))


def test_an_answer_that_would_be_too_large_is_refused_before_it_is_made(client):
    culture = client.culture("EI-mini", 3)
    sites = [(gid, section) for gid in range(8) for section in range(7)]
    culture.configure(series=[SeriesSelection("voltage_mv", sites, sample_dt_ms=0.025)])
    culture.clear([1, 2, 3])
    with pytest.raises(Refused) as caught:
        culture.run(20_000)
    told = caught.value
    assert (told.code, told.reason) == ("INVALID_ARGUMENT", "INVALID_FIELD")
    assert told.metadata["field"] == "duration_ms"
    assert culture.describe()["ticks"] == 0
    assert culture.run(10)["series[0]"].shape == (3, 56, 400)


def test_a_run_with_more_spikes_than_an_answer_holds_has_not_been(client):
    culture = client.culture("EI-mini", 3)
    sites = [(gid, section) for gid in range(8) for section in range(7)]
    voltage = [SeriesSelection("voltage_mv", sites, sample_dt_ms=0.025)]
    culture.configure(spikes=True, series=voltage)
    culture.clear([1, 2, 3])
    with pytest.raises(Refused) as caught:
        culture.run(20_000)
    longest_ms = float(re.search(r"0 \.\. ([0-9.]+)", caught.value.metadata["accepted"])[1])

    # The series of the longest run fill an answer but for a few spikes.
    push = CultureStimulus("current_na", np.full((int(longest_ms), 1), 1.0), 1.0, [(0, 0)])
    before = culture.describe(learned_weights=True)
    with pytest.raises(Refused) as caught:
        culture.run(longest_ms, [push])
    told = caught.value
    assert (told.code, told.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_SPIKES")
    assert told.metadata["field"] == "duration_ms"
    assert float(told.metadata["value"]) == longest_ms
    assert told.metadata["accepted"] == "a shorter run"
    assert not told.in_doubt
    after = culture.describe(learned_weights=True)
    assert all(after[name].tobytes() == before[name].tobytes() for name in before)
    assert culture.next_op_index == 3

    again = culture.run(50, [push])
    culture.clear([1, 2, 3])
    unharmed = culture.run(50, [push])
    for name in unharmed:
        if name != "start_tick":
            assert again[name].tobytes() == unharmed[name].tobytes(), name
    assert len(unharmed["spike_gids"]) > 0
    culture.close()


def test_a_description_larger_than_a_message_is_refused_and_a_smaller_one_given(connect, tmp_path):
    """The learned weights of enough copies of EI-1000 pass the cap."""
    (tmp_path / "EI-1000").symlink_to(ROOT / "tests/data/systems/EI-1000")
    with Serve(systems=tmp_path) as server:
        client = connect(server.address)
        most = client.info().max_send_message_bytes
        one = client.culture("EI-1000")
        bytes_a_copy = one.describe(learned_weights=True)["learned_weights"].nbytes
        one.close()
        culture = client.culture("EI-1000", most // bytes_a_copy)
        with pytest.raises(Refused) as caught:
            culture.describe(learned_weights=True)
        told = caught.value
        assert (told.code, told.reason) == ("RESOURCE_EXHAUSTED", "ANSWER_TOO_LARGE")
        assert int(told.metadata["value"].removesuffix(" bytes")) > most
        assert told.metadata["accepted"].startswith("at most ")
        assert not told.in_doubt
        assert culture.describe()["ticks"] == 0


def test_a_session_with_too_many_calls_is_asked_again_until_it_has_room(connect, small):
    """Calls past the client wait behind a long run of the same session, until no more may."""
    eager = connect(small.address, retry_s=0.0)
    culture = eager.culture("EI-mini", 3)
    culture.clear([1, 2, 3])
    path = "/livnd.v1.CultureService/"
    with grpc.insecure_channel(small.address) as channel:
        run = pb.RunRequest(session=culture.name, op_index=2, duration_ms=20_000)
        look = pb.GetCultureRequest(session=culture.name).SerializeToString()
        running = channel.unary_unary(f"{path}Run").future(run.SerializeToString())
        wait_for_a_call(channel, culture.name)
        full = threading.Event()

        def note(call: grpc.Future) -> None:
            if call.code() == grpc.StatusCode.RESOURCE_EXHAUSTED:
                full.set()

        # One after the other would let a busy machine finish the run before there are enough.
        waiting = [channel.unary_unary(f"{path}GetCulture").future(look) for _ in range(100)]
        for call in waiting:
            call.add_done_callback(note)
        assert full.wait(60)
        with pytest.raises(Refused) as caught:
            culture.describe()
        told = caught.value
        assert (told.code, told.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_CALLS")
        assert not told.in_doubt
        recording = METHODS["Run"].response.FromString(running.result()).recording
        assert recording.num_ticks == 800_000
        answered = [call for call in waiting if call.code() == grpc.StatusCode.OK]
        assert len(answered) >= 60
    assert culture.describe()["ticks"] == 800_000
    culture.clear([1, 2, 3])
    assert np.isnan(culture.run(1)["failed_at_ms"]).all()
    culture.close()


def wait_for_a_call(channel: grpc.Channel, session: str) -> None:
    """Until a call of the session is under way; any sent after it waits for it."""
    listing = channel.unary_unary("/livnd.v1.AdminService/ListSessions")
    for _ in range(1000):
        told = METHODS["ListSessions"].response.FromString(listing(b""))
        if any(each.session == session and each.num_calls > 0 for each in told.sessions):
            return
        time.sleep(0.001)
    pytest.fail("the call never came")
