#include "clients/cpp/culture_session.h"

#include <utility>

#include "clients/cpp/seeds.h"
#include "clients/cpp/tensor.h"

namespace livnd::client {

using Stub = internal::Connection::Stub;

CultureSession::CultureSession(std::shared_ptr<internal::Connection> connection,
                               v1::CreateSessionResponse created)
    : remote_(std::move(connection), std::move(created)) {}

Result<std::vector<uint64_t>> CultureSession::Reset(const CultureResetOptions& options) {
  v1::ResetRequest request;
  internal::PackSeeds(options.seeds, &request);
  request.mutable_options()->insert(options.options.begin(), options.options.end());
  v1::ResetResponse response;
  if (Result<void> called = remote_.Operate(&Stub::Reset, &request, &response,
                                            internal::RemoteSession::Kind::kBeginning);
      !called.ok()) {
    return called.error();
  }
  std::vector<uint64_t> seeds;
  if (!Unpack(response.seeds(), &seeds)) return internal::NotUnderstood();
  return seeds;
}

Result<v1::CultureRecording> CultureSession::Run(const v1::CultureRun& run) {
  v1::StepRequest request;
  *request.mutable_run() = run;
  v1::StepResponse response;
  if (Result<void> called =
          remote_.Operate(&Stub::Step, &request, &response, internal::RemoteSession::Kind::kOther,
                          remote_.run_timeout());
      !called.ok()) {
    return called.error();
  }
  return std::move(*response.mutable_recording());
}

Result<void> CultureSession::Configure(v1::ConfigureRequest change) {
  v1::ConfigureResponse response;
  return remote_.Operate(&Stub::Configure, &change, &response);
}

Result<v1::GetCultureResponse> CultureSession::GetCulture(bool learned_weights) {
  v1::GetCultureRequest request;
  request.set_learned_weights(learned_weights);
  v1::GetCultureResponse response;
  if (Result<void> called = remote_.Look(&Stub::GetCulture, &request, &response); !called.ok()) {
    return called.error();
  }
  return response;
}

}  // namespace livnd::client
