from __future__ import annotations

import os
import socket
import uuid

import livnd
import numpy as np
import pytest
from conftest import ENVIRONMENT, short_folder
from livnd import errors
from livnd._proto import METHODS, pb
from livnd.tensors import encode


def still_serves(client: livnd.Client) -> bool:
    with client.create_session(ENVIRONMENT, 1) as session:
        session.reset([1])
        session.step(np.zeros((1, *session.spec.actions[0].shape)))
    return True


# --- what the server has --------------------------------------------------------------------------


def test_server_info_has_versions_and_caps(client):
    info = client.server_info()
    assert info.server_version and info.physics_version
    assert info.max_receive_message_bytes > 0 and info.max_send_message_bytes > 0
    assert info.max_envs_per_session >= 1 and info.max_sessions >= 1


def test_systems_have_cells_and_electrodes(client):
    assert {"EI-mini", "EI-100"} <= set(client.systems())
    system = client.system("EI-mini")
    assert system.name == "EI-mini"
    num_cells = sum(p.num_cells for p in system.populations)
    assert system.positions_um.shape == (num_cells, 3)
    assert system.electrode_positions_um.shape == (len(system.electrode_ids), 3)


def test_environments_have_specs(client):
    ids = [spec.environment_id for spec in client.environments()]
    assert ENVIRONMENT in ids and "TargetRate-EI-100-v0" in ids
    spec = client.environment(ENVIRONMENT)
    assert spec.system == "EI-mini" and spec.deterministic
    assert spec.step_duration_ms > 0 and spec.max_episode_steps > 1
    for tensor in (*spec.actions, *spec.observations, *spec.infos):
        assert tensor.low.shape == tensor.high.shape == tensor.shape
        assert (tensor.low <= tensor.high).all()
        assert len(tensor.element_names) in (0, int(np.prod(tensor.shape)))


# --- connecting -----------------------------------------------------------------------------------


def test_nobody_at_the_address_is_a_clear_error(tmp_path):
    client = livnd.connect(f"unix:{tmp_path}/nobody.sock", connect_timeout_s=0.3)
    with pytest.raises(errors.ServerUnavailableError, match=r"nobody\.sock.*livnd serve"):
        client.server_info()
    with pytest.raises(ConnectionError):  # it is that, too
        client.systems()


def test_a_peer_that_speaks_no_grpc_is_a_clear_error():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        client = livnd.connect(address, connect_timeout_s=0.3)
        with pytest.raises(errors.ServerUnavailableError, match=address):
            client.server_info()


def test_a_tcp_address_works(start_server):
    server = start_server("127.0.0.1:0")
    with livnd.connect(server.address) as client:
        assert still_serves(client)


def test_a_restarted_server_goes_on_with_its_predecessors_sessions(start_server, tmp_path):
    server = start_server(f"unix:{short_folder(tmp_path)}/restart.sock")
    with livnd.connect(server.address) as client:
        session = client.create_session(ENVIRONMENT, 1)
        session.reset([1])
        actions = np.zeros((1, *session.spec.actions[0].shape))
        server.kill()
        server.start()
        session.step(actions)
        server.kill()
        server.forget()
        server.start()
        with pytest.raises(errors.UnknownSessionError):
            session.step(actions)
        assert still_serves(client), "over the same client, which connects anew"


def test_making_a_client_connects_nowhere(tmp_path):
    livnd.connect(f"unix:{tmp_path}/nobody.sock").close()


def test_a_closed_client_says_so(address):
    client = livnd.connect(address)
    session = client.create_session(ENVIRONMENT, 1)
    client.close()
    client.close()
    with pytest.raises(errors.ClosedError):
        client.systems()
    with pytest.raises(errors.ClosedError):
        session.reset()


def test_closing_a_client_deletes_its_sessions(address, client):
    with livnd.connect(address) as other:
        name = other.create_session(ENVIRONMENT, 1).name
    with pytest.raises(errors.UnknownSessionError):
        client.call("Observe", pb.ObserveRequest(session=name))


def test_a_fork_cannot_use_its_parents_client(client):
    client.server_info()
    pid = os.fork()
    if pid == 0:
        try:
            client.systems()
        except errors.ForkedProcessError as error:
            client.close()  # the child's copy only
            os._exit(7 if "num_envs" in str(error) else 1)
        except BaseException:
            os._exit(2)
        os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert still_serves(client)


# --- sessions -------------------------------------------------------------------------------------


