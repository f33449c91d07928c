"""Recordings as NWB files: valid, without complaints of the inspector, with the same spikes."""

from __future__ import annotations

import warnings
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import h5py
import neo
import numpy as np
import pynwb
import pytest
from livnd.datasets.formats import convert
from livnd.errors import BadFileError, InvalidFieldError
from livnd.system import System
from nwbinspector import Importance, inspect_nwbfile
from recorded_culture import TICK_NS, Recorded, culture

ROOT = Path(__file__).resolve().parents[3]
MINI = System(ROOT / "systems/EI-mini")
BEGUN = datetime(2026, 5, 4, 3, 2, 1, tzinfo=timezone.utc)
TICK_S = TICK_NS / 1e9
# Episodes of culture() have 24, 25, 24 ... steps of 400 ticks.
STARTS = np.array([0, 24, 49, 73, 98]) * 400


def rows_of(recorded: Recorded, name: str, copy: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A copy's rows of a stream, and their ticks on the session's axis."""
    rows = recorded.rows[name]
    rows = rows[rows["copy"] == copy]
    return rows, STARTS[rows["episode"] - 1] + rows["tick"]


def complaints(path: Path) -> list[str]:
    """What PyNWB and the inspector say, suggestions left out."""
    found = [str(error) for error in pynwb.validate(path=str(path))]
    for message in inspect_nwbfile(nwbfile_path=str(path)):
        if message.importance not in (Importance.BEST_PRACTICE_SUGGESTION,):
            found.append(f"{message.importance}: {message.check_function_name}: {message.message}")
    return found


def read(path: Path) -> tuple[Any, Any]:
    """The file's reader, to be closed, and what is in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader = pynwb.NWBHDF5IO(str(path), "r")
        return reader, reader.read()


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    return culture(1, num_copies=2, num_episodes=4, num_cells=10, num_electrodes=8)


@pytest.fixture(scope="module")
def nwb(recorded: Recorded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nwb")
    path = recorded.write(folder / "recording.h5")
    made = convert(path, "nwb", folder / "a.nwb", copy=1, system=MINI, start_time=BEGUN)
    assert made.is_complete and not made.notes
    assert made.counts["spikes"] == len(rows_of(recorded, "spikes", 1)[0])
    return folder / "a.nwb"


@pytest.fixture(scope="module")
def file(nwb: Path) -> Any:
    reader, file = read(nwb)
    yield file
    reader.close()


def test_nobody_complains(nwb):
    assert complaints(nwb) == []


def test_units_are_cells_with_their_spikes(file, recorded):
    rows, ticks = rows_of(recorded, "spikes", 1)
    units = file.units.to_dataframe()
    # Those of the system, silent ones, too.
    assert units.index.tolist() == MINI.gids.tolist()
    for gid, unit in units.iterrows():
        assert np.array_equal(
            unit["spike_times"], np.sort(ticks[rows["gid"] == gid]) * TICK_NS / 1e9
        )
        first, count = MINI.population_ranges[unit["population"]]
        assert first <= gid < first + count
        place = MINI.neuron_coordinates[gid, 1:]
        assert [unit[f"soma_{axis}"] for axis in "xyz"] == place.tolist()
        assert np.allclose(unit["obs_intervals"], [[0, 98 * 400 * TICK_S]])
    assert file.units.resolution == TICK_S
    assert not len(units.loc[9, "spike_times"])


def test_units_of_electrodes_are_what_they_hear(file, recorded):
    rows, ticks = rows_of(recorded, "channel_events", 1)
    table = file.processing["ecephys"]["electrode_units"].to_dataframe()
    assert len(table) == 8
    for channel, unit in table.iterrows():
        assert np.array_equal(
            unit["spike_times"], np.sort(ticks[rows["channel"] == channel]) * TICK_NS / 1e9
        )


def test_trials_are_episodes(file):
    trials = file.trials.to_dataframe()
    assert np.allclose(trials["start_time"], STARTS[:4] * TICK_S, rtol=0, atol=1e-12)
    assert np.allclose(trials["stop_time"], STARTS[1:] * TICK_S, rtol=0, atol=1e-12)
    assert trials["episode"].tolist() == [1, 2, 3, 4]
    assert trials["seed"].tolist() == [1001, 1002, 1003, 1004]
    assert trials["num_steps"].tolist() == [24, 25, 24, 25]
    assert trials["terminated"].all() and not trials["truncated"].any()


def test_outcomes_and_tensors_are_series(file, recorded):
    behavior = file.processing["behavior"]
    for name, stream, column in (
        ("rewards", "rewards", "reward"),
        ("actions.stimulus", "actions.stimulus", "values"),
        ("observations.rates", "observations.rates", "values"),
    ):
        rows, ticks = rows_of(recorded, stream, 1)
        series = behavior[name]
        assert np.array_equal(series.data[:], rows[column])
        assert np.allclose(series.get_timestamps(), ticks * TICK_S, rtol=0, atol=1e-12)
    # Where the last of an episode and the first of the next coincide, times are told one by one.
    assert behavior["observations.rates"].rate is None
    assert behavior["actions.stimulus"].rate == pytest.approx(100)
    trials = file.trials.to_dataframe()
    rows, _ = rows_of(recorded, "rewards", 1)
    sums = [rows["reward"][rows["episode"] == episode].sum() for episode in (1, 2, 3, 4)]
    assert np.allclose(trials["total_reward"], sums)


def test_samples_have_units_and_times(file, recorded):
    for series, stream, unit, conversion in (
        (file.processing["ecephys"]["electrode_potentials"], "potentials", "volts", 1e-6),
        (file.acquisition["membrane_potentials"], "voltages", "volts", 1e-3),
        (file.processing["misc"]["learned_weights"], "learned_weights", "n.a.", 1.0),
    ):
        rows, ticks = rows_of(recorded, stream, 1)
        assert np.array_equal(series.data[:], rows["values"])
        assert series.data.dtype == rows["values"].dtype
        assert (series.unit, series.conversion) == (unit, conversion)
        assert np.allclose(series.get_timestamps(), ticks * TICK_S, rtol=0, atol=1e-12)
    columns = file.processing["misc"]["membrane_potentials_columns"].to_dataframe()
    assert columns["gid"].tolist() == [2, 5, 5]
    assert columns["section"].tolist() == [0, 0, 1]


def test_electrodes_are_those_of_the_array(file):
    table = file.electrodes.to_dataframe()
    mea = MINI.default_io()
    assert table.index.tolist() == mea.channel_ids.tolist()
    for column, axis in (("x", 1), ("y", 2), ("z", 3), ("rel_x", 1), ("rel_y", 2)):
        assert np.allclose(table[column], mea.electrode_coordinates[:, axis])
    region = file.processing["ecephys"]["electrode_potentials"].electrodes
    assert region.data[:].tolist() == list(range(8))


def test_stimuli_are_intervals(file, recorded):
    rows, ticks = rows_of(recorded, "stimuli", 1)
    table = file.intervals["stimuli"].to_dataframe()
    assert np.allclose(table["start_time"], ticks * TICK_S, rtol=0, atol=1e-12)
    assert np.allclose(table["stop_time"], (ticks + 8) * TICK_S, rtol=0, atol=1e-12)
    assert table["electrode"].tolist() == rows["channel"].tolist()
    assert table["amplitude"].tolist() == rows["value"].tolist()
    assert "uA" in file.intervals["stimuli"]["amplitude"].description


def test_the_session_is_told(file, nwb, recorded, tmp_path):
    assert file.session_start_time == BEGUN
    assert file.subject.subject_id == "EI-mini"
    assert "There is no animal" in file.subject.description
    assert '"environment": "livnd/TargetRate-EI-mini-v0"' in file.notes
    assert "TargetRate" in file.session_description
    path = recorded.write(tmp_path / "recording.h5")
    convert(path, "nwb", tmp_path / "a.nwb", copy=0)
    convert(path, "nwb", tmp_path / "b.nwb", copy=1)
    identifiers = []
    for one in ("a.nwb", "b.nwb"):
        with h5py.File(tmp_path / one) as other:
            identifiers.append(other["identifier"][()].decode())
    assert identifiers[1] == file.identifier != identifiers[0]


def test_neo_reads_the_same_spikes(nwb, recorded):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (block,) = neo.io.NWBIO(str(nwb)).read_all_blocks()
    (segment,) = block.segments
    rows, ticks = rows_of(recorded, "spikes", 1)
    assert len(segment.spiketrains) == MINI.num_neurons
    for gid, train in enumerate(segment.spiketrains):
        times = np.rint(train.rescale("s").magnitude / TICK_S)
        assert np.array_equal(times, np.sort(ticks[rows["gid"] == gid]))
    (signal,) = segment.analogsignals
    assert signal.dimensionality.string == "mV"
    assert np.allclose(signal.magnitude, rows_of(recorded, "voltages", 1)[0]["values"])


# --- when ----------------------------------------------------------------------------------------


def test_when_it_was_begun_is_what_the_recording_tells(tmp_path, recorded):
    recorded = culture(2)
    recorded.attributes["start_unix_s"] = BEGUN.timestamp()
    path = recorded.write(tmp_path / "recording.h5")
    assert not convert(path, "nwb", tmp_path / "a.nwb").notes
    reader, file = read(tmp_path / "a.nwb")
    with reader:
        assert file.session_start_time == BEGUN
    del recorded.attributes["start_unix_s"]
    path = recorded.write(tmp_path / "recording.h5")
    made = convert(path, "nwb", tmp_path / "b.nwb")
    assert made.notes == [
        "the recording does not tell when it was begun: the time is when it was last written"
    ]
    reader, file = read(tmp_path / "b.nwb")
    with reader:
        assert abs(file.session_start_time - datetime.now(timezone.utc)) < timedelta(minutes=5)
    with pytest.raises(
        InvalidFieldError, match=r"start_time is .*; accepted: a time with its time"
    ):
        convert(path, "nwb", tmp_path / "c.nwb", start_time=datetime(2026, 1, 1))


# --- other recordings ----------------------------------------------------------------------------


def test_one_copy_has_to_be_chosen(tmp_path, recorded):
    path = recorded.write(tmp_path / "recording.h5")
    with pytest.raises(InvalidFieldError, match=r"copy is None; accepted: 0 .. 1"):
        convert(path, "nwb", tmp_path / "a.nwb")
    with pytest.raises(InvalidFieldError, match=r"copy is 2; accepted: 0 .. 1"):
        convert(path, "nwb", tmp_path / "a.nwb", copy=2)


def test_electrodes_alone_are_units(tmp_path):
    recorded = culture(3)
    for name in ("spikes", "potentials", "voltages", "voltages.labels"):
        del recorded.rows[name]
    path = recorded.write(tmp_path / "recording.h5")
    made = convert(path, "nwb", tmp_path / "a.nwb", start_time=BEGUN)
    assert made.notes == ["units are electrodes: the recording has no spikes of cells"]
    assert complaints(tmp_path / "a.nwb") == []
    reader, file = read(tmp_path / "a.nwb")
    with reader:
        rows, ticks = rows_of(recorded, "channel_events")
        for channel, times in enumerate(file.units["spike_times"][:]):
            own = np.sort(ticks[rows["channel"] == channel])
            assert np.array_equal(times, own * TICK_NS / 1e9)


def test_spikes_alone_are_a_file(tmp_path):
    """Of a culture that was run and cleared, in a file whose rows are in no order."""
    recorded = culture(4)
    spikes = recorded.rows["spikes"]
    recorded.rows = {"spikes": np.random.default_rng(1).permutation(spikes)}
    path = recorded.write(tmp_path / "recording.h5")
    convert(path, "nwb", tmp_path / "a.nwb", start_time=BEGUN)
    assert complaints(tmp_path / "a.nwb") == []
    reader, file = read(tmp_path / "a.nwb")
    with reader:
        # An episode is known to last to its last spike.
        ends = [spikes["tick"][spikes["episode"] == e].max() + 1 for e in (1, 2, 3)]
        starts = np.cumsum([0, *ends])
        ticks = starts[spikes["episode"] - 1] + spikes["tick"]
        for gid, times in zip(file.units.id[:], file.units["spike_times"][:], strict=True):
            assert np.array_equal(times, np.sort(ticks[spikes["gid"] == gid]) * TICK_NS / 1e9)
        assert np.allclose(file.trials["stop_time"][:], starts[1:] * TICK_S)


def test_silence_is_a_file(tmp_path):
    path = culture(5, rate=0.0).write(tmp_path / "recording.h5")
    made = convert(path, "nwb", tmp_path / "a.nwb", start_time=BEGUN)
    assert made.counts["spikes"] == 0
    assert made.notes == ["no cell has a spike, and there are no units"]
    assert complaints(tmp_path / "a.nwb") == []


def test_an_array_that_does_not_fit_is_refused(tmp_path):
    path = culture(6, num_electrodes=3).write(tmp_path / "recording.h5")
    with pytest.raises(BadFileError, match="potentials is 3 potentials; accepted: 8, as many as"):
        convert(path, "nwb", tmp_path / "a.nwb", system=MINI)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("system", [None, MINI])
def test_electrodes_of_another_array_are_those_of_the_labels(tmp_path, system):
    """As of a culture with a device of its own, whose ids are no places."""
    recorded, ids = culture(6, num_electrodes=3), np.array([23, 87, 12])
    recorded.add("potentials.labels", [("channel", "<i8")], {"channel": ids})
    for name in ("channel_events", "stimuli"):
        recorded.rows[name]["channel"] = ids[recorded.rows[name]["channel"]]
    path = recorded.write(tmp_path / "recording.h5")
    convert(path, "nwb", tmp_path / "a.nwb", system=system, start_time=BEGUN)
    reader, file = read(tmp_path / "a.nwb")
    with reader:
        assert file.electrodes.id[:].tolist() == ids.tolist()
        assert "x" not in file.electrodes.colnames
        region = file.processing["ecephys"]["electrode_potentials"].electrodes
        assert region.data[:].tolist() == [0, 1, 2]
        assert file.processing["ecephys"]["electrode_units"].id[:].tolist() == [12, 23, 87]
        assert set(file.intervals["stimuli"]["electrode"][:]) <= set(ids.tolist())


@pytest.mark.parametrize("system", [None, MINI])
def test_electrodes_are_where_the_recording_says(tmp_path, system):
    """Of a culture with a device of its own; also those that heard nothing."""
    recorded = culture(6, num_electrodes=3)
    del recorded.rows["potentials"]
    recorded.rows["channel_events"]["channel"] += 80
    recorded.rows["stimuli"]["channel"] += 80
    places = np.array([[82, 5.5, -6.0, 7.0], [80, 1, 2, 3], [81, 4, 5, 6], [9, 7, 8, 9]], float)
    recorded.add_electrodes(places)
    path = recorded.write(tmp_path / "recording.h5")
    convert(path, "nwb", tmp_path / "a.nwb", system=system, start_time=BEGUN)
    assert not complaints(tmp_path / "a.nwb")
    reader, file = read(tmp_path / "a.nwb")
    with reader:
        table = file.electrodes.to_dataframe()
        assert table.index.tolist() == [82, 80, 81, 9]
        assert np.array_equal(table[["x", "y", "z"]].to_numpy(float), places[:, 1:])


@pytest.mark.parametrize(
    ("places", "message"),
    [
        (
            [[80, 1, 2, 3], [80, 4, 5, 6]],
            r"electrodes is twice the id 80; accepted: ids that differ",
        ),
        ([[80, np.nan, 2, 3]], r"electrodes is .*nan"),
    ],
)
def test_places_that_are_none_are_refused(tmp_path, places, message):
    recorded = culture(6, num_electrodes=3)
    recorded.add_electrodes(np.array(places, float))
    path = recorded.write(tmp_path / "recording.h5")
    with pytest.raises(BadFileError, match=message):
        convert(path, "nwb", tmp_path / "a.nwb", start_time=BEGUN)
    assert list(tmp_path.iterdir()) == [path]


def test_events_of_another_array_than_the_systems_keep_their_electrodes(tmp_path):
    recorded = culture(6, num_electrodes=3)
    del recorded.rows["potentials"]
    for name in ("channel_events", "stimuli"):
        recorded.rows[name]["channel"] += 80
    path = recorded.write(tmp_path / "recording.h5")
    convert(path, "nwb", tmp_path / "a.nwb", system=MINI, start_time=BEGUN)
    reader, file = read(tmp_path / "a.nwb")
    with reader:
        assert file.electrodes.id[:].tolist() == [80, 81, 82]
        assert file.processing["ecephys"]["electrode_units"].id[:].tolist() == [80, 81, 82]


def test_potentials_of_nobody_knows_which_electrodes_are_refused(tmp_path):
    recorded = culture(6, num_electrodes=3)
    recorded.rows["channel_events"]["channel"] += 80
    path = recorded.write(tmp_path / "recording.h5")
    with pytest.raises(BadFileError, match="potentials is without labels beside electrode 82"):
        convert(path, "nwb", tmp_path / "a.nwb", start_time=BEGUN)


def test_what_was_recorded_from_the_middle_on_keeps_its_place(tmp_path):
    recorded = culture(7, num_episodes=1)
    for name, rows in recorded.rows.items():
        if "tick" in rows.dtype.names:
            recorded.rows[name] = rows[rows["tick"] >= 4000]
    path = recorded.write(tmp_path / "recording.h5")
    convert(path, "nwb", tmp_path / "a.nwb", start_time=BEGUN)
    reader, file = read(tmp_path / "a.nwb")
    with reader:
        assert file.processing["ecephys"]["electrode_potentials"].starting_time == 4000 * TICK_S
        assert file.units["spike_times"].target.data[:].min() >= 4000 * TICK_S
