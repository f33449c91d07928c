"""Ids of environments in a process that has not imported the package."""

from __future__ import annotations

import gymnasium
import pytest
from conftest import GYM_ID


@pytest.mark.parametrize("how", ["make({!r})", "make_vec({!r}, num_envs=2)"])
@pytest.mark.parametrize("id_form", ["livnd:{}", "{}"])
def test_the_long_form_of_an_id_needs_no_import(run_python, how, id_form):
    """Gymnasium loads the module that a long id names; nothing tells it of one for a bare id."""
    process = run_python(
        f"""
import gymnasium
try:
    env = gymnasium.{how.format(id_form.format(GYM_ID))}
except gymnasium.error.NamespaceNotFound:
    print("unknown")
else:
    env.reset(seed=1)
    env.close()
    print("made", env.spec.id)
"""
    )
    said = f"made {GYM_ID}" if id_form == "livnd:{}" else "unknown"
    assert process.communicate(timeout=60)[0].split("\n")[0] == said


def test_every_task_on_the_shipped_systems_is_registered(client):
    served = {f"livnd/{spec.environment_id}" for spec in client.environments() if spec.actions}
    assert GYM_ID in served
    assert {name for name in gymnasium.registry if name.startswith("livnd/")} >= served
