from __future__ import annotations

import pickle

import grpc
import pytest
from livnd import errors
from livnd._proto import ErrorInfo, RpcStatus, pb


class FakeRpcError(grpc.RpcError):
    def __init__(self, code, details="", trailing=()):
        super().__init__()
        self._code, self._details, self._trailing = code, details, trailing

    def code(self):
        return self._code

    def details(self):
        return self._details

    def trailing_metadata(self):
        return self._trailing


def details(reason, domain="livnd", **metadata):
    status = RpcStatus(code=3, message="m")
    detail = status.details.add()
    detail.type_url = "type.googleapis.com/google.rpc.ErrorInfo"
    info = ErrorInfo(reason=reason, domain=domain)
    info.metadata.update(metadata)
    detail.value = info.SerializeToString()
    return (("x", "y"), ("grpc-status-details-bin", status.SerializeToString()))


def test_error_info_becomes_a_typed_exception():
    trailing = details("INVALID_FIELD", field="actions[0]", value="[3]", accepted="[2, 4]")
    rpc = FakeRpcError(grpc.StatusCode.INVALID_ARGUMENT, "bad shape", trailing)
    error = errors.from_rpc_error(rpc, "Step")
    assert type(error) is errors.InvalidFieldError
    assert isinstance(error, ValueError)
    assert str(error) == "Step: bad shape (field: actions[0]; value: [3]; accepted: [2, 4])"
    assert (error.reason, error.code) == ("INVALID_FIELD", "INVALID_ARGUMENT")
    assert (error.field, error.value, error.accepted) == ("actions[0]", "[3]", "[2, 4]")


def test_a_message_that_says_it_all_is_left_alone():
    trailing = details("INVALID_FIELD", field="num_envs", value="0", accepted="1 .. 4")
    rpc = FakeRpcError(grpc.StatusCode.INVALID_ARGUMENT, "num_envs is 0, takes 1 .. 4", trailing)
    error = errors.from_rpc_error(rpc, "CreateSession")
    assert str(error) == "CreateSession: num_envs is 0, takes 1 .. 4"


def test_wrong_op_index_tells_the_right_one():
    trailing = details("WRONG_OP_INDEX", expected="17")
    rpc = FakeRpcError(grpc.StatusCode.FAILED_PRECONDITION, "no", trailing)
    assert errors.from_rpc_error(rpc, "Step").expected == 17


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, errors.ServerUnavailableError),
        (grpc.StatusCode.DEADLINE_EXCEEDED, errors.ServerUnavailableError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, errors.MessageTooLargeError),
        (grpc.StatusCode.INTERNAL, errors.LivndError),
    ],
)
def test_a_status_without_details_is_judged_by_its_code(code, kind):
    error = errors.from_rpc_error(FakeRpcError(code), "Step")
    assert type(error) is kind
    assert error.code == code.name


@pytest.mark.parametrize(
    "trailing",
    [
        (("grpc-status-details-bin", b"\xff\xff\xff"),),
        details("INVALID_FIELD", domain="elsewhere"),
        None,
    ],
)
def test_foreign_or_broken_details_do_not_hide_the_status(trailing):
    rpc = FakeRpcError(grpc.StatusCode.INTERNAL, "boom", trailing)
    error = errors.from_rpc_error(rpc, "Step")
    assert type(error) is errors.LivndError
    assert str(error) == "Step: boom"


def test_an_unknown_reason_is_kept():
    rpc = FakeRpcError(grpc.StatusCode.ABORTED, "later", details("FENCED"))
    error = errors.from_rpc_error(rpc, "Step")
    assert type(error) is errors.LivndError
    assert error.reason == "FENCED"


def test_a_server_that_lacks_a_method_is_older():
    rpc = FakeRpcError(grpc.StatusCode.UNIMPLEMENTED, "no such method", details("UNKNOWN_METHOD"))
    bare = FakeRpcError(grpc.StatusCode.UNIMPLEMENTED, "no such method", ())
    for each in (rpc, bare):
        error = errors.from_rpc_error(each, "Render")
        assert type(error) is errors.ServerTooOldError and isinstance(error, NotImplementedError)
        assert not error.in_doubt and "Render" in str(error) and "older" in str(error)


def test_exceptions_cross_processes():
    error = errors.invalid_field("seed", -1, "0 .. 2**64 - 1")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (str(copy), copy.field, copy.reason) == (str(error), "seed", "INVALID_FIELD")


def test_every_reason_of_the_contract_has_its_exception():
    prefix = "ERROR_REASON_"
    told = {name.removeprefix(prefix) for name in vars(pb) if name.startswith(prefix)}
    # These are defects of a client or of the server: a plain LivndError.
    plain = {"UNSPECIFIED", "MALFORMED_MESSAGE", "INTERNAL"}
    assert told - plain == set(errors._BY_REASON) - {"MESSAGE_TOO_LARGE"}
