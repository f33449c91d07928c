// What a call gives: a value, or the reason why there is none.
#ifndef LIVND_CLIENTS_CPP_RESULT_H_
#define LIVND_CLIENTS_CPP_RESULT_H_

#include <chrono>
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
  // For programs, from the server's google.rpc.ErrorInfo; livnd/v1/error_reason.proto lists the
  // reasons. Empty for errors of the transport (no server, deadline). The client's own, with nothing
  // sent: MESSAGE_TOO_LARGE (the server would not take it), INVALID_FIELD (an address of the wrong
  // form; a token, or files of TLS, that cannot be used), UNKNOWN_OUTCOME (see in_doubt). UNSUPPORTED:
  // a session that the client cannot drive, which it has deleted again. Of StepStream: NOTHING_SENT,
  // STEPS_UNDER_WAY, ANSWER_LOST.
  std::string reason;
  // `field`, `value`, `accepted`, `expected`: where they apply.
  std::map<std::string, std::string> metadata;

  // It is not known whether the server has done the operation (it will not do it twice). Calling it
  // again with the same arguments is safe and gives its answer; until then other operations of the
  // session are refused with UNKNOWN_OUTCOME, but for a Reset of all copies.
  bool in_doubt = false;

  // The server asks for the same call again after so long (google.rpc.RetryInfo); absent where that would
  // not help. The client does so within its retry_time.
  std::optional<std::chrono::nanoseconds> retry_after = std::nullopt;

  // The server asks its callers for a token, and did not get one that it knows.
  bool unauthenticated() const { return code == grpc::StatusCode::UNAUTHENTICATED; }

  // The session was deleted, unused for too long, cannot be brought back by the server, or is another
  // tenant's: every call on it fails like this one. Make a new one with the client, which is still good.
  bool session_gone() const { return reason == "UNKNOWN_SESSION"; }

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
