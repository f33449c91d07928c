// A session on cultures without a task: they run for as long as a call says.
#ifndef LIVND_CLIENTS_CPP_CULTURE_SESSION_H_
#define LIVND_CLIENTS_CPP_CULTURE_SESSION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "clients/cpp/connection.h"
#include "clients/cpp/remote_session.h"
#include "clients/cpp/result.h"
#include "livnd/v1/culture.pb.h"
#include "livnd/v1/culture_service.pb.h"
#include "livnd/v1/session_service.pb.h"

namespace livnd::client {

// As ClearRequest.
struct ClearOptions {
  // One a copy, or empty: every copy keeps its seed.
  std::vector<std::optional<uint64_t>> seeds;
  bool repeat_noise = false;
  std::optional<uint32_t> noise_stream;
  bool forget_learned_weights = false;
};

// N copies of a culture on one clock, in the protocol's own messages (livnd/v1/culture.proto;
// tensor.h packs and unpacks their numbers). Operations are numbered and repeated as Session's are,
// and what is said there of Error::in_doubt and of a session that is gone holds here too.
//
// Thread-compatible: one driver. Made by Client::CreateCulture; may outlive the client.
class CultureSession {
 public:
  const v1::EnvironmentSpec& spec() const { return remote_.created().environment(); }
  int num_envs() const { return remote_.created().num_envs(); }
  // Its name on the server. Whoever knows it can drive the session.
  const std::string& name() const { return remote_.created().session(); }

  // Puts all copies back to time 0, at rest, and returns the seeds that they have now.
  Result<std::vector<uint64_t>> Clear(const ClearOptions& options = {});
  // Runs all copies on, and returns what Configure selected. Fills in session and op_index.
  Result<v1::CultureRecording> Run(v1::RunRequest run);
  // Changes the cultures, as a whole or not at all. Fills in session and op_index.
  Result<void> Configure(v1::ConfigureRequest change);
  Result<v1::GetCultureResponse> GetCulture(bool learned_weights = false,
                                            bool electrode_hearing = false);

  // Everything that decides what the copies do next, of all or of those that are named. Restore and
  // SessionOptions take it, for sessions on the same environment of any server with the same physics
  // and the same system (SNAPSHOT_MISMATCH).
  Result<std::string> Snapshot(const std::vector<int>& copies = {}) {
    return remote_.Snapshot(copies);
  }
  // Puts copies of a snapshot into the place of the session's: copy_of[i] becomes copy i; empty:
  // all, in order. An operation.
  Result<void> Restore(std::string snapshot, const std::vector<int>& copy_of = {}) {
    return remote_.Restore(std::move(snapshot), copy_of);
  }
  // Sessions that begin where this one is, with the copies that copy_of names (empty: all); each then
  // goes on by itself. All of them are made, or none.
  Result<std::vector<std::unique_ptr<CultureSession>>> Fork(int num_sessions,
                                                            const std::vector<int>& copy_of = {});

  // Has the server write down what the session does, until StopRecording or its end; both give the
  // recording's name. It is the server's, and outlives the session: Client::ReadRecording. Operations.
  Result<std::string> StartRecording(const RecordingOptions& options = {}) {
    return remote_.StartRecording(options);
  }
  Result<std::string> StopRecording() { return remote_.StopRecording(); }

  // Ends the session. Calls after this fail with UNKNOWN_SESSION; closing again does nothing. The
  // destructor does it too, in one attempt of at most two seconds.
  Result<void> Close() { return remote_.Close(); }
  // Leaves the session to the server and gives its name, which Client's Attach calls take. Nothing else
  // is called after this.
  std::string Detach() { return remote_.Detach(); }

  // The number that the next operation carries.
  int64_t next_op_index() const { return remote_.next_op_index(); }

 private:
  friend class Client;
  CultureSession(std::shared_ptr<internal::Connection> connection,
                 v1::CreateSessionResponse created);

  internal::RemoteSession remote_;
};

}  // namespace livnd::client

#endif  // LIVND_CLIENTS_CPP_CULTURE_SESSION_H_
