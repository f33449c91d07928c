"""Where the rooms between a caller and the simulator refuse what they are given.

A site is a call of MakeFieldError, or of a function that makes nothing but one, in env/ or io/. The
tests of errors name each by its file and by a text that no other site of the file has in its
arguments.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from serving import ROOT

_MAKER = re.compile(r"\b(?:MakeFieldError|Refused)\(")
# Definitions and declarations of the makers themselves, not sites.
_PARAMETER = re.compile(r"^absl::string_view \w+(, absl::string_view \w+)*$")
# Forms of a maker that hand on what their own arguments are; their callers are the sites.
_HANDED_ON = {'"", value, accepted', '"", Shown(), accepted'}


class Site(NamedTuple):
    """`file` is below the root, `arguments` the source text with single spaces.

    Calls of one file with the same arguments are one site.
    """

    file: str
    arguments: str


def _arguments(text: str, start: int) -> str:
    """The text up to the bracket that closes the one before `start`."""
    depth, quoted, i = 1, False, start
    while depth:
        c = text[i]
        if quoted:
            i += c == "\\"
            quoted = c != '"'
        elif c == '"':
            quoted = True
        else:
            depth += (c in "([{") - (c in ")]}")
        i += 1
    return " ".join(text[start : i - 1].split())


@functools.cache
def find_sites() -> frozenset[Site]:
    """All sites of both rooms."""
    sites = set()
    for room in ("env", "io"):
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix not in (".cc", ".h") or path.stem.endswith("_test"):
                continue
            if "testing" in path.parts:
                continue
            text = path.read_text()
            for maker in _MAKER.finditer(text):
                arguments = _arguments(text, maker.end())
                if _PARAMETER.match(arguments) or arguments in _HANDED_ON:
                    continue
                sites.add(Site(str(path.relative_to(ROOT)), arguments))
    return frozenset(sites)


def sites_of(name: str) -> list[Site]:
    """The sites that "FILE: TEXT" names."""
    file, text = name.split(": ", 1)
    return [s for s in find_sites() if s.file.endswith(file) and text in s.arguments]
