// Runs a system with given parameters and prints what kind of culture it is, as one JSON line:
// rates, regularity, synchrony, and how many cells a pulse on one electrode reaches.
//
//   culture_stats SYSTEM [--params FILE.json] [--seconds S] [--seed N] [--pulse-ua A] [--pulses N]
//
// FILE.json is a params document, or a plain object {key: value} of livn's parameter keys.
#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "io/culture/culture_setup.h"
#include "io/culture/params.h"
#include "io/culture/stimulation_map.h"
#include "io/device/electrode_array.h"
#include "io/json/json_file.h"
#include "io/neuroh5/read_system.h"
#include "io/system/system_documents.h"
#include "sim/culture/culture.h"
#include "sim/gang/gang.h"

namespace livnd {
namespace {

struct Arguments {
  std::string system;
  std::string params;
  double seconds = 60.0;
  int seed = 123;
  double pulse_ua = 10.0;
  int pulses = 20;  // a pulse each on this many electrodes, spread over the array
};

[[noreturn]] void Die(const std::string& message) {
  std::cerr << "culture_stats: " << message << "\n";
  std::exit(2);
}

Arguments ParseArguments(int argc, char** argv) {
  Arguments a;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    auto value = [&]() -> std::string {
      if (i + 1 >= argc) Die(name + " needs a value");
      return argv[++i];
    };
    bool ok = true;
    if (name == "--params") {
      a.params = value();
    } else if (name == "--seconds") {
      ok = absl::SimpleAtod(value(), &a.seconds);
    } else if (name == "--seed") {
      ok = absl::SimpleAtoi(value(), &a.seed);
    } else if (name == "--pulse-ua") {
      ok = absl::SimpleAtod(value(), &a.pulse_ua);
    } else if (name == "--pulses") {
      ok = absl::SimpleAtoi(value(), &a.pulses);
    } else if (name.rfind("--", 0) == 0 || !a.system.empty()) {
      Die("unknown argument " + name +
          "; usage: culture_stats SYSTEM [--params FILE] [--seconds S] [--seed N] [--pulse-ua A] "
          "[--pulses N]");
    } else {
      a.system = name;
    }
    if (!ok) Die(name + " takes a number");
  }
  if (a.system.empty()) Die("no system given");
  return a;
}

io::ParamList ReadParams(const std::string& path, const std::string& params_key) {
  const auto json = io::ReadJsonFile(path);
  if (!json.ok()) Die(std::string(json.status().message()));
  const io::JsonView view(*json, path);
  if (json->contains(params_key)) {
    auto document = io::ParseParamsDocument(view);
    if (!document.ok()) Die(std::string(document.status().message()));
    return (*document)[params_key]["default"];
  }
  auto params = io::ParseParamList(view);
  if (!params.ok()) Die(std::string(params.status().message()));
  return *std::move(params);
}

double Mean(const std::vector<double>& x) {
  double sum = 0.0;
  for (double v : x) sum += v;
  return x.empty() ? 0.0 : sum / x.size();
}

double Deviation(const std::vector<double>& x) {
  const double mean = Mean(x);
  double sum = 0.0;
  for (double v : x) sum += (v - mean) * (v - mean);
  return x.empty() ? 0.0 : std::sqrt(sum / x.size());
}

// Spontaneous activity: rate, cells that fired, ISI CV (cells with at least 5 spikes), bursts.
io::Json Spontaneous(const std::vector<sim::Spike>& spikes, const sim::Culture& culture,
                     double seconds) {
  std::map<int64_t, std::vector<double>> times_ms;
  const double dt = culture.dt_ms();
  for (const sim::Spike& s : spikes) times_ms[s.gid].push_back(s.tick * dt);
  std::vector<double> cvs;
  double max_rate = 0.0;
  for (const auto& [gid, t] : times_ms) {
    max_rate = std::max(max_rate, t.size() / seconds);
    if (t.size() < 5) continue;
    std::vector<double> intervals;
    for (size_t i = 1; i < t.size(); ++i) intervals.push_back(t[i] - t[i - 1]);
    cvs.push_back(Deviation(intervals) / Mean(intervals));
  }
  // livn's BurstRate: 50 ms bins over median + 5 * 1.4826 * MAD, at least max(3, 15 % of cells).
  std::vector<double> bins(static_cast<size_t>(seconds * 20.0) + 1, 0.0);
  for (const sim::Spike& s : spikes) {
    bins[std::min(bins.size() - 1, static_cast<size_t>(s.tick * dt / 50.0))] += 1.0;
  }
  std::vector<double> sorted = bins;
  std::nth_element(sorted.begin(), sorted.begin() + sorted.size() / 2, sorted.end());
  const double median = sorted[sorted.size() / 2];
  for (double& v : sorted) v = std::fabs(v - median);
  std::nth_element(sorted.begin(), sorted.begin() + sorted.size() / 2, sorted.end());
  const double mad = sorted[sorted.size() / 2];
  const double cells = static_cast<double>(culture.gids().size());
  const double threshold = std::max(median + 5 * 1.4826 * (mad == 0.0 ? 1.0 : mad),
                                    std::max(3.0, 0.15 * times_ms.size()));
  int bursts = 0;
  for (size_t i = 0; i < bins.size(); ++i) {
    bursts += bins[i] >= threshold && (i == 0 || bins[i - 1] < threshold);
  }
  return {{"seconds", seconds},
          {"mean_rate_hz", spikes.size() / cells / seconds},
          {"max_rate_hz", max_rate},
          {"active_fraction", times_ms.size() / cells},
          {"isi_cv", Mean(cvs)},
          {"isi_cv_cells", cvs.size()},
          {"burst_rate_hz", bursts / seconds},
          {"peak_bin_fraction", *std::max_element(bins.begin(), bins.end()) / cells}};
}

}  // namespace

