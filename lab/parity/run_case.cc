#include "lab/parity/run_case.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "env/culture/culture_model.h"
#include "env/culture/live_culture.h"
#include "lab/parity/case_stimulus.h"
#include "sim/executor.h"

namespace livnd::lab {
namespace {

// livn records membrane currents of a cell's first two sections.
constexpr int kCurrentSections = 2;
constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

// livn's name of the process behind a receptor that learns.
std::string ProcessOf(const std::string& receptor) {
  if (receptor == "NMDA") return "StdpLinExp2SynNMDA";
  if (receptor == "GABA_A") return "StdpLinExp2SynInh";
  return "StdpLinExp2Syn";
}

// One case on its way through its runs.
class CaseRunner {
 public:
  explicit CaseRunner(const OracleCase& oracle) : oracle_(oracle) {}

  absl::StatusOr<CaseRecording> Run() {
    LIVND_RETURN_IF_ERROR(Build());
    for (const OracleRun& run : oracle_.runs) {
      LIVND_RETURN_IF_ERROR(Prepare(run));
      LIVND_RETURN_IF_ERROR(Advance(run));
    }
    LIVND_RETURN_IF_ERROR(LookAtTheEnd());
    return std::move(recording_);
  }

 private:
  absl::Status Build() {
    LIVND_ASSIGN_OR_RETURN(const auto model,
                           env::CultureModel::Create(
                               std::make_shared<const io::System>(oracle_.system), oracle_.setup));
    LIVND_ASSIGN_OR_RETURN(culture_, env::LiveCulture::Create(model, 1, 0, executor_));
    LIVND_RETURN_IF_ERROR(culture_->Change(oracle_.start));
    Describe();
    env::CultureChange recording;
    recording.recording = Selection();
    LIVND_RETURN_IF_ERROR(culture_->Change(recording));
    env::CultureClear clear;
    clear.seeds = {oracle_.seed};
    return culture_->Clear(clear);
  }

  void Describe() {
    const sim::Culture& culture = culture_->culture();
    for (const int64_t gid : culture.gids()) {
      const sim::CellGroup& group = culture.groups()[culture.Find(gid).group];
      for (int s = 0; s < group.model->num_sections(); ++s) {
        recording_.sites.push_back({gid, s});
        if (s < kCurrentSections && oracle_.current_steps > 0)
          recording_.current_sites.push_back({gid, s});
      }
    }
    if (!oracle_.learns) return;
    for (const sim::PlasticConnection& c : culture.plastic_connections()) {
      recording_.learned_keys.push_back(
          absl::StrCat(c.target_gid, "/", c.syn_id, "/", ProcessOf(c.receptor)));
    }
  }

  // Voltages; membrane currents and electrode potentials if the case has them; states.
  env::RecordingSelection Selection() {
    env::RecordingSelection out;
    const auto add = [&](env::RecordedQuantity quantity, int every_steps,
                         std::vector<env::Site> sites) -> env::SeriesSelection& {
      env::SeriesSelection& series = out.series.emplace_back();
      series.quantity = quantity;
      series.sample_dt_ms = every_steps * oracle_.dt_ms;
      series.sites = std::move(sites);
      return series;
    };
    add(env::RecordedQuantity::kVoltageMv, oracle_.sample_steps, recording_.sites);
    if (!recording_.current_sites.empty()) {
      add(env::RecordedQuantity::kMembraneCurrentUa, oracle_.current_steps,
          recording_.current_sites);
      if (oracle_.setup.electrode_array.has_value()) {
        add(env::RecordedQuantity::kElectrodePotentialUv, oracle_.current_steps, {});
      }
    }
    first_state_ = out.series.size();
    // Of these only the first sample is wanted.
    constexpr int kSeldom = 1'000'000;
    for (const char* name : kCaseStates) {
      if (*name == 0) continue;
      add(env::RecordedQuantity::kState, kSeldom, recording_.sites).state = name;
    }
    return out;
  }

