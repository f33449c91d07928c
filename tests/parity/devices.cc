// What devices and plans of pulses compute, for test_devices.py, which holds it against livn.
//
// Reads JSON lines {"call": NAME, ...} from standard input and prints a JSON line for each.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/device/electrode_array.h"
#include "io/device/electrode_array_json.h"
#include "io/device/electrode_grid.h"
#include "io/device/light_array.h"
#include "io/device/light_array_json.h"
#include "io/device/sparse_gains.h"
#include "io/json/json_file.h"
#include "io/json/json_view.h"
#include "io/stimulus/pulse_plan_text.h"
#include "io/stimulus/pulse_schedule.h"
#include "sim/stimulus/timeline.h"

namespace livnd {
namespace {

using io::Json;

template <typename T>
T OrDie(absl::StatusOr<T> value) {
  if (!value.ok()) {
    std::cerr << value.status() << "\n";
    std::exit(1);
  }
  return *std::move(value);
}

io::ElectrodeArray ArrayOf(const Json& call) {
  return OrDie(io::ElectrodeArray::Create(
      OrDie(io::ParseElectrodeArray(io::JsonView(call.at("mea"), "mea")))));
}

io::LightArray LightOf(const Json& call) {
  return OrDie(
      io::LightArray::Create(OrDie(io::ParseLightArray(io::JsonView(call.at("light"), "light")))));
}

std::vector<io::Point> PointsOf(const Json& call) {
  return call.at("points").get<std::vector<io::Point>>();
}

std::vector<double> NumbersOf(const Json& call, const char* name) {
  return call.at(name).get<std::vector<double>>();
}

Json GridRows(const std::vector<io::Electrode>& electrodes) {
  Json rows = Json::array();
  for (const io::Electrode& e : electrodes) {
    rows.push_back({e.id, e.position_um[0], e.position_um[1], e.position_um[2]});
  }
  return rows;
}

// Potentials of [point][time] currents, by the matrix and without it.
Json Potentials(const Json& call) {
  const io::ElectrodeArray array = ArrayOf(call);
  const std::vector<io::Point> points = PointsOf(call);
  const std::vector<double> currents_ua = NumbersOf(call, "currents_ua");
  const std::vector<double> dense =
      OrDie(io::ElectrodePotentials(array.RecordingGains(points), currents_ua, points.size()));
  const size_t num_times = currents_ua.size() / points.size();
  const io::SparseGains gains(array, points);
  std::vector<double> sparse(dense.size()), now(points.size()), out(array.num_electrodes());
  for (size_t t = 0; t < num_times; ++t) {
    for (size_t p = 0; p < points.size(); ++p) now[p] = currents_ua[p * num_times + t];
    gains.Potentials(now.data(), out.data());
    for (size_t e = 0; e < out.size(); ++e) sparse[e * num_times + t] = out[e];
  }
  return {{"dense", dense}, {"sparse", sparse}};
}

Json ChannelSpikes(const Json& call) {
  const io::ElectrodeArray array = ArrayOf(call);
  const auto gids = call.at("gids").get<std::vector<uint32_t>>();
  std::vector<std::vector<uint32_t>> cells = array.CellsInReach(PointsOf(call));
  for (std::vector<uint32_t>& of_electrode : cells) {
    for (uint32_t& cell : of_electrode) cell = gids[cell];
  }
  Json out = Json::array();
  for (const io::ElectrodeSpikes& spikes :
       OrDie(io::AssignSpikes(cells, call.at("spike_gids").get<std::vector<uint32_t>>(),
                              NumbersOf(call, "spike_ms")))) {
    out.push_back({spikes.gids, spikes.times_ms});
  }
  return out;
}

Json Contributions(const Json& call) {
  const io::ElectrodeArray array = ArrayOf(call);
  Json rows = Json::array();
  for (const io::Contribution& c :
       array.Contributions(call.at("electrode").get<size_t>(), PointsOf(call))) {
    rows.push_back({c.point, c.distance_um, c.gain, c.percent});
  }
  return rows;
}

// Currents on electrodes 0 .. n - 1, [tick][electrode], of a run of a plan.
Json Pulses(const Json& call) {
  const auto num_electrodes = call.at("num_electrodes").get<int>();
  const auto num_ticks = call.at("num_ticks").get<int64_t>();
  const double dt_ms = call.at("dt_ms").get<double>();
  std::vector<int32_t> ids;
  for (int e = 0; e < num_electrodes; ++e) ids.push_back(e);
  const io::PulseSchedule schedule = OrDie(io::PulseSchedule::Create(
      OrDie(io::ParsePulsePlan(io::JsonView(call.at("plan"), "plan"))), ids, {}, dt_ms));
  std::vector<sim::Waveform> waveforms;
  schedule.AppendWaveforms(schedule.currents(), 0, 0, num_ticks, &waveforms);
  sim::StimulusTimeline timeline({sim::SampleRule::Kind::kHeld, dt_ms});
  for (sim::Waveform& w : waveforms) {
    timeline.Install(std::make_shared<const sim::Waveform>(std::move(w)), 0);
  }
  sim::TimelineReader reader;
  reader.Reset(num_electrodes);
  Json rows = Json::array();
  for (int64_t tick = 0; tick < num_ticks; ++tick) {
    reader.GoTo(timeline, tick);
    rows.push_back(std::vector<double>(reader.values(), reader.values() + num_electrodes));
  }
  return rows;
}

Json Answer(const Json& call) {
  const auto name = call.at("call").get<std::string>();
  if (name == "distances") return ArrayOf(call).Distances(PointsOf(call));
  if (name == "reach") return ArrayOf(call).StimulationGains(PointsOf(call));
  if (name == "source_gain") return ArrayOf(call).RecordingGains(PointsOf(call));
  if (name == "cell_stimulus") {
    const io::ElectrodeArray array = ArrayOf(call);
    return OrDie(io::CellStimulus(NumbersOf(call, "currents_ua"),
                                  array.StimulationGains(PointsOf(call)), array.num_electrodes()));
  }
  if (name == "potential_recording") return Potentials(call);
  if (name == "channel_recording") return ChannelSpikes(call);
  if (name == "channel_contribution") return Contributions(call);
  if (name == "mea_json") return io::ElectrodeArrayToJson(ArrayOf(call).config());
  if (name == "grid") {
    io::ElectrodeGrid grid;
    grid.pitch_um = call.at("pitch").get<double>();
    grid.num_x = call.at("xs").get<int>();
    grid.num_y = call.at("ys").get<int>();
    grid.offset_x_um = call.at("xoffset").get<double>();
    grid.offset_y_um = call.at("yoffset").get<double>();
    grid.z_um = call.at("z").get<double>();
    return GridRows(OrDie(io::MakeElectrodeGrid(grid)));
  }
  if (name == "grid_for_area") {
    using Corner = std::array<double, 2>;
    const auto area = call.at("area").get<std::vector<Corner>>();
    return GridRows(OrDie(io::MakeElectrodeGridForArea(call.at("pitch").get<double>(), area.at(0),
                                                       area.at(1), call.at("z").get<double>())));
  }
  if (name == "irradiance") return LightOf(call).IrradianceGains(PointsOf(call));
  if (name == "photon_flux") return LightOf(call).PhotonFluxGains(PointsOf(call));
  if (name == "pulses") return Pulses(call);
  std::cerr << "no call " << name << "\n";
  std::exit(2);
}

}  // namespace
}  // namespace livnd

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << livnd::Answer(livnd::OrDie(livnd::io::ParseJson("line", line))).dump() << "\n";
  }
  return 0;
}
