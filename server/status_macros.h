// Early return for absl::Status and absl::StatusOr inside server.
#ifndef LIVND_SERVER_STATUS_MACROS_H_
#define LIVND_SERVER_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define LIVND_SERVER_CONCAT_INNER(a, b) a##b
#define LIVND_SERVER_CONCAT(a, b) LIVND_SERVER_CONCAT_INNER(a, b)

#define LIVND_SERVER_RETURN_IF_ERROR(expression)     \
  do {                                               \
    absl::Status livnd_server_status = (expression); \
    if (!livnd_server_status.ok()) {                 \
      return livnd_server_status;                    \
    }                                                \
  } while (false)

#define LIVND_SERVER_ASSIGN_OR_RETURN(lhs, expression)                                      \
  LIVND_SERVER_ASSIGN_OR_RETURN_INNER(LIVND_SERVER_CONCAT(livnd_server_or_, __LINE__), lhs, \
                                      expression)

#define LIVND_SERVER_ASSIGN_OR_RETURN_INNER(result, lhs, expression) \
  auto result = (expression);                                        \
  if (!result.ok()) {                                                \
    return std::move(result).status();                               \
  }                                                                  \
  lhs = *std::move(result)

#endif  // LIVND_SERVER_STATUS_MACROS_H_
