"""What a system cannot carry is told with the reason, the same through every client."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import gymnasium
import livnd
import pytest
from serving import SYSTEMS, Serve

from conformance.drivers import Client, Refused

TASKS = {"TargetRate", "CartPole", "PatternEvocation", "BurstSuppression", "Pong", "PongFeedback"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole system, one without electrodes, one of point neurons, and one that is no culture."""
    folder = tmp_path_factory.mktemp("systems")
    for name in ("whole", "deaf", "points", "broken"):
        shutil.copytree(SYSTEMS / "EI-mini", folder / name, copy_function=shutil.copyfile)
    (folder / "deaf/mea.json").unlink()
    model = {"cls": "livn.models.glif.GLIF", "kwargs": {}}
    (folder / "points/model.json").write_text(json.dumps(model))
    params = {"GLIF": {"default": {"params": {}}}}
    (folder / "points/params/default.json").write_text(json.dumps(params))
    params = {"ReducedCalciumSomaDendrite": {"default": {"params": {"noise-tau_e": -1.0}}}}
    (folder / "broken/params/default.json").write_text(json.dumps(params))
    return folder


@pytest.fixture(scope="module")
def unlike(folder: Path) -> Iterator[Serve]:
    with Serve("--threads", "1", systems=folder) as server:
        yield server


@pytest.fixture
def clients(all_drivers, unlike) -> Iterator[list[Client]]:
    """One of each library."""
    clients = [driver.connect(unlike.address) for driver in all_drivers]
    yield clients
    for client in clients:
        client.close()


def test_every_task_is_offered_or_has_a_reason(clients, unlike, folder):
    told, again = (client.not_offered() for client in clients)
    assert told == again
    why = {one.environment_id: one.why for one in told}
    assert len(why) == len(told) and list(why) == sorted(why)
    offered = {spec.environment_id for spec in clients[0].environments()}
    assert not offered & set(why)
    systems = clients[0].systems()
    assert systems == ["broken", "deaf", "points", "whole"]
    assert offered | set(why) == {
        f"{task}-{system}-v0" for task in TASKS | {"Culture"} for system in systems
    }
    for one in told:
        assert one.environment_id.endswith(f"-{one.system}-v0")
        assert str(folder) not in one.why and not one.why.startswith("/")

    assert {f"Culture-{name}-v0" for name in ("deaf", "points", "whole")} <= offered
    for task in TASKS:
        assert f"{task}-whole-v0" in offered
        assert why[f"{task}-deaf-v0"].startswith("mea.json is absent; accepted: electrodes")
        assert why[f"{task}-broken-v0"] == why["Culture-broken-v0"]
    assert why["Culture-broken-v0"].startswith("params/default.json: ")
    assert "tau_e" in why["Culture-broken-v0"]
    # Currents do, for a task that changes no weights.
    assert {id for id in why if id.endswith("-points-v0")} == {"BurstSuppression-points-v0"}
    assert why["BurstSuppression-points-v0"].startswith("params/default.json: ")
    assert "is absent; accepted: a weight" in why["BurstSuppression-points-v0"]


@pytest.mark.parametrize(
    "environment_id", ["Pong-deaf-v0", "BurstSuppression-points-v0", "Culture-broken-v0"]
)
def test_whoever_wants_it_is_told_why(clients, environment_id):
    why = {one.environment_id: one.why for one in clients[0].not_offered()}[environment_id]
    refusals = []
    for client in clients:
        for call in (client.environment, client.session):
            with pytest.raises(Refused) as caught:
                call(environment_id)
            refusals.append(caught.value)
    for refused in refusals:
        assert (refused.code, refused.reason) == ("NOT_FOUND", "UNKNOWN_ENVIRONMENT")
        assert refused.metadata["field"] == "environment_id"
        assert refused.metadata["value"] == environment_id
        assert "TargetRate-whole-v0" in refused.metadata["accepted"]
        assert f"there is no environment_id '{environment_id}': {why}; there are: Burst" in (
            refused.message
        )


def test_gymnasium_passes_the_reason_on(unlike):
    gym_id = livnd.register("Pong-deaf-v0")
    try:
        for make in (gymnasium.make, gymnasium.make_vec):
            with pytest.raises(livnd.errors.UnknownEnvironmentError, match="json is absent"):
                make(gym_id, address=unlike.address)
    finally:
        del gymnasium.registry[gym_id]


def test_what_all_systems_carry_leaves_nothing_to_say(client):
    assert client.not_offered() == []
