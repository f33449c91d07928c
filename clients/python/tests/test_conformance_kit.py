"""python -m livnd.conformance: a server that conforms does, and one with a fault is found out."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType

import livnd
import numpy as np
import pytest
from livnd._proto import pb
from livnd.conformance import Level, cases, check_client, check_server
from livnd.conformance.__main__ import main
from livnd.conformance.serving import Refusal, serve
from project_files import ROOT, load
from serving import Serve

TOY = "docs/toy_server.py"
PROGRAM = """
import sys, livnd
with livnd.connect(sys.argv[1]) as client:
    session = client.create_session("Toy-v0", 1)
    print(session.reset([1]).observations)
    for step in range(12):
        print(session.step([[step / 12]]).rewards)
    session.close()
"""


@pytest.fixture
def toy() -> ModuleType:
    """The server of the docs, each time anew."""
    return load(TOY)


@pytest.fixture
def serve_toy(toy, tmp_path) -> Iterator[str]:
    """Its address; what a test changes in `toy` counts."""
    address = f"unix:{tmp_path}/toy.sock"
    server = serve(address, lambda *call: toy.answer(*call), num_threads=1)
    yield address
    server.stop(0).wait()


def failed(report) -> set[str]:
    return {outcome.case for outcome in report.outcomes if outcome.result == "failed"}


@pytest.fixture(scope="module")
def real() -> Iterator[Serve]:
    with Serve("--bench-environments", "--threads", "2") as server:
        yield server


@pytest.mark.parametrize("environment_id", ["", "Null-v0"])
def test_the_server_conforms(real, environment_id):
    report = check_server(real.address, environment_id=environment_id)
    assert failed(report) == set(), report.json()
    assert report.count("passed") == len(cases()) and report.conforms


def test_the_toy_is_small_and_conforms_to_the_core(serve_toy):
    assert len((ROOT / TOY).read_text().splitlines()) <= 150
    report = check_server(serve_toy, level=Level.CORE)
    assert failed(report) == set(), report.json()
    assert report.count("passed") == len(cases(Level.CORE))
    assert not check_server(serve_toy).conforms  # it has no streams, no snapshots ...


# --- servers with a fault -------------------------------------------------------------------------


def does_twice(toy, monkeypatch):
    def operate(session, request):
        session.next_op_index = request.op_index
        session.last = None
        return original(session, request)

    original = toy.Session.operate
    monkeypatch.setattr(toy.Session, "operate", operate)


def takes_any_payload(toy, monkeypatch):
    original = toy.need
    monkeypatch.setattr(
        toy, "need", lambda h, c, r, **m: original(h or r == "PAYLOAD_MISMATCH", c, r, **m)
    )


def takes_any_action(toy, monkeypatch):
    original = toy.check
    monkeypatch.setattr(
        toy, "check", lambda h, f, g, t: original(h or f == "actions[0].data", f, g, t)
    )


def ignores_seeds(toy, monkeypatch):
    original = toy.Session.begin
    monkeypatch.setattr(
        toy.Session,
        "begin",
        lambda self, mask, seeds: original(self, mask, np.arange(self.n, dtype="u8")),
    )


def copies_share_their_luck(toy, monkeypatch):
    def begin(session, mask, seeds):
        original(session, mask, seeds)
        session.place[:] += session.n

    original = toy.Session.begin
    monkeypatch.setattr(toy.Session, "begin", begin)


def resets_everybody(toy, monkeypatch):
    original = toy.Session.begin
    monkeypatch.setattr(
        toy.Session, "begin", lambda self, mask, seeds: original(self, mask | mask.any(), seeds)
    )


def observes_as_an_operation(toy, monkeypatch):
    def observe(session):
        answer = original(session)
        session.next_op_index += 1
        return answer

    original = toy.Session.observe
    monkeypatch.setattr(toy.Session, "observe", observe)


def pays_for_the_step_that_begins(toy, monkeypatch):
    def step(session, request):
        answer = original(session, request)
        rewards = np.frombuffer(answer.rewards.data) - 1
        answer.rewards.data = rewards.tobytes()
        return answer

    original = toy.Session.step
    monkeypatch.setattr(toy.Session, "step", step)


def makes_a_session_each_time(toy, monkeypatch):
    def create(request):
        toy.created.clear()
        return original(request)

    original = toy.create
    monkeypatch.setattr(toy, "create", create)


def keeps_what_is_deleted(toy, monkeypatch):
    def answer(method, request):
        if method == "DeleteSession":
            return pb.DeleteSessionResponse()
        return original(method, request)

    original = toy.answer
    monkeypatch.setattr(toy, "answer", answer)


def shows_other_numbers_than_it_says(toy, monkeypatch):
    def seen(session):
        told = original(session)
        told["observations"] = [toy.encode(session.place[:, None], "f8")]
        return told

    original = toy.Session.seen
    monkeypatch.setattr(toy.Session, "seen", seen)


def lists_what_it_does_not_offer(toy, monkeypatch):
    offered = pb.EnvironmentNotOffered(environment_id="Toy-v0", why="it has no toys")
    toy.FIXED["ListEnvironments"].not_offered.append(offered)


FAULTS = {
    does_twice: "operations.a_repeat_is_answered_again",
    takes_any_payload: "operations.an_index_has_one_payload",
    takes_any_action: "stepping.actions_have_to_fit",
    ignores_seeds: "episodes.a_reset_tells_its_seeds",
    copies_share_their_luck: "stepping.copies_are_alone",
    resets_everybody: "episodes.some_copies_may_be_reset",
    observes_as_an_operation: "operations.an_observation_is_no_operation",
    pays_for_the_step_that_begins: "episodes.the_step_after_the_last_begins_the_next_episode",
    makes_a_session_each_time: "sessions.a_request_for_a_session_may_be_repeated",
    keeps_what_is_deleted: "sessions.a_deleted_session_is_gone",
    shows_other_numbers_than_it_says: "stepping.answers_are_as_the_spec_says",
    lists_what_it_does_not_offer: "describing.what_is_not_offered_has_a_reason",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_server_with_a_fault_is_found_out(toy, serve_toy, monkeypatch, fault):
    fault(toy, monkeypatch)
    report = check_server(serve_toy, level=Level.CORE)
    assert FAULTS[fault] in failed(report), report.json()
    assert not report.conforms


def test_a_server_without_a_task_cannot_be_asked(toy, serve_toy, capsys):
    toy.FIXED["ListEnvironments"] = pb.ListEnvironmentsResponse()
    assert main(["--address", serve_toy]) == 2
    assert "no environment with a task" in capsys.readouterr().err


# --- clients --------------------------------------------------------------------------------------


def program(serve_toy: str, text: str) -> list[str]:
    return [sys.executable, "-c", text, "{address}"]


def test_this_client_conforms(serve_toy):
    report = check_client(program(serve_toy, PROGRAM), serve_toy)
    assert failed(report) == set(), report.json()
    assert report.conforms and report.count("skipped") == 0


def test_a_client_that_gives_up_is_found_out(serve_toy):
    impatient = PROGRAM.replace("(sys.argv[1])", "(sys.argv[1], retry_s=1e-9)")
    report = check_client(program(serve_toy, impatient), serve_toy)
    assert failed(report) == {
        f"client.{name}"
        for name in (
            "lost_requests_come_again",
            "lost_answers_are_asked_for_again",
            "a_server_that_ends_is_waited_for",
            "a_busy_server_says_how_long_to_wait",
            "a_lack_of_memory_passes",
        )
    }


def test_a_client_that_steps_anew_is_found_out(serve_toy):
    """It makes of a lost answer another operation."""
    anew = """
