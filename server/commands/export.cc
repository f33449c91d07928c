#include "server/commands/export.h"

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "lab/folder/export_system.h"
#include "nlohmann/json.hpp"
#include "server/commands/flags.h"
#include "server/commands/interrupt.h"
#include "server/commands/json_line.h"

namespace livnd::server {
namespace {

using Json = nlohmann::ordered_json;

struct Settings {
  std::string out;
  bool bare = false, json = false;
};

FlagSet MakeFlags(Settings& settings) {
  FlagSet flags(
      "livnd export SYSTEM --out DIR [--bare]",
      "Copies a system: cells, connections and graph, and what there is of electrodes, fibres,\n"
      "model, parameters, selections and provenance, and nothing else of the folder. DIR is\n"
      "there once it is complete and has been read as a system.");
  flags.String("out", "DIR", "the new folder", &settings.out);
  flags.Switch("bare", "as livn's export: cells, connections, graph and electrodes alone",
               &settings.bare);
  flags.Switch("json", "print one JSON object", &settings.json);
  return flags;
}

absl::Status Run(const std::string& from, const Settings& settings) {
  if (settings.out.empty()) return MakeFieldError("--out", "absent", "the folder to make");
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(settings.out, ignored))) {
    return MakeFieldError("--out", settings.out, "a name that is not taken");
  }
  LIVND_ASSIGN_OR_RETURN(const std::vector<lab::ExportedFile> files,
                         lab::ExportSystem(from, settings.out, {settings.bare, Interrupted}));
  Json told = Json::array();
  uint64_t num_bytes = 0;
  for (const lab::ExportedFile& file : files) {
    told.push_back({{"name", file.name}, {"bytes", file.num_bytes}});
    num_bytes += file.num_bytes;
  }
  if (settings.json) {
    std::printf("%s\n", JsonLine({{"system", settings.out},
                                  {"from", from},
                                  {"bytes", num_bytes},
                                  {"files", std::move(told)}})
                            .c_str());
    return absl::OkStatus();
  }
  std::printf("%s: %zu files, %llu bytes, of %s\n", settings.out.c_str(), files.size(),
              static_cast<unsigned long long>(num_bytes), from.c_str());
  for (const lab::ExportedFile& file : files) {
    std::printf("  %-32s %12llu bytes\n", file.name.c_str(),
                static_cast<unsigned long long>(file.num_bytes));
  }
  return absl::OkStatus();
}

}  // namespace

int ExportCommand(absl::Span<const std::string> args) {
  Settings settings;
  const FlagSet flags = MakeFlags(settings);
  int exit_status = kExitOk;
  const std::optional<std::string> from =
      OnlyArgument(flags, args, "export", "expected one system", &exit_status);
  if (!from.has_value()) return exit_status;
  StopOnSignals();
  const absl::Status status = Run(*from, settings);
  if (status.ok()) return kExitOk;
  std::fprintf(stderr, "livnd export: %s\n", std::string(status.message()).c_str());
  return kExitFailure;
}

}  // namespace livnd::server
