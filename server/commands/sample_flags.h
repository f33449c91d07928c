// The command line of livnd sample.
#ifndef LIVND_SERVER_COMMANDS_SAMPLE_FLAGS_H_
#define LIVND_SERVER_COMMANDS_SAMPLE_FLAGS_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "lab/sample/sample_plan.h"
#include "server/commands/flags.h"
#include "server/commands/server_flags.h"

namespace livnd::server {

struct SampleSettings {
  // Of the plan, as text where a flag is more than a word.
  std::string split, encoding, ranges, params, group, selection, voltages, range;
  int count = 0, seed = 123, trials = 1, part = 0, noise = 0;
  std::optional<double> warmup_ms, duration_ms, step_ms, sample_dt_ms;
  bool potentials = false;
  // Of the work.
  std::string out;
  ServerSettings servers;
  int threads = 1, batch = 0;
  bool json = false;
};

FlagSet SampleFlags(SampleSettings& settings);

// What the flags ask for; errors name them.
absl::StatusOr<lab::SampleConfig> ConfigOf(const SampleSettings& settings);

// The command that makes the same data set, of a system of this name, for who reads of it: what decides the
// samples, in the order of the help, and DIR for --out.
std::string CommandOf(const std::string& system, const SampleSettings& settings);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_SAMPLE_FLAGS_H_
