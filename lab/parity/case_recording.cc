#include "lab/parity/case_recording.h"

#include <iterator>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "lab/parity/trace_file.h"

namespace livnd::lab {
namespace {

std::vector<double> GidsOf(const std::vector<env::Site>& sites) {
  std::vector<double> gids;
  for (const env::Site& site : sites) gids.push_back(static_cast<double>(site.gid));
  return gids;
}

}  // namespace

absl::Status WriteRecording(const CaseRecording& recording, const std::string& path) {
  LIVND_ASSIGN_OR_RETURN(TraceFileWriter file, TraceFileWriter::Create(path));
  const auto num_sites = static_cast<int64_t>(recording.sites.size());
  std::vector<double> sections;
  for (const env::Site& site : recording.sites) sections.push_back(site.section);
  LIVND_RETURN_IF_ERROR(file.Write("node_gid", GidsOf(recording.sites)));
  LIVND_RETURN_IF_ERROR(file.Write("node_section", sections));
  for (size_t i = 0; i < recording.runs.size(); ++i) {
    const CaseRun& run = recording.runs[i];
    const std::string prefix = absl::StrCat("r", i, "_");
    std::vector<double> times_ms, sources;
    for (const CaseSpike& spike : run.spikes) {
      times_ms.push_back(spike.time_ms);
      sources.push_back(static_cast<double>(spike.gid));
    }
    LIVND_RETURN_IF_ERROR(file.Write(prefix + "v", {num_sites, run.num_samples, run.voltage_mv}));
    LIVND_RETURN_IF_ERROR(file.Write(prefix + "spike_t", times_ms));
    LIVND_RETURN_IF_ERROR(file.Write(prefix + "spike_gid", sources));
    LIVND_RETURN_IF_ERROR(
        file.Write(prefix + "state", {num_sites, std::size(kCaseStates), run.states}));
    if (!recording.current_sites.empty()) {
      const auto num_rows = static_cast<int64_t>(recording.current_sites.size());
      LIVND_RETURN_IF_ERROR(
          file.Write(prefix + "current_uA", {num_rows, run.num_current_samples, run.current_ua}));
      LIVND_RETURN_IF_ERROR(file.Write(prefix + "current_gid", GidsOf(recording.current_sites)));
      if (run.num_current_samples > 0 && !run.electrode_uv.empty()) {
        const auto num_electrodes =
            static_cast<int64_t>(run.electrode_uv.size()) / run.num_current_samples;
        LIVND_RETURN_IF_ERROR(file.Write(
            prefix + "electrode_uV", {num_electrodes, run.num_current_samples, run.electrode_uv}));
      }
    }
    if (!recording.learned_keys.empty()) {
      LIVND_RETURN_IF_ERROR(file.WriteStrings(prefix + "wplastic_key", recording.learned_keys));
      LIVND_RETURN_IF_ERROR(file.Write(prefix + "wplastic", run.learned_weights));
    }
  }
  return absl::OkStatus();
}

}  // namespace livnd::lab
