#include "sim/testing/busy_culture.h"

#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sim/cell/rcsd/rcsd_template.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::sim {
namespace {

constexpr int kNumExc = 11, kNumInh = 5, kNumSrc = 3;
constexpr int kNumElectrodes = 3;

// Ends the test with the status' message if it is an error.
void Must(const absl::Status& status) {
  if (!status.ok()) absl::StatusOr<int>(status).value();
}

// A fixed number in [0, 1) for each question.
double Pick(int64_t what, uint64_t seed) { return StableUniform(what, seed); }

ReceptorConfig Ampa(double weight) {
  return {"AMPA", {{"weight", weight}, {"g_unit", 0.0005}, {"tau_rise", 0.5}, {"tau_decay", 3.0}}};
}

void Connect(CultureConfig& config, const char* post, int first_post, int num_post, const char* pre,
             int first_pre, int num_pre, std::map<int, std::vector<ReceptorConfig>> receptors) {
  ProjectionConfig p;
  p.post = post;
  p.pre = pre;
  p.receptors = std::move(receptors);
  for (int i = 0; i < num_post; ++i) {
    for (int j = 0; j < num_pre; ++j) {
      Edge e;
      e.target_gid = first_post + i;
      e.source_gid = first_pre + j;
      const int64_t what = e.target_gid * 1000 + e.source_gid;
      if (e.target_gid == e.source_gid || Pick(what, 1) < 0.4) continue;
      e.swc_type = Pick(what, 2) < 0.4 ? kSwcSoma : 4;
      e.location = 1.2 * Pick(what, 3) - 0.1;
      e.distance_um = 1200.0 * Pick(what, 4);
      // Some delays end in the middle of a step.
      if (what % 5 == 0) e.distance_um = 250.0 * 0.025 * (static_cast<int>(what) % 97 + 2.5);
      p.edges.push_back(e);
    }
  }
  config.projections.push_back(std::move(p));
}

}  // namespace

CultureConfig BusyConfig() {
  CultureConfig config;
  config.populations = {{"EXC", 0, kNumExc}, {"INH", kNumExc, kNumInh}, {"SRC", 16, kNumSrc}};
  config.model.size_cv = {{"EXC", 0.4}, {"INH", 0.2}};
  config.cell_params[2] = {{"soma.g_pas", 2e-4}, {"dend.gmax_CaL", 3e-5}};
  config.cell_params[12] = {{"soma.gmax_Ka_v1in", 0.01}};
  constexpr int kDefault = ProjectionConfig::kDefaultReceptors;
  const ReceptorConfig nmda = {
      "NMDA", {{"weight", 2.0}, {"g_unit", 0.0005}, {"tau_rise", 0.5}, {"tau_decay", 80.0}}};
  const ReceptorConfig gaba_a = {
      "GABA_A",
      {{"weight", 2.0}, {"g_unit", 0.001}, {"tau_rise", 0.3}, {"tau_decay", 6.0}, {"e", -70.0}}};
  const ReceptorConfig gaba_b = {
      "GABA_B",
      {{"weight", 0.5}, {"g_unit", 0.001}, {"tau_rise", 2.0}, {"tau_decay", 20.0}, {"e", -95.0}}};
  Connect(config, "EXC", 0, kNumExc, "EXC", 0, kNumExc, {{kDefault, {Ampa(8.0), nmda}}});
  Connect(config, "EXC", 0, kNumExc, "INH", kNumExc, kNumInh,
          {{kDefault, {gaba_a}}, {kSwcSoma, {gaba_a, gaba_b}}});
  Connect(config, "EXC", 0, kNumExc, "SRC", 16, kNumSrc, {{kDefault, {Ampa(30.0)}}});
  Connect(config, "INH", kNumExc, kNumInh, "EXC", 0, kNumExc, {{kDefault, {Ampa(12.0)}}});
  Connect(config, "INH", kNumExc, kNumInh, "INH", kNumExc, kNumInh, {{kDefault, {gaba_a}}});
  Connect(config, "INH", kNumExc, kNumInh, "SRC", 16, kNumSrc, {{kDefault, {Ampa(40.0), nmda}}});
  config.weights["EXC_EXC-soma-AMPA-weight"] = 9.0;
  config.noise = {{"INH-std_e", 0.01}, {"std_i", 0.004}};
  config.plasticity = {{"EXC", {{"A_ltp", 3.0}, {"learning_tau", 2.0}}}};
  config.opsin.emplace();
  config.opsin->g0_ps = 3e4;
  return config;
}

