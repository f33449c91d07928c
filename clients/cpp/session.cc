#include "clients/cpp/session.h"

#include <utility>

#include "clients/cpp/seeds.h"
#include "clients/cpp/tensor.h"

namespace livnd::client {
namespace {

using internal::NotUnderstood;

using Tensors = google::protobuf::RepeatedPtrField<v1::Tensor>;

// What copies show: the tensors of one observation and of the spec's infos.
bool UnpackShown(const Tensors& observations, const Tensors& infos, const v1::EnvironmentSpec& spec,
                 std::vector<float>* observation, Infos* by_name) {
  if (observations.size() != spec.observations_size() || infos.size() != spec.infos_size()) {
    return false;
  }
  for (int i = 0; i < spec.infos_size(); ++i) {
    if (!Unpack(infos[i], &(*by_name)[spec.infos(i).name()])) return false;
  }
  return Unpack(observations[0], observation);
}

// `observations` and `infos`, which all three answers have.
template <typename Response, typename Outcome>
bool UnpackSeen(const Response& response, const v1::EnvironmentSpec& spec, Outcome* outcome) {
  return UnpackShown(response.observations(), response.infos(), spec, &outcome->observations,
                     &outcome->infos);
}

// `final_observations` and `final_infos`, which there are where episodes ended under SAME_STEP.
bool UnpackFinal(const v1::StepResponse& response, const v1::EnvironmentSpec& spec,
                 StepResult* result) {
  if (response.final_observations().empty() && response.final_infos().empty()) return true;
  return UnpackShown(response.final_observations(), response.final_infos(), spec,
                     &result->final_observations, &result->final_infos);
}

int64_t SizeOf(const google::protobuf::RepeatedPtrField<v1::TensorSpec>& specs) {
  int64_t size = 1;
  for (const int64_t length : specs[0].shape()) size *= length;
  return size;
}

}  // namespace

Session::Session(std::shared_ptr<internal::Connection> connection,
                 v1::CreateSessionResponse created)
    : remote_(std::move(connection), std::move(created)) {}

int64_t Session::action_size() const { return SizeOf(spec().actions()); }
int64_t Session::observation_size() const { return SizeOf(spec().observations()); }

Result<ResetResult> Session::Reset(const ResetOptions& options) {
  v1::ResetRequest request;
  internal::PackSeeds(options.seeds, &request);
  if (!options.mask.empty()) {
    const std::vector<uint8_t> mask(options.mask.begin(), options.mask.end());
    Pack(mask, {static_cast<int64_t>(mask.size())}, request.mutable_mask());
  }
  for (const auto& [name, value] : options.options) {
    v1::ResetOption* option = request.add_options();
    option->set_name(name);
    option->set_value(value);
  }

  using Kind = internal::RemoteSession::Kind;
  const Kind kind = options.mask.empty() ? Kind::kBeginning : Kind::kOther;
  v1::ResetResponse response;
  if (Result<void> called =
          remote_.Operate(&v1::EnvironmentService::Stub::Reset, &request, &response, kind);
      !called.ok()) {
    return called.error();
  }
  ResetResult result;
  if (!UnpackSeen(response, spec(), &result) || !Unpack(response.episode_seeds(), &result.seeds)) {
    return NotUnderstood();
  }
  return result;
}

void Session::PutActions(const std::vector<float>& actions, v1::StepRequest* request) const {
  std::vector<int64_t> shape = {num_envs()};
  shape.insert(shape.end(), spec().actions(0).shape().begin(), spec().actions(0).shape().end());
  if (request->actions().empty()) request->add_actions();
  Pack(actions, shape, request->mutable_actions(0));
}

Result<StepResult> Session::ResultOf(const v1::StepResponse& response) const {
  StepResult result;
  if (!UnpackSeen(response, spec(), &result) || !Unpack(response.rewards(), &result.rewards) ||
      !Unpack(response.terminated(), &result.terminated) ||
      !Unpack(response.truncated(), &result.truncated) ||
      !Unpack(response.episode_seeds(), &result.episode_seeds) ||
      !Unpack(response.began(), &result.began) || !UnpackFinal(response, spec(), &result)) {
    return NotUnderstood();
  }
  return result;
}

Result<StepResult> Session::Step(const std::vector<float>& actions) {
  PutActions(actions, &step_request_);
  if (Result<void> called =
          remote_.Operate(&v1::EnvironmentService::Stub::Step, &step_request_, &step_response_);
      !called.ok()) {
    return called.error();
  }
  return ResultOf(step_response_);
}

Result<v1::PaceReport> Session::GetPaceReport() {
  Result<v1::GetSessionResponse> told = remote_.Describe();
  if (!told.ok()) return told.error();
  return std::move(*told->mutable_pace());
}

Result<ObserveResult> Session::Observe() {
  v1::ObserveRequest request;
  v1::ObserveResponse response;
  if (Result<void> called =
          remote_.Look(&v1::EnvironmentService::Stub::Observe, &request, &response);
      !called.ok()) {
    return called.error();
  }
  ObserveResult result;
  if (!UnpackSeen(response, spec(), &result) || !Unpack(response.episodes(), &result.episodes) ||
      !Unpack(response.ticks(), &result.ticks) ||
      !Unpack(response.episode_seeds(), &result.episode_seeds)) {
    return NotUnderstood();
  }
  return result;
}

Result<RenderResult> Session::Render(const std::vector<int>& copies) {
  v1::RenderRequest request;
  request.mutable_copies()->Add(copies.begin(), copies.end());
  v1::RenderResponse response;
  if (Result<void> called =
          remote_.Look(&v1::EnvironmentService::Stub::Render, &request, &response);
      !called.ok()) {
    return called.error();
  }
  RenderResult result;
  if (!Unpack(response.simulated(), &result.simulated) ||
      !Unpack(response.spike_offsets(), &result.spike_offsets) ||
      !Unpack(response.spike_gids(), &result.spike_gids) ||
      !Unpack(response.spike_ticks(), &result.spike_ticks) ||
      !Unpack(response.pulse_offsets(), &result.pulse_offsets) ||
      !Unpack(response.pulse_electrodes(), &result.pulse_electrodes) ||
      !Unpack(response.pulse_ticks(), &result.pulse_ticks) ||
      !Unpack(response.pulse_ua(), &result.pulse_ua)) {
    return NotUnderstood();
  }
  return result;
}

Result<std::vector<std::unique_ptr<Session>>> Session::Fork(int num_sessions,
                                                            const std::vector<int>& copy_of) {
  Result<std::vector<v1::CreateSessionResponse>> made = remote_.Fork(num_sessions, copy_of);
  if (!made.ok()) return made.error();
  std::vector<std::unique_ptr<Session>> sessions;
  for (v1::CreateSessionResponse& created : *made) {
    sessions.emplace_back(new Session(remote_.connection(), std::move(created)));
  }
  return sessions;
}

}  // namespace livnd::client
