#include "lab/parity/run_case.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "lab/parity/case_electrodes.h"
#include "lab/parity/case_stimuli.h"
#include "sim/gang/gang.h"
#include "sim/synapse/normalize.h"

namespace livnd::lab {
namespace {

constexpr int kNormalizeRounds = 20;  // livn 2.0.0 weights.py
// livn records membrane currents of a cell's first two sections.
constexpr int kCurrentSections = 2;

// livn's name of the process behind a receptor that learns.
std::string ProcessOf(const std::string& receptor) {
  if (receptor == "NMDA") return "StdpLinExp2SynNMDA";
  if (receptor == "GABA_A") return "StdpLinExp2SynInh";
  return "StdpLinExp2Syn";
}

// One case on its way through its runs.
class CaseRunner {
 public:
  explicit CaseRunner(const OracleCase& oracle)
      : oracle_(oracle), config_(oracle.culture), stimuli_(oracle), learning_(oracle.plasticity) {}

  absl::StatusOr<CaseRecording> Run() {
    LIVND_RETURN_IF_ERROR(Build());
    gang_->SetSeed(0, oracle_.seed);
    LIVND_RETURN_IF_ERROR(UpdateLearning());
    LIVND_RETURN_IF_ERROR(Describe());
    for (const OracleRun& run : oracle_.runs) {
      LIVND_RETURN_IF_ERROR(Prepare(run));
      LIVND_RETURN_IF_ERROR(Advance(run));
    }
    return std::move(recording_);
  }

 private:
  const sim::Culture& culture() const { return *culture_; }

  absl::Status Build() {
    LIVND_ASSIGN_OR_RETURN(culture_, sim::Culture::Create(config_));
    gang_ = std::make_unique<sim::Gang>(culture_, 1);
    return gang_->SetInputSpikes(oracle_.input_spikes_ms);
  }

  // The running state goes on in a culture of other rules.
  absl::Status Rebuild() {
    std::vector<double> state(gang_->keeps_currents() ? culture().state_size_with_currents()
                                                      : culture().state_size());
    gang_->SaveCopy(0, absl::MakeSpan(state));
    LIVND_RETURN_IF_ERROR(Build());
    gang_->LoadCopy(0, state);
    return stimuli_.InstallAll(*gang_);
  }

  absl::Status UpdateLearning() {
    if (!culture().has_plasticity()) return absl::OkStatus();
    return gang_->SetPlasticity(0, learning_);
  }

  absl::Status Describe() {
    for (const int64_t gid : culture().gids()) {
      const sim::CellGroup& group = culture().groups()[culture().Find(gid).group];
      for (int s = 0; s < group.model->num_sections(); ++s) {
        recording_.sites.push_back({gid, s});
        if (s < kCurrentSections && oracle_.current_steps > 0)
          recording_.current_sites.push_back({gid, s});
      }
    }
    for (const sim::PlasticConnection& c : culture().plastic_connections()) {
      recording_.learned_keys.push_back(
          absl::StrCat(c.target_gid, "/", c.syn_id, "/", ProcessOf(c.receptor)));
    }
    if (!recording_.current_sites.empty() && !oracle_.electrodes_um.empty()) {
      LIVND_ASSIGN_OR_RETURN(const io::ElectrodeArray array, ElectrodesOf(oracle_));
      recording_gains_ = array.RecordingGains(SectionPoints(oracle_, culture(), kCurrentSections));
    }
    return absl::OkStatus();
  }

  // What happens before a run, in the order of tests/data/oracle/README.md.
  absl::Status Prepare(const OracleRun& run) {
    if (run.clear) {
      if (run.reseed) ++stream_;
      gang_->LoadCopy(0, culture().initial_state());
      gang_->SetSeed(0, oracle_.seed, stream_);
      stimuli_.Clear();
      elapsed_ms_ = 0.0;
    }
    if (run.reseed_noise.has_value()) {
      stream_ = static_cast<uint32_t>(*run.reseed_noise);
      gang_->SetSeed(0, oracle_.seed, stream_);
    }
    if (run.plasticity_on.has_value()) learning_ = *run.plasticity_on;
    if (run.plasticity_rules.has_value()) {
      for (const auto& [group, values] : *run.plasticity_rules) {
        for (const auto& [name, value] : values) (*config_.plasticity)[group][name] = value;
      }
      LIVND_RETURN_IF_ERROR(Rebuild());
    }
    LIVND_RETURN_IF_ERROR(UpdateLearning());
    // livn starts a first run from weights of 1, whatever was done to them before.
    if (run.normalize_weights.has_value() && gang_->tick(0) > 0) {
      LIVND_RETURN_IF_ERROR(Normalize(*run.normalize_weights));
    }
    if (!run.stimulus.has_value()) return absl::OkStatus();
    return stimuli_.Install(*run.stimulus, elapsed_ms_, *gang_);
  }

