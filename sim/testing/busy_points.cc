#include "sim/testing/busy_points.h"

#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sim/cell/rcsd/rcsd_template.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::sim {
namespace {

constexpr int kNumExc = 11, kNumInh = 5, kNumSrc = 3;

void Must(const absl::Status& status) {
  if (!status.ok()) absl::StatusOr<int>(status).value();
}

// A fixed number in [0, 1) for each question.
double Pick(int64_t what, uint64_t seed) { return StableUniform(what, seed); }

void Connect(CultureConfig& config, const char* post, int first_post, int num_post, const char* pre,
             int first_pre, int num_pre, const std::vector<ReceptorConfig>& receptors) {
  ProjectionConfig p;
  p.post = post;
  p.pre = pre;
  p.receptors[ProjectionConfig::kDefaultReceptors] = receptors;
  for (int i = 0; i < num_post; ++i) {
    for (int j = 0; j < num_pre; ++j) {
      Edge e;
      e.target_gid = first_post + i;
      e.source_gid = first_pre + j;
      const int64_t what = e.target_gid * 1000 + e.source_gid;
      if (e.target_gid == e.source_gid || Pick(what, 1) < 0.4) continue;
      e.distance_um = 1200.0 * Pick(what, 2);
      e.weight = 0.5 + Pick(what, 3);
      p.edges.push_back(e);
    }
  }
  config.projections.push_back(std::move(p));
}

}  // namespace

const std::map<std::string, PointModelConfig>& PointModels() {
  static const auto* const kModels = [] {
    auto* models = new std::map<std::string, PointModelConfig>();
    (*models)["izhikevich"].kind = PointModelConfig::Kind::kIzhikevich;
    (*models)["lif"] = LeakyIntegrateAndFire();
    for (int level = 1; level <= 5; ++level)
      (*models)["glif" + std::to_string(level)].level = level;
    return models;
  }();
  return *kModels;
}

CultureConfig BusyPoints(const PointModelConfig& model) {
  const bool glif = model.kind == PointModelConfig::Kind::kGlif;
  // Izhikevich's currents are some 10 pA, GLIF's some 200 pA.
  const double scale = glif ? 1.0 : 0.05;
  CultureConfig config;
  config.model.point = model;
  config.populations = {{"EXC", 0, kNumExc}, {"INH", kNumExc, kNumInh}, {"SRC", 16, kNumSrc}};
  if (glif) {
    config.population_params["INH"] = {{"tau_m", 7.0}, {"t_ref", 2.51}};
    config.cell_params[2] = {{"V_threshold_base", -52.0}, {"f_v", 0.5}};
    config.cell_params[13] = {{"t_ref", 0.0}};
  } else {
    config.population_params["INH"] = {{"b", 0.22}};
    config.cell_params[2] = {{"c", -50.0}, {"d", 2.0}, {"u_init", 0.0}};
  }
  const auto current = [&](double weight_pa, double sign) {
    return ReceptorConfig{"I_syn", {{"weight", weight_pa * scale}, {"sign", sign}}};
  };
  const ReceptorConfig conductance = {"g_syn", {{"weight", 1.0 * scale}, {"tau", 3.0}, {"e", 0.0}}};
  const ReceptorConfig inhibition = {"g_syn",
                                     {{"weight", 3.0 * scale}, {"tau", 8.0}, {"e", -85.0}}};
  Connect(config, "EXC", 0, kNumExc, "EXC", 0, kNumExc, {current(40.0, 1.0), conductance});
  Connect(config, "EXC", 0, kNumExc, "INH", kNumExc, kNumInh, {inhibition});
  Connect(config, "EXC", 0, kNumExc, "SRC", 16, kNumSrc, {current(300.0, 1.0)});
  Connect(config, "INH", kNumExc, kNumInh, "EXC", 0, kNumExc, {current(60.0, 1.0)});
  Connect(config, "INH", kNumExc, kNumInh, "INH", kNumExc, kNumInh, {current(50.0, -1.0)});
  Connect(config, "INH", kNumExc, kNumInh, "SRC", 16, kNumSrc, {conductance});
  config.weights["EXC_SRC"] = 350.0 * scale;
  config.noise = {{"level", glif ? 60.0 : 0.8}, {"INH-level", glif ? 80.0 : 1.5}};
  return config;
}

void PrepareBusyPoints(Gang& gang) {
  const Culture& culture = gang.culture();
  auto map = std::make_shared<StimulusMap>();
  for (int64_t gid = 0; gid < 12; ++gid) map->row_of_channel.push_back(culture.SectionRow(gid, 0));
  map->row_of_channel.push_back(-1);
  map->num_channels = static_cast<int>(map->row_of_channel.size());
  gang.SetStimulusMap(StimulusMode::kCurrent, map);
  std::map<int64_t, std::vector<double>> inputs;
  for (int i = 0; i < 90; ++i) inputs[16 + i % kNumSrc].push_back(900.0 * Pick(i, 6));
  // At the start, twice at once, and on the grid.
  inputs[16].insert(inputs[16].end(), {0.0, 3.0, 3.0, 5.025});
  Must(gang.SetInputSpikes(inputs));
}

void InstallPointCurrents(Gang& gang, int copy, double strength, SampleTiming timing) {
  const bool glif = gang.culture().groups()[0].model->state_names().back() != "u";
  // Two stretches with a gap, the second cut into the first one's end by a later waveform.
  for (const double start_ms : {1.0, 60.0, 40.0}) {
    Waveform w;
    w.timing = timing;
    w.sample_dt_ms = 0.7;
    // Off every grid.
    w.first_tick = std::llround(start_ms / gang.culture().dt_ms()) + 3;
    w.first_sample = static_cast<int64_t>(start_ms / w.sample_dt_ms);
    w.num_channels = 13;
    for (int i = 0; i < 60 * w.num_channels; ++i) {
      const double x = Pick(i + static_cast<int64_t>(1000 * start_ms), 7) + 0.2;
      w.samples.push_back(i / w.num_channels % 10 < 2 ? 0.0 : strength * (glif ? 0.3 : 0.02) * x);
    }
    Must(gang.Install(copy, StimulusMode::kCurrent, std::move(w)));
  }
}

}  // namespace livnd::sim
