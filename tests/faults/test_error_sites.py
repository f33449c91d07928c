"""The walks of test_errors_of_calls and test_errors_of_files leave no site out."""

from __future__ import annotations

from collections import Counter

import pytest
from error_sites import Site, find_sites, sites_of
from test_errors_of_calls import OF_SITES
from test_errors_of_files import ROWS

# Sites that neither a call nor a file of these walks reaches, and why.
SETTINGS = "the task's own settings, which nobody gives"
SHAPE = "the wire asks for the tensor's shape first"
PROGRAM = "a program's mistake: neither wire nor files lead here"
OFFERED = "the catalog does not offer the task then"
COPIES = "CreateSession knows how many copies there may be"
NUMBER = "JSON has no such number"
COPY = "a snapshot that nobody saved: held by environment_copy_test"
CULTURE = "a snapshot that nobody saved: held by saved_culture_test"
NOT_REACHED = {
    'spec_parts.cc: Exact(low), " .. "': SETTINGS,
    "spec_parts.cc: a whole number from": COPY,
    "motor_regions.cc: electrode_coordinates": "held by cart_pole_test",
    "pattern_evocation.cc: Exact(x)": "held by pattern_evocation_test",
    "burst_suppression.cc: Exact(x)": "held by burst_suppression_test",
    "pong_feedback.cc: electrode_coordinates": "held by pong_feedback_test",
    "task_model.cc: step_ms": SETTINGS,
    "task_model.cc: settle_ms": SETTINGS,
    "task_model.cc: kept_steps": SETTINGS,
    "biphasic_pulse.cc: phase_us": SETTINGS,
    "biphasic_pulse.cc: max_amplitude_ua": SETTINGS,
    "task_model.cc: electrodes, which the task": "held by test_conformance_not_offered",
    "task_model.cc: models whose synapses learn": OFFERED,
    "task_model.cc: a weight, which the task changes": "held by test_conformance_not_offered",
    "task_model.cc: does not stay finite": "held by target_rate_test",
    "live_culture.cc: learned_weights.size()": SHAPE,
    "live_culture.cc: clear.seeds.size()": SHAPE,
    "stimulus_plan.cc: stimulus.samples.size()": SHAPE,
    "vector_environment.cc: request.seeds.size()": SHAPE,
    "vector_environment.cc: request.mask.size()": SHAPE,
    "live_culture.cc: num_copies), ": COPIES,
    "vector_environment.cc: num_envs)": COPIES,
    'vector_environment.cc: "copies"': COPIES,
    "vector_environment.cc: the task has no culture": "held by test_conformance_recordings",
    'vector_environment.cc: "episode"': COPY,
    'vector_environment.cc: "infos"': COPY,
    'vector_environment.cc: "observations"': COPY,
    'vector_environment.cc: "task"': COPY,
    'vector_environment.cc: "step"': "held by test_conformance_snapshots",
    "target_rate.cc: kOldest": COPY,
    "live_culture_state.cc: without copy ": COPIES,
    "live_culture_state.cc: num_clears": CULTURE,
    "live_culture_state.cc: summed_ms": CULTURE,
    "live_culture_state.cc: failed_at_ms": CULTURE,
    "live_culture_state.cc: kTick": CULTURE,
    'stimulus_plan.cc: "none"': CULTURE,
    "stimulus_plan.cc: there before": CULTURE,
    "stimulus_plan.cc: of_copy.size()": CULTURE,
    'sample_file.cc: "plan"': "held by sample_file_test",
    'sample_file.cc: "index"': "held by sample_file_test",
    'stimulus_plan.cc: "stimuli of a device"': CULTURE,
    "live_culture.cc: opsin[": "the message has a field for each name",
    'pulse_schedule.cc: "1e-4 .. 1 (ms)"': PROGRAM,
    "light_map.cc: fibres over": "half a gigabyte of gains",
    "live_culture_state.cc: encoding_state": CULTURE,
    "run_pulses.cc: many different levels": "seconds of work: held by run_pulses_test",
    "stimulus_plan.cc: max_bytes - taken": "256 MiB of requests: held by stimulus_timing_test",
    "culture_setup.cc: MechanismsField": "graph.json's reader says so first",
    "culture_setup.cc: without synapses": "held by catalog_test: needs other HDF5 files",
    'params.cc: "document"': PROGRAM,
    'params.cc: "model"': PROGRAM,
    "electrode_array.cc: times_ms": PROGRAM,
    "electrode_array.cc: what": PROGRAM,
    "electrode_grid.cc: num_x": PROGRAM,
    "electrode_grid.cc: as offsets and z": PROGRAM,
    'electrode_grid.cc: "a number > 0 (um)"': PROGRAM,
    "electrode_grid.cc: max_um": PROGRAM,
    'json_view.cc: "a finite number"': NUMBER,
    "json_view.cc: true or false": "tried beside other kinds only, which are told together",
}

# Files and folders that neither wire nor files reach; their own tests hold their errors.
CODING = "held by their own tests, and by test_conformance_codings that they arrive"
APART = {
    "io/signal/": "the server finds no spikes in potentials and makes no noise of electrodes",
    "io/stimulus/pulse_plan_text.cc": "the server takes plans as messages",
    "io/json/yaml.cc": "the server takes no YAML",
    "io/json/yaml_file.cc": "the server takes no YAML",
    "io/neuroh5/write_system.cc": "the server writes no systems",
    "io/device/preset/currents_check.cc": CODING,
    "io/coding/": CODING,
    "io/decoding/": CODING,
    "io/encoding/": CODING,
    "io/recording/": "the server writes streams of its own making, and the files are its own",
}


def is_apart(site: Site) -> bool:
    return any(site.file.startswith(place) for place in APART)


def test_every_site_is_walked_or_known_not_to_be_reached():
    walked = [row.site for row in (*OF_SITES, *ROWS)] + list(NOT_REACHED)
    reached = {site for name in walked for site in sites_of(name)}
    assert not [site for site in find_sites() if site not in reached and not is_apart(site)]


@pytest.mark.parametrize("place", APART)
def test_what_is_apart_has_sites_and_none_is_walked(place: str):
    sites = [site for site in find_sites() if site.file.startswith(place)]
    walked = {site for row in (*OF_SITES, *ROWS) for site in sites_of(row.site)}
    assert sites and not walked.intersection(sites)


@pytest.mark.parametrize(
    "name", sorted({row.site for row in (*OF_SITES, *ROWS)} | NOT_REACHED.keys())
)
def test_a_walked_site_is_one_of_the_source(name: str):
    assert len(sites_of(name)) == 1


def test_the_sites_are_found():
    rooms = Counter(site.file.split("/")[0] for site in find_sites())
    assert rooms["env"] > 40 and rooms["io"] > 60
