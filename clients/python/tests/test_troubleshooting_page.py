"""docs/troubleshooting.md has every reason, with the exception that it becomes."""

from __future__ import annotations

import re
from pathlib import Path

import livnd.errors
from livnd._proto import pb
from livnd.errors import LivndError

PAGE = Path(__file__).resolve().parents[3] / "docs" / "troubleshooting.md"
BY_CLIENT = {"SERVER_MISMATCH", "UNKNOWN_OUTCOME"}  # which the server does not say
IN_WORDS = {"INTERNAL"}  # beside the tables


def rows() -> dict[str, str]:
    """The exceptions that the tables name, by reason."""
    told = {}
    for reasons, exceptions in re.findall(
        r"^\| (`[A-Z_`, ]+`) \| ([^|]*) \|", PAGE.read_text(), re.M
    ):
        named = re.findall(r"`(\w+Error)`", exceptions)
        listed = re.findall(r"`(\w+)`", reasons)
        assert len(named) in (1, len(listed)), reasons
        for number, reason in enumerate(listed):
            told[reason] = named[number] if len(named) == len(listed) else named[0]
    return told


def test_every_reason_is_told():
    prefix = "ERROR_REASON_"
    reasons = {name[len(prefix) :] for name in vars(pb) if name.startswith(prefix)}
    assert set(rows()) == (reasons - {"UNSPECIFIED"} - IN_WORDS) | BY_CLIENT
    assert all(f"`{reason}`" in PAGE.read_text() for reason in IN_WORDS)


def test_every_reason_becomes_the_exception_that_is_told():
    for reason, name in rows().items():
        if reason not in BY_CLIENT:
            kind = livnd.errors._BY_REASON.get(reason, LivndError)
            assert kind.__name__ == name, reason


def test_every_exception_that_is_named_exists():
    for name in re.findall(r"`(\w+Error)`", PAGE.read_text()):
        assert hasattr(livnd.errors, name), name
