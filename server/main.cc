// livnd: cultures of simulated neurons as a service. Each command is one file in server/commands/.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "server/commands/export.h"
#include "server/commands/flags.h"
#include "server/commands/generate.h"
#include "server/commands/health.h"
#include "server/commands/inspect.h"
#include "server/commands/lightarray.h"
#include "server/commands/mea.h"
#include "server/commands/merge.h"
#include "server/commands/parity.h"
#include "server/commands/promote.h"
#include "server/commands/replay.h"
#include "server/commands/sample.h"
#include "server/commands/selection.h"
#include "server/commands/serve.h"
#include "server/commands/sessions.h"
#include "server/commands/tune.h"
#include "server/version.h"

namespace {

struct Command {
  const char* name;
  const char* summary;
  int (*run)(absl::Span<const std::string> args);  // returns the exit status
};

constexpr Command kCommands[] = {
    {"serve", "serve environments over gRPC", livnd::server::ServeCommand},
    {"health", "ask a server whether it serves", livnd::server::HealthCommand},
    {"sessions", "list and end the sessions of a server", livnd::server::SessionsCommand},
    {"replay", "do again what a session's journal says", livnd::server::ReplayCommand},
    {"generate", "make a culture: cells and connections", livnd::server::GenerateCommand},
    {"mea", "give a system electrodes", livnd::server::MeaCommand},
    {"lightarray", "give a system optical fibres", livnd::server::LightArrayCommand},
    {"selection", "name a part of a system", livnd::server::SelectionCommand},
    {"export", "copy a system", livnd::server::ExportCommand},
    {"tune", "find parameters for a culture", livnd::server::TuneCommand},
    {"promote", "give a system what a search has found", livnd::server::PromoteCommand},
    {"sample", "make a data set of a culture", livnd::server::SampleCommand},
    {"merge", "put parts of a data set together", livnd::server::MergeCommand},
    {"inspect", "tell what a system consists of", livnd::server::InspectCommand},
    {"parity", "hold the engine against traces of livn 2.0.0", livnd::server::ParityCommand},
};

void PrintHelp(std::FILE* out) {
  std::fprintf(out,
               "usage: livnd COMMAND [ARGUMENT...]\n\n"
               "Cultures of simulated neurons on multi-electrode arrays, as environments.\n\n");
  for (const Command& command : kCommands) {
    std::fprintf(out, "  %-10s %s\n", command.name, command.summary);
  }
  std::fprintf(out, "\nlivnd COMMAND --help tells more; livnd --version prints the version.\n");
}

// The exit status.
int Run(const std::vector<std::string>& args) {
  if (args.empty()) {
    PrintHelp(stderr);
    return livnd::server::kExitUsage;
  }
  if (args[0] == "--help" || args[0] == "-h" || args[0] == "help") {
    PrintHelp(stdout);
    return livnd::server::kExitOk;
  }
  if (args[0] == "--version") {
    std::printf("livnd %s\n", livnd::server::kVersion);
    return livnd::server::kExitOk;
  }
  for (const Command& command : kCommands) {
    if (args[0] == command.name) return command.run(absl::MakeConstSpan(args).subspan(1));
  }
  std::fprintf(stderr, "livnd: unknown command '%s'\n\n", args[0].c_str());
  PrintHelp(stderr);
  return livnd::server::kExitUsage;
}

// What was printed may still be in a buffer, or have been lost on the way: on a full disk, say. A
// command that failed has said why.
int AfterOutput(int status) {
  const bool flushed = std::fflush(stdout) == 0;
  const int error = errno;
  if ((flushed && std::ferror(stdout) == 0) || status != livnd::server::kExitOk) return status;
  std::fprintf(stderr, "livnd: cannot write to standard output%s%s\n", flushed ? "" : ": ",
               flushed ? "" : std::strerror(error));
  return livnd::server::kExitFailure;
}

}  // namespace

int main(int argc, char** argv) {
  return AfterOutput(Run(std::vector<std::string>(argv + 1, argv + argc)));
}
