#include "clients/cpp/session.h"

#include <chrono>
#include <utility>

#include "clients/cpp/tensor.h"

namespace livnd::client {
namespace {

using internal::Connection;
using Stub = Connection::Stub;

// `observations` and `infos`, which all three answers have.
template <typename Response, typename Outcome>
bool UnpackSeen(const Response& response, const v1::EnvironmentSpec& spec, Outcome* outcome) {
  if (response.observations_size() != spec.observations_size() ||
      response.infos_size() != spec.infos_size()) {
    return false;
  }
  for (int i = 0; i < spec.infos_size(); ++i) {
    if (!Unpack(response.infos(i), &outcome->infos[spec.infos(i).name()])) return false;
  }
  // A culture has no observations.
  return response.observations_size() == 0 ||
         Unpack(response.observations(0), &outcome->observations);
}

Error NotUnderstood() {
  return {grpc::StatusCode::INTERNAL,
          "the answer does not hold what this client expects; is the server newer?",
          "BAD_ANSWER",
          {}};
}

int64_t SizeOf(const google::protobuf::RepeatedPtrField<v1::TensorSpec>& specs) {
  if (specs.empty()) return 0;
  int64_t size = 1;
  for (const int64_t length : specs[0].shape()) size *= length;
  return size;
}

}  // namespace

Session::Session(std::shared_ptr<Connection> connection, v1::CreateSessionResponse created)
    : connection_(std::move(connection)),
      created_(std::move(created)),
      next_op_index_(created_.next_op_index()) {
  step_request_.set_session(name());
  step_request_.add_actions();
}

Session::~Session() {
  if (closed_) return;
  v1::DeleteSessionRequest request;
  request.set_session(name());
  request.set_allow_missing(true);
  connection_->TryOnce(&Stub::DeleteSession, request, std::chrono::seconds(2));
}

int64_t Session::action_size() const { return SizeOf(spec().actions()); }
int64_t Session::observation_size() const { return SizeOf(spec().observations()); }

Result<ResetResult> Session::Reset(const ResetOptions& options) {
  v1::ResetRequest request;
  request.set_session(name());
  request.set_op_index(next_op_index_);
  if (!options.seeds.empty()) {
    std::vector<uint64_t> seeds;
    std::vector<uint8_t> present;
    for (const std::optional<uint64_t>& seed : options.seeds) {
      seeds.push_back(seed.value_or(0));
      present.push_back(seed.has_value());
    }
    const auto n = static_cast<int64_t>(seeds.size());
    Pack(seeds, {n}, request.mutable_seeds());
    Pack(present, {n}, request.mutable_seed_present());
  }
  if (!options.mask.empty()) {
    const std::vector<uint8_t> mask(options.mask.begin(), options.mask.end());
    Pack(mask, {static_cast<int64_t>(mask.size())}, request.mutable_mask());
  }
  request.mutable_options()->insert(options.options.begin(), options.options.end());

  v1::ResetResponse response;
  if (Result<void> called = connection_->Call(&Stub::Reset, request, &response); !called.ok()) {
    return called.error();
  }
  ++next_op_index_;
  ResetResult result;
  if (!UnpackSeen(response, spec(), &result) || !Unpack(response.seeds(), &result.seeds)) {
    return NotUnderstood();
  }
  return result;
}

Result<StepResult> Session::Step(const std::vector<float>& actions) {
  step_request_.set_op_index(next_op_index_);
  if (spec().actions().empty()) {
    return Error{grpc::StatusCode::INVALID_ARGUMENT,
                 "a culture has no steps; use Run",
                 "INVALID_FIELD",
                 {{"field", "actions"}}};
  }
  std::vector<int64_t> shape = {num_envs()};
  shape.insert(shape.end(), spec().actions(0).shape().begin(), spec().actions(0).shape().end());
  Pack(actions, shape, step_request_.mutable_actions(0));
  if (Result<void> called = connection_->Call(&Stub::Step, step_request_, &step_response_);
      !called.ok()) {
    return called.error();
  }
  ++next_op_index_;
  StepResult result;
  if (!UnpackSeen(step_response_, spec(), &result) ||
      !Unpack(step_response_.rewards(), &result.rewards) ||
      !Unpack(step_response_.terminated(), &result.terminated) ||
      !Unpack(step_response_.truncated(), &result.truncated)) {
    return NotUnderstood();
  }
  return result;
}

Result<ObserveResult> Session::Observe() {
  v1::ObserveRequest request;
  request.set_session(name());
  v1::ObserveResponse response;
  if (Result<void> called = connection_->Call(&Stub::Observe, request, &response); !called.ok()) {
    return called.error();
  }
  next_op_index_ = response.next_op_index();
  ObserveResult result;
  if (!UnpackSeen(response, spec(), &result) || !Unpack(response.episodes(), &result.episodes) ||
      !Unpack(response.ticks(), &result.ticks)) {
    return NotUnderstood();
  }
  return result;
}

Result<v1::CultureRecording> Session::Run(const v1::CultureRun& run) {
  v1::StepRequest request;
  request.set_session(name());
  request.set_op_index(next_op_index_);
  *request.mutable_run() = run;
  v1::StepResponse response;
  if (Result<void> called = connection_->Call(&Stub::Step, request, &response); !called.ok()) {
    return called.error();
  }
  ++next_op_index_;
  return std::move(*response.mutable_recording());
}

Result<void> Session::Configure(v1::ConfigureRequest change) {
  change.set_session(name());
  change.set_op_index(next_op_index_);
  v1::ConfigureResponse response;
  Result<void> called = connection_->Call(&Stub::Configure, change, &response);
  if (called.ok()) ++next_op_index_;
  return called;
}

Result<v1::GetCultureResponse> Session::GetCulture(bool learned_weights) {
  v1::GetCultureRequest request;
  request.set_session(name());
  request.set_learned_weights(learned_weights);
  v1::GetCultureResponse response;
  if (Result<void> called = connection_->Call(&Stub::GetCulture, request, &response);
      !called.ok()) {
    return called.error();
  }
  next_op_index_ = response.next_op_index();
  return response;
}

Result<void> Session::Close() {
  if (closed_) return {};
  v1::DeleteSessionRequest request;
  request.set_session(name());
  request.set_allow_missing(true);  // a repeat may find it gone
  v1::DeleteSessionResponse response;
  Result<void> called = connection_->Call(&Stub::DeleteSession, request, &response);
  closed_ = called.ok();
  return called;
}

}  // namespace livnd::client
