#include "server/wire/episode.h"

#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "server/wire/errors.h"
#include "server/wire/seeds.h"
#include "server/wire/tensor.h"

namespace livnd::server {
namespace {

// The i-th tensor of a repeated field, added if there are fewer.
v1::Tensor* TensorAt(google::protobuf::RepeatedPtrField<v1::Tensor>* tensors, int i) {
  while (tensors->size() <= i) tensors->Add();
  return tensors->Mutable(i);
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

// Of all tensors of a batch, the rows of the copies whose episode ended; no tensors where none did.
void EncodeEnded(const env::TensorBatch& batch, absl::Span<const env::TensorSpec> specs,
                 const env::Outcome& outcome,
                 google::protobuf::RepeatedPtrField<v1::Tensor>* tensors) {
  tensors->Clear();  // which keeps their memory
  if (batch.num_tensors() == 0) return;
  const size_t num_envs = outcome.terminated.size();
  const auto has_ended = [&](size_t c) { return outcome.terminated[c] || outcome.truncated[c]; };
  int num_ended = 0;
  for (size_t c = 0; c < num_envs; ++c) num_ended += has_ended(c) ? 1 : 0;
  if (num_ended == 0) return;
  for (int i = 0; i < batch.num_tensors(); ++i) {
    const env::TensorSpec& spec = specs[static_cast<size_t>(i)];
    v1::Tensor* const tensor = TensorAt(tensors, i);
    EncodeTensor<uint8_t>(EncodeDType(spec.dtype), BatchShape(num_ended, spec.shape), {}, tensor);
    const size_t row = batch.data(i).size() / num_envs;
    for (size_t c = 0; c < num_envs; ++c) {
      if (!has_ended(c)) continue;
      tensor->mutable_data()->append(reinterpret_cast<const char*>(batch.data(i).data()) + c * row,
                                     row);
    }
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

absl::StatusOr<env::ResetRequest> ParseReset(const v1::ResetRequest& request, int num_envs) {
  env::ResetRequest reset;
  if (request.has_mask()) {
    LIVND_ASSIGN_OR_RETURN(reset.mask, ParseFlags("mask", request.mask(), num_envs));
  }
  LIVND_ASSIGN_OR_RETURN(
      reset.seeds,
      ParseSeeds(request.has_seeds() ? &request.seeds() : nullptr,
                 request.has_seed_present() ? &request.seed_present() : nullptr, num_envs));
  for (size_t i = 0; i < reset.seeds.size(); ++i) {
    if (!reset.mask.empty() && reset.mask[i] == 0) reset.seeds[i].reset();
  }
  for (const v1::ResetOption& option : request.options()) {
    if (!reset.options.emplace(option.name(), option.value()).second) {
      return InvalidField(absl::StrCat("options[", option.name(), "]"), "given twice",
                          "each option once");
    }
  }
  return reset;
}

void EncodeReset(const env::Outcome& outcome, const env::EnvironmentSpec& spec, int num_envs,
                 v1::ResetResponse* response) {
  EncodeSeen(outcome, spec, num_envs, response);
  EncodeVector(outcome.seeds, response->mutable_episode_seeds());
  EncodeVector(outcome.began, response->mutable_began());
}

void EncodeStep(const env::Outcome& outcome, const env::EnvironmentSpec& spec, int num_envs,
                v1::StepResponse* response) {
  EncodeSeen(outcome, spec, num_envs, response);
  EncodeVector(outcome.rewards, response->mutable_rewards());
  EncodeVector(outcome.terminated, response->mutable_terminated());
  EncodeVector(outcome.truncated, response->mutable_truncated());
  EncodeVector(outcome.seeds, response->mutable_episode_seeds());
  EncodeVector(outcome.began, response->mutable_began());
  EncodeEnded(outcome.final_observations, spec.observations, outcome,
              response->mutable_final_observations());
  EncodeEnded(outcome.final_infos, spec.infos, outcome, response->mutable_final_infos());
}

void EncodeObserve(const env::Outcome& outcome, const env::EnvironmentSpec& spec, int num_envs,
                   v1::ObserveResponse* response) {
  EncodeSeen(outcome, spec, num_envs, response);
  EncodeVector(outcome.episodes, response->mutable_episodes());
  EncodeVector(outcome.ticks, response->mutable_ticks());
  EncodeVector(outcome.seeds, response->mutable_episode_seeds());
}

}  // namespace livnd::server