  absl::Status Normalize(double target) {
    std::vector<sim::NormalizedWeight> bounds;
    for (const sim::PlasticConnection& c : culture().plastic_connections()) {
      bounds.push_back({c.target_gid, c.w_min, c.w_max});
    }
    std::vector<double> weights = gang_->LearnedWeights(0);
    sim::NormalizeWeights(bounds, target, kNormalizeRounds, absl::MakeSpan(weights));
    return gang_->SetLearnedWeights(0, weights);
  }

  static sim::Probe ProbeOf(sim::Probe::Quantity quantity, const std::vector<CaseSite>& sites,
                            int every_steps) {
    sim::Probe probe;
    probe.quantity = quantity;
    probe.every_steps = every_steps;
    for (const CaseSite& site : sites) probe.sites.push_back({site.gid, site.section});
    return probe;
  }

  absl::Status Advance(const OracleRun& run) {
    const double dt = culture().dt_ms();
    const double start_ms = static_cast<double>(gang_->tick(0)) * dt;
    sim::Probe voltage =
        ProbeOf(sim::Probe::Quantity::kVoltageMv, recording_.sites, oracle_.sample_steps);
    sim::Probe current = ProbeOf(sim::Probe::Quantity::kMembraneCurrentUa, recording_.current_sites,
                                 std::max(1, oracle_.current_steps));
    std::vector<sim::Probe*> probes = {&voltage};
    if (!recording_.current_sites.empty()) probes.push_back(&current);
    std::vector<sim::Spike> spikes;
    // livn rounds ties to even.
    gang_->Advance(static_cast<int64_t>(std::nearbyint(run.duration_ms / dt)), &spikes,
                   absl::MakeSpan(probes));

    elapsed_ms_ += run.duration_ms;

    CaseRun& out = recording_.runs.emplace_back();
    for (const sim::Spike& s : spikes) {
      out.spikes.push_back({static_cast<double>(s.tick) * dt + 1e-10 - start_ms, s.gid});
    }
    std::stable_sort(out.spikes.begin(), out.spikes.end(),
                     [](const CaseSpike& a, const CaseSpike& b) {
                       return std::make_pair(a.time_ms, a.gid) < std::make_pair(b.time_ms, b.gid);
                     });
    out.voltage_mv = RowsOf(voltage, out.num_samples);
    out.current_ua = RowsOf(current, out.num_current_samples);
    if (!recording_.learned_keys.empty()) out.learned_weights = gang_->LearnedWeights(0);
    out.states = States();
    if (!recording_gains_.empty() && out.num_current_samples > 0) {
      LIVND_ASSIGN_OR_RETURN(out.electrode_uv,
                             io::ElectrodePotentials(recording_gains_, out.current_ua,
                                                     recording_.current_sites.size()));
    }
    return absl::OkStatus();
  }

  // [site][sample]
  static std::vector<double> RowsOf(const sim::Probe& probe, int64_t& num_samples) {
    const size_t num_sites = probe.sites.size();
    num_samples = num_sites == 0 ? 0 : static_cast<int64_t>(probe.samples.size() / num_sites);
    std::vector<double> out;
    out.reserve(probe.samples.size());
    for (size_t n = 0; n < num_sites; ++n) {
      for (int64_t s = 0; s < num_samples; ++s) out.push_back(probe.samples[s * num_sites + n]);
    }
    return out;
  }

  // [site][kCaseStates] now. Probes look at the start of a step: of one that a copy takes.
  std::vector<double> States() const {
    std::vector<double> state(culture().initial_state().size());
    gang_->SaveCopy(0, absl::MakeSpan(state));
    sim::Gang ahead(culture_, 1);
    ahead.LoadCopy(0, state);
    constexpr size_t kNum = std::size(kCaseStates);
    std::vector<sim::Probe> probes;
    for (const char* name : kCaseStates) {
      probes.push_back(ProbeOf(sim::Probe::Quantity::kState, recording_.sites, 1));
      probes.back().state = name;
    }
    std::vector<sim::Probe*> wanted;
    for (sim::Probe& probe : probes) {
      if (!probe.state.empty()) wanted.push_back(&probe);
    }
    ahead.Advance(1, nullptr, absl::MakeSpan(wanted));
    std::vector<double> out;
    for (size_t n = 0; n < recording_.sites.size(); ++n) {
      for (size_t k = 0; k < kNum; ++k) {
        out.push_back(probes[k].samples.empty() ? std::numeric_limits<double>::quiet_NaN()
                                                : probes[k].samples[n]);
      }
    }
    return out;
  }

  const OracleCase& oracle_;
  sim::CultureConfig config_;
  std::shared_ptr<const sim::Culture> culture_;
  std::unique_ptr<sim::Gang> gang_;
  CaseStimuli stimuli_;
  bool learning_;
  uint32_t stream_ = 0;
  double elapsed_ms_ = 0.0;              // since the last clear, summed up as livn does
  std::vector<double> recording_gains_;  // [electrode][current site]; empty: no electrodes
  CaseRecording recording_;
};

}  // namespace

absl::StatusOr<CaseRecording> RunOracleCase(const OracleCase& oracle) {
  return CaseRunner(oracle).Run();
}

}  // namespace livnd::lab
