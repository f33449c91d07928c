#include "server/wire/convert.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "server/wire/encode_tensor.h"
#include "server/wire/errors.h"

namespace livnd::server {
namespace {

int SizeOf(v1::DType dtype) {
  switch (dtype) {
    case v1::DTYPE_BOOL:
      return 1;
    case v1::DTYPE_FLOAT32:
      return 4;
    case v1::DTYPE_INT64:
    case v1::DTYPE_UINT64:
    case v1::DTYPE_FLOAT64:
      return 8;
    default:
      return 0;
  }
}

std::string NameOf(v1::DType dtype) {
  const std::string& name = v1::DType_Name(dtype);
  return name.empty() ? absl::StrCat(static_cast<int>(dtype)) : name;
}

// "[4, 16]"; long shapes, which are wrong anyway, are cut.
template <typename Shape>
std::string ShapeText(const Shape& shape) {
  constexpr int kMaxAxes = 8;
  const int axes = static_cast<int>(shape.size());
  const auto end = shape.begin() + std::min(axes, kMaxAxes);
  return absl::StrCat("[", absl::StrJoin(shape.begin(), end, ", "),
                      axes > kMaxAxes ? absl::StrCat(", ... ", axes, " axes]") : "]");
}

// [num_envs] or, with a spec, [num_envs, spec.shape...].
std::vector<int64_t> BatchShape(int num_envs, absl::Span<const int64_t> shape = {}) {
  std::vector<int64_t> batch = {num_envs};
  batch.insert(batch.end(), shape.begin(), shape.end());
  return batch;
}

// A BOOL [num_envs] tensor.
absl::StatusOr<std::vector<uint8_t>> ParseFlags(absl::string_view field, const v1::Tensor& tensor,
                                                int num_envs) {
  LIVND_RETURN_IF_ERROR(CheckTensor(field, tensor, v1::DTYPE_BOOL, {num_envs}));
  std::vector<uint8_t> flags(tensor.data().begin(), tensor.data().end());
  for (int i = 0; i < num_envs; ++i) {
    if (flags[i] > 1) {
      return InvalidField(absl::StrCat(field, ".data"),
                          absl::StrCat("byte ", flags[i], " at copy ", i), "bytes 0 and 1");
    }
  }
  return flags;
}

absl::Status CheckOption(const std::string& name, double value, const env::EnvironmentSpec& spec) {
  for (const env::OptionSpec& option : spec.reset_options) {
    if (option.name != name) continue;
    if (value >= option.min && value <= option.max) return absl::OkStatus();  // false for NaN
    return InvalidField(absl::StrCat("options[", name, "]"), absl::StrCat(value),
                        absl::StrCat(option.min, " .. ", option.max));
  }
  return InvalidField("options", name,
                      spec.reset_options.empty()
                          ? "no options"
                          : absl::StrJoin(spec.reset_options, ", ",
                                          [](std::string* out, const env::OptionSpec& option) {
                                            out->append(option.name);
                                          }));
}

// FLOAT64 [places, 3].
void EncodePlaces(const std::vector<std::array<double, 3>>& places, v1::Tensor* tensor) {
  std::vector<double> flat;
  flat.reserve(places.size() * 3);
  for (const std::array<double, 3>& place : places) {
    flat.insert(flat.end(), place.begin(), place.end());
  }
  EncodeTensor<double>(v1::DTYPE_FLOAT64, {static_cast<int64_t>(places.size()), 3}, flat, tensor);
}

// The i-th tensor of a repeated field, added if there are fewer.
v1::Tensor* TensorAt(google::protobuf::RepeatedPtrField<v1::Tensor>* tensors, int i) {
  while (tensors->size() <= i) tensors->Add();
  return tensors->Mutable(i);
}

v1::DType EncodeDType(env::DType dtype) {
  switch (dtype) {
    case env::DType::kFloat32:
      return v1::DTYPE_FLOAT32;
    case env::DType::kFloat64:
      return v1::DTYPE_FLOAT64;
    case env::DType::kInt64:
      return v1::DTYPE_INT64;
  }
  return v1::DTYPE_UNSPECIFIED;
}

// All tensors of a batch; the messages' buffers are used again.
void EncodeBatch(const env::TensorBatch& batch, absl::Span<const env::TensorSpec> specs,
                 int num_envs, google::protobuf::RepeatedPtrField<v1::Tensor>* tensors) {
  for (int i = 0; i < batch.num_tensors(); ++i) {
    const env::TensorSpec& spec = specs[static_cast<size_t>(i)];
    EncodeTensor<uint8_t>(EncodeDType(spec.dtype), BatchShape(num_envs, spec.shape), batch.data(i),
                          TensorAt(tensors, i));
  }
}

// `observations` and `infos`, which all three answers have.
template <typename Response>
void EncodeSeen(const env::Outcome& outcome, const env::EnvironmentSpec& spec, int num_envs,
                Response* response) {
  EncodeBatch(outcome.observations, spec.observations, num_envs, response->mutable_observations());
  EncodeBatch(outcome.infos, spec.infos, num_envs, response->mutable_infos());
}

}  // namespace

absl::Status CheckTensor(absl::string_view field, const v1::Tensor& tensor, v1::DType dtype,
                         absl::Span<const int64_t> shape) {
  if (tensor.dtype() != dtype) {
    return InvalidField(absl::StrCat(field, ".dtype"), NameOf(tensor.dtype()), NameOf(dtype));
  }
  if (!std::equal(shape.begin(), shape.end(), tensor.shape().begin(), tensor.shape().end())) {
    return InvalidField(absl::StrCat(field, ".shape"), ShapeText(tensor.shape()), ShapeText(shape));
  }
  // The shape is now one that the server chose, so the product cannot overflow.
  int64_t num_bytes = SizeOf(dtype);
  for (const int64_t length : shape) num_bytes *= length;
  if (static_cast<int64_t>(tensor.data().size()) != num_bytes) {
    return InvalidField(
        absl::StrCat(field, ".data"), absl::StrCat(tensor.data().size(), " bytes"),
        absl::StrCat(num_bytes, " bytes (", ShapeText(shape), " of ", NameOf(dtype), ")"));
  }
  return absl::OkStatus();
}

absl::Status ParseActions(const google::protobuf::RepeatedPtrField<v1::Tensor>& tensors,
                          const env::EnvironmentSpec& spec, int num_envs,
                          env::TensorBatch* actions) {
  const auto num_actions = static_cast<int>(spec.actions.size());
  if (tensors.size() != num_actions) {
    return InvalidField("actions", absl::StrCat(tensors.size(), " tensors"),
                        absl::StrCat(num_actions, num_actions == 1 ? " tensor (" : " tensors (",
                                     absl::StrJoin(spec.actions, ", ",
                                                   [](std::string* out, const env::TensorSpec& s) {
                                                     out->append(s.name);
                                                   }),
                                     ")"));
  }
  for (int i = 0; i < num_actions; ++i) {
    const env::TensorSpec& action = spec.actions[static_cast<size_t>(i)];
    LIVND_RETURN_IF_ERROR(CheckTensor(absl::StrCat("actions[", i, "]"), tensors[i],
                                      EncodeDType(action.dtype),
                                      BatchShape(num_envs, action.shape)));
    std::memcpy(actions->data(i).data(), tensors[i].data().data(), tensors[i].data().size());
  }
  return absl::OkStatus();
}

absl::StatusOr<env::ResetRequest> ParseReset(const v1::ResetRequest& request,
                                             const env::EnvironmentSpec& spec, int num_envs) {
  env::ResetRequest reset;
  if (request.has_mask()) {
    LIVND_ASSIGN_OR_RETURN(reset.mask, ParseFlags("mask", request.mask(), num_envs));
    if (std::count(reset.mask.begin(), reset.mask.end(), 1) == 0) {
      return InvalidField("mask.data", "selects no copy", "at least one copy");
    }
  }
  if (request.has_seed_present() && !request.has_seeds()) {
    return InvalidField("seed_present", "present without seeds", "absent where seeds is absent");
  }
  if (request.has_seeds()) {
    LIVND_RETURN_IF_ERROR(CheckTensor("seeds", request.seeds(), v1::DTYPE_UINT64, {num_envs}));
    std::vector<uint8_t> present(num_envs, 1);
    if (request.has_seed_present()) {
      LIVND_ASSIGN_OR_RETURN(present, ParseFlags("seed_present", request.seed_present(), num_envs));
    }
    reset.seeds.resize(num_envs);
    for (int i = 0; i < num_envs; ++i) {
      if (present[i] == 0 || (!reset.mask.empty() && reset.mask[i] == 0)) continue;
      uint64_t seed = 0;
      std::memcpy(&seed, request.seeds().data().data() + i * sizeof(seed), sizeof(seed));
      reset.seeds[i] = seed;
    }
  }
  for (const auto& [name, value] : request.options()) {
    LIVND_RETURN_IF_ERROR(CheckOption(name, value, spec));
    reset.options[name] = value;
  }
  return reset;
}

absl::StatusOr<env::AutoresetMode> ParseAutoresetMode(v1::AutoresetMode mode) {
  switch (mode) {
    case v1::AUTORESET_MODE_UNSPECIFIED:
    case v1::AUTORESET_MODE_NEXT_STEP:
      return env::AutoresetMode::kNextStep;
    case v1::AUTORESET_MODE_DISABLED:
      return env::AutoresetMode::kDisabled;
    default:
      return InvalidField("autoreset_mode", absl::StrCat(static_cast<int>(mode)),
                          "AUTORESET_MODE_NEXT_STEP, AUTORESET_MODE_DISABLED");
  }
}

v1::AutoresetMode EncodeAutoresetMode(env::AutoresetMode mode) {
  return mode == env::AutoresetMode::kDisabled ? v1::AUTORESET_MODE_DISABLED
                                               : v1::AUTORESET_MODE_NEXT_STEP;
}

v1::TensorSpec EncodeTensorSpec(const env::TensorSpec& spec) {
  v1::TensorSpec out;
  out.set_name(spec.name);
  out.set_dtype(EncodeDType(spec.dtype));
  out.mutable_shape()->Add(spec.shape.begin(), spec.shape.end());
  out.set_unit(spec.unit);
  out.set_description(spec.description);
  EncodeTensor<double>(v1::DTYPE_FLOAT64, spec.shape, spec.low, out.mutable_low());
  EncodeTensor<double>(v1::DTYPE_FLOAT64, spec.shape, spec.high, out.mutable_high());
  for (const std::string& name : spec.element_names) out.add_element_names(name);
  return out;
}

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
  out.mutable_settings()->insert(spec.settings.begin(), spec.settings.end());
  return out;
}

