"""livnd.io beside livn 2.0.0's io, and the worked cases of livn's own tests by their numbers.

No server takes part.
"""

from __future__ import annotations

import copy
import json
import math
import pickle

import numpy as np
import pytest
from livn import io as livn_io
from livnd import io
from livnd.errors import BadFileError, InvalidFieldError, UnknownParameterError
from livnd.io import MEA

ELECTRODES = [[0, 0, 0, 0], [1, 100, 0, 0]]
CELLS = np.array([[10, 0, 0, 0], [11, 50, 0, 0], [12, 300, 400, 0]], float)
DRAWS = 1000


def array_of(**kwargs) -> MEA:
    return MEA(ELECTRODES, **kwargs)


def assert_same_channels(ours, theirs):
    """Livn's {channel: rows}, or a tuple of them, with the same values."""
    if isinstance(theirs, dict):
        ours, theirs = (ours,), (theirs,)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert list(a) == list(b)
        for channel in b:
            np.testing.assert_array_equal(a[channel], b[channel])


# --- worked cases --------------------------------------------------------------------------------


def test_io1_distances():
    mea = MEA([[0, 0, 0, 0], [1, 1, 0, 0], [2, 0, 1, 0]])
    found = mea.distances(np.array([[0, 0, 0, 0], [1, 1, 1, 1]]))
    far, near = math.sqrt(3), math.sqrt(2)
    expected = [[0, 0, 0], [0, 1, far], [1, 0, 1], [1, 1, near], [2, 0, 1], [2, 1, near]]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_io2_relative_distances():
    um = [100, 600, 200, 400, 500, 700]
    rows = np.array([[c, g, um[2 * c + g]] for c in range(3) for g in range(2)], float)
    kept = rows.copy()
    found = io.relative_distance(rows, 500, filter_out_of_bounds=True)
    expected = [[0, 0, 0.2], [1, 0, 0.4], [1, 1, 0.8], [2, 0, 1.0]]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_array_equal(rows, kept)


GAINS = np.array([[0, 0, 0.5], [1, 1, 0.6], [2, 0, 0.7]])


def test_io3_cell_stimulus():
    found = io.calculate_cell_stimulus(np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]), GAINS)
    np.testing.assert_allclose(found, [[0.26, 0.12], [0.62, 0.30]], rtol=1e-12)


def test_io4_cell_stimulus_of_a_second_batch():
    batches = np.array([np.zeros((2, 3)), [[0.7, 0.8, 0.9], [1.0, 1.1, 1.2]]])
    found = io.calculate_cell_stimulus(batches, GAINS)
    assert found.shape == (2, 2, 2)
    np.testing.assert_allclose(found[1], [[0.98, 0.48], [1.34, 0.66]], rtol=1e-12)


def test_io5_cell_stimulus_keeps_the_precision():
    gains = np.array([[0, 0, 0.5], [0, 1, 0.25]])
    for dtype in (np.float32, np.float64):
        found = io.calculate_cell_stimulus(np.ones((1, 1), dtype), gains)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, [[0.5, 0.25]])
        assert array_of().cell_stimulus(CELLS, np.ones((1, 2), dtype)).array.dtype == dtype


def test_io6_channel_recording():
    heard = np.array([[0, 1, 0.1], [1, 0, 0.1], [1, 2, 0.1], [2, 3, 0.1]])
    ids, times = io.channel_recording(heard, [0, 0, 1, 2], [0.1, 0.2, 0.3, 0.4])
    assert {c: rows.tolist() for c, rows in ids.items()} == {0: [1], 1: [0, 0, 2], 2: []}
    assert {c: rows.tolist() for c, rows in times.items()} == {0: [0.3], 1: [0.1, 0.2, 0.4], 2: []}


def potential_at_0(**kwargs) -> np.ndarray:
    mea = MEA([[0, 0, 0, 0]], **kwargs)
    distances = mea.distances(np.array([[0, 0, 0, 0], [1, 1000, 0, 0]]))
    return mea.potential_recording(distances, np.array([[1.0, 2.0], [1.0, 2.0]]))


