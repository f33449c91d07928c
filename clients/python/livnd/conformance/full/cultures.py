"""Cultures without a task: Configure, Clear, Run, GetCulture."""

from __future__ import annotations

from typing import Any

from livnd._proto import pb
from livnd.conformance.cases import expect, expect_equal, expect_refused
from livnd.conformance.subject import Subject
from livnd.tensors import decode, encode

_DURATION_MS = 20.0


def _cleared(server: Subject) -> Any:
    made = server.create(2, environment_id=server.culture_id())
    request = pb.ClearRequest(session=made.session, op_index=1, seeds=encode([1, 2], "u8"))
    server.call("Clear", request)
    return made


def a_culture_runs_on(server: Subject) -> None:
    """Two Runs go on where the first one ended, and have the spikes of one as long as both; a Clear
    with the same seeds begins it all again.
    """
    spikes = []
    for durations in ((2 * _DURATION_MS,), (_DURATION_MS, _DURATION_MS)):
        made = _cleared(server)
        ticks: list[list[int]] = [[], []]
        for number, duration_ms in enumerate(durations):
            request = pb.RunRequest(
                session=made.session, op_index=2 + number, duration_ms=duration_ms
            )
            answer = server.call("Run", request)
            recording = answer.recording
            expect_equal("a repeat", server.call("Run", request), answer)
            expect_equal("start_tick", recording.start_tick, number * recording.num_ticks)
            offsets = decode(recording.spike_offsets)
            told = decode(recording.spike_ticks)
            for copy in range(2):
                ticks[copy] += told[offsets[copy] : offsets[copy + 1]].tolist()
        spikes.append(ticks)
    expect_equal("the spikes' ticks of two runs", spikes[1], spikes[0])


def a_culture_is_cleared_first(server: Subject) -> None:
    """A Run of a culture that was never cleared is FAILED_PRECONDITION / NOT_RESET."""
    made = server.create(1, environment_id=server.culture_id())
    request = pb.RunRequest(session=made.session, op_index=1, duration_ms=_DURATION_MS)
    expect_refused("Run", lambda: server.call("Run", request), "FAILED_PRECONDITION", "NOT_RESET")


def tasks_and_cultures_are_different_things(server: Subject) -> None:
    """Step of a culture is FAILED_PRECONDITION / NOT_A_TASK, Run of a task NOT_A_CULTURE."""
    made = _cleared(server)
    step = pb.StepRequest(session=made.session, op_index=2)
    expect_refused("Step", lambda: server.call("Step", step), "FAILED_PRECONDITION", "NOT_A_TASK")
    session = server.session(1)
    run = pb.RunRequest(session=session.name, op_index=1, duration_ms=1.0)
    expect_refused("Run", lambda: server.call("Run", run), "FAILED_PRECONDITION", "NOT_A_CULTURE")


def a_change_is_whole_or_not_at_all(server: Subject) -> None:
    """Configure with a parameter that is none is INVALID_ARGUMENT / INVALID_FIELD, and nothing else
    of it is done.
    """
    made = _cleared(server)
    before = server.call("GetCulture", pb.GetCultureRequest(session=made.session))
    expect(before.populations, "GetCulture: there are no populations")
    request = pb.ConfigureRequest(session=made.session, op_index=2, plasticity_on=True)
    request.params.add(key="no-such-parameter", value=1.0)
    expect_refused(
        "Configure",
        lambda: server.call("Configure", request),
        "INVALID_ARGUMENT",
        "INVALID_FIELD",
        "params",
    )
    after = server.call("GetCulture", pb.GetCultureRequest(session=made.session))
    expect(after == before, "GetCulture tells something else afterwards")