CultureConfig BusyBlocks(int num_blocks) {
  const CultureConfig one = BusyConfig();
  const auto gid_in = [&](int64_t gid, int block) {
    for (const PopulationConfig& p : one.populations) {
      if (gid >= p.first_gid + p.num_cells) continue;
      return p.first_gid * num_blocks + block * p.num_cells + gid - p.first_gid;
    }
    return int64_t{-1};
  };
  CultureConfig config = one;
  for (PopulationConfig& p : config.populations) {
    p.first_gid *= num_blocks;
    p.num_cells *= num_blocks;
  }
  config.cell_params.clear();
  for (ProjectionConfig& p : config.projections) p.edges.clear();
  for (int b = 0; b < num_blocks; ++b) {
    for (const auto& [gid, params] : one.cell_params) config.cell_params[gid_in(gid, b)] = params;
    for (size_t i = 0; i < one.projections.size(); ++i) {
      for (Edge e : one.projections[i].edges) {
        // A third of them each from the block itself, the next one and one far away.
        const int steps[] = {0, 1, num_blocks / 2};
        const int from = (b + steps[e.source_gid % 3]) % num_blocks;
        e.target_gid = gid_in(e.target_gid, b);
        e.source_gid = gid_in(e.source_gid, from);
        config.projections[i].edges.push_back(e);
      }
    }
  }
  return config;
}

std::shared_ptr<const Culture> MustCreate(const CultureConfig& config) {
  return Culture::Create(config).value();
}

void PrepareBusyGang(Gang& gang) {
  const Culture& culture = gang.culture();
  const auto num_blocks = static_cast<int64_t>(culture.gids().size()) / (kNumExc + kNumInh);
  const auto row = [&](int64_t gid, int section) {
    return culture.SectionRow(gid * num_blocks, section);
  };
  auto field = std::make_shared<StimulusMap>();
  field->num_channels = kNumElectrodes;
  for (int64_t i = 0; i < kNumElectrodes * culture.num_section_rows(); ++i) {
    field->gains.push_back(4.0 * Pick(i, 5));
  }
  gang.SetStimulusMap(StimulusMode::kField, field);
  auto current = std::make_shared<StimulusMap>();
  current->row_of_channel = {row(0, 0), row(3, 1), -1, row(13, 2)};
  current->num_channels = static_cast<int>(current->row_of_channel.size());
  gang.SetStimulusMap(StimulusMode::kCurrent, current);
  auto density = std::make_shared<StimulusMap>();
  for (int64_t gid = 4; gid < 11; ++gid) {
    density->row_of_channel.push_back(row(gid, gid % 2));
  }
  density->num_channels = static_cast<int>(density->row_of_channel.size());
  gang.SetStimulusMap(StimulusMode::kCurrentDensity, density);
  auto light = std::make_shared<StimulusMap>();
  light->row_of_channel = {row(1, 0), row(12, 0)};
  light->num_channels = static_cast<int>(light->row_of_channel.size());
  gang.SetStimulusMap(StimulusMode::kLight, light);
  std::map<int64_t, std::vector<double>> inputs;
  const int64_t first_source = 16 * num_blocks;
  for (int i = 0; i < 60 * num_blocks; ++i) {
    inputs[first_source + i % (kNumSrc * num_blocks)].push_back(60.0 * Pick(i, 6));
  }
  // At the start, twice at once, and on the grid.
  inputs[first_source].insert(inputs[first_source].end(), {0.0, 3.0, 3.0, 5.0125});
  Must(gang.SetInputSpikes(inputs));
}

void InstallBusyStimuli(Gang& gang, int copy, double strength, SampleTiming timing) {
  Must(gang.SetPlasticity(copy, true));
  const struct {
    StimulusMode mode;
    int num_channels;
    double sample_dt_ms;
    double size;
  } kModes[] = {{StimulusMode::kField, kNumElectrodes, 0.1, 20.0},
                {StimulusMode::kCurrent, 4, 0.25, 0.3},
                {StimulusMode::kCurrentDensity, 7, 0.5, 0.02},
                {StimulusMode::kLight, 2, 0.5, 1e17}};
  for (const auto& m : kModes) {
    // Two stretches with a gap, the second cut into the first one's end by a later waveform.
    for (const double start_ms : {1.0, 8.0, 6.0}) {
      Waveform w;
      w.timing = timing;
      w.sample_dt_ms = m.sample_dt_ms;
      // Off every grid.
      w.first_tick = std::llround(start_ms / gang.culture().dt_ms()) + 3;
      w.first_sample = static_cast<int64_t>(start_ms / m.sample_dt_ms);
      w.num_channels = m.num_channels;
      const int num_samples = static_cast<int>(4.0 / m.sample_dt_ms);
      for (int i = 0; i < num_samples * m.num_channels; ++i) {
        const double x = Pick(i + static_cast<int64_t>(1000 * start_ms), 7) - 0.4;
        // Pauses of silence within the waveform.
        w.samples.push_back(i / m.num_channels % 10 < 3 ? 0.0 : strength * m.size * x);
      }
      Must(gang.Install(copy, m.mode, std::move(w)));
    }
  }
}

std::vector<double> Save(const Gang& gang, int copy) {
  std::vector<double> state(gang.culture().initial_state().size());
  gang.SaveCopy(copy, absl::MakeSpan(state));
  return state;
}

std::vector<std::pair<int64_t, int64_t>> SpikesOf(const std::vector<Spike>& spikes, int copy) {
  std::vector<std::pair<int64_t, int64_t>> out;
  for (const Spike& s : spikes) {
    if (s.copy == copy) out.emplace_back(s.tick, s.gid);
  }
  return out;
}

}  // namespace livnd::sim
