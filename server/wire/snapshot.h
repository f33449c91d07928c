// Snapshots: their bytes, and what is in them. Whatever the bytes are, Parse* gives an error or what
// env can look at; that the numbers fit the environment is env's to say.
#ifndef LIVND_SERVER_WIRE_SNAPSHOT_H_
#define LIVND_SERVER_WIRE_SNAPSHOT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "env/culture/saved_culture.h"
#include "env/task/vector_environment.h"
#include "livnd/v1/snapshot.pb.h"

namespace livnd::server {

// What a session is on, so that no snapshot of anything else is taken for one of it.
struct SnapshotIdentity {
  std::string physics_version;
  std::string environment_id;
  std::string spec_sha256;
  std::string system_sha256;  // "" without a system
};

void EncodeIdentity(const SnapshotIdentity& identity, v1::SnapshotContents* contents);

// `contents` without its identity, as a snapshot.
std::string SealSnapshot(const SnapshotIdentity& identity, v1::SnapshotContents contents);

// What a snapshot holds. INVALID_FIELD about "snapshot": cut, damaged, of another format.
// FAILED_PRECONDITION / SNAPSHOT_MISMATCH: of another environment, physics or system.
absl::StatusOr<v1::SnapshotContents> OpenSnapshot(absl::string_view snapshot,
                                                  const SnapshotIdentity& identity);
absl::Status CheckIdentity(const v1::SnapshotContents& contents, const SnapshotIdentity& identity);

void EncodeEpisode(const env::EnvironmentCopy& copy, v1::EpisodeSnapshot* message);
absl::StatusOr<env::EnvironmentCopy> ParseEpisode(const v1::EpisodeSnapshot& message);

// All but the settings, which are a ConfigureRequest.
void EncodeSavedCulture(const env::SavedCulture& saved, v1::CultureSnapshot* message);
absl::StatusOr<env::SavedCulture> ParseSavedCulture(const v1::CultureSnapshot& message);

// Which of a snapshot's num_saved copies each of num_envs copies becomes; -1: none, where `may_stay`.
// INVALID_FIELD about "copy_of".
absl::StatusOr<std::vector<int>> ParseCopyOf(
    const google::protobuf::RepeatedField<int32_t>& copy_of, int num_envs, int num_saved,
    bool may_stay);

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_SNAPSHOT_H_
