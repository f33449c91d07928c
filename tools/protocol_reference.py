#!/usr/bin/env python3
"""Renews docs/protocol-reference.md from the comments in proto/; run it after a change there.

Usage: tools/protocol_reference.py [--check]

Needs protoc (Debian: protobuf-compiler). With --check it writes nothing and exits 1 where the page
says something else than the sources.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

ROOT = Path(__file__).resolve().parents[1]
PROTO_ROOT = ROOT / "proto"
TARGET = ROOT / "docs" / "protocol-reference.md"
PACKAGE = "livnd.v1"
# What callers read first; the other files follow by name.
FIRST = ["server_service", "session_service", "environment_service", "culture_service"]
HEADING = """# The protocol, message by message

Made from the comments in `proto/` by `tools/protocol_reference.py`; [protocol.md](protocol.md)
tells how it belongs together.
"""
# Numbers of fields of descriptors, of which the paths of comments are made.
MESSAGE, ENUM, SERVICE = 4, 5, 6
FIELD, NESTED, METHOD, VALUE, ONEOF = 2, 3, 2, 2, 8


def compile_files() -> list[FileDescriptorProto]:
    """Every file of the contract, with its comments."""
    sources = sorted(str(path) for path in PROTO_ROOT.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set.binpb"
        subprocess.run(
            [
                "protoc",
                f"--proto_path={PROTO_ROOT}",
                "--include_source_info",
                f"--descriptor_set_out={out}",
                *sources,
            ],
            check=True,
        )
        return list(descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file)


class Comments:
    """What stands at a place of a file."""

    def __init__(self, file: FileDescriptorProto) -> None:
        self._of = {
            tuple(location.path): (location.leading_comments, location.trailing_comments)
            for location in file.source_code_info.location
        }

    def paragraphs(self, *path: int) -> str:
        """Before the place, and behind it, as text with its paragraphs and indented parts."""
        return "\n\n".join(part for part in map(_text, self._of.get(path, ())) if part)

    def line(self, *path: int) -> str:
        """The same in a line, for a table."""
        return " ".join(self.paragraphs(*path).split()).replace("|", "\\|")


def _text(comment: str) -> str:
    """A comment without its margin; what is indented in it stays as it is."""
    lines = [line[1:] if line.startswith(" ") else line for line in comment.rstrip().split("\n")]
    told: list[str] = []
    for line in lines:
        is_table = line.startswith("  ")
        if is_table and not (told and told[-1].startswith("    ")) and told and told[-1]:
            told.append("")
        if not is_table and line and told and told[-1].startswith("    "):
            told.append("")
        told.append(f"    {line[2:]}" if is_table else _escaped(line))
    return "\n".join(told).strip("\n")


def _escaped(line: str) -> str:
    """Without what Markdown would take for marks of its own, outside of `code`."""
    parts = line.split("`")
    for i in range(0, len(parts), 2):
        for mark in ("*", "<", "_["):
            parts[i] = parts[i].replace(mark, f"\\{mark}")
    return "`".join(parts)


def _type(field: FieldDescriptorProto) -> str:
    if field.type_name:
        name = field.type_name.rpartition(".")[2]
        text = f"[{name}](#{name.lower()})" if field.type_name.startswith(f".{PACKAGE}.") else name
    else:
        text = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        return f"repeated {text}"
    return f"optional {text}" if field.proto3_optional else text


def service_parts(file: FileDescriptorProto, comments: Comments) -> Iterator[str]:
    """Of each service: what it is, and its calls."""
    for i, service in enumerate(file.service):
        yield f"### {service.name}"
        yield comments.paragraphs(SERVICE, i)
        for j, method in enumerate(service.method):
            request, response = (
                f"[{name}](#{name.lower()})"
                for name in (t.rpartition(".")[2] for t in (method.input_type, method.output_type))
            )
            stream = ["stream " * s for s in (method.client_streaming, method.server_streaming)]
            yield f"**{method.name}** ({stream[0]}{request}) returns ({stream[1]}{response})"
            yield comments.paragraphs(SERVICE, i, METHOD, j)


def message_parts(file: FileDescriptorProto, comments: Comments) -> Iterator[str]:
    """Of each message: what it is, and its fields."""
    for i, message in enumerate(file.message_type):
        yield f"#### {message.name}"
        yield comments.paragraphs(MESSAGE, i)
        rows = []
        for j, field in enumerate(message.field):
            says = comments.line(MESSAGE, i, FIELD, j)
            if field.HasField("oneof_index") and not field.proto3_optional:
                oneof = message.oneof_decl[field.oneof_index].name
                says = f"One of `{oneof}`. {says}".strip()
            rows.append(f"| `{field.name}` | {field.number} | {_type(field)} | {says} |")
        if rows:
            yield "\n".join(["| field | number | type | |", "|---|---|---|---|", *rows])
        else:
            yield "No fields."


def enum_parts(file: FileDescriptorProto, comments: Comments) -> Iterator[str]:
    """Of each enum: what it is, and its values."""
    for i, enum in enumerate(file.enum_type):
        yield f"#### {enum.name}"
        yield comments.paragraphs(ENUM, i)
        rows = [
            f"| `{value.name}` | {value.number} | {comments.line(ENUM, i, VALUE, j)} |"
            for j, value in enumerate(enum.value)
        ]
        yield "\n".join(["| value | number | |", "|---|---|---|", *rows])


def page(files: Sequence[FileDescriptorProto]) -> str:
    """The whole page."""

    def place(file: FileDescriptorProto) -> tuple[int, bool, str]:
        name = Path(file.name).stem
        return (FIRST.index(name) if name in FIRST else len(FIRST), not file.service, name)

    parts = [HEADING.rstrip()]
    for file in sorted(files, key=place):
        comments = Comments(file)
        parts.append(f"## {Path(file.name).name}")
        parts.append(comments.paragraphs(2))  # the statement of the package
        parts += service_parts(file, comments)
        parts += message_parts(file, comments)
        parts += enum_parts(file, comments)
    return "\n\n".join(part for part in parts if part) + "\n"


def main() -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare only")
    args = parser.parse_args()
    new = page(compile_files())
    if TARGET.exists() and TARGET.read_text() == new:
        return 0
    if args.check:
        print(f"{TARGET.name} differs from proto/: run {Path(__file__).name}", file=sys.stderr)
        return 1
    TARGET.write_text(new)
    print(f"wrote {TARGET.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
