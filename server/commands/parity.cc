#include "server/commands/parity.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/json/json_file.h"
#include "io/json/json_view.h"
#include "lab/parity/case_recording.h"
#include "lab/parity/judge_case.h"
#include "lab/parity/oracle_case.h"
#include "lab/parity/run_case.h"
#include "lab/parity/trace_file.h"
#include "server/commands/flags.h"

namespace livnd::server {
namespace {

// JSON has no NaN: a difference that is not a number is told as null.
io::Json Number(double x) { return std::isfinite(x) ? io::Json(x) : io::Json(nullptr); }

io::Json RunJson(const lab::ParityRun& run) {
  io::Json out;
  out["max_abs_dv_mv"] = Number(run.max_abs_dv_mv);
  out["spikes_expected"] = run.spikes_expected;
  out["spikes_got"] = run.spikes_got;
  out["max_spike_shift_ms"] = run.max_spike_shift_ms;
  if (run.first_divergence_ms.has_value()) out["first_divergence_ms"] = *run.first_divergence_ms;
  out["pass"] = run.pass;
  return out;
}

io::Json ResultJson(const lab::ParityResult& result) {
  // The case's numbers are the worst of its runs.
  lab::ParityRun worst;
  for (const lab::ParityRun& run : result.runs) {
    if (!(run.max_abs_dv_mv <= worst.max_abs_dv_mv)) worst.max_abs_dv_mv = run.max_abs_dv_mv;
    worst.spikes_expected += run.spikes_expected;
    worst.spikes_got += run.spikes_got;
    worst.max_spike_shift_ms = std::max(worst.max_spike_shift_ms, run.max_spike_shift_ms);
  }
  worst.pass = result.pass();
  io::Json out;
  out["case"] = result.name;
  const io::Json numbers = RunJson(worst);
  for (const auto& [key, value] : numbers.items()) out[key] = value;
  out["runs"] = io::Json::array();
  for (const lab::ParityRun& run : result.runs) out["runs"].push_back(RunJson(run));
  return out;
}

// Of a case that is not judged.
io::Json RecordingJson(const lab::OracleCase& oracle, const lab::CaseRecording& recording) {
  io::Json out;
  out["case"] = oracle.name;
  out["pass"] = nullptr;
  out["runs"] = io::Json::array();
  for (const lab::CaseRun& run : recording.runs) {
    io::Json json;
    json["spikes_got"] = run.spikes.size();
    out["runs"].push_back(json);
  }
  return out;
}

// Runs a case, writes what the engine gave to TRACES/NAME.h5 if `traces` is not empty, and judges it
// if there is a trace of livn beside the case.
absl::StatusOr<io::Json> RunFile(const std::string& path, const std::string& traces, bool* pass) {
  if (!absl::EndsWith(path, ".json")) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": expected a file CASE.json"));
  }
  LIVND_ASSIGN_OR_RETURN(const io::Json json, io::ReadJsonFile(path));
  LIVND_ASSIGN_OR_RETURN(const lab::OracleCase oracle,
                         lab::ParseOracleCase(io::JsonView(json, path)));
  LIVND_ASSIGN_OR_RETURN(const lab::CaseRecording recording, lab::RunOracleCase(oracle));
  const std::filesystem::path trace_path = std::filesystem::path(path).replace_extension(".h5");
  if (!traces.empty()) {
    const std::filesystem::path own = std::filesystem::path(traces) / trace_path.filename();
    std::error_code ignored;
    if (std::filesystem::equivalent(own, trace_path, ignored)) {
      return absl::InvalidArgumentError("--traces would replace livn's trace");
    }
    LIVND_RETURN_IF_ERROR(lab::WriteRecording(recording, own.string()));
  }
  if (!std::filesystem::exists(trace_path)) {
    if (traces.empty()) {
      return absl::NotFoundError(
          absl::StrCat(trace_path.string(), " is missing; with --traces it is not needed"));
    }
    *pass = true;
    return RecordingJson(oracle, recording);
  }
  LIVND_ASSIGN_OR_RETURN(const lab::TraceFile trace, lab::TraceFile::Open(trace_path.string()));
  LIVND_ASSIGN_OR_RETURN(const lab::ParityResult result, lab::JudgeCase(oracle, recording, trace));
  *pass = result.pass();
  return ResultJson(result);
}

}  // namespace

int ParityCommand(absl::Span<const std::string> args) {
  std::string traces;
  FlagSet flags(
      "livnd parity [--traces DIR] CASE.json...",
      "Runs cases of the physics oracle on the culture that is served and holds them "
      "against the traces of livn 2.0.0 beside them (CASE.h5). Prints one JSON line a case.");
  flags.String("traces", "DIR",
               "also write what the engine gives to DIR/CASE.h5, in the form of livn's traces; a "
               "case without one of livn's is then run all the same, its \"pass\" being null",
               &traces);
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
    bool pass = false;
    const absl::StatusOr<io::Json> result = RunFile(path, traces, &pass);
    ok = ok && pass;
    if (result.ok()) {
      std::cout << result->dump() << std::endl;
    } else {
      std::cerr << "livnd parity: " << path << ": " << result.status().message() << "\n";
    }
  }
  return ok ? kExitOk : kExitFailure;
}

}  // namespace livnd::server
