// `livnd inspect`: what a system consists of.
#ifndef LIVND_SERVER_COMMANDS_INSPECT_H_
#define LIVND_SERVER_COMMANDS_INSPECT_H_

#include <string>

#include "absl/types/span.h"

namespace livnd::server {

// Reads the system in the folder args[0] and prints tables of its populations, projections and
// electrodes, or with --json one JSON object with the members of truth.json, digests included
// (io/system/truth.h). Returns the exit status; 1, with the reason on standard error, if the
// system cannot be read.
int InspectCommand(absl::Span<const std::string> args);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_INSPECT_H_
