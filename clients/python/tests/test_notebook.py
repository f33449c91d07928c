"""docs/quickstart.ipynb runs from its first cell to its last one, and leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import livnd
import pytest

NOTEBOOK = Path(__file__).resolve().parents[3] / "docs" / "quickstart.ipynb"


@pytest.fixture
def cells() -> list[str]:
    found = json.loads(NOTEBOOK.read_text())["cells"]
    return ["".join(cell["source"]) for cell in found if cell["cell_type"] == "code"]


def test_the_notebook_trains_evaluates_and_films(cells, tmp_path, monkeypatch, capsys):
    matplotlib = pytest.importorskip("matplotlib")
    pytest.importorskip("cmaes")
    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    with livnd.connect() as client:  # keeps the own server over the cells
        client.server_info()
        names: dict[str, object] = {}
        for number, cell in enumerate(cells):
            exec(compile(cell, f"cell {number}", "exec"), names)
    told = capsys.readouterr().out
    assert "learned:" in told and "61 frames in episode.gif" in told
    assert (tmp_path / "episode.gif").read_bytes().startswith(b"GIF8")
