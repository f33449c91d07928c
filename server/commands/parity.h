// `livnd parity`: oracle cases on the culture that is served.
#ifndef LIVND_SERVER_COMMANDS_PARITY_H_
#define LIVND_SERVER_COMMANDS_PARITY_H_

#include <string>

#include "absl/types/span.h"

namespace livnd::server {

// Runs each CASE.json against the trace CASE.h5 beside it and prints one JSON line a case; --traces
// keeps what the engine gave. Returns 0 if every judged run is within its marks, 1 if one is not or
// a file cannot be read, 2 on usage.
int ParityCommand(absl::Span<const std::string> args);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_PARITY_H_
