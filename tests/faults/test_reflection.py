"""Whatever reflection lists can be called by who knows nothing but what reflection tells."""

from __future__ import annotations

import random
from collections.abc import Iterator
from queue import SimpleQueue

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from serving import Serve

VERSIONS = ["v1", "v1alpha"]
OUR_SERVICES = {
    "livnd.v1.ServerService",
    "livnd.v1.EnvironmentService",
    "livnd.v1.CultureService",
    "livnd.v1.RecordingService",
    "livnd.v1.SessionService",
    "livnd.v1.AdminService",
}
SERVICES = OUR_SERVICES | {
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
}

# The messages of grpc.reflection as the public contract numbers them, written here once more: the
# server's own files would prove nothing. The same in both versions.
MESSAGES = {
    "Extension": {"containing_type": 1, "extension_number": 2},
    "Request": {
        "host": 1,
        "file_by_filename": 3,
        "file_containing_symbol": 4,
        "file_containing_extension": 5,
        "all_extension_numbers_of_type": 6,
        "list_services": 7,
    },
    "Files": {"file_descriptor_proto": 1},
    "Numbers": {"base_type_name": 1, "extension_number": 2},
    "Name": {"name": 1},
    "Names": {"service": 1},
    "Error": {"error_code": 1, "error_message": 2},
    "Response": {
        "valid_host": 1,
        "original_request": 2,
        "file_descriptor_response": 4,
        "all_extension_numbers_response": 5,
        "list_services_response": 6,
        "error_response": 7,
    },
}
TYPES = {
    "file_containing_extension": "Extension",
    "service": "Name",
    "original_request": "Request",
    "file_descriptor_response": "Files",
    "all_extension_numbers_response": "Numbers",
    "list_services_response": "Names",
    "error_response": "Error",
    "file_descriptor_proto": bytes,
    "extension_number": int,
    "error_code": int,
}
REPEATED = {"Files": "file_descriptor_proto", "Numbers": "extension_number", "Names": "service"}


def make_messages() -> dict[str, type]:
    field_types = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="r.proto", package="r", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field_name, number in fields.items():
            field = message.field.add(name=field_name, number=number)
            field.label = (
                field_types.LABEL_REPEATED
                if REPEATED.get(name) == field_name
                else field_types.LABEL_OPTIONAL
            )
            kind = TYPES.get(field_name, str)
            if isinstance(kind, str):
                field.type, field.type_name = field_types.TYPE_MESSAGE, f".r.{kind}"
            else:
                field.type = {
                    str: field_types.TYPE_STRING,
                    bytes: field_types.TYPE_BYTES,
                    int: field_types.TYPE_INT32,
                }[kind]
    # One of them is set, also where it is the empty text.
    for name, first in (("Request", 1), ("Response", 2)):
        message = next(m for m in file.message_type if m.name == name)
        message.oneof_decl.add(name="kind")
        for field in message.field[first:]:
            field.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"r.{name}"))
        for name in MESSAGES
    }


Message = make_messages()
Request = Message["Request"]


class Reflection:
    """One stream; its answers come one at a time."""

    def __init__(self, channel: grpc.Channel, version: str) -> None:
        self._requests: SimpleQueue[bytes | None] = SimpleQueue()
        self.call = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
        )(iter(self._requests.get, None), timeout=60)

    def ask_bytes(self, request: bytes) -> bytes:
        self._requests.put(request)
        return next(self.call)

    def ask(self, **request):
        return Message["Response"].FromString(
            self.ask_bytes(Request(**request).SerializeToString())
        )

    def end(self) -> grpc.StatusCode:
        self._requests.put(None)
        assert list(self.call) == []
        return self.call.code()

    def services(self) -> list[str]:
        return [s.name for s in self.ask(list_services="*").list_services_response.service]

    def error(self, **request) -> int:
        answer = self.ask(**request)
        assert answer.WhichOneof("kind") == "error_response", answer
        assert answer.error_response.error_message
        return answer.error_response.error_code

    def files(self, **request) -> dict[str, descriptor_pb2.FileDescriptorProto]:
        answer = self.ask(**request)
        assert answer.WhichOneof("kind") == "file_descriptor_response", answer
        files = [
            descriptor_pb2.FileDescriptorProto.FromString(file)
            for file in answer.file_descriptor_response.file_descriptor_proto
        ]
        assert len({file.name for file in files}) == len(files)
        return {file.name: file for file in files}


def pool_of(
    files: dict[str, descriptor_pb2.FileDescriptorProto],
) -> descriptor_pool.DescriptorPool:
    """All of them; fails where one of them imports what is not among them."""
    pool = descriptor_pool.DescriptorPool()
    added = set()

    def add(name: str) -> None:
        if name not in added:
            added.add(name)
            for dependency in files[name].dependency:
                add(dependency)
            pool.Add(files[name])

    for name in files:
        add(name)
    return pool


@pytest.fixture(scope="module")
def server() -> Iterator[Serve]:
    with Serve() as serve:
        yield serve


@pytest.fixture(scope="module")
def channel(server: Serve) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.address) as channel:
        yield channel


@pytest.mark.parametrize("version", VERSIONS)
def test_every_service_is_listed_once(channel, version):
    stream = Reflection(channel, version)
    names = stream.services()
    assert sorted(names) == sorted(SERVICES)
    assert stream.end() == grpc.StatusCode.OK


