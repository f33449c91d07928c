"""Sessions on a culture in the protocol's own verbs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import livnd
import numpy as np
import pytest
from conftest import ENVIRONMENT
from livnd import errors, local_server

SYSTEM = "EI-mini"
SOMATA = [(gid, 0) for gid in range(10)]


@pytest.fixture
def culture(client: livnd.Client) -> Iterator[livnd.CultureSession]:
    """Three copies with seeds 1, 2, 3 that record spikes and the voltages of somata."""
    with client.create_culture(SYSTEM, 3) as session:
        session.configure(
            spikes=True, series=[livnd.SeriesSelection("voltage_mv", SOMATA, sample_dt_ms=1.0)]
        )
        session.clear([1, 2, 3])
        yield session


def everything(recording: livnd.culture.Recording) -> bytes:
    arrays = (recording.spike_offsets, recording.spike_gids, recording.spike_ticks)
    return b"".join(a.tobytes() for a in (*arrays, recording.spike_times_ms, *recording.series))


def test_a_recording_says_what_happened(culture: livnd.CultureSession):
    recording = culture.run(100)
    assert (recording.start_tick, recording.num_ticks, recording.tick_ns) == (0, 4000, 25_000)
    assert recording.series[0].shape == (3, 10, 100)
    assert recording.series[0].dtype == np.float64
    assert (recording.series[0][:, :, 0] == -75).all()
    assert np.isnan(recording.failed_at_ms).all()
    gids, times = recording.spikes(2)
    assert len(gids) == len(times) > 0
    assert (np.diff(times) >= 0).all()
    ticks = recording.spike_ticks[recording.spike_offsets[2] :]
    np.testing.assert_array_equal(ticks * 0.025 + 1e-10, times)
    assert culture.run(1).start_tick == 4000


def test_a_culture_has_its_own_spec_and_no_steps(culture: livnd.CultureSession):
    assert culture.spec.kind == "culture"
    assert culture.spec.actions == culture.spec.observations == ()
    assert culture.spec.step_duration_ms == 0
    with pytest.raises(livnd.LivndError, match="run"):
        culture.step(np.zeros(3))
    info = culture.describe()
    assert [p.name for p in info.populations] == ["EXC", "INH"]
    assert info.seeds.tolist() == [1, 2, 3]
    assert "weight-EXC_EXC-dend-AMPA-weight" in info.params


def test_tasks_are_no_cultures(session: livnd.Session):
    request = livnd.culture.pb.GetCultureRequest(session=session.name)
    with pytest.raises(errors.NotACultureError):
        session._connection.call("GetCulture", request)
    assert session.spec.kind == "task"


def test_the_same_seed_gives_the_same_bits_twice_and_to_every_client(address: str):
    """The C++ example does the same: its bits are compared with those that Python gets."""

    def run() -> livnd.culture.Recording:
        with livnd.connect(address) as client, client.create_culture(SYSTEM) as session:
            session.configure(
                spikes=True, series=[livnd.SeriesSelection("voltage_mv", [(0, 0)], 1.0)]
            )
            session.clear([123])
            current = livnd.CultureStimulus("current_na", [[0], [0], [0.3], [0]], 10.0, [(0, 0)])
            return session.run(100, [current])

    recording = run()
    assert everything(run()) == everything(recording)
    program = local_server.find_binary().parent.parent / "clients/cpp/examples/run_culture"
    assert program.exists(), "build it: bazel build //clients/cpp/examples:run_culture"
    out = subprocess.run(
        [program, "--address", address, "--seed", "123"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    spikes = zip(recording.spike_gids, recording.spike_ticks, strict=True)
    assert [line for line in out if line.startswith("spike")] == [
        f"spike {gid} {tick}" for gid, tick in spikes
    ]
    bits = recording.series[0][0, 0].view(np.uint64)
    assert [line.split()[1] for line in out if line.startswith("voltage")] == [
        f"{b:016x}" for b in bits
    ]
    assert len(recording.spike_gids) > 0
    assert len(bits) == 100


def test_a_failure_leaves_other_copies_and_sessions_alone(
    culture: livnd.CultureSession, client: livnd.Client
):
    with client.create_culture(SYSTEM, 3) as other:
        other.configure(
            spikes=True, series=[livnd.SeriesSelection("voltage_mv", SOMATA, sample_dt_ms=1.0)]
        )
        other.clear([1, 2, 3])
        expected = other.run(20)
        samples = np.zeros((3, 20, 1))
        samples[1, 5:] = 1e9
        recording = culture.run(20, [livnd.CultureStimulus("current_na", samples, 1.0, [(0, 0)])])
        assert np.isnan(recording.failed_at_ms).tolist() == [True, False, True]
        # The current rises from 4 ms on; every 100 steps, 2.5 ms, the numbers are looked at.
        assert recording.failed_at_ms[1] == 2.5
        for copy in (0, 2):
            np.testing.assert_array_equal(recording.series[0][copy], expected.series[0][copy])
        assert np.isnan(recording.series[0][1, :, 3:]).all()
        assert np.isfinite(recording.series[0][1, :, :3]).all()
        assert np.isfinite(other.run(5).series[0]).all()
    culture.clear()
    assert np.isfinite(culture.run(5).series[0]).all()


def test_when_all_copies_have_failed_each_ones_time_is_told(client: livnd.Client):
    with client.create_culture(SYSTEM, 2) as culture:
        culture.clear([1, 2])
        samples = np.zeros((2, 20, 1))
        samples[0, 12:] = 1e9  # rises from 11 ms on
        samples[1, 5:] = 1e9
        culture.run(20, [livnd.CultureStimulus("current_na", samples, 1.0, [(0, 0)])])
        with pytest.raises(errors.LivndError, match="the first one, copy 1 at 2") as caught:
            culture.run(1)
        assert caught.value.reason == "NUMERICAL_FAILURE"
        assert caught.value.value == "copy 0 at 10 ms, copy 1 at 2.5 ms"


def test_a_configure_does_all_or_nothing(culture: livnd.CultureSession):
    before = culture.describe()
    with pytest.raises(errors.InvalidFieldError, match="std_x"):
        culture.configure(
            params={"EXC_EXC-dend-AMPA-weight": 3.0, "noise-std_x": 1.0}, spikes=False, dt_ms=0.05
        )
    after = culture.describe()
    assert (after.params, after.dt_ms) == (before.params, before.dt_ms)
    assert culture.next_op_index == 3  # the fixture's Configure and Reset were 1 and 2
    assert len(culture.run(100).spike_gids) > 0


def test_learned_weights_are_read_and_set(culture: livnd.CultureSession):
    learned = culture.describe(learned_weights=True).learned
    assert learned.weights.shape == (3, len(learned.source_gids))
    assert set(learned.receptors) <= {"AMPA", "NMDA", "GABA_A"}
    weights = np.linspace(0.5, 2.0, learned.weights.size).reshape(learned.weights.shape)
    culture.configure(learned_weights=weights, plasticity_on=True)
    np.testing.assert_array_equal(culture.describe(learned_weights=True).learned.weights, weights)
    culture.clear()
    np.testing.assert_array_equal(culture.describe(learned_weights=True).learned.weights, weights)
    with pytest.raises(errors.InvalidFieldError, match=r"0\.0001 \.\. 5"):
        culture.configure(learned_weights=weights * 10)
    with pytest.raises(errors.InvalidFieldError, match="learned_weights"):
        culture.configure(learned_weights=weights[:2])


def test_a_noise_stream_that_is_no_number_of_the_protocol_is_refused(culture: livnd.CultureSession):
    with pytest.raises(errors.InvalidFieldError, match="noise_stream"):
        culture.clear(noise_stream=2**32)


def test_gymnasium_environments_are_those_with_a_task(client: livnd.Client):
    kinds = {spec.environment_id: spec.kind for spec in client.environments()}
    assert kinds[ENVIRONMENT] == "task"
    assert kinds[f"Culture-{SYSTEM}-v0"] == "culture"


def test_a_sample_lasts_as_many_steps_as_it_is_long(client: livnd.Client):
    def answer(timing: str, sample_dt_ms: float, samples: list[float]) -> np.ndarray:
        with client.create_culture(SYSTEM) as culture:
            culture.configure(
                forget_params=True,
                series=[livnd.SeriesSelection("voltage_mv", [(0, 0)], sample_dt_ms=0.025)],
            )
            culture.clear([1])
            culture.run(4.2)
            stimulus = livnd.CultureStimulus(
                "current_density_ma_cm2",
                np.array(samples)[:, None],
                sample_dt_ms,
                [(0, 0)],
                timing=timing,
            )
            return culture.run(2, [stimulus]).series[0]

    phases = answer("exact", 0.1, [0.01, -0.01])
    np.testing.assert_array_equal(phases, answer("exact", 0.025, [0.01] * 4 + [-0.01] * 4))
    # By livn's rule they are 5 and 3 steps long there.
    of_livn = answer("livn", 0.1, [0.01, -0.01])
    np.testing.assert_array_equal(of_livn, answer("exact", 0.025, [0.01] * 5 + [-0.01] * 3))
    with pytest.raises(errors.InvalidFieldError, match="multiple of dt_ms"):
        answer("exact", 0.11, [0.01])
    assert np.isfinite(answer("livn", 0.11, [0.01])).all()
    with pytest.raises(errors.InvalidFieldError, match="exact, livn"):
        answer("late", 0.1, [0.01])


def run_request(session: livnd.CultureSession, **changes: object):
    """A good Run; `changes` replace parts of its stimulus."""
    pb, encode = livnd.culture.pb, livnd.culture.encode
    stimulus = pb.CultureStimulus(
        quantity=pb.STIMULUS_QUANTITY_CURRENT_NA,
        sample_dt_ms=1.0,
        sites=pb.Sites(gids=encode([0, 1], np.int64), sections=encode([0, 0], np.int64)),
        samples=encode(np.zeros((3, 2)), np.float64),
    )
    for path, value in changes.items():
        *parents, name = path.split("__")
        target = stimulus
        for parent in parents:
            target = getattr(target, parent)
        if hasattr(value, "SerializeToString"):
            getattr(target, name).CopyFrom(value)
        else:
            setattr(target, name, value)
    return pb.RunRequest(
        session=session.name,
        op_index=session.next_op_index,
        duration_ms=1.0,
        stimuli=[stimulus],
    )


ENCODE = livnd.culture.encode


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": 99}, "quantity"),
        ({"timing": 99}, "timing"),
        ({"sample_dt_ms": float("inf")}, "sample_dt_ms"),
        ({"sites__gids": ENCODE([0.0, 1.0], np.float64)}, "sites.gids.dtype"),
        ({"sites__gids": ENCODE([[0, 1]], np.int64)}, "sites.gids.shape"),
        ({"sites__sections": ENCODE([0], np.int64)}, "sites.sections"),
        ({"sites__sections": ENCODE([0, -1], np.int64)}, "sites[1].section"),
        ({"sites__sections": ENCODE([0, 2**40], np.int64)}, "sites[1].section"),
        ({"sites__gids": ENCODE([0, 0], np.int64)}, "sites[1].gid"),
        ({"sites__gids": ENCODE([0, -(2**62)], np.int64)}, "sites[1].gid"),
        ({"samples": ENCODE(np.zeros((3, 2)), np.float32)}, "samples.dtype"),
        ({"samples": ENCODE(np.zeros((3, 3)), np.float64)}, "samples.shape"),
        ({"samples": ENCODE(np.zeros(6), np.float64)}, "samples.shape"),
        ({"samples": ENCODE(np.zeros((2, 3, 2)), np.float64)}, "samples.shape"),
        ({"samples__data": b"123"}, "samples.shape"),
        ({"samples": ENCODE(np.full((3, 2), np.inf), np.float64)}, "samples"),
        ({"electrodes": ENCODE([0], np.int64)}, "electrodes"),
    ],
)
def test_malformed_stimuli_are_refused_by_name(
    culture: livnd.CultureSession, changes: dict[str, object], field: str
):
    with pytest.raises(errors.InvalidFieldError) as caught:
        culture._connection.call("Run", run_request(culture, **changes))
    assert caught.value.field == f"stimuli[0].{field}"
    assert culture.describe().ticks == 0
    culture._connection.call("Run", run_request(culture))


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        (lambda r, pb: setattr(r.selection, "method", 9), "selection.method"),
        (lambda r, pb: setattr(r.selection, "num_cells", 99), "selection.num_cells"),
        (lambda r, pb: r.model.SetInParent(), "model"),
        (
            lambda r, pb: setattr(r.model.rcsd, "refractory_period_ms", -1.0),
            "model.rcsd.refractory_period_ms",
        ),
        (lambda r, pb: setattr(r, "dt_ms", float("nan")), "dt_ms"),
        (
            lambda r, pb: r.params.add(key="noise-std_e", value=float("nan")),
            "params[noise-std_e].value",
        ),
        (lambda r, pb: r.params.add(key="noise-std_e", value=-1.0), "params[noise-std_e].value"),
        (lambda r, pb: setattr(r.opsin, "g0_ps", float("nan")), "opsin.g0_ps"),
        (
            lambda r, pb: setattr(r.plasticity.excitatory, "w_max", float("nan")),
            "plasticity.excitatory.w_max",
        ),
        (lambda r, pb: r.recording.series.add(), "recording.series[0].quantity"),
        (lambda r, pb: r.recording.series.add(quantity=1), "recording.series[0].dtype"),
        (
            lambda r, pb: r.input_spikes.CopyFrom(
                pb.InputSpikes(
                    gids=ENCODE([1], np.int64),
                    offsets=ENCODE([0, 2], np.int64),
                    times_ms=ENCODE([1.0], np.float64),
                )
            ),
            "input_spikes.offsets",
        ),
        (lambda r, pb: r.learned_weights.CopyFrom(ENCODE([1.0], np.float64)), "learned_weights"),
    ],
)
def test_malformed_changes_are_refused_by_name(
    culture: livnd.CultureSession, edit: object, field: str
):
    pb = livnd.culture.pb
    request = pb.ConfigureRequest(session=culture.name, op_index=culture.next_op_index)
    edit(request, pb)
    before = culture.describe()
    with pytest.raises(errors.InvalidFieldError) as caught:
        culture._connection.call("Configure", request)
    assert caught.value.field.startswith(field)
    after = culture.describe()
    assert (after.params, after.dt_ms) == (before.params, before.dt_ms)
    assert len(after.gids) == len(before.gids)
