// livnd promote: a solution of a search becomes parameters of its system.
#ifndef LIVND_SERVER_COMMANDS_PROMOTE_H_
#define LIVND_SERVER_COMMANDS_PROMOTE_H_

#include <string>

#include "absl/types/span.h"

namespace livnd::server {

// Returns the exit status.
int PromoteCommand(absl::Span<const std::string> args);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_PROMOTE_H_
