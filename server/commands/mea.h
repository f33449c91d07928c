// livnd mea: gives a system electrodes.
#ifndef LIVND_SERVER_COMMANDS_MEA_H_
#define LIVND_SERVER_COMMANDS_MEA_H_

#include <string>

#include "absl/types/span.h"

namespace livnd::server {

// Returns the exit status.
int MeaCommand(absl::Span<const std::string> args);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_MEA_H_
