#include "server/commands/server_flags.h"

#include <cstddef>
#include <cstdlib>
#include <utility>
#include <vector>

#include "base/field_error.h"
#include "base/status_macros.h"
#include "server/machine/read_file.h"

namespace livnd::server {
namespace {

constexpr size_t kMaxAddressBytes = size_t{1} << 20;

std::string Environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

void AddServerFlags(FlagSet& flags, ServerSettings& settings) {
  flags.String("addresses", "HOST:PORT,...",
               "have these servers do it, which have the same system (default: those of\n      "
               "LIVND_ADDRESSES_FILE or LIVND_ADDRESSES, else this process)",
               &settings.addresses);
  flags.String("addresses-file", "FILE", "the same of a file, which is read again when one is lost",
               &settings.addresses_file);
  flags.Duration("patience", "TIME", "with servers that are away (default: 60s)",
                 &settings.patience);
}

absl::StatusOr<std::unique_ptr<ServerList>> ServersOf(const ServerSettings& settings) {
  if (!settings.addresses.empty() && !settings.addresses_file.empty()) {
    return MakeFieldError("--addresses", "beside --addresses-file", "one of the two");
  }
  std::string text = settings.addresses, field = "--addresses", file = settings.addresses_file;
  if (text.empty() && file.empty()) {
    // As fleets of the Python client have it.
    file = Environment("LIVND_ADDRESSES_FILE");
    text = file.empty() ? Environment("LIVND_ADDRESSES") : "";
    field = "LIVND_ADDRESSES";
    if (text.empty() && file.empty()) return nullptr;
  }
  if (!file.empty()) {
    field = file;
    LIVND_ASSIGN_OR_RETURN(text, ReadFile(file, "a file of addresses", kMaxAddressBytes));
  }
  LIVND_ASSIGN_OR_RETURN(std::vector<std::string> addresses, ParseAddresses(field, text));
  return std::make_unique<ServerList>(std::move(addresses), file);
}

}  // namespace livnd::server
