// What a search looks for: which numbers may change, what is measured, and what is good.
#ifndef LIVND_LAB_TUNE_TARGET_H_
#define LIVND_LAB_TUNE_TARGET_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "io/json/json_file.h"
#include "io/stimulus/pulse_plan.h"
#include "io/system/system.h"
#include "lab/tune/recruitment_miss.h"

namespace livnd::lab {

// In which terms a number is searched: as it is, log10(x), or log10(1 + x).
enum class Scale { kIdentity, kLog10, kLog1p };

// In natural units; low < high, and both have an image under the scale.
struct Range {
  double low = 0.0;
  double high = 1.0;
  Scale scale = Scale::kIdentity;
};

// What makes excitatory cells tire: the potassium current that calcium opens, and how fast calcium is removed.
inline constexpr const char* kAdaptationKeys[] = {"soma.gmax_KCa", "dend.gmax_KCa",
                                                  "soma.kCa_Ca_conc", "dend.kCa_Ca_conc"};

// livn's search space of a culture (livn 2.0.0's culture target) and any other parameter.
struct SpaceConfig {
  // The reference weight: of the first excitatory AMPA connections within one population. All others
  // are searched as ratios to it; those of NMDA receptors by a range of their own.
  std::optional<Range> reference, ratio, nmda_ratio;
  // Instead of the reference weight, weight * noise-g_e0.
  std::optional<Range> ignition;
  // Of the reference's site, where AMPA depresses: weights onto it are divided by U.
  std::optional<Range> tau_rec, release;
  // By name: g_total, g_ratio and std_fraction, which come to g_e0, g_i0, std_e and std_i; or these; and
  // tau_e, tau_i.
  std::vector<std::pair<std::string, Range>> noise;
  // Of one population: its g_e0 and g_i0 as multiples of the others'.
  std::vector<std::pair<std::string, Range>> noise_balance;
  // kAdaptationKeys, each by a factor of 10 to either side of what the model has.
  bool adaptation = false;
  // Millivolts of the field that a microampere makes at contact; within what is simulated for the stimulus.
  std::optional<Range> stimulation_gain;
  // Any keys of docs/params.md.
  std::vector<std::pair<std::string, Range>> params;
  // Keys that do not change, in order, before all others.
  std::vector<std::pair<std::string, double>> fixed;
};

// Pulses on one electrode after the recorded time, one a trial: the amplitudes in turn, and all of them again.
struct StimulusConfig {
  std::vector<double> amplitudes_ua;  // > 0, ascending, two at least
  int repeats = 8;
  // Of all pulses; its amplitude and its start are a trial's. livn's pulse of 0.2 ms.
  io::ElectrodePulses pulse = LivnsPulse();
  std::optional<int32_t> electrode;  // an id; absent: DrivingElectrode
  double trial_ms = 6000.0;
  double onset_ms = 1000.0;  // of the pulse in its trial
  // Before and after the onset: an electrode that hears more after it than before, by these times, and one spike
  // more, answers.
  double pre_ms = 1000.0;
  double post_ms = 500.0;
  double recovery_ms = 3500.0;  // that a trial leaves beside them, at least
  double recruited = 0.5;       // part of the electrodes that answer, at threshold
  bool gate = true;             // only of cultures whose other constraints are all held
  std::optional<RecruitmentBracket> measured;

  static io::ElectrodePulses LivnsPulse();
};
// One trial's pulse, from the trial's start on.
io::PulsePlan PlanOf(const StimulusConfig& config, int32_t electrode, double amplitude_ua);
// How long one lasts, and the strongest current of all.
double PulseMs(const io::ElectrodePulses& pulse);
double PeakUa(const StimulusConfig& config);

enum class Cost { kSquare, kLogSquare, kAbsolute, kValue };

// Minimised: a cost of a feature's value x and a target t: (x - t)^2, ln((x + 1e-3) / (t + 1e-3))^2, |x - t|, or x.
struct Objective {
  std::string name;
  size_t feature = 0;  // index among kFeatures
  double target = 0.0;
  Cost cost = Cost::kSquare;
};

// Held where its value is above 0. By its kind, of a feature's value x:
//   max    1 + (high - x) / scale up to high, -1 - (x - high) / scale above; none: -10
//   min    likewise from low on
//   band   1 - 0.1 |x - centre| / half the width within low .. high, -2 times the distance from the nearer edge by
//          that edge's size outside; none: -2
//   all    1 if all of some others are held, -1 otherwise; max and min as `decided_by` says
struct Constraint {
  enum class Kind { kMax, kMin, kBand, kAll };

