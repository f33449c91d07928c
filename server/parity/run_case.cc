#include "server/parity/run_case.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "io/device/electrode_array.h"
#include "io/device/sampling_points.h"
#include "server/status_macros.h"
#include "sim/gang.h"

namespace livnd::server {
namespace {

constexpr double kFieldBoundMv = 1000.0;

absl::StatusOr<sim::StimulusMode> ModeOf(const std::string& name) {
  if (name == "extracellular" || name == "electrode_uA") return sim::StimulusMode::kField;
  if (name == "current") return sim::StimulusMode::kCurrent;
  if (name == "current_density") return sim::StimulusMode::kCurrentDensity;
  return absl::UnimplementedError(name);
}

// The longest of the delays, ms: how far back a spike still matters.
double LongestDelayMs(const OracleCase& oracle) {
  double longest = 2.0 * oracle.culture.dt_ms;
  for (const sim::ProjectionConfig& p : oracle.culture.projections) {
    for (const sim::Edge& e : p.edges) longest = std::max(longest, e.distance_um / 250.0);
  }
  return longest + oracle.culture.dt_ms;
}

// One channel a column (or electrode), for all runs of the case together.
class StimulusColumns {
 public:
  StimulusColumns(const OracleCase& oracle, const sim::Culture& culture)
      : oracle_(oracle), culture_(culture) {}

  absl::StatusOr<std::shared_ptr<const sim::StimulusMap>> MapOf(sim::StimulusMode mode) {
    auto map = std::make_shared<sim::StimulusMap>();
    std::map<std::pair<int64_t, int>, int>& channel = channels_[static_cast<int>(mode)];
    for (const OracleRun& run : oracle_.runs) {
      if (!run.stimulus.has_value()) continue;
      const absl::StatusOr<sim::StimulusMode> own = ModeOf(run.stimulus->mode);
      if (!own.ok() || *own != mode) continue;
      if (run.stimulus->mode == "electrode_uA") return ElectrodeMap();
      for (const OracleStimulus::Column& c : run.stimulus->columns) {
        if (channel.try_emplace({c.gid, c.section}, map->num_channels).second) {
          map->row_of_channel.push_back(culture_.SectionRow(c.gid, c.section));
          ++map->num_channels;
        }
      }
    }
    return std::shared_ptr<const sim::StimulusMap>(std::move(map));
  }

  absl::StatusOr<sim::Waveform> WaveformOf(const OracleStimulus& stimulus, sim::StimulusMode mode,
                                           double start_ms) const {
    const bool electrodes = stimulus.mode == "electrode_uA";
    const std::map<std::pair<int64_t, int>, int>& channel = channels_[static_cast<int>(mode)];
    sim::Waveform w;
    w.sample_dt_ms = stimulus.dt_ms;
    w.first_sample = std::llround(start_ms / stimulus.dt_ms);
    w.num_channels = electrodes ? static_cast<int>(oracle_.electrodes_um.size())
                                : static_cast<int>(channel.size());
    w.samples.assign(static_cast<size_t>(stimulus.num_rows) * w.num_channels, 0.0);
    for (const OracleStimulus::Pulse& p : stimulus.pulses) {
      const int64_t columns =
          electrodes ? w.num_channels : static_cast<int64_t>(stimulus.columns.size());
      if (p.column >= columns) {
        return absl::InvalidArgumentError(
            absl::StrCat("pulse column ", p.column, "; the stimulus has ", columns));
      }
      int64_t c = p.column;
      if (!electrodes) {
        const OracleStimulus::Column& at = stimulus.columns[p.column];
        c = channel.at({at.gid, at.section});
      }
      for (int64_t row = p.start_row; row < p.stop_row; ++row) {
        w.samples[row * w.num_channels + c] += p.value;
      }
    }
    if (stimulus.mode == "extracellular") {
      for (double x : w.samples) {
        if (std::fabs(x) > kFieldBoundMv) {
          return absl::InvalidArgumentError(
              absl::StrCat("extracellular potential ", x, " mV; takes -1000 to 1000"));
        }
      }
    }
    return w;
  }

