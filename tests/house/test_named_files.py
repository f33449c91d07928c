"""Files and folders that documentation, comments and docstrings name are there."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import PurePosixPath

import pytest
from checkout import ROOT, tracked

# Written by others, or by programs.
NOT_OURS = ("LICENSE", "systems/", "third_party/googleapis/", "third_party/grpc_proto/")
SLASHES = {".cc", ".h", ".proto"}
SUFFIXES = "cc|h|py|proto|md|sh|bzl|svg|toml"
# Files of others, and an example.
FOREIGN = {"hdf5.h", "chttp2_transport.cc", "foreach_target.h", "x_test.cc"}
# What docs/tasks/writing.md adds: made from the page by tests/tutorial.
TUTORIAL = {"env/task/sides.h", "env/task/sides.cc", "env/task/sides_test.cc"}


FILES = tracked()
NAMES = {PurePosixPath(path).name for path in FILES}
ROOMS = sorted({path.split("/")[0] for path in FILES if "/" in path})
# "sim/gang/gang.h", "docs/decisions", "io/neuroh5/*.cc"; not a URL, a label or part of a path.
NAMED_PATH = re.compile(
    rf"(?<![\w./:@{{}}$<-])((?:{'|'.join(map(re.escape, ROOMS))})/[\w+*-][\w.+*-]*(?:/[\w.+*-]+)*)"
)
NAMED_FILE = re.compile(rf"(?<![\w./*{{}}$<-])([\w-]{{2,}}\.(?:{SUFFIXES}))(?![\w(])")


def prose_of(path: str, text: str) -> list[tuple[int, str]]:
    """What of a file is written for people: numbered lines."""
    suffix = PurePosixPath(path).suffix
    lines = list(enumerate(text.splitlines(), 1))
    if suffix in (".md", ".txt"):
        return lines
    if suffix in SLASHES:
        return [(n, line[line.index("//") :]) for n, line in lines if "//" in line]
    if suffix == ".py":
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        found = [(t.start[0], t.string) for t in tokens if t.type == tokenize.COMMENT]
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                docstring = ast.get_docstring(node, clean=False)
                if docstring:
                    first = node.body[0].lineno
                    found += [(first + i, line) for i, line in enumerate(docstring.splitlines())]
        return found
    if suffix in ("", ".sh", ".bzl", ".toml", ".debian"):
        return [(n, line[line.index("#") :]) for n, line in lines if "#" in line]
    return []


def is_there(named: str, at: str) -> bool:
    """Whether a path exists, from the root or from a folder above the file that names it.

    A path may lack its suffix, as "env/copies" does, or a decision its title, or be a pattern.
    """
    return any(
        any((ROOT / above).glob(pattern))
        for above in PurePosixPath(at).parents
        for pattern in (named, named + ".*", named + "-*.md")
    )


def lost(path: str, text: str) -> list[str]:
    """LINE: NAME of what a file names and nobody finds."""
    found = []
    before = ""
    for number, line in prose_of(path, text):
        for named in NAMED_PATH.findall(line):
            if named not in TUTORIAL and not is_there(named.rstrip("."), path):
                found.append(f"{number}: {named}")
        # livn's own files are told by its name beside them; a test names files that it makes.
        is_livns = re.search(r"\blivn( |'s)", before + line) is not None
        for named in NAMED_FILE.findall(line):
            is_known = named in NAMES or named in FOREIGN or f'"{named}"' in text
            if not is_known and not is_livns:
                found.append(f"{number}: {named}")
        before = line
    return found


@pytest.mark.parametrize("folder", ["", *ROOMS])
def test_named_files_exist(folder: str) -> None:
    wrong = []
    for path in FILES:
        top = path.split("/")[0] if "/" in path else ""
        if top != folder or path.startswith(NOT_OURS):
            continue
        try:
            text = (ROOT / path).read_text()
        except UnicodeDecodeError:
            continue
        wrong += [f"{path}:{one}" for one in lost(path, text)]
    assert not wrong


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("docs/page.md", "see `sim/gang/lost.h`", ["1: sim/gang/lost.h"]),
        ("docs/page.md", "`sim/gang/gang.h`, `env/copies`, docs/decisions, tests/*/*.py.", []),
        ("docs/page.md", "tests/faults/nothing*.py", ["1: tests/faults/nothing*.py"]),
        ("clients/python/README.md", "`tests/conftest.py`", []),
        ("sim/a.h", "int a;  // in gang.h\n// of lost_file.cc\n", ["2: lost_file.cc"]),
        ("sim/a.h", '#include "sim/lost.h"', []),
        ("sim/a.h", "// livn 2.0.0's types.py", []),
        ("tools/a.py", 'x = "sim/lost.h"\n# sim/lost.h', ["2: sim/lost.h"]),
        ("tools/a.py", '"""Of sim:\n\nsim/lost.h."""', ["3: sim/lost.h."]),
        ("tools/a.sh", "ls sim/lost.h # of tools/setup.sh, io/lost.sh", ["1: io/lost.sh"]),
    ],
)
def test_a_name_without_a_file_is_found(path: str, text: str, expected: list[str]) -> None:
    assert lost(path, text) == expected
