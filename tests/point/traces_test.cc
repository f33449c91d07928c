// Point neurons against recorded traces of livn 2.0.0 and Brian2 (tests/data/oracle_point).
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "io/json/json_file.h"
#include "sim/culture/culture.h"
#include "sim/gang/gang.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::sim {
namespace {

using io::Json;

// Rounding alone: the recorder computes in SI units and keeps 13 digits.
constexpr double kTolerance = 1e-8;

Json Read(const std::string& name) {
  return io::ReadJsonFile(absl::StrCat("tests/data/oracle_point/", name, ".json")).value();
}

// The model and, where parameters differ from cell to cell, those of each cell.
void SetModel(const Json& trace, CultureConfig& config) {
  const Json& model = trace["model"];
  PointModelConfig point;
  if (model["class"] == "Izhikevich") {
    point.kind = PointModelConfig::Kind::kIzhikevich;
    point.seed = trace.value("seed", 123u);
  } else if (model.value("preset", "") == "leaky_integrate_and_fire") {
    point = LeakyIntegrateAndFire();
  } else {
    point.level = model["level"].get<int>();
  }
  if (model.contains("params")) {
    for (const auto& [name, value] : model["params"].items()) {
      if (value.is_number()) point.params[name] = value.get<double>();
      for (size_t gid = 0; value.is_array() && gid < value.size(); ++gid) {
        config.cell_params[static_cast<int64_t>(gid)][name] = value[gid].get<double>();
      }
    }
  }
  if (point.kind == PointModelConfig::Kind::kIzhikevich) {
    if (trace["reference"] == "livn-brian2") {
      point.params["u_init"] = 0.0;
    } else {
      for (size_t gid = 0; gid < trace["cells"].size(); ++gid) {
        for (const auto& [name, value] : trace["cells"][gid].items()) {
          config.cell_params[static_cast<int64_t>(gid)][name] = value.get<double>();
        }
      }
    }
  }
  config.model.point = point;
}

void SetEdges(const Json& trace, CultureConfig& config) {
  auto population_of = [&](int64_t gid) {
    for (const PopulationConfig& p : config.populations) {
      if (gid >= p.first_gid && gid < p.first_gid + p.num_cells) return p.name;
    }
    return std::string();
  };
  std::map<std::pair<std::string, std::string>, ProjectionConfig> projections;
  for (const Json& e : trace["edges"]) {
    Edge edge;
    edge.source_gid = e["source"].get<int64_t>();
    edge.target_gid = e["target"].get<int64_t>();
    const std::string pre = population_of(edge.source_gid), post = population_of(edge.target_gid);
    ReceptorConfig receptor;
    if (trace["reference"] == "livn-brian2") {
      edge.distance_um = e["distance_um"].get<double>();
      const double sign = e["inhibitory"].get<bool>() ? -1.0 : 1.0;
      receptor = {"I_syn", {{"tau", std::numeric_limits<double>::infinity()}, {"sign", sign}}};
    } else {
      edge.distance_um = 250.0 * e["delay_ms"].get<double>();
      const std::string state = e["state"].get<std::string>();
      const Json& synapse = trace["synapses"][state];
      receptor = {
          state == "I_syn" ? "I_syn" : "g_syn",
          {{"tau", synapse["tau_ms"].get<double>()}, {"weight", e["weight"].get<double>()}}};
      if (synapse.contains("e_mv")) receptor.params["e"] = synapse["e_mv"].get<double>();
    }
    ProjectionConfig& projection = projections[{post, pre}];
    projection.post = post;
    projection.pre = pre;
    std::vector<ReceptorConfig>& own = projection.receptors[ProjectionConfig::kDefaultReceptors];
    if (own.empty()) own.push_back(receptor);
    ASSERT_EQ(own[0].params, receptor.params) << "edges of one projection differ";
    projection.edges.push_back(edge);
  }
  for (auto& [name, projection] : projections) config.projections.push_back(std::move(projection));
  if (trace.contains("weights")) {
    config.weights = trace["weights"].get<std::map<std::string, double>>();
  }
}

CultureConfig ConfigOf(const Json& trace) {
  CultureConfig config;
  config.dt_ms = trace["dt_ms"].get<double>();
  int64_t gid = 0;
  for (const auto& [name, count] : trace["populations"].items()) {
    config.populations.push_back({name, gid, count.get<int64_t>()});
    gid += count.get<int64_t>();
  }
  SetModel(trace, config);
  if (trace.contains("edges")) SetEdges(trace, config);
  return config;
}

// One channel a cell.
void InstallCurrents(Gang& gang, Waveform waveform) {
  waveform.timing = SampleTiming::kLivn;
  auto map = std::make_shared<StimulusMap>();
  for (int64_t gid : gang.culture().gids()) {
    map->row_of_channel.push_back(gang.culture().SectionRow(gid, 0));
  }
  map->num_channels = static_cast<int>(map->row_of_channel.size());
  gang.SetStimulusMap(StimulusMode::kCurrent, map);
  waveform.num_channels = map->num_channels;
  const absl::Status installed = gang.Install(0, StimulusMode::kCurrent, std::move(waveform));
  ASSERT_TRUE(installed.ok()) << installed;
}

class TraceTest : public testing::TestWithParam<std::string> {};

TEST_P(TraceTest, EveryStateAndSpikeIsTheReferences) {
  const Json trace = Read(GetParam());
  const auto culture = Culture::Create(ConfigOf(trace));
  ASSERT_TRUE(culture.ok()) << culture.status();
  Gang gang(*culture, 1);
  Waveform waveform;
  waveform.sample_dt_ms = trace["stimulus"]["dt_ms"].get<double>();
  for (const Json& row : trace["stimulus"]["samples_na"]) {
    for (const Json& x : row) waveform.samples.push_back(x.get<double>());
  }
  InstallCurrents(gang, std::move(waveform));

  const double dt = trace["dt_ms"].get<double>();
  std::map<std::string, Probe> probes;
  std::vector<Probe*> asked;
  for (const auto& [name, samples] : trace["states"].items()) {
    Probe& probe = probes[name];
    probe.quantity = Probe::Quantity::kState;
    probe.state = name;
    probe.every_steps = static_cast<int>(std::lround(trace["sample_ms"].get<double>() / dt));
    for (int64_t gid : (*culture)->gids()) probe.sites.push_back({gid, 0});
    asked.push_back(&probe);
  }
  std::vector<Spike> spikes;
  gang.Advance(std::lround(trace["duration_ms"].get<double>() / dt), &spikes, asked);

  std::vector<int64_t> gids, ticks;
  for (const Spike& s : spikes) {
    gids.push_back(s.gid);
    ticks.push_back(s.tick);
  }
  EXPECT_EQ(ticks, trace["spikes"]["tick"].get<std::vector<int64_t>>());
  EXPECT_EQ(gids, trace["spikes"]["gid"].get<std::vector<int64_t>>());
  EXPECT_GT(gids.size(), 10u);
  for (const auto& [name, probe] : probes) {
    const Json& samples = trace["states"][name];
    const size_t num_cells = probe.sites.size();
    ASSERT_EQ(probe.samples.size(), samples.size() * num_cells) << name;
    double worst = 0.0;
    for (size_t i = 0; i < probe.samples.size(); ++i) {
      const double expected = samples[i / num_cells][i % num_cells].get<double>();
      worst = std::max(worst, std::fabs(probe.samples[i] - expected));
    }
    EXPECT_LT(worst, kTolerance) << name;
    RecordProperty("worst_" + name, absl::StrCat(worst));
  }
}

INSTANTIATE_TEST_SUITE_P(Traces, TraceTest,
                         testing::Values("livn_glif1", "livn_glif2", "livn_glif3", "livn_glif4",
                                         "livn_glif5", "livn_glif5_cells", "livn_lif",
                                         "livn_izhikevich", "livn_izhikevich_coarse",
                                         "livn_glif3_network", "livn_izhikevich_network",
                                         "brian2_glif4_network", "brian2_izhikevich_network",
                                         "brian2_lif_conductance_network"),
                         [](const auto& info) { return info.param; });

// livn's event-driven solver has no step: spike times converge to its.
class EventSolverTest : public testing::TestWithParam<std::string> {};

TEST_P(EventSolverTest, SpikeTimesConvergeToIts) {
  const Json trace = Read(GetParam());
  double coarsest = 0.0, finest = 0.0;
  for (const double dt : {0.05, 0.0125, 0.003125}) {
    CultureConfig config;
    config.dt_ms = dt;
    const auto num_cells = static_cast<int64_t>(trace["currents_na"].size());
    config.populations = {{"EXC", 0, num_cells}};
    SetModel(trace, config);
    if (trace.contains("edges")) {
      // Events act at once there, here after two steps: the shortest delay.
      for (const double sign : {1.0, -1.0}) {
        ProjectionConfig& projection = config.projections.emplace_back();
        projection.post = projection.pre = "EXC";
        projection.receptors[ProjectionConfig::kDefaultReceptors] = {{"I_syn", {{"sign", sign}}}};
        for (const Json& e : trace["edges"]) {
          Edge edge;
          edge.source_gid = e["source"].get<int64_t>();
          edge.target_gid = e["target"].get<int64_t>();
          edge.weight = sign * e["weight"].get<double>();
          if (edge.weight > 0.0) projection.edges.push_back(edge);
        }
      }
    }
    const auto culture = Culture::Create(config);
    ASSERT_TRUE(culture.ok()) << culture.status();
    Gang gang(*culture, 1);
    const double duration_ms = trace["duration_ms"].get<double>();
    Waveform waveform;
    waveform.sample_dt_ms = 2.0 * duration_ms;
    waveform.samples = trace["currents_na"].get<std::vector<double>>();
    InstallCurrents(gang, std::move(waveform));
    std::vector<Spike> spikes;
    gang.Advance(std::lround(duration_ms / dt), &spikes);
    double worst = 0.0;
    for (int64_t gid = 0; gid < num_cells; ++gid) {
      const auto expected =
          trace["spike_times_ms"][static_cast<size_t>(gid)].get<std::vector<double>>();
      std::vector<double> times;
      for (const Spike& s : spikes) {
        // The crossing is within the step.
        if (s.gid == gid) times.push_back((static_cast<double>(s.tick) + 0.5) * dt);
      }
      // One at the very end may be in or out.
      ASSERT_LE(std::max(times.size(), expected.size()),
                1 + std::min(times.size(), expected.size()));
      EXPECT_GE(expected.size(), 3u);
      for (size_t i = 0; i < std::min(times.size(), expected.size()); ++i) {
        worst = std::max(worst, std::fabs(times[i] - expected[i]));
      }
    }
    RecordProperty(absl::StrCat("worst_ms_at_", 1e3 * dt, "us"), absl::StrCat(worst));
    if (coarsest == 0.0) coarsest = worst;
    finest = worst;
  }
  // The step is 16 times finer; the solver's own error is of order 1e-3 ms.
  EXPECT_LT(finest, coarsest / 8.0);
  EXPECT_LT(finest, 0.1);
}

INSTANTIATE_TEST_SUITE_P(Traces, EventSolverTest,
                         testing::Values("diffrax_glif1", "diffrax_glif2", "diffrax_glif3",
                                         "diffrax_glif4", "diffrax_glif5", "diffrax_lif",
                                         "diffrax_glif3_network", "diffrax_glif5_network"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace livnd::sim
