"""The page of encodings and decodings has all of them, with their fields and other names."""

from __future__ import annotations

import re

import pytest
from checkout import ROOT, tracked

PAGE = (ROOT / "docs/codings.md").read_text()
HEADERS = [
    path
    for path in tracked("io/decoding/*.h", "io/encoding/*.h")
    if " kName[] =" in (ROOT / path).read_text()
]


# Fields that several encodings take from there.
SHARED = {
    "DescribePulse(": "io/encoding/pulse_slots.cc",
    "DownsamplingConfig": "io/decoding/potential/downsampling.cc",
    "RateCode code;": "io/encoding/channel_code.cc",
    "LatencyCode code;": "io/encoding/channel_code.cc",
}
FIELD = r'fields\.(?:Number|Whole|Flag|Word|Numbers|Lists)\(\s*"(\w+)"'


def source_of(path: str) -> str:
    body = ROOT / path.replace(".h", ".cc")
    source = (ROOT / path).read_text() + (body.read_text() if body.exists() else "")
    for text, file in SHARED.items():
        if text not in source:
            continue
        shared = (ROOT / file).read_text()
        if text.endswith("code;"):  # of one code alone
            begin = shared.index(f"void {text.split()[0]}::Describe")
            shared = shared[begin : shared.index("\n}", begin)]
        source += shared
    return source


def row_of(name: str) -> str:
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |")]
    assert len(rows) == 1, name
    return rows[0]


@pytest.mark.parametrize("path", HEADERS)
def test_the_page_has_it_with_its_names(path: str) -> None:
    source = source_of(path)
    row = row_of(re.search(r'kName\[\] = "(\w+)"', source).group(1))
    fields = re.findall(FIELD, source)
    outputs = re.findall(r'Add(?:Output|Input|Inputs)\(\s*"(\w+)"', source)
    assert outputs, path
    missing = [name for name in fields + outputs if f"`{name}`" not in row]
    assert not missing


def test_the_page_has_nothing_else() -> None:
    names = {re.search(r'kName\[\] = "(\w+)"', source_of(path)).group(1) for path in HEADERS}
    rows = set(re.findall(r"^\| `(\w+)` \|", PAGE, flags=re.M))
    assert rows == names
    assert len(names) > 30
