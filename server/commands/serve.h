// `livnd serve`: the daemon.
#ifndef LIVND_SERVER_COMMANDS_SERVE_H_
#define LIVND_SERVER_COMMANDS_SERVE_H_

#include <string>

#include "absl/types/span.h"

namespace livnd::server {

// Serves until SIGTERM, SIGINT or, with --exit-with-stdin, the end of standard input. Prints one
// JSON line on standard output once it can be called; everything else goes to standard error.
// Returns the exit status: 0 after an orderly end. A second signal ends the process at once.
int ServeCommand(absl::Span<const std::string> args);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_SERVE_H_
