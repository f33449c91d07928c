// Ctrl-C and SIGTERM to a command that then gives up and leaves nothing half made.
#ifndef LIVND_SERVER_COMMANDS_INTERRUPT_H_
#define LIVND_SERVER_COMMANDS_INTERRUPT_H_

namespace livnd::server {

// From here on the first SIGINT or SIGTERM is only noted; a second one ends the process at once.
void StopOnSignals();

// Whether there was one. Thread-safe.
bool Interrupted();

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_INTERRUPT_H_
