// Encodes, decodes and hears through an electrode array: a worker of tools/bench/bench.py.
//
// `array` {"array": as array.json, "points": [[x, y, z] ...] um} takes an array and the points of a
// culture, one a cell, and answers the bytes of its recording gains. Then, in CPU seconds:
// `encode` {"values", "repeats"} makes currents of a number an electrode and potentials at all
// points of those, and answers the potentials of the first sample; `decode` {"gids",
// "ticks", "num_ticks", "repeats"} counts the spikes that each electrode hears; `potentials`
// {"currents_ua": [samples][points], "repeats"} gives what electrodes hear of membrane currents,
// and answers the last sample.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "io/coding/coding_spec.h"
#include "io/decoding/catalog.h"
#include "io/decoding/unit_map.h"
#include "io/device/electrode_array.h"
#include "io/device/electrode_array_json.h"
#include "io/device/sparse_gains.h"
#include "io/encoding/catalog.h"
#include "io/json/json_view.h"
#include "tools/bench/worker.h"

namespace livnd::bench {
namespace {

template <typename T>
T Must(absl::StatusOr<T> result) {
  if (!result.ok()) Die(result.status().ToString());
  return *std::move(result);
}

class Devices {
 public:
  Json Array(const Json& request) {
    const io::Json document = request.at("array");
    array_.emplace(Must(io::ElectrodeArray::Create(
        Must(io::ParseElectrodeArray(io::JsonView(document, "array"))))));
    points_ = request.at("points").get<std::vector<io::Point>>();
    hearing_ = io::SparseGains(*array_, points_);
    return {{"bytes", hearing_.num_bytes()}, {"pairs", hearing_.num_pairs()}};
  }

  Json Encode(const Json& request) {
    const auto values = request.at("values").get<std::vector<float>>();
    const std::vector<double> gains = array_->StimulationGains(points_);
    io::EncodingWindow window;
    window.num_electrodes = static_cast<int64_t>(array_->num_electrodes());
    window.num_ticks = 400;
    const auto encoding =
        Must(io::MakeEncoding(Must(io::CodingSpec::ParseText("", "amplitude")), window));
    std::vector<double> state(encoding->state_size());
    encoding->Begin(absl::MakeSpan(state));
    sim::Waveform waveform;
    std::vector<double> potentials;
    const double begin_s = ThreadCpuSeconds();
    for (int i = 0; i < request.at("repeats"); ++i) {
      encoding->Encode(values, 400 * i, absl::MakeSpan(state), &waveform);
      potentials = Must(io::CellStimulus(waveform.samples, gains, array_->num_electrodes()));
    }
    const double seconds = ThreadCpuSeconds() - begin_s;
    potentials.resize(points_.size());
    return {{"cpu_s", seconds},
            {"samples", waveform.num_samples()},
            {"sample_dt_ms", waveform.sample_dt_ms},
            {"first_mv", potentials}};
  }

  Json Decode(const Json& request) {
    const auto gids = request.at("gids").get<std::vector<int>>();
    const auto ticks = request.at("ticks").get<std::vector<int64_t>>();
    std::vector<sim::Spike> spikes(gids.size());
    for (size_t i = 0; i < gids.size(); ++i) {
      spikes[i].gid = gids[i];
      spikes[i].tick = ticks[i];
    }
    const io::UnitMap units = io::UnitMap::OfElectrodes(array_->CellsInReach(points_));
    io::DecodingWindow window;
    window.num_units = units.num_units();
    window.num_ticks = request.at("num_ticks");
    const auto decoding =
        Must(io::MakeDecoding(Must(io::CodingSpec::ParseText("", "spike_counts")), window));
    std::vector<double> state(decoding->state_size()), values(decoding->num_values());
    const double begin_s = ThreadCpuSeconds();
    for (int i = 0; i < request.at("repeats"); ++i) {
      decoding->Begin(absl::MakeSpan(state));
      units.ForEach(spikes, 0, [&](const io::UnitSpike& spike) {
        decoding->AddSpike(spike, absl::MakeSpan(state));
      });
      if (!decoding->Finish(absl::MakeSpan(state), absl::MakeSpan(values)).ok()) Die("no counts");
    }
    return {{"cpu_s", ThreadCpuSeconds() - begin_s}, {"counts", values}};
  }

  Json Potentials(const Json& request) {
    const auto currents = request.at("currents_ua").get<std::vector<double>>();
    const size_t width = points_.size(), num = currents.size() / width;
    std::vector<double> heard(array_->num_electrodes());
    const double begin_s = ThreadCpuSeconds();
    for (int i = 0; i < request.at("repeats"); ++i) {
      for (size_t s = 0; s < num; ++s) hearing_.Potentials(&currents[s * width], heard.data());
    }
    return {{"cpu_s", ThreadCpuSeconds() - begin_s}, {"potentials_uv", heard}};
  }

 private:
  std::optional<io::ElectrodeArray> array_;
  std::vector<io::Point> points_;
  io::SparseGains hearing_;
};

}  // namespace
}  // namespace livnd::bench

int main() {
  livnd::bench::Devices devices;
  using livnd::bench::Json;
  livnd::bench::ServeCommands(
      {{"ready", true}},
      {{"array", [&](const Json& request) { return devices.Array(request); }},
       {"encode", [&](const Json& request) { return devices.Encode(request); }},
       {"decode", [&](const Json& request) { return devices.Decode(request); }},
       {"potentials", [&](const Json& request) { return devices.Potentials(request); }}});
}
