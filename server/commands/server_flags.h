// The flags that say which servers do a command's work.
#ifndef LIVND_SERVER_COMMANDS_SERVER_FLAGS_H_
#define LIVND_SERVER_COMMANDS_SERVER_FLAGS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/commands/flags.h"
#include "server/commands/remote/server_list.h"

namespace livnd::server {

struct ServerSettings {
  std::string addresses, addresses_file;
  absl::Duration patience = absl::Seconds(60);
};

void AddServerFlags(FlagSet& flags, ServerSettings& settings);

// Those of the flags, or else of the environment; null where this process is to do it. Errors name the flag, the variable
// or the file.
absl::StatusOr<std::unique_ptr<ServerList>> ServersOf(const ServerSettings& settings);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_SERVER_FLAGS_H_
