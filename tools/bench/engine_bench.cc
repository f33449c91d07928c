// Times the engine on one culture, as a worker of tools/bench/bench.py.
//
//   engine_bench SYSTEM      a folder; its params/default.json, else livn's default noise
//   engine_bench --cells N   N unconnected excitatory cells without noise
//   engine_bench --point MODEL N   the same of point neurons that fire by themselves
//
// Commands: {"command": "advance", "steps": N, "min_cpu_s": S} runs the next N steps, again and
// again from the same state until S seconds of CPU time are spent, and answers the median;
// {"command": "reset", "count": N} times N times a reset with the step that follows it.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "io/culture/culture_setup.h"
#include "io/culture/params.h"
#include "io/neuroh5/read_system.h"
#include "sim/culture.h"
#include "sim/gang.h"
#include "tools/bench/instruction_set.h"
#include "tools/bench/worker.h"

namespace livnd::bench {
namespace {

constexpr uint64_t kSeed = 123;  // livn's default

struct Subject {
  std::shared_ptr<const sim::Culture> culture;
  std::string params;
};

Subject CultureOf(const sim::CultureConfig& config, const std::string& params) {
  auto culture = sim::Culture::Create(config);
  if (!culture.ok()) Die(culture.status().ToString());
  return {*std::move(culture), params};
}

Subject OfSystem(const std::string& folder) {
  const auto system = io::ReadSystem(folder);
  if (!system.ok()) Die(system.status().ToString());
  auto setup = io::SetUpCulture(*system);
  if (!setup.ok()) Die(setup.status().ToString());
  const auto params = io::StoredParams(*system, setup->params_key);
  if (!params.ok()) {
    setup->culture.noise.emplace();
    return CultureOf(setup->culture, "livn's default noise, weights of the graph");
  }
  const absl::Status applied = io::ApplyParams(*params, *setup);
  if (!applied.ok()) Die(applied.ToString());
  return CultureOf(setup->culture, "params/default.json");
}

Subject Unconnected(const std::string& number) {
  int64_t num_cells = 0;
  if (!absl::SimpleAtoi(number, &num_cells)) Die("--cells takes a number, not " + number);
  sim::CultureConfig config;
  config.populations.push_back({"EXC", 0, num_cells});
  return CultureOf(config, "no noise");
}

// The parameters are those of tools/bench/point_baseline.py, which make the neurons fire.
Subject PointNeurons(const std::string& model, const std::string& number) {
  int64_t num_cells = 0;
  if (!absl::SimpleAtoi(number, &num_cells)) Die("--point takes a number, not " + number);
  sim::PointModelConfig point;
  if (model == "izhikevich") {
    point.kind = sim::PointModelConfig::Kind::kIzhikevich;
    point.params["b"] = 0.27;
  } else if (model == "lif") {
    point = sim::LeakyIntegrateAndFire();
    point.params["E_L"] = -50.0;
    point.params["delta_v"] = 25.0;
  } else if (model == "glif5") {
    point.params["V_threshold_base"] = -85.0;
  } else {
    Die("--point takes izhikevich, lif or glif5, not " + model);
  }
  sim::CultureConfig config;
  config.model.point = point;
  config.populations.push_back({"EXC", 0, num_cells});
  return CultureOf(config, "no noise");
}

class Stopwatch {
 public:
  double Seconds() const { return ThreadCpuSeconds() - start_; }

 private:
  double start_ = ThreadCpuSeconds();
};

Json Advance(sim::Gang& gang, std::vector<double>& state, const Json& request) {
  const int64_t steps = request.value("steps", int64_t{0});
  const double enough_s = request.value("min_cpu_s", 0.0);
  gang.SaveCopy(0, absl::MakeSpan(state));
  std::vector<sim::Spike> spikes;
  std::vector<double> seconds;
  double spent_s = 0.0;
  do {
    if (!seconds.empty()) gang.LoadCopy(0, state);
    spikes.clear();
    const Stopwatch watch;
    gang.Advance(steps, &spikes);
    seconds.push_back(watch.Seconds());
    spent_s += seconds.back();
  } while (spent_s < enough_s);
  return {{"cpu_s", Median(seconds)}, {"repeats", seconds.size()}, {"spikes", spikes.size()}};
}

Json Reset(sim::Gang& gang, const Json& request) {
  const int count = request.value("count", 1);
  std::vector<sim::Spike> spikes;
  std::vector<double> seconds;
  for (int i = 0; i < count; ++i) {
    gang.Advance(40, &spikes);  // a reset throws away a culture that has run
    spikes.clear();
    const Stopwatch watch;
    gang.LoadCopy(0, gang.culture().initial_state());
    gang.SetSeed(0, kSeed, static_cast<uint32_t>(i + 1));
    gang.Advance(1, &spikes);
    seconds.push_back(watch.Seconds());
  }
  return {{"cpu_s", Median(seconds)}};
}

int Main(const std::vector<std::string>& args) {
  Subject subject;
  if (args.size() == 1) {
    subject = OfSystem(args[0]);
  } else if (args.size() == 2 && args[0] == "--cells") {
    subject = Unconnected(args[1]);
  } else if (args.size() == 3 && args[0] == "--point") {
    subject = PointNeurons(args[1], args[2]);
  } else {
    Die("usage: engine_bench SYSTEM | --cells N | --point MODEL N");
  }
  const sim::Culture& culture = *subject.culture;
  sim::Gang gang(subject.culture, 1);
  gang.SetSeed(0, kSeed);
  std::vector<double> state(culture.initial_state().size());
  ServeCommands({{"cells", culture.gids().size()},
                 {"connections", culture.connectivity().rows.size()},
                 {"params", subject.params},
                 {"step_ms", culture.dt_ms()},
                 {"isa", sim::InstructionSetInUse()}},
                {{"advance", [&](const Json& r) { return Advance(gang, state, r); }},
                 {"reset", [&](const Json& r) { return Reset(gang, r); }}});
  return 0;
}

}  // namespace
}  // namespace livnd::bench

int main(int argc, char** argv) {
  return livnd::bench::Main(std::vector<std::string>(argv + 1, argv + argc));
}