v1::System EncodeSystem(const io::System& system) {
  v1::System out;
  out.set_name(system.name);
  for (const io::Population& population : system.populations) {
    v1::Population* added = out.add_populations();
    added->set_name(population.name);
    added->set_first_gid(population.first_gid);
    added->set_num_cells(population.num_cells);
  }
  for (const io::Projection& projection : system.projections) {
    v1::Projection* added = out.add_projections();
    added->set_presynaptic(projection.pre);
    added->set_postsynaptic(projection.post);
    added->set_num_edges(static_cast<int64_t>(projection.distance_um.size()));
    if (projection.distance_um.empty()) continue;
    const auto [nearest, farthest] =
        std::minmax_element(projection.distance_um.begin(), projection.distance_um.end());
    added->set_min_distance_um(*nearest);
    added->set_max_distance_um(*farthest);
  }
  EncodePlaces(system.position_um, out.mutable_positions_um());

  std::vector<int64_t> ids;
  std::vector<std::array<double, 3>> places;
  if (system.electrode_array.has_value()) {
    for (const io::Electrode& electrode : system.electrode_array->electrodes) {
      ids.push_back(electrode.id);
      places.push_back(electrode.position_um);
    }
    out.set_output_radius_um(system.electrode_array->output_radius_um);
  }
  EncodeVector(ids, out.mutable_electrode_ids());
  EncodePlaces(places, out.mutable_electrode_positions_um());
  return out;
}

