// What a server has to give: systems, and the environments on them.
#ifndef LIVND_SERVER_SESSION_OFFER_H_
#define LIVND_SERVER_SESSION_OFFER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "env/catalog.h"
#include "env/spec.h"
#include "livnd/v1/system.pb.h"
#include "server/machine/systems_folder.h"
#include "server/session/environment_store.h"

namespace livnd::server {

struct Offer {
  std::vector<v1::System> systems;
  std::vector<env::EnvironmentSpec> environments;  // ordered by id
  EnvironmentStore::Builder builder;
  std::string physics_version;
  // By environment: what changes when it does, with its system. One that has none never changes.
  std::map<std::string, std::string> versions;
  // By environment: memory that building it takes.
  std::map<std::string, int64_t> build_bytes;
  // Of each system that offers no environment, why.
  std::vector<absl::Status> left_out;
  // Ordered by id. Files are told by their path in the system's folder: where that lies is the server's.
  EnvironmentStore::NotOffered not_offered;
};

// Finds the environments that systems offer. max_message_bytes caps what one answer of a culture may
// hold. Errors: as env::Catalog::Create.
absl::StatusOr<Offer> MakeOffer(const std::vector<FoundSystem>& found, int64_t max_message_bytes,
                                env::BenchEnvironments bench);

}  // namespace livnd::server

#endif  // LIVND_SERVER_SESSION_OFFER_H_