def test_a_session_resets_steps_and_observes(session):
    spec = session.spec
    before = session.reset([1, 2])
    assert before.seeds.tolist() == [1, 2]
    assert before.observations[0].shape == (2, *spec.observations[0].shape)
    assert set(before.infos) == {info.name for info in spec.infos}
    result = session.step(np.zeros((2, *spec.actions[0].shape), np.float32))
    assert result.rewards.dtype == np.float64 and result.rewards.shape == (2,)
    assert result.terminated.dtype == np.bool_ and result.truncated.shape == (2,)
    now = session.observe()
    np.testing.assert_array_equal(now.observations[0], result.observations[0])
    assert now.episodes.tolist() == [1, 1]
    ticks = round(spec.step_duration_ms * 1e6 / spec.tick_ns)
    assert now.ticks.tolist() == [ticks, ticks]
    assert now.next_op_index == session.next_op_index


def test_a_deleted_session_is_unknown(session, client):
    session.close()
    session.close()
    with pytest.raises(errors.UnknownSessionError):
        client.call("Observe", pb.ObserveRequest(session=session.name))
    with pytest.raises(errors.UnknownSessionError):
        client.call("DeleteSession", pb.DeleteSessionRequest(session=session.name))


def bad_calls(session):
    size = session.spec.actions[0].shape[0]
    good = np.zeros((2, size), np.float32)

    return {
        "too few copies": lambda: session.step(good[:1]),
        "too many electrodes": lambda: session.step(np.zeros((2, size + 1))),
        "no numbers": lambda: session.step([["a"] * size] * 2),
        "no actions": lambda: session.step(),
        "negative seed": lambda: session.reset([1, -1]),
        "seed beyond 64 bits": lambda: session.reset([1, 2**64]),
        "option no number": lambda: session.reset(options={"target_rate_hz": "fast"}),
    }


@pytest.mark.parametrize(
    "what",
    [
        "too few copies",
        "too many electrodes",
        "no numbers",
        "no actions",
        "negative seed",
        "seed beyond 64 bits",
        "option no number",
    ],
)
def test_bad_input_names_its_field_and_changes_nothing(session, client, what):
    session.reset([1, 2])
    before = session.observe()
    with pytest.raises(errors.InvalidFieldError) as caught:
        bad_calls(session)[what]()
    assert caught.value.reason == "INVALID_FIELD"
    assert caught.value.field
    after = session.observe()
    assert after.next_op_index == before.next_op_index == session.next_op_index
    np.testing.assert_array_equal(after.observations[0], before.observations[0])
    session.step(np.zeros((2, *session.spec.actions[0].shape)))
    assert still_serves(client)


@pytest.mark.parametrize("num_envs", [2**31, -(2**40)])
def test_what_is_no_number_of_the_protocol_is_refused(client, num_envs):
    with pytest.raises(errors.InvalidFieldError, match="num_envs"):
        client.create_session(ENVIRONMENT, num_envs)


def test_an_unknown_autoreset_mode_is_refused(client):
    with pytest.raises(errors.InvalidFieldError, match="next_step, same_step, disabled"):
        client.create_session(ENVIRONMENT, 1, autoreset_mode="sometimes")


# --- what the client does not send, tried on the server itself ------------------------------------


def raw_step(session, **change):
    size = session.spec.actions[0].shape[0]
    tensor = dict(dtype=pb.DATA_TYPE_FLOAT32, shape=[2, size], data=bytes(8 * size))
    tensor.update(change)
    return pb.StepRequest(
        session=session.name, op_index=session.next_op_index, actions=[pb.Tensor(**tensor)]
    )


@pytest.mark.parametrize(
    "change",
    [
        {"dtype": pb.DATA_TYPE_FLOAT64},
        {"dtype": pb.DATA_TYPE_UNSPECIFIED},
        {"dtype": 77},
        {"shape": []},
        {"shape": [-2, -4]},
        {"shape": [2**62, 2**62]},
        {"data": b""},
        {"data": b"123"},
        {"data": bytes(4096)},
    ],
)
def test_a_malformed_tensor_is_refused_by_the_server(session, client, change):
    session.reset([1, 2])
    with pytest.raises(errors.InvalidFieldError) as caught:
        client.call("Step", raw_step(session, **change))
    assert "actions" in caught.value.field
    client.call("Step", raw_step(session))
    assert still_serves(client)


def test_seed_tensors_are_checked_by_the_server(session, client):
    for seeds, present in (([1], None), ([1, 2, 3], None), ([1, 2], [True])):
        request = pb.ResetRequest(session=session.name, op_index=1, seeds=encode(seeds, "u8"))
        if present is not None:
            request.seed_present.CopyFrom(encode(present, "?"))
        with pytest.raises(errors.InvalidFieldError):
            client.call("Reset", request)
    request = pb.ResetRequest(session=session.name, op_index=1, seeds=encode([1, 2], "f8"))
    with pytest.raises(errors.InvalidFieldError):
        client.call("Reset", request)
    assert still_serves(client)


