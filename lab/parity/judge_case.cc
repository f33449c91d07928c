#include "lab/parity/judge_case.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace livnd::lab {
namespace {

absl::Status BadTrace(const TraceFile& trace, absl::string_view name, absl::string_view what) {
  return absl::DataLossError(absl::StrCat(trace.path(), ": /", name, ": ", what));
}

// Numbers of a data set of one axis, as integers.
absl::StatusOr<std::vector<int64_t>> ReadIntegers(const TraceFile& trace, const std::string& name) {
  LIVND_ASSIGN_OR_RETURN(const TraceArray array, trace.Read(name));
  std::vector<int64_t> out;
  for (double x : array.values) {
    if (!(std::fabs(x) <= 1e9) || x != std::floor(x)) {
      return BadTrace(trace, name, absl::StrCat("holds ", x, ", expected integers up to 1e9"));
    }
    out.push_back(static_cast<int64_t>(x));
  }
  return out;
}

// The sites of the recording that are the rows of the trace's arrays.
absl::StatusOr<std::vector<int64_t>> ReadNodes(const TraceFile& trace,
                                               const CaseRecording& recording) {
  LIVND_ASSIGN_OR_RETURN(const std::vector<int64_t> gids, ReadIntegers(trace, "node_gid"));
  LIVND_ASSIGN_OR_RETURN(const std::vector<int64_t> sections, ReadIntegers(trace, "node_section"));
  if (gids.size() != sections.size()) {
    return BadTrace(trace, "node_section",
                    absl::StrCat("has ", sections.size(), " elements, node_gid ", gids.size()));
  }
  std::vector<int64_t> out;
  for (size_t n = 0; n < gids.size(); ++n) {
    const auto site = std::find_if(
        recording.sites.begin(), recording.sites.end(),
        [&](const env::Site& s) { return s.gid == gids[n] && s.section == sections[n]; });
    if (site == recording.sites.end()) {
      return BadTrace(trace, "node_gid, node_section",
                      absl::StrCat("cell ", gids[n], " section ", sections[n],
                                   " is not a built section of the case"));
    }
    out.push_back(site - recording.sites.begin());
  }
  return out;
}

using SpikeTrains = std::map<int64_t, std::vector<double>>;

absl::StatusOr<SpikeTrains> ReadSpikes(const TraceFile& trace, const std::string& prefix) {
  LIVND_ASSIGN_OR_RETURN(const TraceArray times, trace.Read(prefix + "spike_t"));
  LIVND_ASSIGN_OR_RETURN(const std::vector<int64_t> gids,
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

bool ParityResult::pass() const {
  return std::all_of(runs.begin(), runs.end(), [](const ParityRun& r) { return r.pass; });
}

absl::StatusOr<ParityResult> JudgeCase(const OracleCase& oracle, const CaseRecording& recording,
                                       const TraceFile& trace) {
  LIVND_ASSIGN_OR_RETURN(const std::vector<int64_t> nodes, ReadNodes(trace, recording));
  ParityResult result;
  result.name = oracle.name;
  for (size_t i = 0; i < oracle.runs.size(); ++i) {
    const OracleMark& mark = oracle.runs[i].mark;
    const CaseRun& run = recording.runs[i];
    ParityRun& out = result.runs.emplace_back();
    const std::string prefix = absl::StrCat("r", i, "_");
    LIVND_ASSIGN_OR_RETURN(const SpikeTrains expected, ReadSpikes(trace, prefix));
    SpikeTrains got;
    for (const CaseSpike& s : run.spikes) got[s.gid].push_back(s.time_ms);
    for (const auto& [gid, times] : expected) {
      out.spikes_expected += static_cast<int64_t>(times.size());
    }
    out.spikes_got = static_cast<int64_t>(run.spikes.size());

    LIVND_ASSIGN_OR_RETURN(const TraceArray v, trace.Read(prefix + "v"));
    if (v.num_rows != static_cast<int64_t>(nodes.size()) || v.num_columns > run.num_samples) {
      return BadTrace(trace, prefix + "v",
                      absl::StrCat("is ", v.num_rows, " x ", v.num_columns, ", expected ",
                                   nodes.size(), " x ", run.num_samples));
    }
    for (int64_t n = 0; n < v.num_rows; ++n) {
      const double* have = run.voltage_mv.data() + nodes[n] * run.num_samples;
      for (int64_t s = 0; s < v.num_columns; ++s) {
        const double dv = std::fabs(v.values[n * v.num_columns + s] - have[s]);
        // Written so that NaN counts as a difference.
        if (!(dv <= out.max_abs_dv_mv)) out.max_abs_dv_mv = dv;
      }
    }
    bool same_trains;
    CompareSpikes(expected, got, oracle.dt_ms, out, same_trains);
    const bool counts = out.spikes_expected == out.spikes_got;
    const bool spikes_pass =
        mark.spikes == "equal" ? same_trains
        : mark.spikes == "within_one_tick"
            ? counts && out.max_spike_shift_ms <= 1.01 * oracle.dt_ms &&
                  std::all_of(expected.begin(), expected.end(),
                              [&](const auto& e) {
                                const auto g = got.find(e.first);
                                return g != got.end() && g->second.size() == e.second.size();
                              })
            : mark.spikes == "to_first_divergence";
    out.pass = spikes_pass && (!mark.dv_mv.has_value() || out.max_abs_dv_mv <= *mark.dv_mv);
  }
  return result;
}

}  // namespace livnd::lab
