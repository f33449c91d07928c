// livnd export: copies a system.
#ifndef LIVND_SERVER_COMMANDS_EXPORT_H_
#define LIVND_SERVER_COMMANDS_EXPORT_H_

#include <string>

#include "absl/types/span.h"

namespace livnd::server {

// Returns the exit status.
int ExportCommand(absl::Span<const std::string> args);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_EXPORT_H_
