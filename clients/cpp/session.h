// A session: N copies of an environment that this client drives.
#ifndef LIVND_CLIENTS_CPP_SESSION_H_
#define LIVND_CLIENTS_CPP_SESSION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "clients/cpp/connection.h"
#include "clients/cpp/result.h"
#include "livnd/v1/culture.pb.h"
#include "livnd/v1/environment_service.pb.h"

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
};

struct ObserveResult {
  std::vector<float> observations;
  Infos infos;
  std::vector<int64_t> episodes;  // [num_envs], begun since the session was created
  std::vector<int64_t> ticks;     // [num_envs], since the episode's reset
};

// Numbers its operations, so that a repeat after a failure of the transport gives the answer of the
// first try and nothing is done twice. If an operation fails all the same with Error::in_doubt(),
// call it again with the same arguments, or call Observe, which tells what has been done, and go on
// from there.
//
// Thread-compatible: one driver. Made by Client::CreateSession; may outlive the client.
class Session {
 public:
  // Deletes the session on the server if Close was not called: one attempt of at most two seconds.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const v1::EnvironmentSpec& spec() const { return created_.environment(); }
  int num_envs() const { return created_.num_envs(); }
  // Its name on the server. Whoever knows it can drive the session.
  const std::string& name() const { return created_.session(); }
  // Elements of one copy's action and observation; 0 for a culture.
  int64_t action_size() const;
  int64_t observation_size() const;

  Result<ResetResult> Reset(const ResetOptions& options = {});
  // actions: [num_envs, action size].
  Result<StepResult> Step(const std::vector<float>& actions);
  Result<ObserveResult> Observe();

  // On a culture, in the protocol's own messages (livnd/v1/culture.proto; tensor.h packs and unpacks
  // their numbers). Run takes the place of Step. Configure fills in session and op_index.
  Result<v1::CultureRecording> Run(const v1::CultureRun& run);
  Result<void> Configure(v1::ConfigureRequest change);
  Result<v1::GetCultureResponse> GetCulture(bool learned_weights = false);

  // Ends the session. Calls after this fail with UNKNOWN_SESSION; closing again does nothing.
  Result<void> Close();

  // The number that the next operation carries.
  int64_t next_op_index() const { return next_op_index_; }

 private:
  friend class Client;
  Session(std::shared_ptr<internal::Connection> connection, v1::CreateSessionResponse created);

  const std::shared_ptr<internal::Connection> connection_;
  const v1::CreateSessionResponse created_;
  int64_t next_op_index_;
  bool closed_ = false;

  // Kept for their capacity.
  v1::StepRequest step_request_;
  v1::StepResponse step_response_;
};

}  // namespace livnd::client

#endif  // LIVND_CLIENTS_CPP_SESSION_H_