def test_io7_potential_recording():
    found = potential_at_0(output_radius=2000)
    np.testing.assert_allclose(found, [[53315.58624305, 106631.1724861]], rtol=1e-9)


def test_io8_potential_recording_within_the_radius():
    np.testing.assert_allclose(potential_at_0(output_radius=10)[0, 0], 53051.64769729845)


def test_io9_reach():
    expected = [[5.335497577, 3.853142165, 0.554031015], [2.469046589, 3.853142165, 0.618592323]]
    np.testing.assert_allclose(array_of().reach(CELLS), expected, rtol=1e-8)


def test_io10_cell_stimulus():
    inputs = np.array([[1.0, 0], [0, -2], [1, 1]])
    found = array_of().cell_stimulus(CELLS, inputs, dt=0.5)
    expected = [
        [5.3354976, 3.8531422, 0.5540310],
        [-4.9380932, -7.7062843, -1.2371846],
        [7.8045442, 7.7062843, 1.1726233],
    ]
    np.testing.assert_allclose(found.array, expected, rtol=1e-6)
    assert (found.dt, len(found.array) * found.dt) == (0.5, 1.5)
    assert (found.input_mode, found.units) == ("extracellular", "mV")


def test_io11_potential_recording_of_two_electrodes():
    mea = array_of(output_radius=60)
    currents = np.array([[1e-3, 2e-3], [1e-3, 0], [5, 5]])
    found = mea.potential_recording(mea.distances(CELLS), currents)
    np.testing.assert_allclose(found, [[57.87452476, 106.1032954], [4.822877063, 0]], rtol=1e-8)


def test_io12_channel_recording_of_cells_between_electrodes():
    mea = array_of(output_radius=60)
    ids, times = mea.channel_recording(CELLS, [10, 11, 11, 12], [1, 2, 3, 4])
    assert {c: rows.tolist() for c, rows in ids.items()} == {0: [10, 11, 11], 1: [11, 11]}
    assert {c: rows.tolist() for c, rows in times.items()} == {0: [1, 2, 3], 1: [2, 3]}


def test_io13_default_grid():
    mea = MEA()
    assert mea.num_channels == 16
    np.testing.assert_array_equal(mea.electrode_coordinates[5], [5, 1500, 1500, 175])
    np.testing.assert_array_equal(
        mea.electrode_coordinates[[0, 3, 4, 15], 1], [500, 3500, 500, 3500]
    )


@pytest.mark.parametrize(
    ("pitch", "count", "first", "last"),
    [(400, 32, (200, 200), (1400, 3000)), (200, 128, (100, 100), (1500, 3100))],
)
def test_io14_grid_of_an_area(pitch, count, first, last):
    found = io.electrode_array_coordinates_for_area(pitch, ((0, 0), (1600, 3200)))
    assert len(found) == count
    np.testing.assert_array_equal(found[0], [0, *first, 0])
    np.testing.assert_array_equal(found[-1], [count - 1, *last, 0])


def test_io15_cells_of_two_compartments():
    cells = np.array([[0, 0, 0, 0], [0, 108, 0, 0], [1, 50, 0, 0], [1, 158, 0, 0]], float)
    found = MEA([[0, 0, 0, 0]]).cell_stimulus(cells, np.array([[1.5]]))
    assert (found.gids.tolist(), found.sections.tolist()) == ([0, 0, 1, 1], [0, 1, 0, 1])
    expected = [[8.003246366, 3.482844888, 5.779713247, 2.510705672]]
    np.testing.assert_allclose(found.array, expected, rtol=1e-8)


