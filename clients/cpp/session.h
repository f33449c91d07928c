// A session: N copies of an environment that this client drives.
#ifndef LIVND_CLIENTS_CPP_SESSION_H_
#define LIVND_CLIENTS_CPP_SESSION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "clients/cpp/connection.h"
#include "clients/cpp/remote_session.h"
#include "clients/cpp/result.h"
#include "livnd/v1/environment_service.pb.h"
#include "livnd/v1/session_service.pb.h"

namespace livnd::client {

// Numbers beside the observation, by the names in EnvironmentSpec.infos: [num_envs, size] each.
using Infos = std::map<std::string, std::vector<double>>;

struct ResetOptions {
  // One a copy, or empty: no copy is given a seed.
  std::vector<std::optional<uint64_t>> seeds;
  // One a copy, or empty: all copies are reset.
  std::vector<bool> mask;
  // By the names in EnvironmentSpec.reset_options.
  std::map<std::string, double> options;
};

// All arrays are in C order with the copies as the leading axis.
struct ResetResult {
  std::vector<float> observations;  // [num_envs, observation size]
  Infos infos;
  std::vector<uint64_t> seeds;  // of the running episodes
};

struct StepResult {
  std::vector<float> observations;
  std::vector<double> rewards;      // [num_envs]
  std::vector<uint8_t> terminated;  // [num_envs], 0 or 1
  std::vector<uint8_t> truncated;   // [num_envs], 0 or 1
  Infos infos;
  std::vector<uint64_t> episode_seeds;  // [num_envs], of the running episodes
  std::vector<uint8_t> began;           // [num_envs], 1 where this step began an episode
  // Under AUTORESET_MODE_SAME_STEP, what the episodes that ended in this step showed last: a row for
  // each copy that was terminated or truncated, in their order. Empty where none was.
  std::vector<float> final_observations;  // [num_ended, observation size]
  Infos final_infos;                      // [num_ended, size] each
};

struct ObserveResult {
  std::vector<float> observations;
  Infos infos;
  std::vector<int64_t> episodes;        // [num_envs], begun since the session was created
  std::vector<int64_t> ticks;           // [num_envs], since the episode's reset
  std::vector<uint64_t> episode_seeds;  // [num_envs], of the running episodes
};

// What the cultures of copies were given in the last step, and how they fired; see the message. Rows of
// copy i are offsets[i] .. offsets[i + 1].
struct RenderResult {
  std::vector<uint8_t> simulated;  // [num_copies], 0: there are no rows of the copy
  std::vector<int64_t> spike_offsets, spike_gids, spike_ticks;
  std::vector<int64_t> pulse_offsets, pulse_electrodes, pulse_ticks;
  std::vector<double> pulse_ua;
};

// Numbers its operations, so that a repeat after a failure of the transport gives the answer of the
// first try and nothing is done twice. If an operation fails all the same with Error::in_doubt,
// call it again with the same arguments for its answer, or reset all copies; any other operation is
// UNKNOWN_OUTCOME. Observe tells what has been done: where its answer has a later next_op_index the
// doubt is over.
//
// A session that is gone (Error::session_gone) does not come back: make another one with
// Client::CreateSession and reset it. Its seeds begin anew, so give them.
//
// Its lease is renewed in the background as long as the object is there. Thread-compatible: one driver.
// Made by Client::CreateSession; may outlive the client.
class Session {
 public:
  const v1::EnvironmentSpec& spec() const { return remote_.created().environment(); }
  int num_envs() const { return remote_.created().num_envs(); }
  // Its name on the server. Whoever knows it can drive the session.
  const std::string& name() const { return remote_.created().session(); }
  // Seconds of culture time a second; 0 is as fast as it goes.
  double pace() const { return remote_.created().pace().speed(); }
  // Elements of one copy's action and observation.
  int64_t action_size() const;
  int64_t observation_size() const;

  Result<ResetResult> Reset(const ResetOptions& options = {});
  // actions: [num_envs, action size].
  Result<StepResult> Step(const std::vector<float>& actions);
  Result<ObserveResult> Observe();
  // Of the copies named, in this order; of all where none is.
  Result<RenderResult> Render(const std::vector<int>& copies = {});

  // Everything that decides what the copies do next, of all or of those that are named. Restore and
  // SessionOptions take it, for sessions on the same environment of any server with the same physics
  // and the same system (SNAPSHOT_MISMATCH).
  Result<std::string> Snapshot(const std::vector<int>& copies = {}) {
    return remote_.Snapshot(copies);
  }
  // Puts copies of a snapshot into the place of the session's: copy_of[i] becomes copy i, -1 leaves
  // it; empty: all, in order. An operation.
  Result<void> Restore(std::string snapshot, const std::vector<int>& copy_of = {}) {
    return remote_.Restore(std::move(snapshot), copy_of);
  }
  // Sessions that begin where this one is, with the copies that copy_of names (empty: all); each then
  // goes on by itself. All of them are made, or none.
  Result<std::vector<std::unique_ptr<Session>>> Fork(int num_sessions,
                                                     const std::vector<int>& copy_of = {});

  // How well a session with a pace has kept its time; without steps and bounds where it has none.
  Result<v1::PaceReport> GetPaceReport();

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
  friend class StepStream;
  Session(std::shared_ptr<internal::Connection> connection, v1::CreateSessionResponse created);

  void PutActions(const std::vector<float>& actions, v1::StepRequest* request) const;
  Result<StepResult> ResultOf(const v1::StepResponse& response) const;

  internal::RemoteSession remote_;

  // Kept for their capacity.
  v1::StepRequest step_request_;
  v1::StepResponse step_response_;
};

}  // namespace livnd::client

#endif  // LIVND_CLIENTS_CPP_SESSION_H_
