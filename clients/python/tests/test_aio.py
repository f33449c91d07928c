"""livnd.adapters.aio, and the other clients where an event loop runs, as in a notebook."""

from __future__ import annotations

import asyncio

import gymnasium
import livnd
import numpy as np
import pytest
from conftest import ENVIRONMENT, GYM_ID
from livnd import errors
from livnd.adapters import aio, asynchronous

ACTION = np.full((1, 8), 0.5, np.float32)


def test_many_sessions_do_what_each_would_alone(address, client):
    async def together():
        async with aio.connect(address) as apart:
            sessions = [await apart.create_session(ENVIRONMENT) for _ in range(6)]
            await asyncio.gather(*(s.reset([seed]) for seed, s in enumerate(sessions)))
            for _ in range(3):
                results = await asyncio.gather(*(s.step(ACTION) for s in sessions))
            seen = await sessions[0].observe()
            assert seen.observations[0].tobytes() == results[0].observations[0].tobytes()
            return [result.observations[0] for result in results]

    got = asyncio.run(together())
    for seed, observation in enumerate(got):
        session = client.create_session(ENVIRONMENT)
        session.reset([seed])
        for _ in range(3):
            want = session.step(ACTION)
        np.testing.assert_array_equal(observation, want.observations[0])
        session.close()


def test_every_verb_is_there(address):
    async def use():
        async with aio.connect(address) as client:
            assert (await client.server_info()).max_sessions > 0
            assert "EI-mini" in await client.systems()
            assert (await client.system("EI-mini")).name == "EI-mini"
            assert ENVIRONMENT in {spec.environment_id for spec in await client.environments()}
            assert (await client.environment(ENVIRONMENT)).system == "EI-mini"
            assert await client.not_offered() == []
            session = await client.create_session(ENVIRONMENT, 2, autoreset_mode="disabled")
            assert (await client.session_info(session.name)).num_envs == session.num_envs == 2
            await session.reset([1, 2], options={"target_rate_hz": 6.0})
            snapshot = await session.snapshot()
            actions = np.repeat(ACTION, 2, axis=0)
            first = await session.step(actions)
            await session.restore(snapshot)
            (other,) = await session.fork()
            assert type(other) is aio.Session
            for each in (session, other):
                again = await each.step(actions)
                np.testing.assert_array_equal(again.observations[0], first.observations[0])
            taken = await client.attach_session(session.name)
            await taken.step(actions)
            with pytest.raises(errors.SupersededError):
                await session.step(actions)
            await taken.close()
            culture = await client.create_culture("EI-mini")
            await culture.configure(dt_ms=0.025)
            await culture.clear([1])
            assert (await culture.run(20)).num_ticks == 800
            assert (await culture.describe()).dt_ms == 0.025

    asyncio.run(use())


def test_calls_of_one_session_are_done_in_turn(address):
    async def use():
        async with aio.connect(address) as client:
            session = await client.create_session(ENVIRONMENT)
            await session.reset([1])
            results = await asyncio.gather(*(session.step(ACTION * i / 5) for i in range(5)))
            assert session.session.next_op_index == 7
            return [result.observations[0] for result in results]

    async def one_by_one():
        async with aio.connect(address) as client:
            session = await client.create_session(ENVIRONMENT)
            await session.reset([1])
            return [(await session.step(ACTION * i / 5)).observations[0] for i in range(5)]

    np.testing.assert_array_equal(asyncio.run(use()), asyncio.run(one_by_one()))


def test_a_cancelled_step_is_done_and_the_session_goes_on(address):
    async def use():
        async with aio.connect(address) as client:
            session = await client.create_session(ENVIRONMENT, pace=1.0)  # 50 ms a step at least
            await session.reset([1])
            await session.step(ACTION)
            step = asyncio.ensure_future(session.step(ACTION))
            await asyncio.sleep(0.005)
            step.cancel()
            with pytest.raises(asyncio.CancelledError):
                await step
            assert session.session.next_op_index == 4
            await session.step(ACTION)
            assert (await session.observe()).ticks[0] == 3 * 2000

    asyncio.run(use())


def test_the_loop_goes_on_while_a_step_waits(address):
    async def use():
        async with aio.connect(address) as client:
            session = await client.create_session(ENVIRONMENT, pace=0.2)  # 250 ms a step
            await session.reset([1])
            await session.step(ACTION)
            step = asyncio.ensure_future(session.step(ACTION))
            turns = 0
            while not step.done():
                await asyncio.sleep(0.005)
                turns += 1
            return turns

    assert asyncio.run(use()) > 5


def test_errors_are_those_of_the_calls(address):
    async def use():
        async with aio.connect(address) as client:
            with pytest.raises(errors.UnknownEnvironmentError):
                await client.create_session("Juggling-v0")
            session = await client.create_session(ENVIRONMENT)
            with pytest.raises(errors.NotResetError):
                await session.step(ACTION)

    asyncio.run(use())
    for wrong in (0, -1, 1.5):
        with pytest.raises(errors.InvalidFieldError, match="max_calls"):
            aio.connect(address, max_calls=wrong)


def test_the_other_clients_work_where_a_loop_runs(address):
    """As in a notebook's cell, whose kernel runs one."""

    async def cell():
        env = gymnasium.make(GYM_ID, address=address, render_mode="rgb_array")
        env.reset(seed=1)
        env.step(ACTION[0])
        assert env.render().dtype == np.uint8
        env.close()
        with asynchronous.make(GYM_ID, 2, address=address) as envs:
            envs.async_reset(seed=1)
            envs.recv()
        with livnd.make("EI-mini", address=address) as culture:
            culture.run(5)
        envs = [gymnasium.make(GYM_ID, address=address) for _ in range(3)]
        told = await asyncio.gather(*(asyncio.to_thread(env.reset, seed=1) for env in envs))
        assert len({observation.tobytes() for observation, _ in told}) == 1
        for env in envs:
            env.close()

    asyncio.run(cell())
