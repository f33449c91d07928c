"""What is refused is refused alike: code, reason, field, value and what is accepted are the same
from every client, and nothing has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import livnd
import numpy as np
import pytest
from livnd import CultureStimulus, SeriesSelection
from livnd._proto import pb
from livnd.tensors import encode
from serving import TASK, Serve

from conformance.drivers import Client, Culture, Refused, Session

NAN = float("nan")


def refusal_of(call: Callable[[], Any]) -> Refused:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value


def assert_alike(refusals: list[Refused], names: list[str] | None = None) -> None:
    """The same from every client; `names` of sessions are not compared."""
    told = []
    for refused, name in zip(refusals, names or [""] * len(refusals), strict=True):
        metadata = {k: v.replace(name, "NAME") if name else v for k, v in refused.metadata.items()}
        told.append((refused.code, refused.reason, metadata, refused.in_doubt))
    assert told[0] == told[1]


@pytest.fixture
def clients(all_drivers, server: Serve) -> Iterator[list[Client]]:
    """One of each library."""
    clients = [driver.connect(server.address) for driver in all_drivers]
    yield clients
    for client in clients:
        client.close()


# --- names and numbers of sessions ----------------------------------------------------------------

CREATIONS = {
    "system": (lambda c: c.system("EI-huge"), "NOT_FOUND", "UNKNOWN_SYSTEM", "system"),
    "odd system": (lambda c: c.system("../\x01é"), "NOT_FOUND", "UNKNOWN_SYSTEM", "system"),
    "environment": (
        lambda c: c.environment("Juggling-v0"),
        *("NOT_FOUND", "UNKNOWN_ENVIRONMENT", "environment_id"),
    ),
    "session": (
        lambda c: c.session("Juggling-v0"),
        *("NOT_FOUND", "UNKNOWN_ENVIRONMENT", "environment_id"),
    ),
    "culture": (
        lambda c: c.culture("EI-huge"),
        *("NOT_FOUND", "UNKNOWN_ENVIRONMENT", "environment_id"),
    ),
    "no copies": (lambda c: c.session(TASK, 0), "INVALID_ARGUMENT", "INVALID_FIELD", "num_envs"),
    "fewer": (lambda c: c.session(TASK, -5), "INVALID_ARGUMENT", "INVALID_FIELD", "num_envs"),
    "too many": (
        lambda c: c.session(TASK, 2**31 - 1),
        *("RESOURCE_EXHAUSTED", "TOO_MANY_ENVS", "num_envs"),
    ),
    "too many cultures": (
        lambda c: c.culture("EI-mini", 1025),
        *("RESOURCE_EXHAUSTED", "TOO_MANY_ENVS", "num_envs"),
    ),
}


@pytest.mark.parametrize("what", CREATIONS)
def test_creations(clients, what):
    call, code, reason, field = CREATIONS[what]
    refusals = [refusal_of(lambda c=client: call(c)) for client in clients]
    for refused in refusals:
        assert (refused.code, refused.reason, refused.in_doubt) == (code, reason, False)
        assert refused.metadata["field"] == field
        assert refused.metadata["accepted"]
    assert_alike(refusals)


# --- sessions of tasks ----------------------------------------------------------------------------


def with_element(session: Session, value: float) -> np.ndarray:
    actions = session.actions(0.5)
    actions[1, 2] = value
    return actions


EPISODES = {
    "NaN": (lambda s: s.step(with_element(s, NAN)), "actions[0].data"),
    "infinite": (lambda s: s.step(with_element(s, np.inf)), "actions[0].data"),
    "out of bounds": (lambda s: s.step(with_element(s, 1.5)), "actions[0].data"),
    "too few seeds": (lambda s: s.reset([1]), "seeds.shape"),
    "too many seeds": (lambda s: s.reset([1, None, 3]), "seeds.shape"),
    "mask too short": (lambda s: s.reset(mask=[True]), "mask.shape"),
    "mask of none": (lambda s: s.reset(mask=[False, False]), "mask"),
    "unknown option": (lambda s: s.reset(options={"gravity": 9.81}), "options"),
    "odd option": (lambda s: s.reset(options={"é\n": NAN}), "options"),
    "option too large": (
        lambda s: s.reset(options={"target_rate_hz": 1e9}),
        "options[target_rate_hz]",
    ),
    "option NaN": (lambda s: s.reset(options={"target_rate_hz": NAN}), "options[target_rate_hz]"),
}


def bound_hz(session: Session) -> float:
    (option,) = (o for o in session.spec.reset_options if o.name == "target_rate_hz")
    return option.max


def test_a_number_just_out_of_bounds_does_not_read_as_one_within(client):
    session = client.session(TASK)
    session.reset([1], options={"target_rate_hz": 10.0})
    actions = session.actions(0)
    actions[0, 0] = np.nextafter(np.float32(1), np.float32(2))
    for call, bound in (
        (lambda: session.step(actions), 1.0),
        (
            lambda: session.reset(options={"target_rate_hz": np.nextafter(bound_hz(session), 1e9)}),
            bound_hz(session),
        ),
    ):
        told = refusal_of(call)
        assert float(told.metadata["value"].split()[0]) > bound
        assert float(told.metadata["accepted"].split()[-1]) == bound


@pytest.mark.parametrize("what", EPISODES)
def test_episodes(clients, what):
    call, field = EPISODES[what]
    refusals = []
    for client in clients:
        session = client.session(TASK, 2)
        session.reset([1, 2])
        session.step(session.actions(0.25))
        before = session.observe()
        refusals.append(refusal_of(lambda s=session: call(s)))
        told = refusals[-1]
        assert (told.code, told.reason) == ("INVALID_ARGUMENT", "INVALID_FIELD")
        assert not told.in_doubt
        assert told.metadata["field"] == field
        assert told.metadata["accepted"]
        assert session.next_op_index == 3
        after = session.observe()
        assert all(after[name].tobytes() == before[name].tobytes() for name in before)
        session.step(session.actions(0.25))
        session.close()
    assert_alike(refusals)


def test_an_action_of_another_size_is_told_as_each_client_can_take_it(client):
    """A flat vector has no shape; so the field differs, and nothing else."""
    session = client.session(TASK, 2)
    session.reset()
    for actions in (session.actions(0)[:1], np.zeros((2, 9), np.float32)):
        told = refusal_of(lambda a=actions: session.step(a))
        assert (told.code, told.reason) == ("INVALID_ARGUMENT", "INVALID_FIELD")
        assert told.metadata["field"] in ("actions[0].shape", "actions[0].data")
    session.step(session.actions(0))


def test_before_the_first_reset(clients):
    for call in (
        lambda s: s.step(s.actions(0)),
        lambda s: s.observe(),
        lambda s: s.reset([1, 2], [True, False]),
    ):
        refusals = []
        for client in clients:
            session = client.session(TASK, 2)
            refusals.append(refusal_of(lambda s=session, call=call: call(s)))
            told = refusals[-1]
            assert (told.code, told.reason) == ("FAILED_PRECONDITION", "NOT_RESET")
            session.reset()
            session.step(session.actions(0))
            session.close()
        assert_alike(refusals)


# --- sessions of cultures -------------------------------------------------------------------------

SOMA = ((0, 0),)


def current(**changes: Any) -> list[CultureStimulus]:
    good = {
        "quantity": "current_na",
        "samples": np.zeros((3, 1)),
        "sample_dt_ms": 1.0,
        "channels": SOMA,
    }
    return [CultureStimulus(**{**good, **changes})]


def voltage(**changes: Any) -> list[SeriesSelection]:
    return [SeriesSelection(**{"quantity": "voltage_mv", "sites": SOMA, **changes})]


CULTURES = {
    "duration": (lambda c: c.run(-1), "duration_ms"),
    "duration NaN": (lambda c: c.run(NAN), "duration_ms"),
    "duration too long": (lambda c: c.run(1e9), "duration_ms"),
    "no such cell": (lambda c: c.run(1, current(channels=[(99, 0)])), "stimuli[0].sites[0]"),
    "no such section": (lambda c: c.run(1, current(channels=[(0, 99)])), "stimuli[0].sites[0]"),
    "samples": (lambda c: c.run(1, current(samples=np.zeros((3, 2)))), "stimuli[0].samples.shape"),
    "sample NaN": (lambda c: c.run(1, current(samples=[[NAN]])), "stimuli[0].samples"),
    "sample_dt_ms": (lambda c: c.run(1, current(sample_dt_ms=0.03)), "stimuli[0].sample_dt_ms"),
    "no such electrode": (
        lambda c: c.run(1, current(quantity="electrode_ua", channels=[-1])),
        "stimuli[0].electrodes[0]",
    ),
    "param": (lambda c: c.configure(params={"noise-std_x": 1.0}), "params"),
    "param NaN": (lambda c: c.configure(params={"noise-std_e": NAN}), "params[noise-std_e]"),
    "dt_ms": (lambda c: c.configure(dt_ms=-1.0), "dt_ms"),
    "series site": (lambda c: c.configure(series=voltage(sites=[(99, 0)])), "recording.series[0]"),
    "series dt": (
        lambda c: c.configure(series=voltage(sample_dt_ms=0.03)),
        "recording.series[0].sample_dt_ms",
    ),
    "series state": (
        lambda c: c.configure(series=voltage(quantity="state", state="x")),
        "recording.series[0]",
    ),
    "weights": (lambda c: c.configure(learned_weights=np.ones((2, 1))), "learned_weights"),
    "too few seeds": (lambda c: c.clear([1]), "seeds.shape"),
}


@pytest.mark.parametrize("what", CULTURES)
def test_cultures(clients, what):
    call, field = CULTURES[what]
    refusals = []
    for client in clients:
        culture = client.culture("EI-mini", 2)
        culture.clear([1, 2])
        before = culture.describe(learned_weights=True)
        refusals.append(refusal_of(lambda c=culture: call(c)))
        told = refusals[-1]
        assert (told.code, told.reason) == ("INVALID_ARGUMENT", "INVALID_FIELD"), told
        assert not told.in_doubt
        assert told.metadata["field"].startswith(field), told
        assert "value" not in told.metadata or told.metadata["accepted"]
        assert culture.next_op_index == 2
        after = culture.describe(learned_weights=True)
        assert all(after[name].tobytes() == before[name].tobytes() for name in before)
        culture.run(1)
        culture.close()
    assert_alike(refusals)


def never_cleared(culture: Culture) -> None:
    culture.run(1)


def in_the_middle(culture: Culture) -> None:
    culture.clear([1])
    culture.run(1)
    culture.configure(dt_ms=0.0125)


def failed(culture: Culture) -> None:
    culture.clear([1])
    recording = culture.run(10, current(samples=[[1e9]] * 10))
    assert np.isfinite(recording["failed_at_ms"]).all()
    culture.run(1)


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        (never_cleared, "NOT_RESET"),
        (in_the_middle, "RUN_STARTED"),
        (failed, "NUMERICAL_FAILURE"),
    ],
)
def test_cultures_in_the_wrong_state(clients, story, reason):
    refusals = []
    for client in clients:
        culture = client.culture("EI-mini")
        refusals.append(refusal_of(lambda c=culture: story(c)))
        told = refusals[-1]
        assert (told.code, told.reason) == ("FAILED_PRECONDITION", reason)
        assert not told.in_doubt
        culture.clear()
        culture.run(1)
        culture.close()
    assert_alike(refusals)


# --- sessions that are gone, and those with two drivers -------------------------------------------


def test_a_session_that_is_gone(clients, direct: livnd.Client):
    for call in (
        lambda s: s.step(s.actions(0)),
        lambda s: s.reset(),
        lambda s: s.observe(),
    ):
        sessions = [client.session(TASK) for client in clients]
        for session in sessions:
            session.reset()
            direct.call("DeleteSession", pb.DeleteSessionRequest(session=session.name))
        for _ in range(2):  # and it stays so
            refusals = [refusal_of(lambda s=s, call=call: call(s)) for s in sessions]
            for told in refusals:
                assert (told.code, told.reason) == ("NOT_FOUND", "UNKNOWN_SESSION")
                assert told.session_gone and not told.in_doubt
                assert told.metadata["field"] == "session"
            assert_alike(refusals, [s.name for s in sessions])
        for session in sessions:
            session.close()


def test_a_session_that_was_closed(clients):
    for client in clients:
        session = client.session(TASK)
        session.close()
        session.close()
        told = refusal_of(session.reset)
        assert (told.code, told.reason) == ("NOT_FOUND", "UNKNOWN_SESSION")
        assert not told.in_doubt


def test_a_session_that_somebody_else_drives_too(clients, direct: livnd.Client):
    mismatches, wrong = [], []
    for client in clients:
        session = client.session(TASK)
        session.reset([1])

        def step_directly(index: int, session: Session = session) -> None:
            actions = encode(session.actions(0.5), np.float32)
            direct.call(
                "Step", pb.StepRequest(session=session.name, op_index=index, actions=[actions])
            )

        step_directly(2)
        # All that a client could do by itself would be to hide it.
        mismatches.append(refusal_of(lambda s=session: s.step(s.actions(0.25))))
        mismatches.append(refusal_of(lambda s=session: s.reset()))
        step_directly(3)
        wrong.append(refusal_of(lambda s=session: s.reset()))
        assert session.next_op_index == 2
    for told in mismatches:
        assert (told.code, told.reason) == ("INVALID_ARGUMENT", "PAYLOAD_MISMATCH")
        assert not told.in_doubt
    for told in wrong:
        assert (told.code, told.reason) == ("FAILED_PRECONDITION", "WRONG_OP_INDEX")
        assert told.metadata["expected"] == "4"
        assert not told.in_doubt
    assert_alike(mismatches[::2])
    assert_alike(mismatches[1::2])
    assert_alike(wrong)


def test_a_session_of_the_other_kind(connect, proxy, direct: livnd.Client):
    """Clients have no such verbs; a server that takes one method for another finds it out."""
    client = connect(proxy.address)
    session, culture = client.session(TASK), client.culture("EI-mini")
    proxy.methods["/livnd.v1.EnvironmentService/Observe"] = "/livnd.v1.CultureService/GetCulture"
    told = refusal_of(session.observe)
    assert (told.code, told.reason) == ("FAILED_PRECONDITION", "NOT_A_CULTURE")
    proxy.methods["/livnd.v1.CultureService/GetCulture"] = "/livnd.v1.EnvironmentService/Observe"
    told = refusal_of(culture.describe)
    assert (told.code, told.reason) == ("FAILED_PRECONDITION", "NOT_A_TASK")


def test_a_server_that_lacks_a_method(connect, proxy):
    session = connect(proxy.address).session(TASK)
    session.reset()
    for method in ("Observe", "Step"):
        proxy.methods[f"/livnd.v1.EnvironmentService/{method}"] = "/livnd.v1.EnvironmentService/No"
    for call in (session.observe, lambda: session.step(session.actions(0))):
        told = refusal_of(call)
        assert (told.code, told.reason) == ("UNIMPLEMENTED", "UNKNOWN_METHOD")
        assert not told.in_doubt
    proxy.methods.clear()
    session.step(session.actions(0))
