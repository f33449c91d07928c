// Environments as Gymnasium has them: spaces, reset with a seed, step.
//
//   auto env = Env::Make(*client, "TargetRate-EI-mini-v0");
//   std::mt19937_64 random(1);
//   auto begun = env->Reset(/*seed=*/1);
//   auto step = env->Step(env->action_space().Sample(random));
//
// Both are a Session (session.h) that knows its spaces and Gymnasium's way with seeds; snapshots, streams
// and all else are the session's.
#ifndef LIVND_CLIENTS_CPP_ENV_H_
#define LIVND_CLIENTS_CPP_ENV_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "clients/cpp/client.h"
#include "clients/cpp/result.h"
#include "clients/cpp/session.h"
#include "livnd/v1/tensor.pb.h"

namespace livnd::client {

// What one copy's action or observation is: numbers of a shape, in C order, each within its bounds. A
// value.
struct Box {
  std::vector<int64_t> shape;
  std::vector<float> low;  // [size], inclusive as `high` is; infinite where there is no bound
  std::vector<float> high;

  // Of a spec as the server sent it; a float is never outside a double's bound.
  static Box Of(const v1::TensorSpec& spec);

  int64_t size() const { return static_cast<int64_t>(low.size()); }
  // Uniform between the bounds; where one is infinite, from the other one on by an exponential
  // distribution, and normal where both are.
  std::vector<float> Sample(std::mt19937_64& random) const;
  // Whether there are `size` numbers, each within its bounds (NaN is not).
  bool Contains(const std::vector<float>& values) const;
};

// N copies, with an autoreset of SessionOptions::autoreset_mode. Thread-compatible: one driver.
class VectorEnv {
 public:
  // CreateSession's errors.
  static Result<VectorEnv> Make(Client& client, const SessionOptions& options);

  const v1::EnvironmentSpec& spec() const { return session_->spec(); }
  int num_envs() const { return session_->num_envs(); }
  const Box& action_space() const { return action_space_; }            // of one copy
  const Box& observation_space() const { return observation_space_; }  // of one copy

  // Begins all episodes. With a seed copy i gets seed + i, as with Gymnasium's vector environments;
  // without one each goes on with its stream of seeds.
  Result<ResetResult> Reset(std::optional<uint64_t> seed = std::nullopt,
                            const std::map<std::string, double>& options = {});
  // actions: [num_envs, action size].
  Result<StepResult> Step(const std::vector<float>& actions) { return session_->Step(actions); }
  // Ends the session; the destructor does it, too.
  Result<void> Close() { return session_->Close(); }

  Session& session() { return *session_; }

 private:
  explicit VectorEnv(std::unique_ptr<Session> session);

  std::unique_ptr<Session> session_;
  Box action_space_;
  Box observation_space_;
};

struct EnvReset {
  std::vector<float> observation;
  Infos infos;
  uint64_t seed = 0;  // of the episode
};

struct EnvStep {
  std::vector<float> observation;
  double reward = 0.0;
  bool terminated = false;
  bool truncated = false;
  Infos infos;
};

// One copy. An episode that has ended is over until Reset (EPISODE_ENDED). Thread-compatible.
class Env {
 public:
  // max_episode_steps: truncates episodes after so many; 0 leaves it to the environment. CreateSession's
  // errors.
  static Result<Env> Make(Client& client, const std::string& environment_id,
                          int64_t max_episode_steps = 0);

  const v1::EnvironmentSpec& spec() const { return copies_.spec(); }
  const Box& action_space() const { return copies_.action_space(); }
  const Box& observation_space() const { return copies_.observation_space(); }

  Result<EnvReset> Reset(std::optional<uint64_t> seed = std::nullopt,
                         const std::map<std::string, double>& options = {});
  Result<EnvStep> Step(const std::vector<float>& action);
  Result<void> Close() { return copies_.Close(); }

  Session& session() { return copies_.session(); }

 private:
  explicit Env(VectorEnv copies) : copies_(std::move(copies)) {}

  VectorEnv copies_;
};

}  // namespace livnd::client

#endif  // LIVND_CLIENTS_CPP_ENV_H_
