#include "server/commands/merge.h"

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "lab/sample/merge.h"
#include "server/commands/flags.h"
#include "server/commands/interrupt.h"
#include "server/commands/json_line.h"

namespace livnd::server {
namespace {

struct Settings {
  std::string out;
  bool json = false;
};

FlagSet MakeFlags(Settings& settings) {
  FlagSet flags(
      "livnd merge DIR... --out DIR",
      "Makes one folder of those that livnd sample --range has made of one plan. They must have "
      "all of\n"
      "its samples, each once. What comes out is what one machine would have written, and is "
      "there once it\n"
      "is complete.");
  flags.String("out", "DIR", "the new folder", &settings.out);
  flags.Switch("json", "print one JSON object", &settings.json);
  return flags;
}

absl::Status Run(absl::Span<const std::string> folders, const Settings& settings) {
  if (settings.out.empty()) return MakeFieldError("--out", "absent", "the folder to make");
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(settings.out, ignored))) {
    return MakeFieldError("--out", settings.out, "a name that is not taken");
  }
  LIVND_ASSIGN_OR_RETURN(const lab::Merged merged,
                         lab::MergeSamples(folders, settings.out, Interrupted));
  if (settings.json) {
    std::printf("%s\n", JsonLine({{"out", settings.out},
                                  {"samples", merged.num_samples},
                                  {"files", merged.num_parts}})
                            .c_str());
  } else {
    std::printf("%s: %lld samples in %lld files, of %zu folders\n", settings.out.c_str(),
                static_cast<long long>(merged.num_samples),
                static_cast<long long>(merged.num_parts), folders.size());
  }
  return absl::OkStatus();
}

}  // namespace

int MergeCommand(absl::Span<const std::string> args) {
  Settings settings;
  const FlagSet flags = MakeFlags(settings);
  int exit_status = kExitOk;
  const std::optional<FlagSet::Parsed> parsed = ParsedArguments(
      flags, args, "merge", "expected one folder or more",
      [](const std::vector<std::string>& positional) { return !positional.empty(); }, &exit_status);
  if (!parsed.has_value()) return exit_status;
  StopOnSignals();
  const absl::Status status = Run(parsed->positional, settings);
  if (status.ok()) return kExitOk;
  std::fprintf(stderr, "livnd merge: %s\n", std::string(status.message()).c_str());
  return kExitFailure;
}

}  // namespace livnd::server
