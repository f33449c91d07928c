"""Holds a program of anybody's client to the rules for calls that fail (docs/protocol.md)."""

from __future__ import annotations

import contextlib
import itertools
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import grpc

from livnd._proto import METHODS
from livnd.conformance.cases import NotConforming, NotOffered, expect, expect_equal
from livnd.conformance.lossy_proxy import (
    ANSWER_LOST,
    ANSWERED,
    OPERATIONS,
    REQUEST_LOST,
    Fate,
    Heard,
    LossyProxy,
)
from livnd.conformance.report import Outcome, Report
from livnd.errors import invalid_field

_PLACE = "{address}"
_FATED = frozenset({*OPERATIONS, "CreateSession"})
_RETRY_AFTER_S = 0.4


@dataclass(frozen=True)
class _Run:
    """What a run of the program said, and what it asked for."""

    status: int
    output: str
    errors: str
    heard: list[Heard]

    def operations(self) -> list[Heard]:
        return [call for call in self.heard if call.method in _FATED]


class _Program:
    """The client's program, and the server that it is run against through a proxy."""

    def __init__(self, command: Sequence[str], upstream: str, timeout_s: float) -> None:
        self._command = command
        self._upstream = upstream
        self._timeout_s = timeout_s

    def run(self, fates: Sequence[Fate] = ()) -> _Run:
        """Once; NotConforming where it does not end in time."""
        with _proxied(self._upstream) as proxy:
            proxy.fates.extend(fates)
            command = [word.replace(_PLACE, proxy.address) for word in self._command]
            try:
                done = subprocess.run(
                    command,
                    capture_output=True,
                    text=True,
                    stdin=subprocess.DEVNULL,
                    timeout=self._timeout_s,
                )
            except subprocess.TimeoutExpired:
                raise NotConforming(f"it does not end within {self._timeout_s:g} s") from None
            return _Run(done.returncode, done.stdout, done.stderr, proxy.heard)


@contextlib.contextmanager
def _proxied(upstream: str) -> Iterator[LossyProxy]:
    with tempfile.TemporaryDirectory(prefix="livnd-") as folder:
        proxy = LossyProxy(f"{folder}/s", upstream, _FATED)
        try:
            yield proxy
        finally:
            proxy.close()


def check_client(
    command: Sequence[str],
    address: str,
    *,
    timeout_s: float = 120.0,
    tell: Callable[[Outcome], None] = lambda outcome: None,
) -> Report:
    """Runs a program again and again, through lines of which each loses something else.

    The program makes a session, resets it with a seed, steps it some ten times or more, deletes it
    and ends with status 0; what it prints depends on nothing but what the server answers.

    Args:
        command: the program and its arguments; "{address}" in them stands for the server's.
        address: "unix:PATH" or "HOST:PORT" of a server that conforms, without TLS and token.
        timeout_s: of one run.
        tell: is told of each case as it ends.

    Raises:
        InvalidFieldError: no argument has "{address}" in it.
    """
    if not any(_PLACE in word for word in command):
        raise invalid_field("command", shlex.join(command), f"arguments with {_PLACE} in them")
    report = Report(shlex.join(command))
    program = _Program(command, address, timeout_s)
    undisturbed: list[_Run] = []
    for case in _CASES:
        begun_s = time.monotonic()
        result, said = "passed", ""
        try:
            if case is not it_steps_a_session and not undisturbed:
                raise NotOffered("it does not get through a line that loses nothing")
            case(program, undisturbed)
        except NotConforming as error:
            result, said = "failed", str(error)
        except NotOffered as error:
            result, said = "skipped", str(error)
        expects = " ".join((case.__doc__ or "").split())
        name = f"client.{case.__name__}"
        outcome = Outcome(name, expects, result, said, time.monotonic() - begun_s)
        report.outcomes.append(outcome)
        tell(outcome)
    return report


def it_steps_a_session(program: _Program, undisturbed: list[_Run]) -> None:
    """Through a line that loses nothing it makes a session, resets and steps it ten times or more,
    prints the same twice, and ends with status 0.
    """
    runs = [program.run(), program.run()]
    for run in runs:
        expect_equal("the exit status", run.status, 0)
        methods = [call.method for call in run.heard]
        for method in ("CreateSession", "Reset"):
            expect(method in methods, f"it does not call {method}")
        expect(methods.count("Step") >= 10, f"it calls Step {methods.count('Step')} times")
    expect(runs[0].output == runs[1].output, "it prints something else the second time")
    undisturbed.append(runs[0])


