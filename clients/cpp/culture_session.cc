#include "clients/cpp/culture_session.h"

#include <utility>

#include "clients/cpp/seeds.h"
#include "clients/cpp/tensor.h"

namespace livnd::client {

CultureSession::CultureSession(std::shared_ptr<internal::Connection> connection,
                               v1::CreateSessionResponse created)
    : remote_(std::move(connection), std::move(created)) {}

Result<std::vector<uint64_t>> CultureSession::Clear(const ClearOptions& options) {
  v1::ClearRequest request;
  internal::PackSeeds(options.seeds, &request);
  request.set_repeat_noise(options.repeat_noise);
  if (options.noise_stream.has_value()) request.set_noise_stream(*options.noise_stream);
  request.set_forget_learned_weights(options.forget_learned_weights);
  v1::ClearResponse response;
  if (Result<void> called = remote_.Operate(&v1::CultureService::Stub::Clear, &request, &response,
                                            internal::RemoteSession::Kind::kBeginning);
      !called.ok()) {
    return called.error();
  }
  std::vector<uint64_t> seeds;
  if (!Unpack(response.seeds(), &seeds)) return internal::NotUnderstood();
  return seeds;
}

Result<v1::CultureRecording> CultureSession::Run(v1::RunRequest run) {
  v1::RunResponse response;
  if (Result<void> called =
          remote_.Operate(&v1::CultureService::Stub::Run, &run, &response,
                          internal::RemoteSession::Kind::kOther, remote_.run_timeout());
      !called.ok()) {
    return called.error();
  }
  return std::move(*response.mutable_recording());
}

Result<void> CultureSession::Configure(v1::ConfigureRequest change) {
  v1::ConfigureResponse response;
  return remote_.Operate(&v1::CultureService::Stub::Configure, &change, &response);
}

Result<v1::GetCultureResponse> CultureSession::GetCulture(bool learned_weights,
                                                          bool electrode_hearing) {
  v1::GetCultureRequest request;
  request.set_learned_weights(learned_weights);
  request.set_electrode_hearing(electrode_hearing);
  v1::GetCultureResponse response;
  if (Result<void> called =
          remote_.Look(&v1::CultureService::Stub::GetCulture, &request, &response);
      !called.ok()) {
    return called.error();
  }
  return response;
}

Result<std::vector<std::unique_ptr<CultureSession>>> CultureSession::Fork(
    int num_sessions, const std::vector<int>& copy_of) {
  Result<std::vector<v1::CreateSessionResponse>> made = remote_.Fork(num_sessions, copy_of);
  if (!made.ok()) return made.error();
  std::vector<std::unique_ptr<CultureSession>> sessions;
  for (v1::CreateSessionResponse& created : *made) {
    sessions.emplace_back(new CultureSession(remote_.connection(), std::move(created)));
  }
  return sessions;
}

}  // namespace livnd::client
