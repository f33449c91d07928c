// livnd selection: names a part of a system, and lists those that have a name.
#ifndef LIVND_SERVER_COMMANDS_SELECTION_H_
#define LIVND_SERVER_COMMANDS_SELECTION_H_

#include <string>

#include "absl/types/span.h"

namespace livnd::server {

// Returns the exit status.
int SelectionCommand(absl::Span<const std::string> args);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_SELECTION_H_
