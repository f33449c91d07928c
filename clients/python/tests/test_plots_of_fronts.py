"""Pictures of fronts: what is in them, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from livnd.errors import BadFileError
from livnd.plots import draw_front, read_front
from livnd.plots.__main__ import main


def front(names: tuple[str, ...] = ("mfr", "isi_cv", "active_fraction")) -> dict:
    return {
        "evaluations": 64,
        "system": "/somewhere/EI-100",
        "target": {"name": "culture"},
        "solutions": [
            {
                "loc": loc,
                "objectives": {name: (loc + 1.0) * k for k, name in enumerate(names, 1)},
                "feasible": loc != 1,
            }
            for loc in range(4)
        ],
    }


def test_every_pair_of_objectives_has_a_panel_with_all_solutions(tmp_path: Path) -> None:
    file = tmp_path / "front.json"
    file.write_text(json.dumps(front()))
    figure = draw_front(read_front(file))
    words = [text.get_text() for text in figure.texts]
    assert words == [
        "EI-100: culture",
        "4 solutions (3 feasible) of 64 evaluations; costs, less is better",
    ]
    panels = figure.axes
    labels = [(axes.get_xlabel(), axes.get_ylabel()) for axes in panels]
    assert labels == [
        ("mfr", "isi_cv"), ("mfr", "active_fraction"), ("isi_cv", "active_fraction")
    ]  # fmt: skip
    for axes in panels:
        numbers = [len(collection.get_offsets()) for collection in axes.collections]
        assert numbers == [1, 3]  # not feasible, feasible
    assert panels[0].collections[1].get_offsets().tolist() == [[1, 2], [3, 6], [4, 8]]


def test_the_command_draws_the_folder_of_a_search(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    search = tmp_path / "my-search"
    search.mkdir()
    # livn's target is a class with its options.
    (search / "front.json").write_text(json.dumps({**front(("a", "b")), "target": ["EI.Culture"]}))
    out = tmp_path / "front.png"
    assert main(["front", str(search), "--out", str(out)]) == 0
    assert out.read_bytes().startswith(b"\x89PNG")
    assert capsys.readouterr().out == f"{out}\n"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{", ""),
        ("[]", "solutions"),
        ('{"solutions": []}', "solutions"),
        ('{"solutions": [{"objectives": {"a": 1}}]}', "solutions[0].objectives"),
        ('{"solutions": [{"objectives": {"a": 1, "b": null}}]}', "solutions[0].objectives"),
        (
            '{"solutions": [{"objectives": {"a": 1, "b": 2}}, {"objectives": {"a": 1, "c": 2}}]}',
            "solutions[1].objectives",
        ),
    ],
)
def test_what_is_no_front_is_refused_by_file_and_field(
    tmp_path: Path, text: str, field: str
) -> None:
    file = tmp_path / "front.json"
    file.write_text(text)
    with pytest.raises(BadFileError) as caught:
        read_front(file)
    assert str(file) in str(caught.value)
    assert field in str(caught.value)
