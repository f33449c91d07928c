#include "tools/bench/subject.h"

#include <cstdlib>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "io/culture/culture_setup.h"
#include "io/culture/params.h"
#include "io/culture/stimulation_map.h"
#include "io/device/electrode_array.h"
#include "io/neuroh5/read_system.h"
#include "sim/simd/instruction_set.h"
#include "tools/bench/network_file.h"
#include "tools/bench/worker.h"

namespace livnd::bench {
namespace {

Subject CultureOf(const sim::CultureConfig& config, const std::string& params) {
  auto culture = sim::Culture::Create(config);
  if (!culture.ok()) Die(culture.status().ToString());
  Subject subject;
  subject.culture = *std::move(culture);
  subject.params = params;
  subject.learns = config.plasticity.has_value();
  subject.start = subject.culture->initial_state();
  return subject;
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

Subject OfNetwork(const std::string& path) {
  const Network network = ReadNetwork(path);
  Subject subject = CultureOf(network.config, network.params);
  const sim::Culture& culture = *subject.culture;
  if (!network.start_mv.empty()) {
    if (network.start_mv.size() != culture.cells().size()) Die(path + ": one start_mv a cell");
    for (size_t i = 0; i < network.start_mv.size(); ++i) {
      const sim::Culture::CellRef cell = culture.cells()[i];
      const sim::CellGroup& group = culture.groups()[cell.group];
      const int64_t first = group.state_offset + int64_t{cell.index} * group.num_variables;
      subject.start[first + group.model->voltage_state(0)] = network.start_mv[i];
    }
  }
  if (!network.electrodes.electrodes.empty()) {
    const auto array = io::ElectrodeArray::Create(network.electrodes);
    if (!array.ok()) Die(array.status().ToString());
    io::System places;  // of which the map needs the positions
    places.position_um = network.position_um;
    subject.stimulation =
        io::ElectrodeStimulationMap(*array, places, culture, io::DendriteOrientation());
    subject.electrodes_of_gid.resize(network.position_um.size());
    const std::vector<std::vector<uint32_t>> heard = array->CellsInReach(network.position_um);
    for (size_t e = 0; e < heard.size(); ++e) {
      for (uint32_t gid : heard[e]) {
        subject.electrodes_of_gid[gid].push_back(static_cast<int>(e));
      }
    }
  }
  return subject;
}

int64_t CellsOf(const std::string& option, const std::string& number) {
  int64_t num_cells = 0;
  if (!absl::SimpleAtoi(number, &num_cells)) Die(option + " takes a number, not " + number);
  return num_cells;
}

Subject Unconnected(const std::string& number) {
  sim::CultureConfig config;
  config.populations.push_back({"EXC", 0, CellsOf("--cells", number)});
  return CultureOf(config, "no noise");
}

// The parameters are those of tools/bench/point_baseline.py, which make the neurons fire.
Subject PointNeurons(const std::string& model, const std::string& number) {
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
  config.populations.push_back({"EXC", 0, CellsOf("--point", number)});
  return CultureOf(config, "no noise");
}

}  // namespace

Subject MakeSubject(const std::vector<std::string>& words) {
  // bench.py --isa; results are the same with any, so it may come before or after what is made here.
  if (const char* isa = std::getenv("LIVND_BENCH_ISA"); isa != nullptr && *isa != '\0') {
    const absl::Status s = sim::UseInstructionSet(isa);
    if (!s.ok()) Die(std::string(s.message()));
  }
  if (words.size() == 1 && words[0].rfind("--", 0) != 0) return OfSystem(words[0]);
  if (words.size() == 2 && words[0] == "--network") return OfNetwork(words[1]);
  if (words.size() == 2 && words[0] == "--cells") return Unconnected(words[1]);
  if (words.size() == 3 && words[0] == "--point") return PointNeurons(words[1], words[2]);
  Die(std::string("the culture is one of: ") + kSubjectUsage);
}

void Start(const Subject& subject, sim::Gang& gang, int copy, uint32_t noise_stream) {
  gang.LoadCopy(copy, subject.start);
  gang.SetSeed(copy, kSeed, noise_stream);
  if (!subject.learns) return;
  const absl::Status learns = gang.SetPlasticity(copy, true);
  if (!learns.ok()) Die(learns.ToString());
}

}  // namespace livnd::bench
