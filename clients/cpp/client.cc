#include "clients/cpp/client.h"

#include <utility>

namespace livnd::client {
namespace {

using internal::Connection;

Error Unsupported(const std::string& message) {
  return {grpc::StatusCode::UNIMPLEMENTED, message, "UNSUPPORTED", {}};
}

// Whether this client can drive sessions on it.
Result<void> IsDriven(const v1::EnvironmentSpec& spec) {
  if (spec.kind() == v1::ENVIRONMENT_KIND_CULTURE) {
    return Unsupported(spec.environment_id() +
                       " is a culture without a task: use CreateCulture or AttachCulture");
  }
  if (spec.actions_size() != 1 || spec.observations_size() != 1) {
    return Unsupported(
        "this client drives environments with one action and one observation tensor");
  }
  return {};
}

}  // namespace

std::unique_ptr<Client> Client::Connect(const std::string& address, ClientOptions options) {
  return std::unique_ptr<Client>(new Client(std::make_shared<Connection>(address, options)));
}

Client::Client(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

Result<v1::GetServerInfoResponse> Client::GetServerInfo() { return connection_->ServerInfo(); }

Result<std::vector<std::string>> Client::ListSystems() {
  v1::ListSystemsResponse response;
  const Result<void> called =
      connection_->Call(&v1::ServerService::Stub::ListSystems, v1::ListSystemsRequest(), &response);
  if (!called.ok()) return called.error();
  return std::vector<std::string>(response.systems().begin(), response.systems().end());
}

Result<v1::System> Client::GetSystem(const std::string& system) {
  v1::GetSystemRequest request;
  request.set_system(system);
  v1::GetSystemResponse response;
  const Result<void> called =
      connection_->Call(&v1::ServerService::Stub::GetSystem, request, &response);
  if (!called.ok()) return called.error();
  return std::move(*response.mutable_system());
}

Result<v1::ListCodingsResponse> Client::ListCodings() {
  v1::ListCodingsResponse response;
  const Result<void> called =
      connection_->Call(&v1::ServerService::Stub::ListCodings, v1::ListCodingsRequest(), &response);
  if (!called.ok()) return called.error();
  return response;
}

Result<std::vector<v1::EnvironmentSpec>> Client::ListEnvironments() {
  v1::ListEnvironmentsResponse response;
  const Result<void> called = connection_->Call(&v1::EnvironmentService::Stub::ListEnvironments,
                                                v1::ListEnvironmentsRequest(), &response);
  if (!called.ok()) return called.error();
  return std::vector<v1::EnvironmentSpec>(response.environments().begin(),
                                          response.environments().end());
}

Result<std::vector<v1::EnvironmentNotOffered>> Client::ListNotOffered() {
  v1::ListEnvironmentsResponse response;
  const Result<void> called = connection_->Call(&v1::EnvironmentService::Stub::ListEnvironments,
                                                v1::ListEnvironmentsRequest(), &response);
  if (!called.ok()) return called.error();
  return std::vector<v1::EnvironmentNotOffered>(response.not_offered().begin(),
                                                response.not_offered().end());
}

Result<v1::EnvironmentSpec> Client::DescribeEnvironment(const std::string& environment_id) {
  v1::DescribeEnvironmentRequest request;
  request.set_environment_id(environment_id);
  v1::DescribeEnvironmentResponse response;
  const Result<void> called =
      connection_->Call(&v1::EnvironmentService::Stub::DescribeEnvironment, request, &response);
  if (!called.ok()) return called.error();
  return std::move(*response.mutable_environment());
}

Result<v1::CreateSessionResponse> Client::Create(const SessionOptions& options) {
  v1::CreateSessionRequest request;
  request.set_request_id(internal::NewRequestId());
  request.set_environment_id(options.environment_id);
  request.set_num_envs(options.num_envs);
  request.set_autoreset_mode(options.autoreset_mode);
  request.set_max_episode_steps(options.max_episode_steps);
  request.set_snapshot(options.snapshot);
  request.mutable_copy_of()->Add(options.copy_of.begin(), options.copy_of.end());
  if (options.pace.has_value()) request.mutable_pace()->set_speed(*options.pace);
  v1::CreateSessionResponse response;
  const Result<void> called = connection_->Call(&v1::SessionService::Stub::CreateSession, request,
                                                &response, connection_->options().create_timeout);
  if (!called.ok()) return called.error();
  return response;
}

Result<std::unique_ptr<Session>> Client::CreateSession(const SessionOptions& options) {
  Result<v1::CreateSessionResponse> created = Create(options);
  if (!created.ok()) return created.error();
  // From here on the session has an owner, which deletes it if it is of no use.
  auto session = std::unique_ptr<Session>(new Session(connection_, *std::move(created)));
  if (const Result<void> driven = IsDriven(session->spec()); !driven.ok()) return driven.error();
  return session;
}

Result<v1::CreateSessionResponse> Client::Attach(const std::string& name) {
  v1::AttachSessionRequest request;
  request.set_session(name);
  v1::AttachSessionResponse response;
  const Result<void> called = connection_->Call(&v1::SessionService::Stub::AttachSession, request,
                                                &response, connection_->options().create_timeout);
  if (!called.ok()) return called.error();
  return std::move(*response.mutable_session());
}

Result<std::unique_ptr<Session>> Client::AttachSession(const std::string& name) {
  Result<v1::CreateSessionResponse> attached = Attach(name);
  if (!attached.ok()) return attached.error();
  auto session = std::unique_ptr<Session>(new Session(connection_, *std::move(attached)));
  if (const Result<void> driven = IsDriven(session->spec()); !driven.ok()) {
    session->Detach();
    return driven.error();
  }
  return session;
}

Result<v1::GetSessionResponse> Client::GetSession(const std::string& name) {
  v1::GetSessionRequest request;
  request.set_session(name);
  v1::GetSessionResponse response;
  const Result<void> called = connection_->Call(&v1::SessionService::Stub::GetSession, request,
                                                &response, connection_->options().create_timeout);
  if (!called.ok()) return called.error();
  return response;
}

std::unique_ptr<StepStream> Client::OpenStepStream() {
  return std::unique_ptr<StepStream>(new StepStream(connection_));
}

Result<std::unique_ptr<CultureSession>> Client::AttachCulture(const std::string& name) {
  Result<v1::CreateSessionResponse> attached = Attach(name);
  if (!attached.ok()) return attached.error();
  auto session =
      std::unique_ptr<CultureSession>(new CultureSession(connection_, *std::move(attached)));
  if (session->spec().kind() != v1::ENVIRONMENT_KIND_CULTURE) {
    session->Detach();
    return Unsupported("the session is on an environment with a task: use AttachSession");
  }
  return session;
}

Result<std::unique_ptr<CultureSession>> Client::CreateCulture(const std::string& system,
                                                              int num_envs) {
  const std::string environment_id = "Culture-" + system + "-v0";
  SessionOptions options;
  options.environment_id = environment_id;
  options.num_envs = num_envs;
  Result<v1::CreateSessionResponse> created = Create(options);
  if (!created.ok()) return created.error();
  auto session =
      std::unique_ptr<CultureSession>(new CultureSession(connection_, *std::move(created)));
  if (session->spec().kind() != v1::ENVIRONMENT_KIND_CULTURE) {
    return Unsupported(environment_id + " is no culture: use CreateSession");
  }
  return session;
}

}  // namespace livnd::client
