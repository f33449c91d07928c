from __future__ import annotations

from pathlib import Path

import livnd
from google.protobuf import descriptor_pool
from livnd._proto import METHODS, pb
from project_files import load

PACKAGE = Path(livnd.__file__).parent


def test_shipped_descriptors_are_those_of_the_proto_sources():
    updater = load("clients/python/update_descriptors.py")
    shipped = (PACKAGE / "descriptors.binpb").read_bytes()
    assert updater.same(shipped, updater.compile_descriptors()), (
        "the files under proto/ have changed: run clients/python/update_descriptors.py"
    )


def test_messages_stay_out_of_the_default_pool():
    try:
        descriptor_pool.Default().FindMessageTypeByName("livnd.v1.StepRequest")
    except KeyError:
        return
    raise AssertionError("livnd.v1.StepRequest is registered in the default pool")


def test_every_method_of_the_contract_has_a_path():
    assert METHODS["Step"].path == "/livnd.v1.EnvironmentService/Step"
    assert METHODS["Step"].request is pb.StepRequest
    assert METHODS["Step"].response is pb.StepResponse
