// Looking after a server, from C++.
#ifndef LIVND_CLIENTS_CPP_ADMIN_H_
#define LIVND_CLIENTS_CPP_ADMIN_H_

#include <memory>
#include <string>
#include <vector>

#include "clients/cpp/client_options.h"
#include "clients/cpp/connection.h"
#include "clients/cpp/result.h"
#include "livnd/v1/admin_service.pb.h"

namespace livnd::client {

// What AdminService has, for who may call it: with an admin token as ClientOptions' token, or over a Unix
// socket. NOT_ADMIN otherwise. Thread-safe. Do not use it across fork().
class Admin {
 public:
  // As Client::Connect's.
  static std::unique_ptr<Admin> Connect(const std::string& address, ClientOptions options = {});

  // Of all tenants; those that were called last come first.
  Result<std::vector<v1::SessionSummary>> ListSessions();
  // Deletes a session by its name, or by a beginning of it that no other session has. Returns the name.
  Result<std::string> EndSession(const std::string& session);
  // Has the server end as on SIGTERM.
  Result<void> Drain();

 private:
  Admin(const std::string& address, ClientOptions options);
  internal::Connection connection_;
};

}  // namespace livnd::client

#endif  // LIVND_CLIENTS_CPP_ADMIN_H_
