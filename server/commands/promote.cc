#include "server/commands/promote.h"

#include <cstdio>
#include <filesystem>
#include <optional>

#include "absl/status/statusor.h"
#include "lab/tune/promote.h"
#include "lab/tune/tune_folder.h"
#include "server/commands/flags.h"

namespace livnd::server {

int PromoteCommand(absl::Span<const std::string> args) {
  lab::PromoteOptions options;
  FlagSet flags(
      "livnd promote DIR|FRONT.json [--loc N] [--group NAME] [--system DIR] [--force]",
      "Writes a solution of a search, or of a front.json of livn's, into the system's\n"
      "params/default.json (or that of the selection that was searched), where livnd and livn\n"
      "find it. The group `default` is what environments begin with.");
  flags.Int("loc", "N", "the solution, by its place on the front (default: 0, the best)", 0,
            1'000'000, &options.loc);
  flags.String("group", "NAME", "the group of parameters (default: default)", &options.group);
  flags.String("system", "DIR", "the system (default: the one that was searched)", &options.system);
  flags.Switch("force", "replace a group that is there", &options.force);
  int exit_status = kExitOk;
  const std::optional<std::string> front =
      OnlyArgument(flags, args, "promote", "expected the folder of a search", &exit_status);
  if (!front.has_value()) return exit_status;
  const std::string path =
      std::filesystem::is_directory(*front) ? lab::TunePaths(*front).front : *front;
  const absl::StatusOr<lab::Promoted> promoted = lab::Promote(path, options);
  if (!promoted.ok()) {
    std::fprintf(stderr, "livnd promote: %s\n", std::string(promoted.status().message()).c_str());
    return kExitFailure;
  }
  std::printf("promoted loc=%d to %s/%s in %s%s\n", options.loc, promoted->params_key.c_str(),
              promoted->group.c_str(), promoted->path.c_str(),
              promoted->feasible ? "" : "; it is not feasible");
  return kExitOk;
}

}  // namespace livnd::server
