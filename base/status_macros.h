// Early return for absl::Status and absl::StatusOr in functions that return one:
//
//   LIVND_RETURN_IF_ERROR(Check(x));               // an absl::Status
//   LIVND_ASSIGN_OR_RETURN(const int y, Make(x));  // an absl::StatusOr<int>
#ifndef LIVND_BASE_STATUS_MACROS_H_
#define LIVND_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define LIVND_CONCAT_INNER(a, b) a##b
#define LIVND_CONCAT(a, b) LIVND_CONCAT_INNER(a, b)

#define LIVND_RETURN_IF_ERROR(expression)        \
  do {                                           \
    absl::Status livnd_status = (expression);    \
    if (!livnd_status.ok()) return livnd_status; \
  } while (false)

#define LIVND_ASSIGN_OR_RETURN(lhs, expression) \
  LIVND_ASSIGN_OR_RETURN_INNER(LIVND_CONCAT(livnd_or_, __LINE__), lhs, expression)

#define LIVND_ASSIGN_OR_RETURN_INNER(result, lhs, expression) \
  auto result = (expression);                                 \
  if (!result.ok()) return std::move(result).status();        \
  lhs = *std::move(result)

#endif  // LIVND_BASE_STATUS_MACROS_H_
