#include "clients/cpp/env.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "clients/cpp/tensor.h"

namespace livnd::client {
namespace {

// The float nearest to a bound that is not beyond it.
float Inward(double bound, float inside) {
  const auto nearest = static_cast<float>(bound);
  const bool beyond = inside > nearest ? nearest < bound : nearest > bound;
  return beyond ? std::nextafter(nearest, inside) : nearest;
}

std::vector<float> BoundsOf(const v1::Tensor& told, size_t size, float inside, float none) {
  std::vector<double> bounds;
  if (!Unpack(told, &bounds) || bounds.size() != size) {
    return std::vector<float>(size, none);
  }
  std::vector<float> found(size);
  for (size_t i = 0; i < size; ++i) found[i] = Inward(bounds[i], inside);
  return found;
}

}  // namespace

Box Box::Of(const v1::TensorSpec& spec) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Box box;
  size_t size = 1;
  for (const int64_t length : spec.shape()) {
    box.shape.push_back(length);
    size *= static_cast<size_t>(length);
  }
  box.low = BoundsOf(spec.low(), size, kInfinity, -kInfinity);
  box.high = BoundsOf(spec.high(), size, -kInfinity, kInfinity);
  return box;
}

std::vector<float> Box::Sample(std::mt19937_64& random) const {
  std::vector<float> values(low.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const bool is_above = std::isfinite(low[i]);
    const bool is_below = std::isfinite(high[i]);
    if (is_above && is_below) {
      std::uniform_real_distribution<double> uniform(low[i], high[i]);
      values[i] = std::min(high[i], std::max(low[i], static_cast<float>(uniform(random))));
    } else if (is_above || is_below) {
      const auto away = static_cast<float>(std::exponential_distribution<double>()(random));
      values[i] = is_above ? low[i] + away : high[i] - away;
    } else {
      values[i] = static_cast<float>(std::normal_distribution<double>()(random));
    }
  }
  return values;
}

bool Box::Contains(const std::vector<float>& values) const {
  if (values.size() != low.size()) return false;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!(values[i] >= low[i] && values[i] <= high[i])) return false;
  }
  return true;
}

Result<VectorEnv> VectorEnv::Make(Client& client, const SessionOptions& options) {
  auto session = client.CreateSession(options);
  if (!session.ok()) return session.error();
  return VectorEnv(*std::move(session));
}

VectorEnv::VectorEnv(std::unique_ptr<Session> session)
    : session_(std::move(session)),
      action_space_(Box::Of(session_->spec().actions(0))),
      observation_space_(Box::Of(session_->spec().observations(0))) {}

Result<ResetResult> VectorEnv::Reset(std::optional<uint64_t> seed,
                                     const std::map<std::string, double>& options) {
  ResetOptions reset;
  reset.options = options;
  if (seed.has_value()) {
    for (int copy = 0; copy < num_envs(); ++copy) {
      reset.seeds.emplace_back(*seed + static_cast<uint64_t>(copy));
    }
  }
  return session_->Reset(reset);
}

Result<Env> Env::Make(Client& client, const std::string& environment_id,
                      int64_t max_episode_steps) {
  SessionOptions options(environment_id);
  options.autoreset_mode = v1::AUTORESET_MODE_DISABLED;
  options.max_episode_steps = max_episode_steps;
  auto copies = VectorEnv::Make(client, options);
  if (!copies.ok()) return copies.error();
  return Env(*std::move(copies));
}

Result<EnvReset> Env::Reset(std::optional<uint64_t> seed,
                            const std::map<std::string, double>& options) {
  auto begun = copies_.Reset(seed, options);
  if (!begun.ok()) return begun.error();
  return EnvReset{std::move(begun->observations), std::move(begun->infos), begun->seeds[0]};
}

Result<EnvStep> Env::Step(const std::vector<float>& action) {
  auto step = copies_.Step(action);
  if (!step.ok()) return step.error();
  EnvStep told;
  told.observation = std::move(step->observations);
  told.reward = step->rewards[0];
  told.terminated = step->terminated[0] != 0;
  told.truncated = step->truncated[0] != 0;
  told.infos = std::move(step->infos);
  return told;
}

}  // namespace livnd::client
