// What a call gives: a value, or the reason why there is none.
#ifndef LIVND_CLIENTS_CPP_RESULT_H_
#define LIVND_CLIENTS_CPP_RESULT_H_

#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "grpcpp/support/status.h"

namespace livnd::client {

// A failed call.
struct Error {
  grpc::StatusCode code = grpc::StatusCode::UNKNOWN;
  std::string message;  // for people
  // For programs, from the server's google.rpc.ErrorInfo; environment_service.proto lists the
  // reasons. Empty for errors of the transport (no server, deadline), MESSAGE_TOO_LARGE for a
  // request that was not sent because the server would not take it.
  std::string reason;
  // `field`, `value`, `accepted`, `expected`: where they apply.
  std::map<std::string, std::string> metadata;

  // True if it is not known whether the server has done the operation. Calling it again with the
  // same arguments is safe and gives its answer.
  bool in_doubt() const {
    return reason.empty() &&
           (code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::DEADLINE_EXCEEDED ||
            code == grpc::StatusCode::CANCELLED);
  }

  // "INVALID_FIELD: num_envs is 0; accepted: 1 .. 64"
  std::string ToString() const {
    return (reason.empty() ? "code " + std::to_string(static_cast<int>(code)) : reason) + ": " +
           message;
  }
};

namespace internal {
[[noreturn]] inline void Die(const Error& error) {
  std::fprintf(stderr, "livnd: value of a failed call: %s\n", error.ToString().c_str());
  std::abort();
}
}  // namespace internal

// A T or an Error. Asking a failed result for its value ends the process. A value; not thread-safe.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}      // NOLINT: implicit on purpose
  Result(Error error) : error_(std::move(error)) {}  // NOLINT

  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return error_; }

  const T& value() const& {
    if (!ok()) internal::Die(error_);
    return *value_;
  }
  T& value() & {
    if (!ok()) internal::Die(error_);
    return *value_;
  }
  T&& value() && {
    if (!ok()) internal::Die(error_);
    return *std::move(value_);
  }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

 private:
  std::optional<T> value_;
  Error error_;
};

// Done, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  // Only of a failed result.
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace livnd::client

#endif  // LIVND_CLIENTS_CPP_RESULT_H_