def test_io18_set_params():
    mea = array_of()
    before = mea.reach(CELLS)
    assert mea.set_params({"volume_conductor-stimulation_gain": 2, "output_radius": 60}) is mea
    np.testing.assert_allclose(mea.reach(CELLS), before * 2 / 5.335497577070286, rtol=1e-12)
    assert mea.output_radius == 60
    # Nothing is kept from the first call.
    assert 12 not in mea.channel_recording(CELLS, None)[0]
    kept = mea.as_json()
    for wrong in ({"nope": 1}, {"output_radius": 5, "volume_conductor-nope": 1}):
        with pytest.raises(KeyError) as raised:
            mea.set_params(wrong)
        assert isinstance(raised.value, UnknownParameterError)
        assert "nope is no parameter" in str(raised.value)
    assert mea.as_json() == kept


def test_io19_json():
    mea = MEA([[5, 0, 0, 1], [2, 100, 0, 1]], 50, 80, {"stimulation_gain": 2.0})
    members = json.loads(mea.as_json())
    assert list(members) == [
        "electrode_coordinates",
        "input_radius",
        "output_radius",
        "volume_conductor",
    ]
    assert len(members["volume_conductor"]) == 5
    again = MEA.from_json(mea.as_json())
    assert again.as_json() == mea.clone().as_json() == mea.as_json()
    theirs = livn_io.MEA.from_json(mea.as_json())
    np.testing.assert_array_equal(theirs.reach(CELLS), again.reach(CELLS))
    smallest = MEA.from_json('{"electrode_coordinates": [[0, 1, 2, 3]]}')
    assert (smallest.input_radius, smallest.output_radius) == (250, 250)


# --- beside livn's own functions -----------------------------------------------------------------


def random_places(rng: np.random.Generator, count: int, spread: float) -> np.ndarray:
    return rng.uniform(-spread, spread, (count, 3))


