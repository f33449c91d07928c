"""Copies over several servers: the bits of one server, whatever servers do meanwhile."""

from __future__ import annotations

import copy
import pickle
import shutil
import threading
import time
import warnings

import gymnasium
import livnd
import numpy as np
import pytest
from conftest import ENVIRONMENT, GYM_ID, Server
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from livnd import errors, local_server
from livnd._proto import pb
from livnd.fleet.vector import FleetVectorEnv
from livnd.gym.vector import RemoteVectorEnv
from project_files import programs_of
from same import assert_same
from tools_page import run_file

CART_POLE = "CartPole-EI-mini-v0"


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """Two, one thread each."""
    servers = []
    for _ in range(2):
        folder = tmp_path_factory.mktemp("server")
        servers.append(Server(f"unix:{folder}/s", folder, "--threads", "1"))
    yield servers
    for server in servers:
        server.kill()


@pytest.fixture(scope="module")
def addresses(servers):
    return [server.address for server in servers]


@pytest.fixture
def make(addresses, address):
    """Makes a fleet and the same copies on one server; closed at the end."""
    made = []

    def make(num_envs, environment=ENVIRONMENT, over=None, **options):
        made.append(FleetVectorEnv(num_envs, environment, over or addresses, **options))
        made.append(RemoteVectorEnv(num_envs, environment, address, **options))
        return made[-2:]

    yield make
    for envs in made:
        envs.close()


def draw(rng, envs, mode):
    """One call of either, as a function of the vector environment."""
    num_envs = envs.num_envs
    actions = envs.action_space.sample()
    seeds = [int(s) if s < 2**62 else None for s in rng.integers(2**63, size=num_envs)]
    mask = rng.random(num_envs) < 0.5
    mask[rng.integers(num_envs)] = True
    options = {"reset_mask": mask}
    which = rng.random()
    if which < 0.75:
        if mode == "Disabled":
            return lambda envs: reset_ended_and_step(envs, actions)
        return lambda envs: envs.step(actions)
    if which < 0.85:
        return lambda envs: envs.reset(seed=seeds, options=dict(options))
    if which < 0.9:
        return lambda envs: envs.reset(options=dict(options))
    if which < 0.92:
        return lambda envs: envs.reset()
    if which < 0.96:
        return lambda envs: envs.observe()
    copy_of = rng.integers(-1, num_envs, num_envs)
    order = rng.permutation(num_envs)
    return lambda envs: envs.restore(envs.snapshot(order), copy_of)


def reset_ended_and_step(envs, actions):
    ended = getattr(envs, "ended", None)
    seen = None
    if ended is not None and ended.any():
        seen = envs.reset(options={"reset_mask": ended})
    result = envs.step(actions)
    envs.ended = result[2] | result[3]
    return seen, result


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
@pytest.mark.parametrize("environment", [ENVIRONMENT, CART_POLE])
def test_a_fleet_gives_the_bits_of_one_server(make, mode, environment):
    fleet, one = make(5, environment, autoreset_mode=mode, max_episode_steps=6)
    for name in ("observation_space", "action_space", "single_observation_space"):
        assert getattr(fleet, name) == getattr(one, name)
    assert fleet.single_action_space == one.single_action_space
    assert fleet.metadata == one.metadata
    assert [len(its) for its in fleet.copies_of.values()] == [3, 2]
    rng = np.random.default_rng(3)
    fleet.action_space.seed(7)
    assert_same(fleet.reset(seed=41), one.reset(seed=41))
    for _ in range(30):
        call = draw(rng, fleet, mode)
        try:
            want = call(one)
        except errors.EpisodeEndedError as error:
            # Restored copies may have ended: neither steps then.
            with pytest.raises(errors.EpisodeEndedError, match=str(error).split(": ")[1]):
                call(fleet)
            want = one.reset()
            assert_same(fleet.reset(), want)
            fleet.ended = one.ended = None
            continue
        assert_same(call(fleet), want)
        assert_same(fleet.episode_seeds, one.episode_seeds)
    assert fleet.snapshot() == one.snapshot()


def test_seeds_are_given_as_to_one_server(make):
    fleet, one = make(3)
    for seed in (0, 2**64 - 3, [5, None, 2**64 - 1], None):
        assert_same(fleet.reset(seed=seed), one.reset(seed=seed))
    fleet.reset(seed=[None, 4, None])
    assert len(set(fleet.episode_seeds.tolist())) == 3


