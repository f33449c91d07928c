// `livnd health`: does a server serve?
#ifndef LIVND_SERVER_COMMANDS_HEALTH_H_
#define LIVND_SERVER_COMMANDS_HEALTH_H_

#include <string>

#include "absl/types/span.h"

namespace livnd::server {

// Asks the server at the address args[0] (grpc.health.v1, no service's name) and prints what it
// says in one line, with --json as a JSON object. Returns the exit status: 0 if it serves; 1 if it
// drains, if nobody answers in time or what answers is no such server, with the reason on standard
// error (with --json in the object); 2 on usage, unusable files of TLS among it.
int HealthCommand(absl::Span<const std::string> args);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_HEALTH_H_
