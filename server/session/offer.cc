#include "server/session/offer.h"

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/status_macros.h"
#include "env/catalog.h"
#include "env/culture/culture_model.h"
#include "env/culture/live_culture.h"
#include "env/task/task.h"
#include "env/task/vector_environment.h"
#include "io/system/truth.h"
#include "server/machine/log.h"
#include "server/machine/systems_folder.h"
#include "server/session/hosted_culture.h"
#include "server/session/hosted_task.h"
#include "server/wire/errors.h"
#include "server/wire/message_bytes.h"
#include "server/wire/snapshot.h"
#include "server/wire/spec.h"
#include "server/wire/system.h"

namespace livnd::server {
namespace {

using Made = absl::StatusOr<std::unique_ptr<HostedEnvironment>>;

}  // namespace

absl::StatusOr<Offer> ReadOffer(const std::string& systems_folder, int64_t max_message_bytes,
                                env::BenchEnvironments bench) {
  LIVND_ASSIGN_OR_RETURN(std::vector<std::shared_ptr<const io::System>> systems,
                         ReadSystemsFolder(systems_folder));
  Offer offer;
  std::map<std::string, std::string> system_sha256;  // by name
  for (const auto& system : systems) {
    offer.systems.push_back(EncodeSystem(*system));
    LIVND_ASSIGN_OR_RETURN(system_sha256[system->name], io::SystemSha256(*system));
  }
  LIVND_ASSIGN_OR_RETURN(env::Catalog made, env::Catalog::Create(std::move(systems), bench));
  const auto catalog = std::make_shared<const env::Catalog>(std::move(made));
  offer.environments = catalog->specs();
  for (const absl::Status& status : catalog->left_out()) {
    LogLine(Severity::kError, "system offers no environment",
            {{"reason", ReasonTold(status)}, {"error", status.message()}});
  }
  if (!offer.environments.empty()) {
    offer.physics_version = offer.environments.front().physics_version;
  }
  std::map<std::string, SnapshotIdentity> identities;  // by environment
  for (const env::EnvironmentSpec& spec : offer.environments) {
    std::string bytes;
    CanonicalBytes(EncodeEnvironmentSpec(spec), &bytes);
    identities[spec.id] = {spec.physics_version, spec.id, io::BytesSha256(bytes),
                           system_sha256[spec.system]};
  }
  offer.builder = [catalog, max_message_bytes, identities](
                      const std::string& id,
                      sim::Executor& executor) -> absl::StatusOr<EnvironmentStore::Maker> {
    const SnapshotIdentity& identity = identities.at(id);
    if (catalog->Find(id)->kind == env::EnvironmentKind::kCulture) {
      LIVND_ASSIGN_OR_RETURN(std::shared_ptr<const env::CultureModel> model,
                             catalog->BuildCulture(id));
      return EnvironmentStore::Maker(
          [model, max_message_bytes, identity, &executor](const WantedCopies& wanted) -> Made {
            LIVND_ASSIGN_OR_RETURN(
                std::unique_ptr<env::LiveCulture> culture,
                env::LiveCulture::Create(model, wanted.num_envs, wanted.unseeded_seed, executor));
            return std::make_unique<HostedCulture>(std::move(culture), max_message_bytes, identity);
          });
    }
    LIVND_ASSIGN_OR_RETURN(std::shared_ptr<const env::Task> task, catalog->BuildTask(id));
    return EnvironmentStore::Maker([task, identity, &executor](const WantedCopies& wanted) -> Made {
      LIVND_ASSIGN_OR_RETURN(
          std::unique_ptr<env::VectorEnvironment> environment,
          env::VectorEnvironment::Create(task, wanted.num_envs, wanted.autoreset,
                                         wanted.unseeded_seed, executor, wanted.max_episode_steps));
      return std::make_unique<HostedTask>(std::move(environment), identity);
    });
  };
  return offer;
}

}  // namespace livnd::server