void EncodeReset(const env::Outcome& outcome, const env::EnvironmentSpec& spec, int num_envs,
                 v1::ResetResponse* response) {
  EncodeSeen(outcome, spec, num_envs, response);
  EncodeVector(outcome.seeds, response->mutable_seeds());
}

void EncodeStep(const env::Outcome& outcome, const env::EnvironmentSpec& spec, int num_envs,
                v1::StepResponse* response) {
  EncodeSeen(outcome, spec, num_envs, response);
  EncodeVector(outcome.rewards, response->mutable_rewards());
  EncodeVector(outcome.terminated, response->mutable_terminated());
  EncodeVector(outcome.truncated, response->mutable_truncated());
}

void EncodeObserve(const env::Outcome& outcome, const env::EnvironmentSpec& spec, int num_envs,
                   v1::ObserveResponse* response) {
  EncodeSeen(outcome, spec, num_envs, response);
  EncodeVector(outcome.episodes, response->mutable_episodes());
  EncodeVector(outcome.ticks, response->mutable_ticks());
}

int64_t MaxCopiesPerMessage(const env::EnvironmentSpec& spec, int64_t max_request_bytes,
                            int64_t max_response_bytes) {
  const auto bytes_of = [](const std::vector<env::TensorSpec>& tensors) {
    int64_t bytes = 0;
    for (const env::TensorSpec& t : tensors) bytes += t.num_elements() * env::BytesOf(t.dtype);
    return bytes;
  };
  // What a message has beside its tensors' bytes: names, shapes, lengths, the session, options.
  int64_t overhead = 4096 + 64 * static_cast<int64_t>(spec.actions.size() +
                                                      spec.observations.size() + spec.infos.size());
  for (const env::OptionSpec& option : spec.reset_options) {
    overhead += 32 + static_cast<int64_t>(option.name.size());
  }
  // Step's actions; Reset's seed and two flags.
  const int64_t request = std::max(bytes_of(spec.actions), int64_t{10});
  // Observations and infos; a reward and two flags, or a seed, or an episode and a tick.
  const int64_t response = 16 + bytes_of(spec.observations) + bytes_of(spec.infos);
  return std::max(int64_t{0}, std::min((max_request_bytes - overhead) / request,
                                       (max_response_bytes - overhead) / response));
}

}  // namespace livnd::server
