"""The programs of docs/rl-tools.md that need no heavy packages run as they are printed."""

from __future__ import annotations

import pytest
from tools_page import HEAVY, OF_RLLIB, programs, run

LIGHT = [p for p in programs() if not HEAVY.search(p) and not OF_RLLIB.search(p)]


def test_the_page_has_light_and_heavy_programs():
    assert len(LIGHT) >= 4 and len(programs()) >= len(LIGHT) + 6


@pytest.mark.parametrize("program", LIGHT, ids=range(len(LIGHT)))
def test_it_runs(program, tmp_path):
    run(program, tmp_path)
