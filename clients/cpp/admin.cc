#include "clients/cpp/admin.h"

#include <utility>

namespace livnd::client {

Admin::Admin(const std::string& address, ClientOptions options)
    : connection_(address, std::move(options)) {}

std::unique_ptr<Admin> Admin::Connect(const std::string& address, ClientOptions options) {
  return std::unique_ptr<Admin>(new Admin(address, std::move(options)));
}

Result<std::vector<v1::SessionSummary>> Admin::ListSessions() {
  v1::ListSessionsResponse response;
  if (const Result<void> called = connection_.Call(&v1::AdminService::Stub::ListSessions,
                                                   v1::ListSessionsRequest(), &response);
      !called.ok()) {
    return called.error();
  }
  return std::vector<v1::SessionSummary>(response.sessions().begin(), response.sessions().end());
}

Result<std::string> Admin::EndSession(const std::string& session) {
  v1::EndSessionRequest request;
  request.set_session(session);
  v1::EndSessionResponse response;
  if (const Result<void> called =
          connection_.Call(&v1::AdminService::Stub::EndSession, request, &response);
      !called.ok()) {
    return called.error();
  }
  return response.session();
}

Result<void> Admin::Drain() {
  v1::DrainResponse response;
  return connection_.Call(&v1::AdminService::Stub::Drain, v1::DrainRequest(), &response);
}

}  // namespace livnd::client