@pytest.mark.parametrize("method", sorted(m for m in METHODS if not METHODS[m].is_stream))
def test_bytes_that_are_no_message_do_not_hurt_the_server(client, method):
    with pytest.raises(livnd.LivndError):
        client.call(method, b"\xff" * 64)
    assert still_serves(client)


@pytest.mark.parametrize("method", ["Reset", "Step", "Observe", "DeleteSession"])
def test_an_unknown_session_is_refused(client, method):
    with pytest.raises(errors.UnknownSessionError):
        client.call(method, METHODS[method].request(session="nobody's"))


def test_create_session_refuses_bad_fields(client):
    good = dict(request_id=uuid.uuid4().hex, environment_id=ENVIRONMENT, num_envs=1)
    for change in (
        {"request_id": ""},
        {"request_id": "x" * 129},
        {"num_envs": 0},
        {"num_envs": -5},
        {"autoreset_mode": 9},
        {"max_episode_steps": -1},
        {"max_episode_steps": 1, "environment_id": "Culture-EI-mini-v0"},
    ):
        with pytest.raises(errors.InvalidFieldError):
            client.call("CreateSession", pb.CreateSessionRequest(**{**good, **change}))
    with pytest.raises(errors.CapacityError):
        client.call("CreateSession", pb.CreateSessionRequest(**{**good, "num_envs": 2**31 - 1}))
    assert still_serves(client)


# --- exactly once ---------------------------------------------------------------------------------


def test_a_repeated_operation_returns_the_stored_answer(session, client):
    session.reset([1, 2])
    request = raw_step(session)
    first = client.call("Step", request)
    ticks = session.observe().ticks.tolist()
    assert client.call("Step", request) == first
    assert client.call("Step", request) == first
    assert session.observe().ticks.tolist() == ticks


def test_a_repeated_reset_returns_the_stored_answer(session, client):
    request = pb.ResetRequest(session=session.name, op_index=session.next_op_index)
    first = client.call("Reset", request)
    assert client.call("Reset", request) == first
    assert session.observe().episodes.tolist() == [1, 1]


def test_a_used_op_index_with_another_payload_is_a_mismatch(session, client):
    session.reset([1, 2])
    client.call("Step", raw_step(session))
    size = session.spec.actions[0].shape[0]
    other = encode(np.full((2, size), 0.5), np.float32)
    with pytest.raises(errors.PayloadMismatchError):
        client.call("Step", raw_step(session, data=other.data))
    with pytest.raises(errors.PayloadMismatchError):
        request = pb.ResetRequest(session=session.name, op_index=session.next_op_index)
        client.call("Reset", request)


@pytest.mark.parametrize("offset", [-2, 1, 100, -(10**6)])
def test_a_wrong_op_index_is_told_the_right_one(session, client, offset):
    session.reset([1, 2])
    request = raw_step(session)
    request.op_index += offset
    with pytest.raises(errors.WrongOpIndexError) as caught:
        client.call("Step", request)
    assert caught.value.expected == session.next_op_index


def test_create_session_is_idempotent_by_its_request_id(client):
    wish = dict(request_id=uuid.uuid4().hex, environment_id=ENVIRONMENT, num_envs=2)
    first = client.call("CreateSession", pb.CreateSessionRequest(**wish))
    assert client.call("CreateSession", pb.CreateSessionRequest(**wish)) == first
    with pytest.raises(errors.PayloadMismatchError):
        client.call("CreateSession", pb.CreateSessionRequest(**{**wish, "num_envs": 3}))
    client.call("DeleteSession", pb.DeleteSessionRequest(session=first.session))


# --- sizes ----------------------------------------------------------------------------------------


def test_a_message_over_the_cap_is_not_sent(session, client):
    session.reset([1, 2])
    cap = client.server_info().max_receive_message_bytes
    request = raw_step(session, data=bytes(cap))
    with pytest.raises(errors.MessageTooLargeError) as caught:
        client.call("Step", request)
    assert caught.value.reason == "MESSAGE_TOO_LARGE", "which no server says"
    assert str(cap) in caught.value.accepted
    session.step(np.zeros((2, *session.spec.actions[0].shape)))


def test_the_server_holds_its_cap_against_a_careless_client(session, client):
    session.reset([1, 2])
    request = raw_step(session, data=bytes(client.server_info().max_receive_message_bytes))
    with pytest.raises(errors.MessageTooLargeError):
        client._connected().attempt("Step", request.SerializeToString(), 30.0)
    session.step(np.zeros((2, *session.spec.actions[0].shape)))
    assert still_serves(client)