def test_snapshots_fit_fleets_and_single_servers(make):
    fleet, one = make(3)
    fleet.reset(seed=1)
    one.reset(seed=9)
    actions = fleet.action_space.sample()
    seen = fleet.step(actions)
    restored = one.restore(fleet.snapshot())
    assert_same(restored[0], seen[0])
    assert_same(one.step(actions), fleet.step(actions))
    one.reset(seed=9)
    fleet.restore(one.snapshot([2]), [0, 0, 0])
    one.restore(one.snapshot(), [2, 2, 2])
    assert_same(fleet.step(actions), one.step(actions))


def test_copies_and_pickles_go_on_where_they_are(make):
    fleet, one = make(3)
    fleet.reset(seed=1)
    one.reset(seed=1)
    actions = fleet.action_space.sample()
    fleet.step(actions)
    one.step(actions)
    others = [copy.deepcopy(fleet), pickle.loads(pickle.dumps(fleet)), *fleet.fork()]
    want = one.step(actions)
    for envs in (*others, fleet):
        assert_same(envs.step(actions), want)
        envs.close()


def test_frames_are_those_of_one_server(make):
    fleet, one = make(3, render_mode="rgb_array")
    fleet.reset(seed=1)
    one.reset(seed=1)
    actions = fleet.action_space.sample()
    for _ in range(2):
        fleet.step(actions)
        one.step(actions)
    got, want = fleet.render(), one.render()
    assert len(got) == 3
    for mine, its in zip(got, want, strict=True):
        assert_same(mine, its)


def test_make_vec_makes_fleets(addresses, address, monkeypatch, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        envs = gymnasium.make_vec(GYM_ID, num_envs=4, addresses=addresses)
    assert type(envs) is FleetVectorEnv
    assert envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    envs = RecordEpisodeStatistics(envs)
    envs.reset(seed=0)
    envs.step(envs.action_space.sample())
    envs.close()
    envs.close()
    file = tmp_path / "addresses"
    file.write_text("# a comment\n\n" + "\n".join(addresses) + "\n#unix:/lost\n")
    for variable, text in (
        ("LIVND_ADDRESSES", ", ".join(addresses)),
        ("LIVND_ADDRESSES", f"@{file}"),
        ("LIVND_ADDRESSES_FILE", str(file)),
    ):
        with monkeypatch.context() as patch:
            patch.setenv(variable, text)
            for given in ({}, {"addresses": f"@{file}"}, {"addresses": ",".join(addresses)}):
                envs = livnd.make_vec(ENVIRONMENT, 2, **given)
                assert list(envs.copies_of) == addresses
                envs.close()
            envs = livnd.make_vec(GYM_ID, 2, address=address)
            assert type(envs) is RemoteVectorEnv
            envs.close()


def test_the_program_of_the_page_runs(addresses, monkeypatch, tmp_path):
    monkeypatch.setenv("LIVND_ADDRESSES", ",".join(addresses))
    (program,) = programs_of("docs/fleet.md")
    (tmp_path / "program.py").write_text(program)
    assert addresses[1] in run_file(tmp_path / "program.py", tmp_path)


def test_recordings_are_made_on_every_server(make):
    fleet, _ = make(2)
    fleet.reset(seed=1)
    names = fleet.start_recordings("mine", ["rewards"])
    fleet.step(fleet.action_space.sample())
    assert fleet.stop_recordings() == names and len(names) == 2
    for client, name in zip(fleet.clients, names, strict=True):
        assert [each.label for each in client.recordings() if each.name == name] == ["mine"]
        client.delete_recording(name)


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given, kind, told",
    [
        ([], errors.InvalidFieldError, "addresses is ''; accepted: at least one"),
        ("", errors.InvalidFieldError, "at least one"),
        ([7], errors.InvalidFieldError, r"addresses\[0\] is 7"),
        (7, errors.InvalidFieldError, "addresses is 7"),
        (["unix:/a", "nowhere"], errors.InvalidFieldError, r"addresses\[1\] is 'nowhere'"),
        ("a:1,b:2,a:1", errors.InvalidFieldError, r"addresses\[2\] is 'a:1'.*addresses\[0\] is it"),
        ("@/no/such/file", errors.BadFileError, "/no/such/file is unreadable"),
        ("@{}", errors.BadFileError, "without an address"),
        ("@{}\na:1\n# b\nb", errors.BadFileError, "line 3 is 'b'"),
        ("@{}\na:1\n#\na:1", errors.BadFileError, "line 3 is 'a:1'.*line 1 has it, too"),
    ],
)
def test_addresses_that_are_none_are_refused(given, kind, told, tmp_path):
    if isinstance(given, str) and given.startswith("@{}"):
        (tmp_path / "file").write_text(given[4:])
        given = f"@{tmp_path}/file"
    with pytest.raises(kind, match=told):
        livnd.make_vec(ENVIRONMENT, 2, addresses=given)


