"""The programs of the README files run as they are printed."""

from __future__ import annotations

import gymnasium
import livnd
import numpy as np
import pytest
from project_files import programs_of


@pytest.mark.parametrize(
    ("page", "num_programs"),
    [
        ("docs/livn.md", 1),
        ("docs/stimuli-and-devices.md", 2),
        ("docs/codings.md", 1),
        ("docs/tasks/culture_in_loop.md", 2),
    ],
)
def test_the_programs_of_a_page_run(page: str, num_programs: int, capsys):
    programs = programs_of(page)
    assert len(programs) == num_programs
    names: dict[str, object] = {}
    for program in programs:
        exec(compile(program, page, "exec"), names)
        assert capsys.readouterr().out


@pytest.mark.parametrize(
    ("readme", "num_programs"), [("README.md", 2), ("clients/python/README.md", 3)]
)
def test_the_programs_of_a_readme_run_in_their_order(address: str, readme: str, num_programs: int):
    programs = programs_of(readme)
    assert len(programs) == num_programs
    names: dict[str, object] = {}
    try:
        for program in programs:
            # The one address that is not of this machine.
            program = program.replace('"host:5555"', repr(address))
            exec(compile(program, readme, "exec"), names)
        assert isinstance(names["env"], livnd.Env)
        assert np.isfinite(names["v"]).all()
    finally:
        for value in names.values():
            if isinstance(value, (gymnasium.Env, gymnasium.vector.VectorEnv, livnd.Env)):
                value.close()
