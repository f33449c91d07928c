// What goes into a live culture and what comes out of it.
#ifndef LIVND_ENV_CULTURE_CULTURE_TYPES_H_
#define LIVND_ENV_CULTURE_CULTURE_TYPES_H_

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "io/coding/coding_spec.h"
#include "io/culture/culture_setup.h"
#include "io/decoding/decoding.h"
#include "io/device/light_array_config.h"
#include "io/device/preset/device_presets.h"
#include "io/stimulus/pulse_plan.h"
#include "io/stimulus/pulse_schedule.h"
#include "io/system/system.h"
#include "sim/stimulus/stimulus.h"
#include "sim/synapse/plasticity.h"

namespace livnd::env {

// A section of a cell: 0 is the soma, then the dendrite if there is one, then the axon's links.
struct Site {
  int64_t gid = 0;
  int section = 0;

  friend bool operator<(const Site& a, const Site& b) {
    return std::tie(a.gid, a.section) < std::tie(b.gid, b.section);
  }
  friend bool operator==(const Site& a, const Site& b) {
    return a.gid == b.gid && a.section == b.section;
  }
};

// What the numbers of a stimulus are, and how they act (sim/stimulus/stimulus.h).
enum class StimulusQuantity {
  kExtracellularMv,      // at each site, -1000 .. 1000
  kCurrentNa,            // into each site
  kCurrentDensityMaCm2,  // inward, at each site
  kElectrodeUa,          // of each electrode
  kIrradianceMwMm2,      // on each site, which must be a soma; >= 0
  kPhotonFlux,           // photons/s/mm2, likewise
  kFiberMw,              // out of each fibre, 0 .. 1e4
};

// Samples of the channels from the start of the run on; 0 after the last one. What acts where and
// when two stimuli overlap is told in env/culture/stimulus_plan.h.
struct CultureStimulus {
  StimulusQuantity quantity = StimulusQuantity::kExtracellularMv;
  // All stimuli of a mode have the same until the next Clear.
  sim::SampleTiming timing = sim::SampleTiming::kExactTicks;
  double sample_dt_ms = 1.0;        // kExactTicks: a multiple of the culture's dt
  std::vector<Site> sites;          // one a channel ...
  std::vector<int64_t> electrodes;  // ... or, for kElectrodeUa and kFiberMw, ids
  int64_t num_samples = 0;
  bool per_copy = false;
  std::vector<double> samples;   // [num_samples][channel], or [copy][num_samples][channel]
  double wavelength_nm = 473.0;  // of kIrradianceMwMm2
};

enum class RecordedQuantity {
  kVoltageMv,
  // Of the half step before the sample, stimuli left out; 0 at time 0, and at the time from which
  // currents or what electrodes hear of them are recorded for the first time.
  kMembraneCurrentUa,
  kState,                 // by its name
  kElectrodePotentialUv,  // of every electrode in declared order; no sites
  kLearnedWeight,         // of every plastic connection; no sites
};

// Samples at the start of a run and every sample_dt_ms from there, the run's end excluded.
struct SeriesSelection {
  RecordedQuantity quantity = RecordedQuantity::kVoltageMv;
  std::string state;          // of kState: a name of sim::CellModel::state_names
  double sample_dt_ms = 0.1;  // a multiple of the culture's dt
  std::vector<Site> sites;
  bool single_precision = false;  // the reader takes 32 bits a number
};

// kAny: cells of a decoding of voltages; else electrodes where there are any.
enum class DecodingUnits { kAny, kElectrodes, kCells };

// A decoding of each run: the run is its window.
struct DecodingSelection {
  io::CodingSpec spec;
  DecodingUnits units = DecodingUnits::kAny;
  double sample_dt_ms = 0.0;  // of decodings of potentials (0: 0.1) or voltages (0: 0.025)
};

// What the numbers that a run is given become; each set of them holds for a step.
struct EncodingSelection {
  io::CodingSpec spec;
  double step_ms = 0.0;
};

struct RecordingSelection {
  bool spikes = true;
  std::vector<std::string> spike_populations;  // of these only; empty: of all
  std::vector<SeriesSelection> series;
  std::vector<DecodingSelection> decodings;  // of all spikes, whichever are recorded
};

// What a decoding gave.
struct Decoded {
  std::string name;
  std::vector<io::DecodingOutput> outputs;
  std::vector<double>
      values;  // [copy][value]; NaN of a copy that failed, or had more spikes than are kept
};

struct RecordedSeries {
  int64_t num_rows = 0;
  int64_t num_samples = 0;
  std::vector<double> values;  // [copy][row][sample]; NaN from the time on when a copy has failed
};

// What a run was given to deliver, to one copy or to all of them.
struct GivenStimulus {
  sim::StimulusMode mode = sim::StimulusMode::kField;
  int copy = -1;  // -1: all
  // What the waveform's columns are; null: channels of the mode's device, in declared order.
  std::shared_ptr<const std::vector<Site>> sites;
  std::shared_ptr<const sim::Waveform> waveform;  // uA, mW, mV, nA, mA/cm2 or photons/s/mm2
};

class RunPulses;

// What one run left, all copies.
struct CultureRecording {
  int64_t start_tick = 0;
  int64_t num_ticks = 0;
  // Of copy c: elements spike_offsets[c] .. spike_offsets[c + 1], by time.
  std::vector<int64_t> spike_offsets;
  std::vector<int64_t> spike_gids;
  std::vector<int64_t> spike_ticks;    // since the last Clear
  std::vector<double> spike_times_ms;  // since the start of the run
  std::vector<RecordedSeries> series;  // in the order of the selection
  // [copy]: the copy's numbers are good up to here (ms since the last Clear), and it does not run
  // until the next Clear; NaN where nothing failed.
  std::vector<double> failed_at_ms;
  // What the run's plan delivered to each electrode, in declared order, where the run asked for it.
  std::vector<io::ElectrodeCharge> charges;
  std::vector<Decoded> decoded;  // in the order of the selection
  // Where the run kept its stimuli: those that it was given, which may last longer than it, what its
  // features became, and its plan of pulses.
  std::vector<GivenStimulus> stimuli;
  std::shared_ptr<const RunPulses> pulses;
};

// What the culture's encoding is given: [copy][step][input].
struct CultureFeatures {
  int64_t num_steps = 0;
  std::vector<float> values;
};

struct CultureRun {
  double duration_ms = 0.0;
  std::vector<CultureStimulus> stimuli;
  // Pulses on electrodes and fibres, from the start of the run on, the same for all copies; over when the run is. Not
  // beside other stimuli of the field, or of light (env/culture/run_pulses.h).
  std::optional<io::PulsePlan> pulse_plan;
  bool account_charges = false;  // of the plan
  // The run lasts as many steps of the encoding. Not beside a plan with pulses or other stimuli of the field.
  std::optional<CultureFeatures> features;
  bool keep_stimuli = false;  // in the recording
  // What the recording may take up, bytes: spikes 24 each, series 8 or 4 a number.
  int64_t max_recording_bytes = int64_t{1} << 30;
  // So much of it is no matter: a run whose spikes may take more can be given up (GiveUpRun).
  int64_t sure_recording_bytes = std::numeric_limits<int64_t>::max();
  // What all stimuli that are not over may take up, those of earlier runs included: 8 bytes a sample,
  // and some for each stimulus.
  int64_t max_stimulus_bytes = int64_t{256} << 20;
};

struct CultureClear {
  // One entry a copy, or empty: every copy keeps its seed.
  std::vector<std::optional<uint64_t>> seeds;
  // Without a seed: run this noise stream again, instead of going on to the next one (livn's
  // clear()).
  bool repeat_noise = false;
  // Which of the seed's streams; absent: as above, and 0 where a seed is given.
  std::optional<uint32_t> noise_stream;
  // All learned weights become 1 (as livn's do by mistake), instead of staying.
  bool forget_learned_weights = false;
};

// Changes of a culture; what is absent stays as it is. Taken in the order of the fields.
struct CultureChange {
  // Only at time 0: build other cells, or with another model. The culture is then as a new one: its
  // default parameters, nothing learned, no input spikes, only spikes recorded.
  std::optional<io::SetupOptions> setup;
  // Only at time 0: other electrodes and fibres than the system's. They stay when other cells are built.
  std::optional<io::Device> device;
  std::optional<io::LightArrayConfig> light_array;
  // Only at time 0.
  std::optional<double> dt_ms;
  std::optional<double> v_init_mv;
  // Parameters: forget all that were set, so that those of the graph hold and there is no noise;
  // take what livn.make would take of this group of the system's document; set single ones.
  bool forget_params = false;
  std::string params_group;
  io::ParamList params;
  // The opsin's numbers by livn's names: g0 (pS), E, v0 (mV), k_a, k_r, Gd, Gr0 (1/ms), p, q, phi_m.
  std::map<std::string, double> opsin;
  // Learning rules (sim/synapse/plasticity.h); what they leave out has livn's default.
  std::optional<sim::PlasticityConfig> plasticity;
  std::vector<double> learned_weights;  // [copy][plastic connection], or empty
  bool normalize_weights = false;
  std::optional<double> normalize_target;  // sum of a cell's learned weights; absent: their number
  std::optional<bool> plasticity_on;
  std::optional<uint32_t> noise_stream;  // from now on
  std::optional<RecordingSelection> recording;
  // What features become from now on; an empty one: there are none any more.
  std::optional<std::optional<EncodingSelection>> encoding;
  // Spike times of event sources, ms since the last Clear; replaces those of the gids named.
  std::map<int64_t, std::vector<double>> input_spikes_ms;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_CULTURE_CULTURE_TYPES_H_
