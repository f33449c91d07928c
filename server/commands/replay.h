// `livnd replay`: does a journal give again what it gave?
#ifndef LIVND_SERVER_COMMANDS_REPLAY_H_
#define LIVND_SERVER_COMMANDS_REPLAY_H_

#include <string>

#include "absl/types/span.h"

namespace livnd::server {

// Does again what the journal args[0] of a session says, on the systems of --systems, and compares
// every answer with what was answered then. Prints what the journal holds and how that went, with --json
// as an object. Returns the exit status: 0 if every answer is the same; 1 if one differs (the first
// operation and the field of its answer are named), or if the journal is damaged or of other physics,
// another environment or another system; 2 on usage.
int ReplayCommand(absl::Span<const std::string> args);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_REPLAY_H_
