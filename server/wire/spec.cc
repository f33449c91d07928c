#include "server/wire/spec.h"

#include <algorithm>
#include <string>

#include "server/wire/enum_words.h"
#include "server/wire/errors.h"
#include "server/wire/tensor.h"

namespace livnd::server {
namespace {

v1::TensorSpec EncodeTensorSpec(const env::TensorSpec& spec) {
  v1::TensorSpec out;
  out.set_name(spec.name);
  out.set_dtype(EncodeDType(spec.dtype));
  out.mutable_shape()->Add(spec.shape.begin(), spec.shape.end());
  out.set_unit(spec.unit);
  out.set_description(spec.description);
  EncodeTensor<double>(v1::DATA_TYPE_FLOAT64, spec.shape, spec.low, out.mutable_low());
  EncodeTensor<double>(v1::DATA_TYPE_FLOAT64, spec.shape, spec.high, out.mutable_high());
  for (const std::string& name : spec.element_names) out.add_element_names(name);
  return out;
}

int64_t BytesOf(const std::vector<env::TensorSpec>& tensors) {
  int64_t bytes = 0;
  for (const env::TensorSpec& t : tensors) bytes += t.num_elements() * env::BytesOf(t.dtype);
  return bytes;
}

// Under kSameStep a step may show the end of an episode of every copy beside the next one's start.
int64_t TimesShown(env::AutoresetMode autoreset) {
  return autoreset == env::AutoresetMode::kSameStep ? 2 : 1;
}

}  // namespace

v1::EnvironmentSpec EncodeEnvironmentSpec(const env::EnvironmentSpec& spec) {
  v1::EnvironmentSpec out;
  out.set_environment_id(spec.id);
  out.set_task(spec.task);
  out.set_system(spec.system);
  out.set_description(spec.description);
  const bool culture = spec.kind == env::EnvironmentKind::kCulture;
  out.set_kind(culture ? v1::ENVIRONMENT_KIND_CULTURE : v1::ENVIRONMENT_KIND_TASK);
  for (const env::TensorSpec& action : spec.actions) *out.add_actions() = EncodeTensorSpec(action);
  for (const env::TensorSpec& observation : spec.observations) {
    *out.add_observations() = EncodeTensorSpec(observation);
  }
  for (const env::TensorSpec& info : spec.infos) *out.add_infos() = EncodeTensorSpec(info);
  for (const env::OptionSpec& option : spec.reset_options) {
    v1::OptionSpec* added = out.add_reset_options();
    added->set_name(option.name);
    added->set_description(option.description);
    added->set_min(option.min);
    added->set_max(option.max);
  }
  out.set_step_duration_ms(spec.step_duration_ms);
  out.set_tick_ns(spec.tick_ns);
  out.set_max_episode_steps(spec.max_episode_steps);
  out.set_deterministic(true);  // env::VectorEnvironment and env::LiveCulture promise it
  out.set_physics_version(spec.physics_version);
  for (const auto& [name, value] : spec.settings) {
    v1::Setting* added = out.add_settings();
    added->set_name(name);
    added->set_value(value);
  }
  return out;
}

absl::StatusOr<env::AutoresetMode> ParseAutoresetMode(v1::AutoresetMode mode) {
  switch (mode) {
    case v1::AUTORESET_MODE_UNSPECIFIED:
    case v1::AUTORESET_MODE_NEXT_STEP:
      return env::AutoresetMode::kNextStep;
    case v1::AUTORESET_MODE_SAME_STEP:
      return env::AutoresetMode::kSameStep;
    case v1::AUTORESET_MODE_DISABLED:
      return env::AutoresetMode::kDisabled;
    default:
      return InvalidField("autoreset_mode", WordOf(mode), WordsOf<v1::AutoresetMode>());
  }
}

v1::AutoresetMode EncodeAutoresetMode(env::AutoresetMode mode) {
  switch (mode) {
    case env::AutoresetMode::kNextStep:
      return v1::AUTORESET_MODE_NEXT_STEP;
    case env::AutoresetMode::kSameStep:
      return v1::AUTORESET_MODE_SAME_STEP;
    case env::AutoresetMode::kDisabled:
      return v1::AUTORESET_MODE_DISABLED;
  }
  return v1::AUTORESET_MODE_UNSPECIFIED;
}

int64_t BytesShown(const env::EnvironmentSpec& spec, env::AutoresetMode autoreset) {
  // Observations and infos; a reward, a seed and three flags, or an episode, a tick and a seed.
  return 24 + TimesShown(autoreset) * (BytesOf(spec.observations) + BytesOf(spec.infos));
}

int64_t MaxCopiesPerMessage(const env::EnvironmentSpec& spec, env::AutoresetMode autoreset,
                            int64_t max_request_bytes, int64_t max_response_bytes) {
  const int64_t shown = TimesShown(autoreset);
  // What a message has beside its tensors' bytes: names, shapes, lengths, the session, options.
  int64_t overhead =
      4096 + 64 * static_cast<int64_t>(spec.actions.size()) +
      64 * shown * static_cast<int64_t>(spec.observations.size() + spec.infos.size());
  for (const env::OptionSpec& option : spec.reset_options) {
    overhead += 32 + static_cast<int64_t>(option.name.size());
  }
  // Step's actions; Reset's seed and two flags.
  const int64_t request = std::max(BytesOf(spec.actions), int64_t{10});
  const int64_t response = BytesShown(spec, autoreset);
  return std::max(int64_t{0}, std::min((max_request_bytes - overhead) / request,
                                       (max_response_bytes - overhead) / response));
}

}  // namespace livnd::server
