// What a server has to give: systems, and the environments on them.
#ifndef LIVND_SERVER_SESSION_OFFER_H_
#define LIVND_SERVER_SESSION_OFFER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "env/catalog.h"
#include "env/spec.h"
#include "livnd/v1/system.pb.h"
#include "server/session/environment_store.h"

namespace livnd::server {

struct Offer {
  std::vector<v1::System> systems;
  std::vector<env::EnvironmentSpec> environments;  // ordered by id
  EnvironmentStore::Builder builder;
  std::string physics_version;
};

// Reads the systems of a folder and finds the environments that they offer. What a system lacks to
// offer any is told in the log. max_message_bytes caps what one answer of a culture may hold.
// Errors: as ReadSystemsFolder and env::Catalog::Create.
absl::StatusOr<Offer> ReadOffer(const std::string& systems_folder, int64_t max_message_bytes,
                                env::BenchEnvironments bench);

}  // namespace livnd::server

#endif  // LIVND_SERVER_SESSION_OFFER_H_
