"""The messages and methods of livnd.v1 without generated code.

`pb` holds every message class and enum value of the shipped descriptor set by name
(`pb.StepRequest`, `pb.DATA_TYPE_FLOAT32`); `METHODS` every call. Both live in a descriptor pool of
their own, so that no other package's copy of the same files can clash, and no generated code ties
the package to one protobuf version.
"""

from __future__ import annotations

from importlib import resources
from types import SimpleNamespace
from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

# Module variables, as are all classes below: protobuf before 4.25 keeps neither a pool nor the
# class of a submessage alive for a message, and crashes without them.
_POOL = descriptor_pool.DescriptorPool()
_ERROR_POOL = descriptor_pool.DescriptorPool()


class Method(NamedTuple):
    """One call: its gRPC path and its message classes."""

    path: str
    request: Any
    response: Any
    is_stream: bool  # of responses, and perhaps of requests


def _load() -> tuple[SimpleNamespace, dict[str, Method]]:
    data = resources.files(__package__).joinpath("descriptors.binpb").read_bytes()
    names = SimpleNamespace()
    methods: dict[str, Method] = {}
    for file in descriptor_pb2.FileDescriptorSet.FromString(data).file:
        _POOL.AddSerializedFile(file.SerializeToString())
        descriptor = _POOL.FindFileByName(file.name)
        for name, message in descriptor.message_types_by_name.items():
            setattr(names, name, message_factory.GetMessageClass(message))
        for enum in descriptor.enum_types_by_name.values():
            for value in enum.values:
                setattr(names, value.name, value.number)
        streams = {
            m.name
            for s in file.service
            for m in s.method
            if m.client_streaming or m.server_streaming
        }
        for service in descriptor.services_by_name.values():
            for method in service.methods:
                methods[method.name] = Method(
                    f"/{service.full_name}/{method.name}",
                    message_factory.GetMessageClass(method.input_type),
                    message_factory.GetMessageClass(method.output_type),
                    method.name in streams,
                )
    return names, methods


def _load_rpc_status() -> tuple[Any, ...]:
    """google.rpc.Status, ErrorInfo and RetryInfo, and Any, as far as errors need them."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="livnd_error_details.proto", package="livnd_error_details", syntax="proto3"
    )

    def add(
        owner: Any, number: int, name: str, kind: int, repeated: bool = False, type_name: str = ""
    ) -> None:
        owner.field.add(
            name=name,
            number=number,
            type=kind,
            label=field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL,
            type_name=type_name or None,
        )

    any_ = file.message_type.add(name="Any")
    add(any_, 1, "type_url", field.TYPE_STRING)
    add(any_, 2, "value", field.TYPE_BYTES)
    status = file.message_type.add(name="Status")
    add(status, 1, "code", field.TYPE_INT32)
    add(status, 2, "message", field.TYPE_STRING)
    add(status, 3, "details", field.TYPE_MESSAGE, True, ".livnd_error_details.Any")
    info = file.message_type.add(name="ErrorInfo")
    add(info, 1, "reason", field.TYPE_STRING)
    add(info, 2, "domain", field.TYPE_STRING)
    entry = ".livnd_error_details.ErrorInfo.MetadataEntry"
    add(info, 3, "metadata", field.TYPE_MESSAGE, True, entry)
    pair = info.nested_type.add(name="MetadataEntry")
    pair.options.map_entry = True
    add(pair, 1, "key", field.TYPE_STRING)
    add(pair, 2, "value", field.TYPE_STRING)

    delay = file.message_type.add(name="Duration")
    add(delay, 1, "seconds", field.TYPE_INT64)
    add(delay, 2, "nanos", field.TYPE_INT32)
    retry = file.message_type.add(name="RetryInfo")
    add(retry, 1, "retry_delay", field.TYPE_MESSAGE, False, ".livnd_error_details.Duration")

    _ERROR_POOL.AddSerializedFile(file.SerializeToString())
    return tuple(
        message_factory.GetMessageClass(
            _ERROR_POOL.FindMessageTypeByName(f"livnd_error_details.{name}")
        )
        for name in ("Status", "ErrorInfo", "RetryInfo", "Any", "Duration")
    )


pb, METHODS = _load()
RpcStatus, ErrorInfo, RetryInfo, _Any, _Duration = _load_rpc_status()