def test_a_thousand_draws_equal_livns():
    rng = np.random.default_rng(1)
    num_silent = num_shared = 0
    for _ in range(DRAWS):
        num_electrodes, num_cells = rng.integers(1, 8), rng.integers(1, 20)
        ids = rng.permutation(100)[:num_electrodes]
        electrodes = np.column_stack([ids, random_places(rng, num_electrodes, 100)])
        gids = np.sort(rng.permutation(60)[:num_cells])
        cells = np.column_stack([gids, random_places(rng, num_cells, 100)])
        if rng.random() < 0.3:  # what a file has: float32
            cells = cells.astype(np.float32)
        radius = rng.choice([0.0, 30.0, 80.0, 400.0])
        # Some lie exactly at the radius.
        cells[: num_cells // 2, 1:] = electrodes[0, 1:]
        cells[: num_cells // 2, 1] += radius
        events = rng.choice(gids, rng.integers(0, 40))
        events[::5] = 60  # of a cell that is not there
        values = (rng.uniform(0, 100, len(events)), rng.normal(size=(len(events), 3)))
        values = values[: rng.integers(0, 3)]

        ours = MEA(electrodes, output_radius=radius)
        theirs = livn_io.MEA(electrodes, output_radius=radius)
        np.testing.assert_array_equal(ours.distances(cells), theirs.distances(cells))
        np.testing.assert_array_equal(ours.reach(cells), theirs.reach(cells))
        distances = ours.distances(cells)
        np.testing.assert_array_equal(ours.source_gain(distances), theirs.source_gain(distances))
        currents = rng.normal(size=(num_cells, 3))
        np.testing.assert_array_equal(
            ours.potential_recording(distances, currents),
            theirs.potential_recording(distances, currents),
        )
        given = events.tolist() if rng.random() < 0.5 else events
        # livn makes nothing of a radius of 0 but keeps what is there.
        with np.errstate(invalid="ignore"):
            expected = theirs.channel_recording(cells, given, *values)
        found = ours.channel_recording(cells, given, *values)
        assert_same_channels(found, expected)
        assert_same_channels(
            ours.channel_recording(cells, None), theirs.channel_recording(cells, None)
        )
        first = found[0] if values else found
        num_silent += len(first) < num_electrodes
        num_shared += sum(map(len, first.values())) > len(events)
        # A channel that hears no cell is empty when it is asked for.
        for channel in set(ids.tolist()) - set(first):
            assert len(first[channel]) == 0
    assert min(num_silent, num_shared) > DRAWS // 10


def test_a_hundred_stimuli_equal_livns():
    rng = np.random.default_rng(2)
    for _ in range(100):
        electrodes = np.column_stack([np.arange(4), random_places(rng, 4, 100)])
        gids = np.repeat(np.arange(5), 2)
        cells = np.column_stack([gids, random_places(rng, 10, 100)])
        inputs = rng.normal(size=(6, 4)).astype(rng.choice([np.float32, np.float64]))
        ours = MEA(electrodes).cell_stimulus(cells, inputs, dt=0.1)
        theirs = livn_io.MEA(electrodes).cell_stimulus(cells, inputs, dt=0.1)
        assert ours.array.dtype == theirs.array.dtype
        tolerance = 1e-5 if inputs.dtype == np.float32 else 1e-12
        np.testing.assert_allclose(ours.array, theirs.array, rtol=0, atol=30 * tolerance)
        assert ours.gids.tolist() == list(theirs.gids)
        assert ours.sections.tolist() == list(theirs.sections)
        rows = np.column_stack([np.repeat(np.arange(4), 10), np.tile(gids, 4), rng.random(40)])
        np.testing.assert_allclose(
            io.calculate_cell_stimulus(inputs, rows, 10),
            livn_io.calculate_cell_stimulus(inputs[None], rows, 10)[0],
            rtol=1e-4,
            atol=1e-6,
        )


def test_grids_equal_livns():
    rng = np.random.default_rng(3)
    for _ in range(200):
        low = rng.uniform(-500, 500, 2)
        area = (low, low + rng.uniform(1, 3000, 2))
        pitch, z = rng.uniform(20, 1000), rng.uniform(0, 10)
        np.testing.assert_allclose(
            io.electrode_array_coordinates_for_area(pitch, area, z),
            livn_io.electrode_array_coordinates_for_area(pitch, area, z),
            rtol=1e-12,
            atol=1e-9,
        )
    np.testing.assert_array_equal(MEA().electrode_coordinates, livn_io.MEA().electrode_coordinates)


# --- where livn's is a defect --------------------------------------------------------------------


def test_cells_of_the_first_call_are_not_kept():
    mea = array_of(output_radius=60)
    assert mea.channel_recording(CELLS, [10])[0].tolist() == [10]
    moved = CELLS + np.array([0, 1000, 0, 0])
    assert mea.channel_recording(moved, [10]) == {}
    assert mea.cell_stimulus(CELLS[:2], np.ones((1, 2))).array.shape == (1, 2)
    assert mea.cell_stimulus(CELLS, np.ones((1, 2))).array.shape == (1, 3)


def test_channels_keep_their_declared_order():
    mea = MEA([[5, 0, 0, 0], [2, 100, 0, 0]])
    found = mea.cell_stimulus(np.array([[0, 0, 0, 0]]), np.array([[1.0, 0.0]]))
    np.testing.assert_allclose(found.array, [[5.335497577070286]])


def test_a_silent_channel_is_empty_and_another_is_none():
    ids, times = array_of(output_radius=10).channel_recording(CELLS, [10, 12], [0.5, 1.5])
    assert (list(ids), list(times)) == ([0], [0])
    assert (ids[1].dtype, ids[1].shape) == (ids[0].dtype, (0,))
    assert (times[1].dtype, times[1].shape, 1 in times) == (np.float64, (0,), False)
    with pytest.raises(KeyError):
        ids[2]
    for again in (pickle.loads(pickle.dumps(ids)), copy.deepcopy(ids)):
        assert again.keys() == ids.keys()
        assert again[1].shape == (0,)


# --- wrong input ---------------------------------------------------------------------------------

WRONG = {
    "no rows": (lambda: MEA(np.zeros((0, 4))), "electrode_coordinates", "0 rows"),
    "three columns": (lambda: MEA([[0, 1, 2]]), "electrode_coordinates", "(1, 3)"),
    "an id twice": (lambda: MEA([[3, 0, 0, 0], [3, 1, 0, 0]]), "electrode_coordinates", "id 3"),
    "half an id": (lambda: MEA([[0.5, 0, 0, 0]]), "electrode_coordinates[0][0]", "0.5"),
    "no place": (lambda: MEA([[0, 0, math.nan, 0]]), "electrode_coordinates[0][2]", "nan"),
    "text": (lambda: MEA("S1"), "electrode_coordinates", "S1"),
    "a negative radius": (lambda: MEA(output_radius=-1), "output_radius", "-1"),
    "an endless radius": (lambda: MEA(input_radius=math.inf), "input_radius", "inf"),
    "a conductor of another": (
        lambda: MEA(volume_conductor={"gain": 1}),
        "volume_conductor-gain",
        "",
    ),
    "no distance": (
        lambda: MEA(volume_conductor={"min_distance_um": 0}),
        "min_distance_um",
        "0",
    ),
    "no height": (
        lambda: MEA(volume_conductor={"electrode_radius_um": 0, "culture_height_um": 0}),
        "culture_height_um",
        "0",
    ),
    "a fraction of a gid": (lambda: array_of().channel_recording(CELLS, [1.5]), "ii[0]", "1.5"),
    "True for a gid": (lambda: array_of().channel_recording(CELLS, [10, True]), "ii[1]", "True"),
    "a gid of 65 bits": (
        lambda: array_of().channel_recording(CELLS, [10, 2**63]),
        "ii[1]",
        "9223372036854775808",
    ),
    "fewer times": (
        lambda: array_of().channel_recording(CELLS, [10, 11], [0.5]),
        "recordings[0]",
        "(1,)",
    ),
    "a cell nowhere": (
        lambda: array_of().channel_recording([[0, math.inf, 0, 0]], [0]),
        "neuron_coordinates[0][1]",
        "inf",
    ),
    "rows of other cells": (lambda: array_of().source_gain(np.ones((3, 3))), "distances", "3 rows"),
    "currents of other cells": (
        lambda: array_of().potential_recording(array_of().distances(CELLS), np.ones((2, 5))),
        "membrane_currents",
        "(2, 5)",
    ),
    "inputs of other channels": (
        lambda: array_of().cell_stimulus(CELLS, np.ones((5, 3))),
        "channel_inputs",
        "(5, 3)",
    ),
    "a pitch of 0": (
        lambda: io.electrode_array_coordinates_for_area(0, ((0, 0), (1, 1))),
        "pitch",
        "0",
    ),
    "another member": (lambda: MEA.from_json({"electrodes": []}), "electrodes", ""),
    "no electrodes": (lambda: MEA.from_json("{}"), "electrode_coordinates", "missing"),
    "no object": (lambda: MEA.from_json("[1]"), "mea", "[1]"),
    "no json": (lambda: MEA.from_json("{"), "mea", "{"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_told_by_field(name):
    call, field, value = WRONG[name]
    with pytest.raises(InvalidFieldError) as raised:
        call()
    assert raised.value.field == field
    assert value in raised.value.value
    assert raised.value.accepted


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"electrode_coordinates": [[0, 1, 2]]}', "electrode_coordinates"),
        ('{"electrode_coordinates": [[0, 1, 2, 3]], "radius": 1}', "radius"),
        ('{"electrode_coordinates": [[0, 1, 2, 3]], "output_radius": "far"}', "output_radius"),
        ('{"electrode_coordinates": [[0, 1,', ""),
        ("", ""),
    ],
)
def test_a_bad_file_is_named(tmp_path, text, field):
    (tmp_path / "mea.json").write_text(text)
    with pytest.raises(BadFileError) as raised:
        MEA.from_directory(tmp_path)
    assert raised.value.file == str(tmp_path / "mea.json")
    assert raised.value.field == field
    assert str(tmp_path) in str(raised.value)


def test_a_folder_without_an_array_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"mea\.json"):
        MEA.from_directory(tmp_path)
