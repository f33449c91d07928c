// livnd tune: finds parameters for a culture.
#ifndef LIVND_SERVER_COMMANDS_TUNE_H_
#define LIVND_SERVER_COMMANDS_TUNE_H_

#include <string>

#include "absl/types/span.h"

namespace livnd::server {

// Searches parameters for a system, or shows what a search has found. The exit status.
int TuneCommand(absl::Span<const std::string> args);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_TUNE_H_
