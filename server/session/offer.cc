#include "server/session/offer.h"

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/status_macros.h"
#include "env/catalog.h"
#include "env/copies.h"
#include "env/culture/culture_model.h"
#include "env/culture/live_culture.h"
#include "env/task/task.h"
#include "env/task/task_model.h"
#include "env/task/vector_environment.h"
#include "io/system/truth.h"
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

// Of an error's message, which has to tell the id as well, and what there is instead.
constexpr size_t kMaxWhyBytes = 600;

v1::EnvironmentNotOffered EncodeNotOffered(const env::Catalog::NotOffered& one,
                                           const std::string& directory) {
  v1::EnvironmentNotOffered out;
  out.set_environment_id(one.id);
  out.set_system(one.system);
  std::string why(one.why.message());
  if (!directory.empty()) why = absl::StrReplaceAll(why, {{absl::StrCat(directory, "/"), ""}});
  out.set_why(Presentable(why, kMaxWhyBytes));
  return out;
}

}  // namespace

absl::StatusOr<Offer> MakeOffer(const std::vector<FoundSystem>& found, int64_t max_message_bytes,
                                env::BenchEnvironments bench) {
  Offer offer;
  std::map<std::string, std::string> system_sha256, directories;  // by name
  std::vector<std::shared_ptr<const io::System>> systems;
  for (const FoundSystem& one : found) {
    offer.systems.push_back(EncodeSystem(*one.system));
    system_sha256[one.system->name] = one.sha256;
    directories[one.system->name] = one.system->directory;
    systems.push_back(one.system);
  }
  LIVND_ASSIGN_OR_RETURN(env::Catalog made, env::Catalog::Create(std::move(systems), bench));
  const auto catalog = std::make_shared<const env::Catalog>(std::move(made));
  offer.environments = catalog->specs();
  offer.left_out = catalog->left_out();
  for (const env::Catalog::NotOffered& one : catalog->not_offered()) {
    offer.not_offered.push_back(EncodeNotOffered(one, directories[one.system]));
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
    const SnapshotIdentity& identity = identities[spec.id];
    offer.build_bytes[spec.id] = catalog->BytesToBuild(spec.id);
    offer.versions[spec.id] = absl::StrCat(identity.spec_sha256, identity.system_sha256);
  }
  offer.builder = [catalog, max_message_bytes, identities](
                      const std::string& id,
                      sim::Executor& executor) -> absl::StatusOr<EnvironmentStore::Maker> {
    const SnapshotIdentity& identity = identities.at(id);
    if (catalog->Find(id)->kind == env::EnvironmentKind::kCulture) {
      LIVND_ASSIGN_OR_RETURN(std::shared_ptr<const env::CultureModel> model,
                             catalog->BuildCulture(id));
      return EnvironmentStore::Maker(
          [model, max_message_bytes, identity, build_bytes = catalog->BytesToBuild(id),
           &executor](const WantedCopies& wanted) -> Made {
            LIVND_ASSIGN_OR_RETURN(
                std::unique_ptr<env::LiveCulture> culture,
                env::LiveCulture::Create(model, wanted.num_envs, wanted.unseeded_seed, executor));
            return std::make_unique<HostedCulture>(std::move(culture), max_message_bytes, identity,
                                                   build_bytes);
          },
          [model](const WantedCopies& wanted) {
            return env::BytesOfCopies(*model->prepared().culture, wanted.num_envs);
          });
    }
    LIVND_ASSIGN_OR_RETURN(std::shared_ptr<const env::Task> task, catalog->BuildTask(id));
    return EnvironmentStore::Maker(
        [task, identity, &executor](const WantedCopies& wanted) -> Made {
          LIVND_ASSIGN_OR_RETURN(std::unique_ptr<env::VectorEnvironment> environment,
                                 env::VectorEnvironment::Create(
                                     task, wanted.num_envs, wanted.autoreset, wanted.unseeded_seed,
                                     executor, wanted.max_episode_steps));
          return std::make_unique<HostedTask>(std::move(environment), identity);
        },
        [task](const WantedCopies& wanted) {
          // Its state, and what it shows: kept twice, and in the messages.
          const int64_t of_copy = static_cast<int64_t>(task->state_size() * sizeof(double)) +
                                  5 * BytesShown(task->spec(), wanted.autoreset);
          const int64_t cultures =
              task->model() == nullptr
                  ? 0
                  : env::BytesOfCopies(*task->model()->culture(), wanted.num_envs);
          return cultures + wanted.num_envs * of_copy;
        });
  };
  return offer;
}

}  // namespace livnd::server
