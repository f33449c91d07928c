// livnd lightarray: gives a system optical fibres.
#ifndef LIVND_SERVER_COMMANDS_LIGHTARRAY_H_
#define LIVND_SERVER_COMMANDS_LIGHTARRAY_H_

#include <string>

#include "absl/types/span.h"

namespace livnd::server {

// Returns the exit status.
int LightArrayCommand(absl::Span<const std::string> args);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_LIGHTARRAY_H_
