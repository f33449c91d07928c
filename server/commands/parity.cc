#include "server/commands/parity.h"

#include <algorithm>
#include <cmath>
#include <iostream>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "io/json/json_file.h"
#include "io/json/json_view.h"
#include "server/commands/flags.h"
#include "server/parity/oracle_case.h"
#include "server/parity/run_case.h"
#include "server/parity/trace_file.h"
#include "server/status_macros.h"

namespace livnd::server {
namespace {

absl::StatusOr<ParityResult> RunFile(const std::string& path) {
  if (!absl::EndsWith(path, ".json")) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": expected a file CASE.json"));
  }
  LIVND_SERVER_ASSIGN_OR_RETURN(const io::Json json, io::ReadJsonFile(path));
  LIVND_SERVER_ASSIGN_OR_RETURN(const OracleCase oracle, ParseOracleCase(io::JsonView(json, path)));
  LIVND_SERVER_ASSIGN_OR_RETURN(
      const TraceFile trace, TraceFile::Open(absl::StrCat(path.substr(0, path.size() - 5), ".h5")));
  return RunOracleCase(oracle, trace);
}

// JSON has no NaN: a difference that is not a number is told as null.
io::Json Number(double x) { return std::isfinite(x) ? io::Json(x) : io::Json(nullptr); }

io::Json RunJson(const ParityRun& run) {
  io::Json out;
  out["max_abs_dv_mv"] = Number(run.max_abs_dv_mv);
  out["spikes_expected"] = run.spikes_expected;
  out["spikes_got"] = run.spikes_got;
  out["max_spike_shift_ms"] = run.max_spike_shift_ms;
  if (run.first_divergence_ms.has_value()) out["first_divergence_ms"] = *run.first_divergence_ms;
  if (run.missing.empty()) {
    out["pass"] = run.pass;
  } else {
    out["pass"] = nullptr;
    out["missing"] = run.missing;
  }
  return out;
}

io::Json ResultJson(const ParityResult& result) {
  // The case's numbers are the worst of its judged runs.
  ParityRun worst;
  for (const ParityRun& run : result.runs) {
    if (!run.missing.empty()) continue;
    if (!(run.max_abs_dv_mv <= worst.max_abs_dv_mv)) worst.max_abs_dv_mv = run.max_abs_dv_mv;
    worst.spikes_expected += run.spikes_expected;
    worst.spikes_got += run.spikes_got;
    worst.max_spike_shift_ms = std::max(worst.max_spike_shift_ms, run.max_spike_shift_ms);
  }
  worst.pass = result.pass();
  worst.missing = result.missing();
  io::Json out;
  out["case"] = result.name;
  const io::Json numbers = RunJson(worst);
  for (const auto& [key, value] : numbers.items()) out[key] = value;
  out["runs"] = io::Json::array();
  for (const ParityRun& run : result.runs) out["runs"].push_back(RunJson(run));
  return out;
}

}  // namespace

int ParityCommand(absl::Span<const std::string> args) {
  FlagSet flags(
      "livnd parity CASE.json...",
      "Runs cases of the physics oracle on the engine and holds them against the traces "
      "of livn 2.0.0 beside them (CASE.h5). Prints one JSON line a case; \"pass\" is null "
      "for a case that needs a feature the engine lacks, named by \"missing\".");
  const absl::StatusOr<FlagSet::Parsed> parsed = flags.Parse(args);
  if (!parsed.ok()) {
    std::cerr << "livnd parity: " << parsed.status().message() << "\n";
    return kExitUsage;
  }
  if (parsed->help) {
    std::cout << flags.Help();
    return kExitOk;
  }
  if (parsed->positional.empty()) {
    std::cerr << "livnd parity: no case given; usage: livnd parity CASE.json...\n";
    return kExitUsage;
  }
  bool ok = true;
  for (const std::string& path : parsed->positional) {
    const absl::StatusOr<ParityResult> result = RunFile(path);
    if (!result.ok()) {
      std::cerr << "livnd parity: " << path << ": " << result.status().message() << "\n";
      ok = false;
      continue;
    }
    std::cout << ResultJson(*result).dump() << std::endl;
    for (const ParityRun& run : result->runs) ok = ok && (run.pass || !run.missing.empty());
  }
  return ok ? kExitOk : kExitFailure;
}

}  // namespace livnd::server