import sys, grpc, uuid, numpy as np
from livnd._proto import METHODS, pb
from livnd.tensors import encode, decode
channel = grpc.insecure_channel(sys.argv[1])
index, made = 0, None
def call(name, **fields):
    while True:
        request = METHODS[name].request(**fields)
        if name in ("Reset", "Step"):
            request.op_index = index
        try:
            method = METHODS[name]
            stub = channel.unary_unary(
                method.path, method.request.SerializeToString, method.response.FromString)
            return stub(request)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE:
                raise
            if name in ("Reset", "Step"):
                index_of_server()
def index_of_server():
    global index
    try:
        index = call("Observe", session=made.session).next_op_index
    except grpc.RpcError:
        pass
made = call("CreateSession", request_id=uuid.uuid4().hex, environment_id="Toy-v0", num_envs=1)
index = 1
call("Reset", session=made.session)
for number in range(12):
    index_of_server()
    answer = call("Step", session=made.session, actions=[encode([[0.5]], "f4")])
call("DeleteSession", session=made.session)
print("done")
"""
    report = check_client(program(serve_toy, anew), serve_toy, timeout_s=20)
    assert "client.it_steps_a_session" not in failed(report), report.json()
    assert not report.conforms


def test_a_client_that_does_not_end_is_found_out(serve_toy):
    text = "import time; time.sleep(60)"
    report = check_client(program(serve_toy, text), serve_toy, timeout_s=0.5)
    assert failed(report) == {"client.it_steps_a_session"}
    assert report.count("skipped") == len(report.outcomes) - 1


# --- the command ----------------------------------------------------------------------------------


def test_the_command_prints_a_report(serve_toy):
    command = [sys.executable, "-m", "livnd.conformance", "--address", serve_toy]
    done = subprocess.run([*command, "--level", "core"], capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and done.stderr == ""
    assert lines[-1] == f"Toy-v0 at {serve_toy}: {len(lines) - 1} passed, 0 failed, 0 skipped"
    done = subprocess.run(
        [*command, "--json", "--only", "streams."], capture_output=True, text=True
    )
    report = json.loads(done.stdout)
    assert done.returncode == 1 and not report["conforms"]
    assert {outcome["result"] for outcome in report["outcomes"]} == {"failed"}


def test_the_command_lists_what_is_expected(capsys):
    assert main(["--list"]) == 0
    told = capsys.readouterr().out
    for case in cases():
        assert case.name in told and case.expects and case.expects in told


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--address", "nowhere"], "address"),
        (["--address", "unix:/nobody/there"], "connect"),
        (["--address", "unix:/s", "--client", "program"], "{address}"),
        (["--address", "unix:/s", "--token-file", "/no/such/file"], "token_file"),
    ],
)
def test_what_cannot_be_asked_is_said(arguments, says, capsys):
    assert main(arguments) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "soon"])
def test_a_timeout_is_a_number_of_seconds(text, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--address", "unix:/s", "--timeout", text])
    assert caught.value.code == 2
    assert f"{text} is no number of seconds above 0" in capsys.readouterr().err


def test_an_unknown_environment_is_said(serve_toy, capsys):
    assert main(["--address", serve_toy, "--environment", "livnd/No-v0"]) == 2
    assert "Toy-v0" in capsys.readouterr().err


def test_a_server_of_ones_own_tells_refusals(tmp_path):
    def answer(method, request):
        raise Refusal("NOT_FOUND", "UNKNOWN_SYSTEM", field="system", accepted="none")

    server = serve(f"unix:{tmp_path}/s", answer)
    with livnd.connect(f"unix:{tmp_path}/s") as client, pytest.raises(livnd.LivndError) as caught:
        client.systems()
    assert caught.value.reason == "UNKNOWN_SYSTEM" and caught.value.accepted == "none"
    server.stop(0).wait()
    with pytest.raises(OSError, match="cannot listen"):
        serve(f"unix:{tmp_path}/no/folder", answer)
