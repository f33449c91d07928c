"""docs/protocol-reference.md says what the comments in proto/ say."""

from __future__ import annotations

from types import ModuleType

from checkout import ROOT
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from project_files import load

PAGE = ROOT / "docs" / "protocol-reference.md"


def load_maker() -> ModuleType:
    return load("tools/protocol_reference.py")


def test_the_page_is_that_of_the_sources() -> None:
    maker = load_maker()
    assert PAGE.read_text() == maker.page(maker.compile_files()), (
        "the comments under proto/ have changed: run tools/protocol_reference.py"
    )


def test_everything_of_the_contract_is_on_it() -> None:
    text = PAGE.read_text()
    for file in load_maker().compile_files():
        for service in file.service:
            assert f"### {service.name}\n" in text
            assert all(f"**{method.name}** (" in text for method in service.method)
        for kind in (*file.message_type, *file.enum_type):
            assert f"#### {kind.name}\n" in text
        for message in file.message_type:
            assert all(f"| `{field.name}` | {field.number} |" in text for field in message.field)


def test_a_comment_is_told_as_it_stands() -> None:
    maker = load_maker()
    file = FileDescriptorProto(name="livnd/v1/a.proto", package="livnd.v1")
    message = file.message_type.add(name="Thing")
    message.field.add(name="size_us", number=3, type=FileDescriptorProto.DESCRIPTOR.fields[0].type)
    for path, before, behind in (
        ([4, 0], " Two *stars*, a `code*` and\n\n a table:\n   a  b\n   c  d\n done.\n", ""),
        ([4, 0, 2, 0], " One | two\n lines.\n", " behind\n"),
    ):
        file.source_code_info.location.add(
            path=path, leading_comments=before, trailing_comments=behind
        )
    assert maker.page([file]).partition("## a.proto")[2] == (
        "\n\n#### Thing\n\nTwo \\*stars\\*, a `code*` and\n\na table:\n\n    a  b\n    c  d\n\n"
        "done.\n\n| field | number | type | |\n|---|---|---|---|\n"
        "| `size_us` | 3 | string | One \\| two lines. behind |\n"
    )