  std::string name;
  Kind kind = Kind::kMax;
  size_t feature = 0;
  // The feature that decides which of the two forms of max or min holds; the value is of `feature`.
  size_t decided_by = 0;
  double low = 0.0;
  double high = 0.0;
  double scale = 1.0;
  bool per_unit = false;       // low and high are multiplied by the number of units
  std::vector<size_t> all_of;  // indices of constraints before this one
};

// A feature's name, and livn's words about it where it has any.
struct FeatureName {
  const char* name;
  const char* meaning;
};

// What is measured in each evaluation (lab/tune/features.h), livn's names first.
inline constexpr std::array<FeatureName, 20> kFeatures = {{
    {"mfr", "mean rate of the units, Hz"},
    {"isi_cv", "mean over units with 5 spikes or more of the variation of their intervals"},
    {"active_fraction", "units that have fired, of all"},
    {"mean_channel_correlation", "mean correlation of pairs of units, in bins of 10 ms"},
    {"max_synchronous_peak", "spikes in the fullest bin of 2 ms, by units that have fired"},
    {"max_neuron_firing_rate", "rate of the fastest unit, Hz"},
    {"pop_rate_hz", "spikes of all units a second"},
    {"pop_rate_per_unit_hz", "the same by units, Hz"},
    {"pop_autocorr_tau", "time over which the population's rate stays what it is, ms"},
    {"burst_rate", "network bursts a second, Hz"},
    {"branching_ratio", "how many spikes follow one in the next bin of an avalanche"},
    {"avalanche_r2", "how well a power law fits the sizes of avalanches"},
    {"fano_factor", "variance by mean of the population's counts in 100 ms"},
    {"coefficient_of_variation", "deviation by mean of the same"},
    {"tail_rate_hz", "spikes of all units a second, in the last second"},
    {"worst_population_active", "cells that have fired, of all, of the population with the least"},
    {"total_spikes", "spikes of all units"},
    {"stimulus_threshold", "amplitude that half of the electrodes answer, uA"},
    {"threshold_miss", "decades from it to what was measured"},
    {"recruitment_miss",
     "logits from the part that answers to what was measured, root mean square"},
}};
// From here on they are those of the stimulus: the others are of the time before it.
inline constexpr size_t kFirstStimulusFeature = 17;
using Features = std::array<double, kFeatures.size()>;  // NaN: not defined

// The index of a name, or -1.
int FindFeature(absl::string_view name);

struct Target {
  std::string name;
  // Numbers as they should be, or with what livn 2.0.0 gets wrong (docs/tuning.md).
  bool livn_metrics = false;
  bool by_electrode =
      false;  // units are electrodes, which hear the cells in their reach; else cells
  double warmup_ms = 1000.0;
  double duration_ms = 30'000.0;
  int trials = 1;  // with different noise; objectives are averaged, the worst constraint counts
  uint64_t seed = 123;                     // of the noise; livn's
  int64_t min_spikes = 150;                // with fewer there is no correlation
  std::optional<io::ModelDocument> model;  // instead of the system's
  std::optional<io::Json> selection;       // of cells; a spec of docs/params.md
  SpaceConfig space;
  std::optional<StimulusConfig> stimulus;
  std::vector<Objective> objectives;
  std::vector<Constraint> constraints;
  // What a culture's features were measured to be; marks and ranks solutions, no more.
  std::vector<std::pair<size_t, std::array<double, 2>>> feature_bands;
  io::Json document;  // as it was read

  // How many of kFeatures there are: without a stimulus those of the time at rest.
  size_t num_features() const {
    return stimulus.has_value() ? kFeatures.size() : kFirstStimulusFeature;
  }
};

}  // namespace livnd::lab

#endif  // LIVND_LAB_TUNE_TARGET_H_
