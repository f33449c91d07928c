#!/usr/bin/env python3
"""Renews livnd/descriptors.binpb from the proto sources; run it after a change under proto/.

Usage: clients/python/update_descriptors.py [--check]

Needs protoc (Debian: protobuf-compiler). With --check it writes nothing and exits 1 where the
committed file says something else than the sources.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2

HERE = Path(__file__).resolve().parent
PROTO_ROOT = HERE.parent.parent / "proto"
TARGET = HERE / "livnd" / "descriptors.binpb"


def compile_descriptors() -> bytes:
    """The FileDescriptorSet of every proto/livnd file with what it imports, serialized."""
    sources = sorted(str(path) for path in (PROTO_ROOT / "livnd").rglob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set.binpb"
        subprocess.run(
            [
                "protoc",
                f"--proto_path={PROTO_ROOT}",
                "--include_imports",
                f"--descriptor_set_out={out}",
                *sources,
            ],
            check=True,
        )
        return out.read_bytes()


def same(a: bytes, b: bytes) -> bool:
    """Whether two serialized sets describe the same files (protoc versions may order bytes)."""
    parse = descriptor_pb2.FileDescriptorSet.FromString
    return parse(a) == parse(b)


def main() -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare only")
    args = parser.parse_args()
    new = compile_descriptors()
    if TARGET.exists() and same(new, TARGET.read_bytes()):
        return 0
    if args.check:
        print(f"{TARGET.name} differs from proto/: run {Path(__file__).name}", file=sys.stderr)
        return 1
    TARGET.write_bytes(new)
    print(f"wrote {TARGET.name} ({len(new)} bytes)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
