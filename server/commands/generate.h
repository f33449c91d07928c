// livnd generate: makes a culture.
#ifndef LIVND_SERVER_COMMANDS_GENERATE_H_
#define LIVND_SERVER_COMMANDS_GENERATE_H_

#include <string>

#include "absl/types/span.h"

namespace livnd::server {

// Returns the exit status.
int GenerateCommand(absl::Span<const std::string> args);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_GENERATE_H_
