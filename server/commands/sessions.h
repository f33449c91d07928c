// `livnd sessions`: what sessions a server has.
#ifndef LIVND_SERVER_COMMANDS_SESSIONS_H_
#define LIVND_SERVER_COMMANDS_SESSIONS_H_

#include <string>

#include "absl/types/span.h"

namespace livnd::server {

// Lists the sessions of the server at the address args[0], after it has ended those that --end names, and
// with --drain has the server end. Returns the exit status: 1, with the reason on standard error, if the
// server does not answer or refuses; 2 on usage.
int SessionsCommand(absl::Span<const std::string> args);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_SESSIONS_H_