int Main(int argc, char** argv) {
  const Arguments args = ParseArguments(argc, argv);
  const auto system = io::ReadSystem(args.system);
  if (!system.ok()) Die(std::string(system.status().message()));
  auto setup = io::SetUpCulture(*system);
  if (!setup.ok()) Die(std::string(setup.status().message()));
  io::ParamList params;
  if (!args.params.empty()) {
    params = ReadParams(args.params, setup->params_key);
  } else if (const auto own = io::StoredParams(*system, setup->params_key); own.ok()) {
    params = *own;
  }
  if (const auto s = io::ApplyParams(params, *setup); !s.ok()) Die(std::string(s.message()));
  const auto culture = sim::Culture::Create(setup->culture);
  if (!culture.ok()) Die(std::string(culture.status().message()));
  const double dt = (*culture)->dt_ms();

  sim::Gang gang(*culture, 1);
  gang.SetSeed(0, static_cast<uint64_t>(args.seed));
  gang.Advance(std::llround(1000.0 / dt), nullptr);  // from v_init to activity
  std::vector<sim::Spike> spikes;
  const int64_t start = gang.tick(0);
  gang.Advance(std::llround(args.seconds * 1000.0 / dt), &spikes);
  for (sim::Spike& s : spikes) s.tick -= start;
  io::Json out = Spontaneous(spikes, **culture, args.seconds);
  out["system"] = system->name;
  out["finite"] = gang.IsFinite(0);

  // One biphasic pulse of 200 us a phase on one electrode: distinct cells that fire within 20 ms,
  // beside the same time without a pulse from the same state.
  if (setup->electrode_array.has_value() && args.pulses > 0) {
    const auto array = io::ElectrodeArray::Create(*setup->electrode_array);
    if (!array.ok()) Die(std::string(array.status().message()));
    gang.SetStimulusMap(
        sim::StimulusMode::kField,
        io::ElectrodeStimulationMap(*array, *system, **culture, setup->orientation));
    const int electrodes = static_cast<int>(array->num_electrodes());
    const int pulses = std::min(args.pulses, electrodes);
    std::vector<double> answered, without;
    std::vector<double> state((*culture)->initial_state().size());
    for (int p = 0; p < pulses; ++p) {
      gang.Advance(std::llround(200.0 / dt), nullptr);
      gang.SaveCopy(0, absl::MakeSpan(state));
      for (const bool with : {false, true}) {
        gang.LoadCopy(0, state);
        if (with) {
          sim::Waveform w;
          w.sample_dt_ms = 0.2;
          w.first_tick = gang.tick(0);
          w.num_channels = electrodes;
          w.samples.assign(2 * electrodes, 0.0);
          const int electrode = p * electrodes / pulses;
          w.samples[electrode] = -args.pulse_ua;
          w.samples[electrodes + electrode] = args.pulse_ua;
          const auto s = gang.Install(0, sim::StimulusMode::kField, std::move(w));
          if (!s.ok()) Die(std::string(s.message()));
        }
        std::vector<sim::Spike> answer;
        gang.Advance(std::llround(20.0 / dt), &answer);
        std::vector<int64_t> gids;
        for (const sim::Spike& s : answer) gids.push_back(s.gid);
        std::sort(gids.begin(), gids.end());
        gids.erase(std::unique(gids.begin(), gids.end()), gids.end());
        (with ? answered : without).push_back(static_cast<double>(gids.size()));
      }
    }
    const double cells = static_cast<double>((*culture)->gids().size());
    out["pulse_ua"] = args.pulse_ua;
    out["pulses"] = pulses;
    out["pulse_cells_mean_fraction"] = Mean(answered) / cells;
    out["pulse_cells_min_fraction"] = *std::min_element(answered.begin(), answered.end()) / cells;
    out["pulse_cells_max_fraction"] = *std::max_element(answered.begin(), answered.end()) / cells;
    out["without_pulse_cells_mean_fraction"] = Mean(without) / cells;
  }
  std::cout << out.dump() << std::endl;
  return 0;
}

}  // namespace livnd

int main(int argc, char** argv) { return livnd::Main(argc, argv); }