def test_a_fleet_asks_for_enough_copies(make):
    for num_envs in (0, 1, 10**6):
        with pytest.raises(errors.InvalidFieldError, match=r"num_envs.* on each of 2 servers"):
            make(num_envs)


def test_a_server_that_does_not_answer_is_named(make, addresses):
    with pytest.raises(errors.ServerUnavailableError, match="answers at unix:/tmp/nobody"):
        make(4, over=[*addresses, "unix:/tmp/nobody"], connect_timeout_s=0.2)


@pytest.mark.parametrize("name", ["address", "session", "threads"])
def test_one_server_and_a_fleet_exclude_each_other(addresses, name):
    with pytest.raises(errors.InvalidFieldError, match=f"addresses .*None beside {name}"):
        livnd.make_vec(ENVIRONMENT, 2, addresses=addresses, **{name: 1})


def test_servers_with_other_files_of_the_system_are_no_fleet(
    make, addresses, tmp_path, monkeypatch
):
    systems = tmp_path / "systems"
    shutil.copytree(local_server.find_systems(), systems, symlinks=False)
    mea = systems / "EI-mini" / "mea.json"
    mea.write_text(mea.read_text() + "\n")
    monkeypatch.setenv("LIVND_SYSTEMS", str(systems))
    server = Server(f"unix:{tmp_path}/s", tmp_path, "--threads", "1")
    try:
        with pytest.raises(errors.ServerMismatchError, match="system_sha256") as caught:
            make(4, over=[*addresses, server.address])
        assert caught.value.address == server.address
        assert caught.value.field == "system_sha256"
        shutil.rmtree(systems / "EI-mini")
    finally:
        server.kill()
    with pytest.raises(errors.UnknownEnvironmentError, match=f"Nobody-v0.*at {addresses[0]}"):
        make(4, "Nobody-v0")


def test_what_servers_refuse_changes_nothing_on_any(make):
    fleet, one = make(4, autoreset_mode="Disabled", max_episode_steps=2)
    with pytest.raises(gymnasium.error.ResetNeeded):
        fleet.step(fleet.action_space.sample())
    with pytest.raises(errors.NotResetError, match="copy 0 was never reset"):
        fleet.reset(options={"reset_mask": np.array([False, False, True, True])})
    assert_same(fleet.reset(seed=1), one.reset(seed=1))
    good = fleet.action_space.sample()
    bad = good.copy()
    bad[3, 0] = np.nan
    for actions in (bad, good + 3, good[:3], good[:, :-1], None):
        told = []
        for envs in (fleet, one):
            with pytest.raises(errors.InvalidFieldError) as caught:
                envs.step(actions)
            told.append(caught.value.metadata)
        if getattr(actions, "shape", None) == good.shape:
            assert told[0] == told[1]
    with pytest.raises(errors.InvalidFieldError, match=r"options is nothing.*at unix:"):
        fleet.reset(options={"nothing": 1.0})
    for _ in range(2):
        assert_same(fleet.step(good), one.step(good))
    with pytest.raises(errors.EpisodeEndedError, match="copy 0"):
        fleet.step(good)
    half = {"reset_mask": np.array([True, True, False, False])}
    assert_same(fleet.reset(options=dict(half)), one.reset(options=dict(half)))
    with pytest.raises(errors.EpisodeEndedError, match="copy 2"):
        fleet.step(good)
    for wrong in (b"", b"damaged", one.snapshot([0])):
        with pytest.raises(errors.InvalidFieldError):
            fleet.restore(wrong)
    for copy_of in ([0], [0, 1, 2, 9], "x"):
        with pytest.raises(errors.InvalidFieldError):
            fleet.restore(one.snapshot(), copy_of)
    for copies in ([4], [-1], []):
        with pytest.raises(errors.InvalidFieldError):
            fleet.snapshot(copies)
    assert fleet.snapshot() == one.snapshot()


# --- losses -------------------------------------------------------------------------------------


def test_a_server_that_is_killed_and_comes_back_changes_no_bit(make, servers):
    fleet, one = make(5, max_episode_steps=6)
    fleet.action_space.seed(1)
    assert_same(fleet.reset(seed=1), one.reset(seed=1))
    for step in range(8):
        actions = fleet.action_space.sample()
        lost = servers[step % 2]
        if step % 4 == 1:  # before the step, in it, or after it
            lost.kill()
            threading.Timer(0.1, lost.start).start()
        elif step % 4 == 2:
            threading.Thread(target=lambda lost=lost: (lost.kill(), lost.start())).start()
        elif step % 4 == 3:
            lost.kill()
            lost.start()
        assert_same(fleet.step(actions), one.step(actions))
    assert fleet.snapshot() == one.snapshot()