 private:
  absl::StatusOr<std::shared_ptr<const sim::StimulusMap>> ElectrodeMap() const {
    io::ElectrodeArrayConfig config;
    for (size_t i = 0; i < oracle_.electrodes_um.size(); ++i) {
      config.electrodes.push_back({static_cast<int32_t>(i), oracle_.electrodes_um[i]});
    }
    LIVND_SERVER_ASSIGN_OR_RETURN(const io::ElectrodeArray array,
                                  io::ElectrodeArray::Create(std::move(config)));
    std::vector<io::Point> points;
    for (int64_t gid : culture_.gids()) {
      const sim::CellGroup& group = culture_.groups()[culture_.Find(gid).group];
      for (const io::Point& p :
           io::SamplingPoints(group.geometry, gid, oracle_.position_um.at(gid))) {
        points.push_back(p);
      }
    }
    auto map = std::make_shared<sim::StimulusMap>();
    map->num_channels = static_cast<int>(array.num_electrodes());
    map->gains = array.StimulationGains(points);
    return std::shared_ptr<const sim::StimulusMap>(std::move(map));
  }

  const OracleCase& oracle_;
  const sim::Culture& culture_;
  std::map<std::pair<int64_t, int>, int> channels_[sim::kNumStimulusModes];
};

absl::Status BadTrace(const TraceFile& trace, absl::string_view name, absl::string_view what) {
  return absl::DataLossError(absl::StrCat(trace.path(), ": /", name, ": ", what));
}

// Numbers of a data set of one axis, as integers.
absl::StatusOr<std::vector<int64_t>> ReadIntegers(const TraceFile& trace, const std::string& name) {
  LIVND_SERVER_ASSIGN_OR_RETURN(const TraceArray array, trace.Read(name));
  std::vector<int64_t> out;
  for (double x : array.values) {
    if (!(std::fabs(x) <= 1e9) || x != std::floor(x)) {
      return BadTrace(trace, name, absl::StrCat("holds ", x, ", expected integers up to 1e9"));
    }
    out.push_back(static_cast<int64_t>(x));
  }
  return out;
}

// The recorded nodes, in the order of the rows of the voltage arrays.
absl::StatusOr<std::vector<sim::Probe::Site>> ReadNodes(const TraceFile& trace,
                                                        const sim::Culture& culture) {
  LIVND_SERVER_ASSIGN_OR_RETURN(const std::vector<int64_t> gids, ReadIntegers(trace, "node_gid"));
  LIVND_SERVER_ASSIGN_OR_RETURN(const std::vector<int64_t> sections,
                                ReadIntegers(trace, "node_section"));
  if (gids.size() != sections.size()) {
    return BadTrace(trace, "node_section",
                    absl::StrCat("has ", sections.size(), " elements, node_gid ", gids.size()));
  }
  std::vector<sim::Probe::Site> out;
  for (size_t n = 0; n < gids.size(); ++n) {
    const int section = static_cast<int>(sections[n]);
    if (culture.SectionRow(gids[n], section) < 0) {
      return BadTrace(trace, "node_gid, node_section",
                      absl::StrCat("cell ", gids[n], " section ", section,
                                   " is not a built section of the case"));
    }
    out.push_back({gids[n], section});
  }
  return out;
}

using SpikeTrains = std::map<int64_t, std::vector<double>>;

absl::StatusOr<SpikeTrains> ReadSpikes(const TraceFile& trace, const std::string& prefix) {
  LIVND_SERVER_ASSIGN_OR_RETURN(const TraceArray times, trace.Read(prefix + "spike_t"));
  LIVND_SERVER_ASSIGN_OR_RETURN(const std::vector<int64_t> gids,
                                ReadIntegers(trace, prefix + "spike_gid"));
  if (times.values.size() != gids.size()) {
    return BadTrace(
        trace, prefix + "spike_gid",
        absl::StrCat("has ", gids.size(), " elements, ", prefix, "spike_t ", times.values.size()));
  }
  for (double t : times.values) {
    if (!std::isfinite(t)) {
      return BadTrace(trace, prefix + "spike_t", "holds a number that is not finite");
    }
  }
  SpikeTrains out;
  for (size_t i = 0; i < gids.size(); ++i) out[gids[i]].push_back(times.values[i]);
  return out;
}

void CompareSpikes(const SpikeTrains& expected, const SpikeTrains& got, double dt_ms,
                   ParityRun& out, bool& same_trains) {
  same_trains = true;
  auto diverge = [&](double at_ms) {
    same_trains = false;
    if (!out.first_divergence_ms.has_value() || at_ms < *out.first_divergence_ms) {
      out.first_divergence_ms = at_ms;
    }
  };
  SpikeTrains all = expected;
  for (const auto& [gid, times] : got) all.try_emplace(gid);
  for (const auto& [gid, unused] : all) {
    const auto e = expected.find(gid);
    const auto g = got.find(gid);
    const std::vector<double> none;
    const std::vector<double>& want = e == expected.end() ? none : e->second;
    const std::vector<double>& have = g == got.end() ? none : g->second;
    const size_t common = std::min(want.size(), have.size());
    for (size_t i = 0; i < common; ++i) {
      const double shift = std::fabs(want[i] - have[i]);
      out.max_spike_shift_ms = std::max(out.max_spike_shift_ms, shift);
      if (shift > 0.5 * dt_ms) diverge(std::min(want[i], have[i]));
    }
    if (want.size() > common) diverge(want[common]);
    if (have.size() > common) diverge(have[common]);
  }
}

}  // namespace

std::string ParityResult::missing() const {
  for (const ParityRun& run : runs) {
    if (!run.missing.empty()) return run.missing;
  }
  return "";
}

bool ParityResult::pass() const {
  return std::all_of(runs.begin(), runs.end(), [](const ParityRun& r) { return r.pass; });
}

absl::StatusOr<ParityResult> RunOracleCase(const OracleCase& oracle, const TraceFile& trace) {
  LIVND_SERVER_ASSIGN_OR_RETURN(const std::shared_ptr<const sim::Culture> culture,
                                sim::Culture::Create(oracle.culture));
  sim::Gang gang(culture, 1);
  gang.SetSeed(0, oracle.seed);
  LIVND_SERVER_RETURN_IF_ERROR(gang.SetInputSpikes(oracle.input_spikes_ms));
  StimulusColumns columns(oracle, *culture);
  for (int m = 0; m < sim::kNumStimulusModes; ++m) {
    const auto mode = static_cast<sim::StimulusMode>(m);
    LIVND_SERVER_ASSIGN_OR_RETURN(std::shared_ptr<const sim::StimulusMap> map, columns.MapOf(mode));
    gang.SetStimulusMap(mode, std::move(map));
  }
  LIVND_SERVER_ASSIGN_OR_RETURN(const std::vector<sim::Probe::Site> nodes,
                                ReadNodes(trace, *culture));

  const double dt = oracle.culture.dt_ms;
  const double longest_delay_ms = LongestDelayMs(oracle);
  ParityResult result;
  result.name = oracle.name;
  bool plasticity = oracle.plasticity;
  uint32_t stream = 0;
  double last_spike_ms = -1e18;  // of any source, on the time axis since the last clear
  // Feature whose lack has made the state differ from livn's, until the next clear.
  std::string lost_to;
  for (size_t i = 0; i < oracle.runs.size(); ++i) {
    const OracleRun& run = oracle.runs[i];
    ParityRun& out = result.runs.emplace_back();
    if (run.clear) {
      if (run.reseed) ++stream;
      gang.LoadCopy(0, culture->initial_state());
      gang.SetSeed(0, oracle.seed, stream);
      lost_to.clear();
      last_spike_ms = -1e18;
    }
    if (run.reseed_noise.has_value()) {
      stream = static_cast<uint32_t>(*run.reseed_noise);
      if (gang.tick(0) == 0) gang.SetSeed(0, oracle.seed, stream);
    }
    if (run.plasticity_on.has_value()) plasticity = *run.plasticity_on;
    if (run.normalize_weights && lost_to.empty()) lost_to = "normalize_weights";
    const double start_ms = static_cast<double>(gang.tick(0)) * dt;
    if (run.stimulus.has_value()) {
      const absl::StatusOr<sim::StimulusMode> mode = ModeOf(run.stimulus->mode);
      if (!mode.ok()) {
        if (lost_to.empty()) lost_to = run.stimulus->mode;
      } else {
        LIVND_SERVER_ASSIGN_OR_RETURN(sim::Waveform waveform,
                                      columns.WaveformOf(*run.stimulus, *mode, start_ms));
        LIVND_SERVER_RETURN_IF_ERROR(gang.Install(0, *mode, std::move(waveform)));
      }
    }

    sim::Probe probe;
    probe.every_steps = oracle.sample_steps;
    probe.sites = nodes;
    std::vector<sim::Spike> spikes;
    sim::Probe* probes[] = {&probe};
    gang.Advance(std::llround(run.duration_ms / dt), &spikes, probes);
    const double stop_ms = static_cast<double>(gang.tick(0)) * dt;

    const std::string prefix = absl::StrCat("r", i, "_");
    LIVND_SERVER_ASSIGN_OR_RETURN(const SpikeTrains expected, ReadSpikes(trace, prefix));
    SpikeTrains got;
    for (const sim::Spike& s : spikes) {
      got[s.gid].push_back(static_cast<double>(s.tick) * dt + 1e-10 - start_ms);
    }
    for (const auto& [gid, times] : expected) {
      out.spikes_expected += static_cast<int64_t>(times.size());
    }
    out.spikes_got = static_cast<int64_t>(spikes.size());

    // Plasticity acts on events alone: a run that no event can reach is the same with and without.
    double newest_ms = last_spike_ms;
    for (const sim::Spike& s : spikes) newest_ms = std::max(newest_ms, s.tick * dt);
    for (const auto& [gid, input] : oracle.input_spikes_ms) {
      for (double t : input) {
        if (t < stop_ms) newest_ms = std::max(newest_ms, t);
      }
    }
    if (plasticity && newest_ms + longest_delay_ms >= start_ms && lost_to.empty()) {
      lost_to = "plasticity";
    }
    last_spike_ms = newest_ms;
    out.missing = lost_to;

    LIVND_SERVER_ASSIGN_OR_RETURN(const TraceArray v, trace.Read(prefix + "v"));
    const auto num_samples =
        static_cast<int64_t>(probe.samples.size() / std::max<size_t>(1, probe.sites.size()));
    if (v.num_rows != static_cast<int64_t>(probe.sites.size()) || v.num_columns > num_samples) {
      return BadTrace(trace, prefix + "v",
                      absl::StrCat("is ", v.num_rows, " x ", v.num_columns, ", expected ",
                                   probe.sites.size(), " x ", num_samples));
    }
    for (int64_t n = 0; n < v.num_rows; ++n) {
      for (int64_t s = 0; s < v.num_columns; ++s) {
        const double dv =
            std::fabs(v.values[n * v.num_columns + s] - probe.samples[s * v.num_rows + n]);
        // Written so that NaN counts as a difference.
        if (!(dv <= out.max_abs_dv_mv)) out.max_abs_dv_mv = dv;
      }
    }
    bool same_trains;
    CompareSpikes(expected, got, dt, out, same_trains);
    const bool counts = out.spikes_expected == out.spikes_got;
    const bool spikes_pass =
        run.mark.spikes == "equal" ? same_trains
        : run.mark.spikes == "within_one_tick"
            ? counts && out.max_spike_shift_ms <= 1.01 * dt &&
                  std::all_of(expected.begin(), expected.end(),
                              [&](const auto& e) {
                                const auto g = got.find(e.first);
                                return g != got.end() && g->second.size() == e.second.size();
                              })
            : run.mark.spikes == "to_first_divergence";
    out.pass = out.missing.empty() && spikes_pass &&
               (!run.mark.dv_mv.has_value() || out.max_abs_dv_mv <= *run.mark.dv_mv);
  }
  return result;
}

}  // namespace livnd::server
