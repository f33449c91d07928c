"""Every refusal of env and io that a call can bring about, as it arrives: one row a site."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import livnd
import pytest
import refused_by_sim
import refused_changes
import refused_codings
import refused_devices
import refused_plans
import refused_runs
from error_calls import Caller, Row
from serving import SYSTEMS, Serve

OF_SITES = [
    *refused_changes.ROWS,
    *refused_runs.OF_CULTURES,
    *refused_runs.OF_TASKS,
    *refused_plans.ROWS,
    *refused_devices.ROWS,
    *refused_codings.ROWS,
]


def write_points(system: Path, arguments: dict[str, Any], groups: dict[str, Any]) -> None:
    model = {"cls": "livn.models.glif.GLIF", "kwargs": arguments}
    (system / "model.json").write_text(json.dumps(model))
    (system / "params/default.json").write_text(json.dumps({"GLIF": groups}))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[livnd.Client]:
    folder = tmp_path_factory.mktemp("systems")
    for name in ("small", "blind", "points", "slow"):
        shutil.copytree(SYSTEMS / "EI-mini", folder / name, copy_function=shutil.copyfile)
    (folder / "blind/mea.json").unlink()
    fast, slow = ({"params": {"cells-theta_decay_rate": rate}} for rate in (1.0, 0.01))
    write_points(folder / "points", {}, {"default": {"params": {}}, "fast": fast})
    write_points(folder / "slow", {"params": {"t_ref": 150.0}}, {"default": slow})
    stored = {
        "e1": {"gids": {"EXC": [0, 1]}},
        "far": {"gids": {"EXC": [0, 99]}},
        "other": {"gids": {"EXC": [0]}, "meta": {"graph": "another"}},
    }
    (folder / "small/selection").mkdir()
    for name, document in stored.items():
        (folder / f"small/selection/{name}.json").write_text(json.dumps(document))
    with Serve(systems=folder) as server, livnd.connect(server.address) as made:
        yield made


def name_of(row: Row) -> str:
    return f"{row.site}-{row.field}"


@pytest.mark.parametrize("row", [*OF_SITES, *refused_by_sim.ROWS], ids=name_of)
def test_a_refusal_arrives_as_it_was_made(client: livnd.Client, row: Row):
    caller = Caller(client, row.environment)
    with caller.session:
        *before, refused = row.calls
        for earlier in before:
            earlier(caller)
        with pytest.raises(livnd.LivndError) as caught:
            refused(caller)
    error = caught.value
    file = error.file if isinstance(error, livnd.errors.BadSystemError) else ""
    assert (error.code, error.reason) == (
        ("FAILED_PRECONDITION", "BAD_SYSTEM") if row.file else ("INVALID_ARGUMENT", "INVALID_FIELD")
    ), error
    assert error.field == row.field
    assert error.value.startswith(row.value)
    assert row.accepted in error.accepted
    assert error.accepted
    assert file.endswith(row.file) and bool(file) == bool(row.file)
    assert f"{error.field} is " in str(error)