def test_what_some_servers_have_done_is_repeated_by_the_others(make, servers):
    fleet, one = make(4, retry_s=0.0)
    assert_same(fleet.reset(seed=1), one.reset(seed=1))
    actions = fleet.action_space.sample()
    masked = {"reset_mask": np.array([True, False, True, True])}
    for call in (
        lambda envs: envs.step(actions),
        lambda envs: envs.reset(options=dict(masked)),
        lambda envs: envs.reset(),
    ):
        servers[1].kill()
        with pytest.raises(errors.ServerUnavailableError, match=f"at {servers[1].address}") as told:
            call(fleet)
        assert told.value.in_doubt
        servers[1].start()
        for other in (lambda: fleet.step(actions * 0), fleet.snapshot, lambda: pickle.dumps(fleet)):
            with pytest.raises(errors.UnknownOutcomeError, match="not answered by all servers"):
                other()
        wait_for(servers[1])
        assert_same(until_done(lambda call=call: call(fleet)), call(one))
    # Nor is a step lost or done twice where the caller was interrupted.
    assert_same(until_done(lambda: fleet.step(actions)), one.step(actions))
    stream = fleet._session.shards[1].stream
    recv, stream.recv = stream.recv, interrupt
    with pytest.raises(KeyboardInterrupt):
        fleet.step(actions)
    stream.recv = recv
    with pytest.raises(errors.UnknownOutcomeError):
        fleet.step(actions * 0)
    assert_same(fleet.step(actions), one.step(actions))
    # A reset of all copies goes on from anything.
    servers[0].kill()
    with pytest.raises(errors.ServerUnavailableError):
        fleet.step(actions)
    servers[0].start()
    wait_for(servers[0])
    assert_same(until_done(lambda: fleet.reset(seed=3)), one.reset(seed=3))
    assert_same(fleet.step(actions), one.step(actions))


def interrupt():
    raise KeyboardInterrupt


def wait_for(server):
    with livnd.connect(server.address) as client:
        client.server_info()


def until_done(call):
    """Its answer; the line of an impatient client may not have found the new server yet."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return call()
        except errors.ServerUnavailableError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_it_takes_one_caller_at_a_time(make, monkeypatch):
    fleet, _ = make(2)
    fleet.reset(seed=1)
    actions = fleet.action_space.sample()
    fleet.step(actions)
    stream = fleet._session.shards[1].stream
    recv = stream.recv

    def meanwhile():
        for call in (lambda: fleet.step(actions), fleet.observe, fleet.reset):
            with pytest.raises(errors.ConcurrentCallError):
                call()
        return recv()

    monkeypatch.setattr(stream, "recv", meanwhile)
    fleet.step(actions)


def test_a_session_that_is_gone_is_made_anew_by_a_reset(make):
    fleet, one = make(4)
    fleet.reset(seed=1)
    actions = fleet.action_space.sample()
    session = fleet._session.shards[1].session.session
    fleet.clients[1].call("DeleteSession", pb.DeleteSessionRequest(session=session.name))
    with pytest.raises(errors.UnknownSessionError, match=r"reset.. of all copies.*2 .. 3"):
        fleet.step(actions)
    assert_same(fleet.reset(seed=4), one.reset(seed=4))
    assert_same(fleet.step(actions), one.step(actions))


def test_a_server_may_come_back_at_another_address(tmp_path, address):
    folder = tmp_path / "first"
    folder.mkdir()
    server = Server(f"unix:{folder}/s", folder, "--threads", "1")
    file = tmp_path / "addresses"
    file.write_text(f"{address}\n{server.address}\n")
    fleet = FleetVectorEnv(2, ENVIRONMENT, f"@{file}")
    one = RemoteVectorEnv(2, ENVIRONMENT, address)
    try:
        assert_same(fleet.reset(seed=1), one.reset(seed=1))
        actions = fleet.action_space.sample()
        server.kill()
        file.write_text(f"{address}\n#{server.address}\n")  # as livnd.launch says that it is away
        server.address = f"unix:{folder}/elsewhere"
        server.start()
        threading.Timer(0.3, lambda: file.write_text(f"{address}\n{server.address}\n")).start()
        assert_same(fleet.step(actions), one.step(actions))
        assert list(fleet.copies_of) == [address, server.address]
        assert_same(fleet.reset(), one.reset())
    finally:
        fleet.close()
        one.close()
        server.kill()