@pytest.mark.parametrize("version", VERSIONS)
def test_every_listed_service_resolves_and_is_served(channel, version):
    stream = Reflection(channel, version)
    for name in stream.services():
        service = pool_of(stream.files(file_containing_symbol=name)).FindServiceByName(name)
        assert service.methods
        for method in service.methods:
            files = stream.files(file_containing_symbol=method.full_name)
            assert service.file.name in files
            for message in (method.input_type, method.output_type):
                files = stream.files(file_containing_symbol=message.full_name)
                assert pool_of(files).FindMessageTypeByName(message.full_name)
            if method.name == "Drain":
                continue  # it is served once
            path = f"/{name}/{method.name}"
            call = channel.stream_stream(path)(iter([b""]), timeout=20)
            try:
                next(call, None)
            except grpc.RpcError as error:
                assert error.code() != grpc.StatusCode.UNIMPLEMENTED, path
            call.cancel()
        by_name = stream.files(file_by_filename=service.file.name)
        assert pool_of(by_name).FindServiceByName(name).full_name == name
        for file in by_name:
            pool_of(stream.files(file_by_filename=file))


@pytest.mark.parametrize("version", VERSIONS)
def test_health_is_checked_by_what_reflection_tells(channel, version):
    stream = Reflection(channel, version)
    files = stream.files(file_containing_symbol="grpc.health.v1.Health")
    method = pool_of(files).FindServiceByName("grpc.health.v1.Health").FindMethodByName("Check")
    check = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=lambda request: request.SerializeToString(),
        response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
    )
    ask = message_factory.GetMessageClass(method.input_type)
    for service in ["", *OUR_SERVICES]:
        status = check(ask(service=service), timeout=20)
        kind = status.DESCRIPTOR.fields_by_name["status"].enum_type
        assert kind.values_by_number[status.status].name == "SERVING"
    with pytest.raises(grpc.RpcError) as refused:
        check(ask(service="nobody"), timeout=20)
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("version", VERSIONS)
def test_the_details_of_errors_can_be_read(channel, version):
    stream = Reflection(channel, version)
    for symbol in ("google.rpc.Status", "google.rpc.ErrorInfo", "livnd.v1.ErrorReason"):
        pool = pool_of(stream.files(file_containing_symbol=symbol))
        assert pool.FindFileContainingSymbol(symbol)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_not_there_is_not_found_and_the_stream_goes_on(channel, version):
    stream = Reflection(channel, version)
    not_found = grpc.StatusCode.NOT_FOUND.value[0]
    invalid = grpc.StatusCode.INVALID_ARGUMENT.value[0]
    health = "grpc.health.v1.Health"
    for symbol in ("", ".", "nobody", f"{health}2", f"{health}.Checks", f".{health}", "é"):
        assert stream.error(file_containing_symbol=symbol) == not_found, symbol
    for name in ("", "nobody.proto", "/etc/passwd", "../health.proto"):
        assert stream.error(file_by_filename=name) == not_found, name
    request = f"{health}CheckRequest"
    for containing_type in ("nobody", request, health, ""):
        extension = {"containing_type": containing_type, "extension_number": 1}
        assert stream.error(file_containing_extension=extension) == not_found
    for name in ("nobody", health, ""):
        assert stream.error(all_extension_numbers_of_type=name) == not_found
    numbers = stream.ask(all_extension_numbers_of_type=request).all_extension_numbers_response
    assert numbers.base_type_name == request and not numbers.extension_number
    assert stream.error(host="h") == invalid
    answer = stream.ask(host="h", list_services="")
    assert answer.valid_host == "h"
    assert answer.original_request == Request(host="h", list_services="")
    assert len(answer.list_services_response.service) == len(SERVICES)
    assert stream.end() == grpc.StatusCode.OK


@pytest.mark.parametrize("version", VERSIONS)
def test_garbage_is_an_error_and_no_more(server, channel, version):
    draw = random.Random(1)
    ends = set()
    for _ in range(500):
        stream = Reflection(channel, version)
        garbage = draw.randbytes(draw.randrange(200))
        try:
            answer = Message["Response"].FromString(stream.ask_bytes(garbage))
            assert answer.WhichOneof("kind") == "error_response"
            ends.add("answer")
            stream.call.cancel()
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
            ends.add(error.details()[:30])
            assert any(key == "grpc-status-details-bin" for key, _ in error.trailing_metadata())
    assert len(ends) >= 2  # bytes that are a message of unknown fields are drawn too
    assert server.process.poll() is None, server.log()
    assert Reflection(channel, version).services()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_long_name_is_refused_and_not_sent_back(channel, version):
    stream = Reflection(channel, version)
    with pytest.raises(grpc.RpcError) as refused:
        stream.ask(file_containing_symbol="a" * 1_000_000)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "1000004 bytes" in refused.value.details()


@pytest.mark.parametrize("version", VERSIONS)
def test_open_streams_do_not_keep_the_server(version):
    with Serve() as server, grpc.insecure_channel(server.address) as channel:
        streams = [Reflection(channel, version) for _ in range(20)]
        for stream in streams:
            assert stream.services()
        watch = channel.unary_stream("/grpc.health.v1.Health/Watch")(b"", timeout=60)
        assert next(watch)
        assert server.terminate() == 0, server.log()
        for stream in streams:
            with pytest.raises(grpc.RpcError):
                next(stream.call)
            assert stream.call.code() in (
                grpc.StatusCode.UNAVAILABLE,
                grpc.StatusCode.CANCELLED,
            )
        assert "unfinished" not in server.log()
