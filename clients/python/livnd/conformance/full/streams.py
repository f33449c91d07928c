"""StepStream."""

from __future__ import annotations

from livnd._proto import RpcStatus, pb
from livnd.conformance.cases import expect, expect_equal
from livnd.conformance.subject import Subject


def steps_of_a_stream_are_steps(server: Subject) -> None:
    """Steps over a stream, sent ahead, are answered in the order of their session, each with its
    tag, with what Step answers.
    """
    session, other = server.session(2), server.session(2)
    wanted = []
    requests = []
    for each in (session, other):
        each.reset([1, 2])
    for number in range(5):
        request = session.step_request(session.actions(number), session.next_op_index + number)
        requests.append(pb.StepStreamRequest(tag=100 + number, step=request))
        wanted.append(server.call("Step", other.step_request(other.actions(number))))
        other.next_op_index += 1
    answers = server.stream("StepStream", requests)
    expect_equal("the tags", [a.tag for a in answers], [r.tag for r in requests])
    for answer, step in zip(answers, wanted, strict=True):
        expect(answer.HasField("step"), f"request {answer.tag} is answered with an error")
        expect_equal(f"the answer to {answer.tag}", answer.step, step)


def an_error_is_one_requests(server: Subject) -> None:
    """A step that is refused is answered with a google.rpc.Status; those of other sessions behind
    it are done, and of its own they are WRONG_OP_INDEX.
    """
    session, other = server.session(1), server.session(1)
    for each in (session, other):
        each.reset([1])
    bad = session.step_request()
    del bad.actions[:]
    behind = session.step_request(op_index=session.next_op_index + 1)
    answers = {
        answer.tag: answer
        for answer in server.stream(
            "StepStream",
            [
                pb.StepStreamRequest(tag=1, step=bad),
                pb.StepStreamRequest(tag=2, step=behind),
                pb.StepStreamRequest(tag=3, step=other.step_request()),
            ],
        )
    }
    expect_equal("the tags that are answered", sorted(answers), [1, 2, 3])
    for tag, reason in ((1, b"INVALID_FIELD"), (2, b"WRONG_OP_INDEX")):
        status = RpcStatus.FromString(answers[tag].error)
        found = any(reason in detail.value for detail in status.details)
        expect(found, f"request {tag} is not refused with {reason.decode()}: {status.message!r}")
    expect(answers[3].HasField("step"), "the other session's step is not done")
    session.step()
