"""The adapter for dm_env: its own checker, and the same episodes as Gymnasium's environment."""

from __future__ import annotations

import dm_env
import gymnasium
import numpy as np
import pytest
from absl.testing import absltest
from conftest import GYM_ID
from dm_env import test_utils
from livnd import errors
from livnd.adapters import dm_env as adapter


class TestConformance(test_utils.EnvironmentTestMixin, absltest.TestCase):
    @pytest.fixture(autouse=True)
    def _served(self, address):
        self.address = address

    def make_object_under_test(self):
        return adapter.make(GYM_ID, address=self.address)

    def make_action_sequence(self):
        for _ in range(70):  # beyond the end of an episode
            yield self.make_action()


def test_episodes_are_gymnasiums(address):
    env = gymnasium.make(GYM_ID, address=address)
    environment = adapter.make(GYM_ID, seed=5, address=address)
    rng = np.random.default_rng(1)
    for episode in range(2):
        step = environment.reset()
        observation, info = env.reset(seed=5 if episode == 0 else None)
        np.testing.assert_array_equal(step.observation, observation)
        assert environment.info == info
        while not step.last():
            action = rng.uniform(-1, 1, env.action_space.shape).astype(np.float32)
            step = environment.step(action)
            observation, reward, terminated, truncated, info = env.step(action)
            np.testing.assert_array_equal(step.observation, observation)
            assert step.reward == reward and environment.info == info
        assert truncated and not terminated and step.discount == 1.0
    env.close()
    environment.close()


def test_an_end_that_the_task_made_has_no_discount(address):
    environment = adapter.make(GYM_ID, seed=5, address=address)
    environment.reset()
    told = environment.env.step(environment.action_spec().generate_value())
    environment.env.step = lambda action: (*told[:2], True, True, told[4])
    step = environment.step(None)
    assert step.last() and step.discount == 0.0
    assert environment.step(None).first()
    environment.close()


def test_specs_have_names_and_bounds(address):
    environment = adapter.make(GYM_ID, address=address)
    spec = environment.env.environment_spec
    action, observation = environment.action_spec(), environment.observation_spec()
    assert (action.name, observation.name) == (spec.actions[0].name, spec.observations[0].name)
    np.testing.assert_array_equal(action.minimum, spec.actions[0].low)
    np.testing.assert_array_equal(observation.maximum, spec.observations[0].high)
    assert isinstance(environment, dm_env.Environment)
    environment.close()


@pytest.mark.parametrize("seed", [-1, 1.5, 2**64])
def test_a_wrong_seed_is_refused_before_anything_is_made(seed):
    with pytest.raises(errors.InvalidFieldError, match="seed"):
        adapter.make(GYM_ID, seed=seed, address="127.0.0.1:1")
