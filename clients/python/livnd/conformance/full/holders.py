"""Who holds a session: GetSession, RenewLease, AttachSession."""

from __future__ import annotations

from livnd._proto import pb
from livnd.conformance.cases import expect_equal, expect_refused
from livnd.conformance.subject import Driven, Subject


def a_session_says_where_it_stands(server: Subject) -> None:
    """GetSession answers what CreateSession did, with the next op_index; RenewLease answers the
    server's lease.
    """
    session = server.session(2)
    session.reset([1, 2])
    session.step()
    told = server.call("GetSession", pb.GetSessionRequest(session=session.name)).session
    expect_equal("next_op_index", told.next_op_index, session.next_op_index)
    told.next_op_index = session.answer.next_op_index
    expect_equal("the rest", told, session.answer)
    renewed = server.call("RenewLease", pb.RenewLeaseRequest(session=session.name))
    expect_equal("lease_s", renewed.lease_s, server.info.session_lease_s)


def a_new_holder_supersedes_the_old_one(server: Subject) -> None:
    """AttachSession makes the generation one more; operations of an older one are ABORTED /
    SUPERSEDED, and the last one, repeated by the new holder, is answered as before.
    """
    session = server.session(1)
    session.reset([1])
    last = session.step_request()
    answer = server.call("Step", last)
    session.next_op_index += 1
    attached = server.call("AttachSession", pb.AttachSessionRequest(session=session.name)).session
    expect_equal("generation", attached.generation, session.answer.generation + 1)
    expect_equal("next_op_index", attached.next_op_index, session.next_op_index)
    request = session.step_request()
    request.generation = session.answer.generation
    expect_refused(
        "a Step of the old holder",
        lambda: server.call("Step", request),
        "ABORTED",
        "SUPERSEDED",
        expected=str(attached.generation),
    )
    last.generation = attached.generation
    expect_equal("the last Step, repeated", server.call("Step", last), answer)
    holder = Driven(server, attached)
    request = holder.step_request()
    request.generation = attached.generation
    holder.operate("Step", request)
