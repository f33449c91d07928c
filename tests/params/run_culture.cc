// Runs a system as its documents and the given changes make it, and prints what happened: spikes,
// and the voltages at the end. For test_params.py, which holds it against livn.
//
//   run_culture SYSTEM OPTIONS
//
// OPTIONS is a JSON object: "ms", "seed", and what `livnd inspect --culture` takes: "selection",
// "model", "set"; "electrodes_ua" ([[ua an electrode] a sample], one a ms) stimulates.
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "io/culture/culture_setup.h"
#include "io/culture/params.h"
#include "io/culture/stimulation_map.h"
#include "io/device/electrode_array.h"
#include "io/json/json_file.h"
#include "io/json/json_view.h"
#include "io/neuroh5/read_system.h"
#include "io/system/system_documents.h"
#include "sim/culture/culture.h"
#include "sim/gang/gang.h"

namespace livnd {
namespace {

template <typename T>
T OrDie(absl::StatusOr<T> value) {
  if (!value.ok()) {
    std::cerr << value.status() << "\n";
    std::exit(1);
  }
  return *std::move(value);
}

void OrDie(const absl::Status& status) {
  if (status.ok()) return;
  std::cerr << status << "\n";
  std::exit(1);
}

io::CultureSetup SetUp(const io::System& system, const io::Json& options) {
  io::SetupOptions setup_options;
  if (options.contains("selection")) {
    setup_options.selection =
        OrDie(io::ParseSelectionSpec(io::JsonView(options["selection"], "selection")));
  }
  if (options.contains("model")) {
    setup_options.model = OrDie(io::ParseModelDocument(io::JsonView(options["model"], "model")));
  }
  io::CultureSetup setup = OrDie(io::SetUpCulture(system, setup_options));
  OrDie(io::ApplyParams(OrDie(io::DefaultParams(system, setup)), setup));
  if (options.contains("set")) {
    OrDie(io::ApplyParams(OrDie(io::ParseParamList(io::JsonView(options["set"], "set"))), setup));
  }
  return setup;
}

int Main(const std::string& folder, const std::string& text) {
  const io::Json options = OrDie(io::ParseJson("OPTIONS", text));
  const io::System system = OrDie(io::ReadSystem(folder));
  const io::CultureSetup setup = SetUp(system, options);
  const std::shared_ptr<const sim::Culture> culture = OrDie(sim::Culture::Create(setup.culture));
  sim::Gang gang(culture, 1);
  gang.SetSeed(0, options.value("seed", uint64_t{123}));
  if (options.contains("electrodes_ua")) {
    const auto array = OrDie(io::ElectrodeArray::Create(*setup.electrode_array));
    gang.SetStimulusMap(sim::StimulusMode::kField,
                        io::ElectrodeStimulationMap(array, system, *culture, setup.orientation));
    sim::Waveform waveform;
    waveform.timing = sim::SampleTiming::kLivn;  // what it is held against
    waveform.sample_dt_ms = 1.0;
    waveform.num_channels = static_cast<int>(array.num_electrodes());
    for (const io::Json& sample : options["electrodes_ua"]) {
      for (const io::Json& current : sample) waveform.samples.push_back(current.get<double>());
    }
    OrDie(gang.Install(0, sim::StimulusMode::kField, std::move(waveform)));
  }
  const double dt = culture->dt_ms();
  std::vector<sim::Spike> spikes;
  gang.Advance(std::llround(options.at("ms").get<double>() / dt), &spikes);
  io::Json out = {{"spikes", io::Json::array()}, {"voltages_mv", io::Json::object()}};
  for (const sim::Spike& s : spikes) {
    out["spikes"].push_back({s.gid, static_cast<double>(s.tick) * dt});
  }
  for (int64_t gid : culture->gids()) {
    io::Json& voltages = out["voltages_mv"][std::to_string(gid)] = io::Json::array();
    for (int section = 0; culture->SectionRow(gid, section) >= 0; ++section) {
      voltages.push_back(gang.VoltageMv(0, gid, section));
    }
  }
  std::cout << out.dump() << std::endl;
  return 0;
}

}  // namespace
}  // namespace livnd

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: run_culture SYSTEM OPTIONS\n";
    return 2;
  }
  return livnd::Main(argv[1], argv[2]);
}