  // What happens before a run, in the order of tests/data/oracle/README.md.
  absl::Status Prepare(const OracleRun& run) {
    if (run.clear) {
      LIVND_RETURN_IF_ERROR(LookAtTheEnd());
      env::CultureClear clear;
      clear.repeat_noise = !run.reseed;
      clear.forget_learned_weights = true;  // livn's clear makes them 1
      LIVND_RETURN_IF_ERROR(culture_->Clear(clear));
    }
    env::CultureChange change;
    change.noise_stream = run.reseed_noise;
    change.plasticity_on = run.plasticity_on;
    if (run.plasticity_rules.has_value()) {
      change.plasticity = culture_->setup().culture.plasticity;
      for (const auto& [group, values] : *run.plasticity_rules) {
        for (const auto& [name, value] : values) (*change.plasticity)[group][name] = value;
      }
    }
    // livn starts a first run from weights of 1, whatever was done to them before.
    change.normalize_weights = run.normalize_weights.has_value() && culture_->tick() > 0;
    if (change.normalize_weights) change.normalize_target = run.normalize_weights;
    return culture_->Change(change);
  }

  absl::Status Advance(const OracleRun& run) {
    env::CultureRun wanted;
    wanted.duration_ms = run.duration_ms;
    if (run.stimulus.has_value()) {
      LIVND_ASSIGN_OR_RETURN(std::optional<env::CultureStimulus> stimulus,
                             StimulusOf(*run.stimulus, culture_->setup(), culture_->culture()));
      if (stimulus.has_value()) wanted.stimuli.push_back(*std::move(stimulus));
    }
    LIVND_RETURN_IF_ERROR(culture_->Run(wanted));
    env::CultureRecording got = culture_->TakeRecording();
    TakeStates(got);

    CaseRun& out = recording_.runs.emplace_back();
    for (size_t i = 0; i < got.spike_gids.size(); ++i) {
      out.spikes.push_back({got.spike_times_ms[i], got.spike_gids[i]});
    }
    std::stable_sort(out.spikes.begin(), out.spikes.end(),
                     [](const CaseSpike& a, const CaseSpike& b) {
                       return std::make_pair(a.time_ms, a.gid) < std::make_pair(b.time_ms, b.gid);
                     });
    out.num_samples = got.series[0].num_samples;
    out.voltage_mv = std::move(got.series[0].values);
    if (first_state_ > 1) {
      out.num_current_samples = got.series[1].num_samples;
      out.current_ua = std::move(got.series[1].values);
    }
    if (first_state_ > 2) out.electrode_uv = std::move(got.series[2].values);
    if (oracle_.learns) out.learned_weights = culture_->LearnedWeights();
    return absl::OkStatus();
  }

  // A run's states at its end are those at the start of the next step, which the next run tells;
  // where none goes on from there, a run of one step does.
  absl::Status LookAtTheEnd() {
    if (culture_->all_failed()) {
      GiveStates(std::vector<double>(recording_.sites.size() * std::size(kCaseStates), kAbsent));
      return absl::OkStatus();
    }
    env::CultureRun one_step;
    one_step.duration_ms = oracle_.dt_ms;
    LIVND_RETURN_IF_ERROR(culture_->Run(one_step));
    TakeStates(culture_->TakeRecording());
    return absl::OkStatus();
  }

  // The states that a recording begins with are those that the runs before it ended with.
  void TakeStates(const env::CultureRecording& next) {
    if (next.num_ticks == 0) return;  // begins with none
    std::vector<double> states;
    for (size_t n = 0; n < recording_.sites.size(); ++n) {
      const env::RecordedSeries* series = next.series.data() + first_state_;
      for (const char* name : kCaseStates) {
        if (*name == 0) {
          states.push_back(kAbsent);
        } else {
          states.push_back(series->values[n * static_cast<size_t>(series->num_samples)]);
          ++series;
        }
      }
    }
    GiveStates(states);
  }

  // To the runs that are without.
  void GiveStates(const std::vector<double>& states) {
    for (; num_with_states_ < recording_.runs.size(); ++num_with_states_) {
      recording_.runs[num_with_states_].states = states;
    }
  }

  const OracleCase& oracle_;
  sim::InlineExecutor executor_;
  std::unique_ptr<env::LiveCulture> culture_;
  size_t first_state_ = 0;      // the first series of states
  size_t num_with_states_ = 0;  // runs whose states are known
  CaseRecording recording_;
};

}  // namespace

absl::StatusOr<CaseRecording> RunOracleCase(const OracleCase& oracle) {
  return CaseRunner(oracle).Run();
}

}  // namespace livnd::lab