def it_deletes_its_session(program: _Program, undisturbed: list[_Run]) -> None:
    """It deletes the session that it has made."""
    methods = [call.method for call in undisturbed[0].heard]
    expect("DeleteSession" in methods, "it ends without DeleteSession")


def lost_requests_come_again(program: _Program, undisturbed: list[_Run]) -> None:
    """A call that is UNAVAILABLE before it reaches the server is repeated."""
    _expect_undisturbed(program, undisturbed, [ANSWERED, REQUEST_LOST, REQUEST_LOST] * 4)


def lost_answers_are_asked_for_again(program: _Program, undisturbed: list[_Run]) -> None:
    """A call whose answer is lost is repeated with the same bytes, so that it is done once; of
    CreateSession, too, which then makes one session.
    """
    _expect_undisturbed(program, undisturbed, [ANSWER_LOST, ANSWERED] * 6)


def a_server_that_ends_is_waited_for(program: _Program, undisturbed: list[_Run]) -> None:
    """UNAVAILABLE / SHUTTING_DOWN is repeated, with pauses that grow."""
    refusal = Fate(False, grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")
    run = _expect_undisturbed(program, undisturbed, [ANSWERED, *[refusal] * 4])
    calls = run.operations()[1:6]
    pauses_s = [b.at_s - a.at_s for a, b in itertools.pairwise(calls)]
    expect(
        pauses_s[-1] > pauses_s[0] and pauses_s[-1] >= 0.1,
        f"four refusals are followed by pauses of {[round(p, 3) for p in pauses_s]} s",
    )


def a_busy_server_says_how_long_to_wait(program: _Program, undisturbed: list[_Run]) -> None:
    """RESOURCE_EXHAUSTED with a RetryInfo is repeated, and not before the time that it says."""
    busy = Fate(False, grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_BUSY", retry_after_s=_RETRY_AFTER_S)
    run = _expect_undisturbed(program, undisturbed, [ANSWERED, ANSWERED, busy, busy])
    calls = run.operations()[2:5]
    for first, second in itertools.pairwise(calls):
        waited_s = second.at_s - first.at_s
        expect(waited_s >= _RETRY_AFTER_S, f"it waits for {waited_s:.3f} of {_RETRY_AFTER_S} s")


def a_lack_of_memory_passes(program: _Program, undisturbed: list[_Run]) -> None:
    """RESOURCE_EXHAUSTED without an ErrorInfo, gRPC's own, is repeated."""
    short = Fate(True, grpc.StatusCode.RESOURCE_EXHAUSTED)
    _expect_undisturbed(program, undisturbed, [ANSWERED, short, ANSWERED, short])


def a_refusal_is_final(program: _Program, undisturbed: list[_Run]) -> None:
    """INVALID_ARGUMENT is not repeated, and the program ends with another status than 0."""
    refusal = Fate(False, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    run = program.run([ANSWERED, ANSWERED, refusal])
    refused = run.operations()[2]
    again = run.operations()[3:]
    expect(all(call.request != refused.request for call in again), "the call is repeated")
    expect(run.status != 0, "the program ends with status 0")


# In the order in which they are asked; the first one's run is what the others are held against.
_CASES: tuple[Callable[[_Program, list[_Run]], None], ...] = (
    it_steps_a_session,
    it_deletes_its_session,
    lost_requests_come_again,
    lost_answers_are_asked_for_again,
    a_server_that_ends_is_waited_for,
    a_busy_server_says_how_long_to_wait,
    a_lack_of_memory_passes,
    a_refusal_is_final,
)


def _expect_undisturbed(program: _Program, undisturbed: list[_Run], fates: list[Fate]) -> _Run:
    """The program gets the same through as without losses, and means the same with a number."""
    run = program.run(fates)
    expect(run.status == 0, f"it ends with status {run.status}: {run.errors.strip()[-300:]}")
    expect(run.output == undisturbed[0].output, "it prints something else than without losses")
    payloads: dict[tuple[str, int], bytes] = {}
    for call in run.operations():
        if call.method == "CreateSession":
            key = (METHODS[call.method].request.FromString(call.request).request_id, 0)
        else:
            message = METHODS[call.method].request.FromString(call.request)
            key = (message.session, message.op_index)
        first = payloads.setdefault(key, call.request)
        expect(first == call.request, f"{call.method} is repeated with another payload")
    makings = {p for (_, index), p in payloads.items() if index == 0}
    expect_equal("the request_ids of one session", len(makings), _num_made(undisturbed[0]))
    return run


def _num_made(run: _Run) -> int:
    return sum(call.method == "CreateSession" for call in run.heard)
