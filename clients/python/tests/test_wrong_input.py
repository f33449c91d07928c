"""Input that is wrong is told by field, value and what is accepted, and is never bent to fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import gymnasium
import livnd
import livnd.gym.vector
import numpy as np
import pytest
from beside_livn import SYSTEM
from conftest import ENVIRONMENT, GYM_ID
from livnd import CultureStimulus, SeriesSelection, Stimulus, checks
from livnd.errors import InvalidFieldError

NAN = float("nan")
Z = np.zeros((5, 1))


def refused(do: Callable[[], Any], field: str) -> InvalidFieldError:
    with pytest.raises(InvalidFieldError) as caught:
        do()
    error = caught.value
    assert error.field.startswith(field), error
    assert error.value and error.accepted
    return error


# --- the checks themselves ------------------------------------------------------------------------


@pytest.mark.parametrize("value", [3, np.int8(3), np.uint64(3), np.array(3)])
def test_integers_are_pythons_and_numpys(value: Any):
    whole = checks.integer("n", value, "1 .. 9", 1, 10)
    assert whole == 3 and type(whole) is int
    assert checks.integers("n", [value, 4]).tolist() == [3, 4]


@pytest.mark.parametrize(
    "value",
    [1.5, 1.0, np.float32(1), True, np.True_, "1", None, NAN, [1], 1j, Fraction(1), 10**400],
)
def test_nothing_else_is_an_integer(value: Any):
    error = refused(lambda: checks.integer("n", value, "1 .. 9"), "n")
    assert error.accepted == "1 .. 9"
    refused(lambda: checks.integers("n", [1, value]), "n")


def test_integers_of_any_iterable_keep_every_bit():
    for given in (
        [2**62 + 1, 1],
        (2**62 + 1, 1),
        {2**62 + 1: 0, 1: 0}.keys(),
        iter([2**62 + 1, 1]),
    ):
        assert checks.integers("n", given).tolist() == [2**62 + 1, 1]
    assert checks.integers("n", []).shape == (0,)
    assert checks.integers("n", [(1, 2), (3, 4)]).shape == (2, 2)
    refused(lambda: checks.integers("n", np.array([2**63], np.uint64)), "n[0]")


@pytest.mark.parametrize("value", [1, 1.0, np.float32(1), np.int64(1), Decimal(1), Fraction(1)])
def test_numbers_are_all_that_is_real(value: Any):
    assert checks.number("x", value) == 1.0
    assert checks.array("x", [value, value]).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("value", ["1", b"1", None, 1j, np.complex64(1), 10**400, {}])
def test_nothing_else_is_a_number(value: Any):
    refused(lambda: checks.number("x", value), "x")
    refused(lambda: checks.array("x", [value]), "x")


def test_what_cannot_be_shown_is_refused_all_the_same():
    refused(lambda: checks.number("x", 10**5000), "x")


def test_arrays_lose_nothing():
    refused(lambda: checks.array("x", np.ones(3, complex)), "x")
    refused(lambda: checks.array("x", ["1", "2"]), "x")
    refused(lambda: checks.array("x", [[1.0], [1.0, 2.0]]), "x")
    refused(lambda: checks.array("x", [0.5], np.int64), "x[0]")
    refused(lambda: checks.array("x", [1, 0], np.bool_), "x")
    assert checks.array("x", [], np.bool_).dtype == np.bool_
    assert checks.array("x", [1, 2], np.float32).dtype == np.float32


# --- a culture under livn's names -----------------------------------------------------------------


def stimulus(array: Any = Z, **arguments: Any) -> Callable[[livnd.Env], Any]:
    return lambda e: e.run(
        1, Stimulus(array, **{"gids": [3], "input_mode": "current", **arguments})
    )


ENV = {
    "fraction of a gid": (stimulus(gids=[3.99]), "gids[0]"),
    "gid as text": (stimulus(gids=["x"]), "gids[0]"),
    "no gid": (stimulus(gids=[None]), "gids[0]"),
    "one gid for a list": (stimulus(gids=5), "gids"),
    "fraction of a section": (
        stimulus(np.zeros((5, 2)), gids=[3, 3], sections=[0.9, 1]),
        "sections",
    ),
    "section of no such name": (stimulus(sections=["axon"]), "sections[0]"),
    "section of no such kind": (stimulus(sections=[None]), "sections[0]"),
    "too few sections": (stimulus(np.zeros((5, 2)), gids=[3, 4], sections=[0]), "sections"),
    "fraction of an electrode": (stimulus(gids=[1.7], input_mode="electrode"), "gids[0]"),
    "one electrode for a list": (stimulus(gids=5, input_mode="electrode"), "gids"),
    "electrode as text": (stimulus(gids=["x"], input_mode="electrode"), "gids[0]"),
    "mode of no kind": (stimulus(input_mode=["current"]), "input_mode"),
    "units of no kind": (stimulus(units=["nA"]), "units"),
    "timing of no kind": (stimulus(timing=["exact"]), "timing"),
    "wavelength as text": (stimulus(input_mode="irradiance", wavelength_nm="x"), "wavelength_nm"),
    "no sample dt": (stimulus(dt=None), "sample_dt_ms"),
    "imaginary stimulus": (stimulus(np.ones((5, 1)) * 1j), "stimulus"),
    "stimulus as text": (stimulus([["1"]]), "stimulus"),
    "stimulus of text": (lambda e: e.run(1, "x"), "stimulus"),
    "no duration": (lambda e: e.run(None), "duration"),
    "duration as text": (lambda e: e.run("x"), "duration"),
    "dt as text": (lambda e: e.run(1, dt="x"), "dt"),
    "dt of an array": (lambda e: e.run(1, dt=np.zeros(2)), "dt"),
    "clear as text": (lambda e: e.clear(reseed="no"), "reseed"),
    "keep as text": (lambda e: e.clear(keep_learned_weights="no"), "keep_learned_weights"),
    "params of nothing": (lambda e: e.set_params(None), "params"),
    "opsin of nothing": (lambda e: e.set_opsin(None), "opsin"),
    "recordings 5": (lambda e: e.channel_recording([1], 5), "recordings[0]"),
    "record fraction": (lambda e: e.record_voltage(gids=[1.5]), "gids[0]"),
    "record gids as text": (lambda e: e.record_voltage(gids="ab"), "gids"),
    "record one gid": (lambda e: e.record_voltage(gids=5), "gids"),
    "record gid NaN": (lambda e: e.record_voltage(gids=[NAN]), "gids[0]"),
    "record odd sections": (lambda e: e.record_voltage(sections=[0, "soma", None]), "sections"),
    "record section 0": (lambda e: e.record_voltage(sections=0), "sections"),
    "record population 5": (lambda e: e.record_voltage(population=5), "population"),
    "record populations": (lambda e: e.record_spikes([["EXC"]]), "population"),
    "record state 5": (lambda e: e.record_state(5), "state"),
    "record nothing": (lambda e: e.record(["voltage"]), "what"),
    "group 5": (lambda e: e.apply_default_params(5), "params_group"),
    "params of a list": (lambda e: e.set_params([1]), "params"),
    "params of no name": (lambda e: e.set_params({1: 1.0}), "params"),
    "param as text": (lambda e: e.set_params({"noise-tau_e": "1"}), "params[noise-tau_e]"),
    "imaginary param": (lambda e: e.set_params({"noise-tau_e": 1j}), "params[noise-tau_e]"),
    "params of cells": (lambda e: e.set_params({"cells-EXC:soma.g_pas": ["a"]}), "params"),
    "weights of a list": (lambda e: e.set_weights(5), "params"),
    "noise of a list": (lambda e: e.set_noise([1]), "noise"),
    "opsin of a list": (lambda e: e.set_opsin([1]), "opsin"),
    "plasticity 5": (lambda e: e.enable_plasticity(5), "plasticity"),
    "plasticity of no name": (lambda e: e.enable_plasticity({"EXC": {1: 2.0}}), "plasticity[EXC]"),
    "target as text": (lambda e: e.normalize_weights("1"), "normalize_target"),
    "input spikes 5": (lambda e: e.play_input_spikes(5), "input_spikes"),
    "input spikes by name": (lambda e: e.play_input_spikes({"a": [1.0]}), "input_spikes"),
    "input spikes as text": (lambda e: e.play_input_spikes({0: ["1"]}), "input_spikes[0]"),
    "noise stream as text": (lambda e: e.reseed_noise("a"), "noise_stream"),
    "fraction of a noise stream": (lambda e: e.reseed_noise(1.5), "noise_stream"),
    "fraction of gids selected": (lambda e: e.selection({"EXC": [1.9]}), "selection"),
    "selection of no method": (lambda e: e.selection(3, method=["first"]), "selection.method"),
    "selection of no bounds": (lambda e: e.selection(None, "patch", "abcd"), "bounds"),
    "fraction of heard gids": (lambda e: e.potential_recording(np.zeros((1, 3)), [1.5]), "gids[0]"),
    "imaginary currents": (lambda e: e.potential_recording(np.ones((1, 3)) * 1j, [1]), "membrane"),
    "fraction of seen gids": (lambda e: e.channel_recording([1.5]), "ii[0]"),
    "v_init as text": (lambda e: setattr(e, "v_init", "x"), "v_init_mv"),
}


@pytest.mark.parametrize(("do", "field"), ENV.values(), ids=ENV)
def test_an_env_refuses(shared_env: livnd.Env, do: Any, field: str):
    refused(lambda: do(shared_env), field)
    assert shared_env.info.ticks == 0


@pytest.fixture(scope="module")
def shared_env(address: str) -> Iterator[livnd.Env]:
    with livnd.make(SYSTEM, address=address) as env:
        yield env


NEW_ENV = {
    "seed as text": ({"seed": "a"}, "seed"),
    "fraction of a seed": ({"seed": 1.9}, "seed"),
    "boolean seed": ({"seed": True}, "seed"),
    "negative seed": ({"seed": -1}, "seed"),
    "system of no kind": ({"system": 5}, "system"),
    "timing of no kind": ({"timing": ["exact"]}, "timing"),
    "model of NaN": (
        {"model": {"cls": "livn.models.glif.GLIF", "kwargs": {"level": NAN}}},
        "model.kwargs.level",
    ),
    "model of no class": ({"model": {"cls": ["GLIF"]}}, "model.cls"),
    "orientation of no kind": (
        {
            "model": {
                "cls": "livn.models.rcsd.ReducedCalciumSomaDendrite",
                "kwargs": {"dendrite_orientation": ["random"]},
            }
        },
        "model.kwargs.dendrite_orientation",
    ),
}


@pytest.mark.parametrize(("arguments", "field"), NEW_ENV.values(), ids=NEW_ENV)
def test_no_env_is_made_of(address: str, arguments: dict[str, Any], field: str):
    refused(lambda: livnd.Env(**{"system": SYSTEM, "address": address, **arguments}), field)


def test_a_random_seed_is_told_and_selects(address: str):
    with livnd.Env(SYSTEM, seed=None, address=address) as env:
        assert 0 <= env.seed < 2**64
        assert env.seed == env.info.seeds[0]
        assert len(env.selection(3, "random").gids) == 3


def test_sections_are_taken_by_name_and_by_number(address: str):
    def run(sections: Any) -> np.ndarray:
        with livnd.make(SYSTEM, address=address) as env:
            env.record_voltage()
            given = Stimulus(np.array([[1.0, 0.0]]), 1.0, [0, 0], "current", sections=sections)
            return env.run(5, given).voltage

    names = run(["soma", "dend"])
    assert np.array_equal(names, run([0, 1]))
    assert not np.array_equal(names, run([1, 0]))


# --- a session on a culture -----------------------------------------------------------------------


def culture_stimulus(quantity: Any = "current_na", *, channels: Any = ((1, 0),), **more: Any):
    arguments = {"samples": Z, "sample_dt_ms": 1.0, "channels": channels, **more}
    return lambda c: c.run(1, [CultureStimulus(quantity, **arguments)])


def series(quantity: Any = "voltage_mv", **arguments: Any):
    arguments = {"sites": [(1, 0)], "sample_dt_ms": 1.0, **arguments}
    return lambda c: c.configure(series=[SeriesSelection(quantity, **arguments)])


CULTURE = {
    "fraction of an electrode": (culture_stimulus("electrode_ua", channels=[1.5]), "channels"),
    "fraction of a site": (culture_stimulus(channels=[(1.5, 0)]), "channels"),
    "sites that are no pairs": (culture_stimulus(channels=[1, 2]), "channels"),
    "channels 5": (culture_stimulus(channels=5), "channels"),
    "imaginary samples": (culture_stimulus(samples=Z + 1j), "samples"),
    "samples of no shape": (culture_stimulus(samples=[[1.0], [1.0, 2.0]]), "samples"),
    "quantity of no kind": (culture_stimulus(["current_na"]), "quantity"),
    "timing of no kind": (culture_stimulus(timing=["exact"]), "timing"),
    "sample dt as text": (culture_stimulus(sample_dt_ms="x"), "sample_dt_ms"),
    "wavelength as text": (culture_stimulus(wavelength_nm="x"), "wavelength_nm"),
    "stimuli 5": (lambda c: c.run(1, 5), "stimuli"),
    "stimulus of no kind": (lambda c: c.run(1, [5]), "stimuli[0]"),
    "duration as text": (lambda c: c.run("1"), "duration_ms"),
    "series of a fraction": (series(sites=[(0.7, 0.2)]), "sites"),
    "series 5": (lambda c: c.configure(series=5), "series"),
    "series of no kind": (lambda c: c.configure(series=[5]), "series[0]"),
    "series of no quantity": (series(["voltage_mv"]), "quantity"),
    "series of int32": (series(dtype=np.int32), "dtype"),
    "series of float16": (series(dtype="float16"), "dtype"),
    "series of no dtype": (series(dtype="x"), "dtype"),
    "state of no kind": (series("state", state=5), "state"),
    "series dt as text": (series(sample_dt_ms="x"), "sample_dt_ms"),
    "populations without spikes": (
        lambda c: c.configure(spike_populations=["EXC"]),
        "spike_populations",
    ),
    "populations beside series alone": (
        lambda c: c.configure(series=[], spike_populations=["EXC"]),
        "spike_populations",
    ),
    "populations of no kind": (
        lambda c: c.configure(spikes=True, spike_populations=[5]),
        "spike_populations",
    ),
    "spikes as text": (lambda c: c.configure(spikes="no"), "spikes"),
    "plasticity on as text": (lambda c: c.configure(plasticity_on="no"), "plasticity_on"),
    "forget as text": (lambda c: c.configure(forget_params="no"), "forget_params"),
    "normalize as text": (lambda c: c.configure(normalize_weights="no"), "normalize_weights"),
    "plasticity of a list": (lambda c: c.configure(plasticity=[1]), "plasticity"),
    "rule of a list": (lambda c: c.configure(plasticity={"EXC": [1]}), "plasticity[EXC]"),
    "target without a scaling": (lambda c: c.configure(normalize_target=1.0), "normalize_target"),
    "learned weights as text": (lambda c: c.configure(learned_weights=["a"]), "learned_weights"),
    "fraction of a seed": (lambda c: c.clear([1.5, 2]), "seeds[0]"),
    "boolean seed": (lambda c: c.clear([True, 2]), "seeds[0]"),
    "seeds as text": (lambda c: c.clear("ab"), "seeds"),
    "seeds 5": (lambda c: c.clear(5), "seeds"),
    "fraction of a stream": (lambda c: c.clear(noise_stream=0.5), "noise_stream"),
    "told weights as text": (lambda c: c.describe(learned_weights="no"), "learned_weights"),
    "told hearing as text": (lambda c: c.describe(electrode_hearing="no"), "electrode_hearing"),
    "repeat as text": (lambda c: c.clear(repeat_noise="no"), "repeat_noise"),
}


@pytest.fixture(scope="module")
def culture(address: str) -> Iterator[livnd.CultureSession]:
    with livnd.connect(address) as client, client.create_culture(SYSTEM, 2) as culture:
        culture.clear([1, 2])
        yield culture


@pytest.mark.parametrize(("do", "field"), CULTURE.values(), ids=CULTURE)
def test_a_culture_session_refuses(culture: livnd.CultureSession, do: Any, field: str):
    before = culture.next_op_index
    refused(lambda: do(culture), field)
    assert culture.next_op_index == before


# --- sessions and clients -------------------------------------------------------------------------

SESSION = {
    "fraction of a seed": (lambda s: s.reset([1.0, 2]), "seeds[0]"),
    "boolean seed": (lambda s: s.reset([1, True]), "seeds[1]"),
    "seed as text": (lambda s: s.reset(["1", "2"]), "seeds[0]"),
    "seeds 5": (lambda s: s.reset(5), "seeds"),
    "mask of numbers": (lambda s: s.reset(mask=[1, 0]), "mask"),
    "mask of fractions": (lambda s: s.reset(mask=[0.5, 0.0]), "mask"),
    "options of a list": (lambda s: s.reset(options=[1]), "options"),
    "option as text": (
        lambda s: s.reset(options={"target_rate_hz": "8"}),
        "options.target_rate_hz",
    ),
    "imaginary actions": (lambda s: s.step(np.zeros((2, 8), complex)), "amplitude"),
    "actions as text": (lambda s: s.step([["0"] * 8] * 2), "amplitude"),
    "actions of other lengths": (lambda s: s.step([[1], [1, 2]]), "amplitude"),
    "actions too large": (lambda s: s.step([[10**400] * 8] * 2), "amplitude"),
}


@pytest.mark.parametrize(("do", "field"), SESSION.values(), ids=SESSION)
def test_a_session_refuses(session: livnd.Session, do: Any, field: str):
    session.reset([1, 2])
    field = session.spec.actions[0].name if field == "amplitude" else field
    refused(lambda: do(session), field)
    assert session.next_op_index == 2


CLIENT = {
    "num_envs as text": (lambda c: c.create_session(ENVIRONMENT, "2"), "num_envs"),
    "num_envs 2.0": (lambda c: c.create_session(ENVIRONMENT, 2.0), "num_envs"),
    "num_envs True": (lambda c: c.create_session(ENVIRONMENT, True), "num_envs"),
    "cultures 2.0": (lambda c: c.create_culture(SYSTEM, 2.0), "num_envs"),
    "culture of no system": (lambda c: c.create_culture(5), "system"),
    "mode of no kind": (
        lambda c: c.create_session(ENVIRONMENT, autoreset_mode=["disabled"]),
        "autoreset_mode",
    ),
    "request id 5": (lambda c: c.create_session(ENVIRONMENT, request_id=5), "request_id"),
    "environment 5": (lambda c: c.create_session(5), "environment_id"),
    "described environment 5": (lambda c: c.environment(5), "environment_id"),
    "system 5": (lambda c: c.system(5), "system"),
}


@pytest.mark.parametrize(("do", "field"), CLIENT.values(), ids=CLIENT)
def test_a_client_refuses(client: livnd.Client, do: Any, field: str):
    refused(lambda: do(client), field)


def test_numpys_integers_are_numbers_of_copies(client: livnd.Client):
    with client.create_session(ENVIRONMENT, np.int64(2)) as session:
        assert session.num_envs == 2
        assert len(session.reset(np.array([1, 2])).seeds) == 2


@pytest.mark.parametrize("value", ["1", None, NAN, -1, True, float("inf"), [1]])
@pytest.mark.parametrize(
    "name", ["timeout_s", "run_timeout_s", "create_timeout_s", "connect_timeout_s", "retry_s"]
)
def test_a_client_has_limits_in_seconds(name: str, value: Any):
    refused(lambda: livnd.Client("unix:/nowhere", **{name: value}), name)


# --- Gymnasium ------------------------------------------------------------------------------------


@pytest.mark.parametrize("num_envs", ["2", 2.0, True, 0, None])
def test_make_vec_refuses_numbers_of_copies(address: str, num_envs: Any):
    refused(lambda: livnd.gym.vector.RemoteVectorEnv(num_envs, ENVIRONMENT, address), "num_envs")


def test_make_vec_takes_numpys_integers(address: str):
    envs = gymnasium.make_vec(GYM_ID, num_envs=np.int64(2), address=address)
    observations, _ = envs.reset(seed=1)
    assert len(observations) == 2 and type(envs.num_envs) is int
    assert envs.episode_seeds.tolist() == [1, 2]
    envs.close()


VECTOR = {
    "seed as text": (lambda e: e.reset(seed="abc"), "seed"),
    "fraction of a seed": (lambda e: e.reset(seed=1.5), "seed"),
    "boolean seed": (lambda e: e.reset(seed=True), "seed"),
    "seeds of other lengths": (lambda e: e.reset(seed=[[1], [1, 2]]), "seed"),
    "fractions of seeds": (lambda e: e.reset(seed=[1.0, 2]), "seed"),
    "boolean seeds": (lambda e: e.reset(seed=[True, 2]), "seed"),
    "options of a list": (lambda e: e.reset(options=[1]), "options"),
    "actions of other lengths": (lambda e: e.step([[1], [1, 2]]), ""),
    "actions too large": (lambda e: e.step([[10**400] * 8] * 2), ""),
    "imaginary actions": (lambda e: e.step(np.zeros((2, 8), complex)), ""),
}


@pytest.mark.parametrize(("do", "field"), VECTOR.values(), ids=VECTOR)
@pytest.mark.parametrize("limit", [None, 3])
def test_a_vector_environment_refuses(address: str, do: Any, field: str, limit: int | None):
    envs = gymnasium.make_vec(GYM_ID, num_envs=2, address=address, max_episode_steps=limit)
    envs.reset(seed=[1, 2])
    refused(lambda: do(envs), field)
    envs.step(np.zeros((2, 8), np.float32))
    envs.close()


@pytest.mark.parametrize("mode", [5, None, "Sometimes", np.zeros(2)])
def test_a_vector_environment_refuses_modes(address: str, mode: Any):
    make = livnd.gym.vector.RemoteVectorEnv
    refused(lambda: make(2, ENVIRONMENT, address, autoreset_mode=mode), "autoreset_mode")


@pytest.mark.parametrize("limit", [True, 2.0, "2", 0])
def test_a_vector_environment_refuses_limits(address: str, limit: Any):
    refused(
        lambda: gymnasium.make_vec(GYM_ID, num_envs=2, address=address, max_episode_steps=limit),
        "max_episode_steps",
    )


ONE = {
    "negative seed": (lambda e: e.reset(seed=-1), "seed"),
    "seed as text": (lambda e: e.reset(seed="a"), "seed"),
    "fraction of a seed": (lambda e: e.reset(seed=1.0), "seed"),
    "boolean seed": (lambda e: e.reset(seed=True), "seed"),
    "options of a list": (lambda e: e.reset(options=[1]), "options"),
    "action of other lengths": (lambda e: e.step([[1], [1, 2]]), ""),
    "action too large": (lambda e: e.step([10**400] * 8), ""),
    "imaginary action": (lambda e: e.step(np.zeros(8, complex)), ""),
}


@pytest.mark.parametrize(("do", "field"), ONE.values(), ids=ONE)
def test_an_environment_refuses(address: str, do: Any, field: str):
    env = gymnasium.make(GYM_ID, address=address).unwrapped
    env.reset(seed=1)
    before = env.np_random.bit_generator.state
    refused(lambda: do(env), field)
    assert env.np_random.bit_generator.state == before
    env.step(np.zeros(8, np.float32))
    env.close()
