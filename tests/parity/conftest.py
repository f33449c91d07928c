"""Fixtures of the tests of codings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from coding_cases import Driver


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    """The decodings here."""
    made = Driver()
    yield made
    made.close()
