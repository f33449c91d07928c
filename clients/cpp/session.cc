#include "clients/cpp/session.h"

#include <chrono>
#include <cstring>
#include <utility>

#include "livnd/v1/tensor.pb.h"

namespace livnd::client {
namespace {

using internal::Connection;
using Stub = Connection::Stub;

template <typename T>
constexpr v1::DType kDType = v1::DTYPE_UNSPECIFIED;
template <>
constexpr v1::DType kDType<uint8_t> = v1::DTYPE_BOOL;
template <>
constexpr v1::DType kDType<int64_t> = v1::DTYPE_INT64;
template <>
constexpr v1::DType kDType<uint64_t> = v1::DTYPE_UINT64;
template <>
constexpr v1::DType kDType<float> = v1::DTYPE_FLOAT32;
template <>
constexpr v1::DType kDType<double> = v1::DTYPE_FLOAT64;

// Tensors are little-endian, as are the machines that this library runs on.
template <typename T>
void Pack(const std::vector<T>& values, const std::vector<int64_t>& shape, v1::Tensor* tensor) {
  tensor->set_dtype(kDType<T>);
  tensor->mutable_shape()->Clear();
  tensor->mutable_shape()->Add(shape.begin(), shape.end());
  tensor->mutable_data()->assign(reinterpret_cast<const char*>(values.data()),
                                 values.size() * sizeof(T));
}

// False if the tensor holds something else than T.
template <typename T>
bool Unpack(const v1::Tensor& tensor, std::vector<T>* values) {
  if (tensor.dtype() != kDType<T> || tensor.data().size() % sizeof(T) != 0) return false;
  values->resize(tensor.data().size() / sizeof(T));
  std::memcpy(values->data(), tensor.data().data(), tensor.data().size());
  return true;
}

// `observations` and `infos`, which all three answers have.
template <typename Response, typename Outcome>
bool UnpackSeen(const Response& response, const v1::EnvironmentSpec& spec, Outcome* outcome) {
  if (response.observations_size() != 1 || response.infos_size() != spec.infos_size()) return false;
  for (int i = 0; i < spec.infos_size(); ++i) {
    if (!Unpack(response.infos(i), &outcome->infos[spec.infos(i).name()])) return false;
  }
  return Unpack(response.observations(0), &outcome->observations);
}

Error NotUnderstood() {
  return {grpc::StatusCode::INTERNAL,
          "the answer does not hold what this client expects; is the server newer?",
          "BAD_ANSWER",
          {}};
}

int64_t SizeOf(const v1::TensorSpec& spec) {
  int64_t size = 1;
  for (const int64_t length : spec.shape()) size *= length;
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

int64_t Session::action_size() const { return SizeOf(spec().actions(0)); }
int64_t Session::observation_size() const { return SizeOf(spec().observations(0)); }

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
