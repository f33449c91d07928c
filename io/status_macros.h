// Early return for absl::Status and absl::StatusOr inside io.

#ifndef LIVND_IO_STATUS_MACROS_H_
#define LIVND_IO_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define LIVND_IO_CONCAT_INNER(a, b) a##b
#define LIVND_IO_CONCAT(a, b) LIVND_IO_CONCAT_INNER(a, b)

#define LIVND_IO_RETURN_IF_ERROR(expression)           \
  do {                                                 \
    absl::Status livnd_io_status = (expression);       \
    if (!livnd_io_status.ok()) return livnd_io_status; \
  } while (false)

#define LIVND_IO_ASSIGN_OR_RETURN(lhs, expression) \
  LIVND_IO_ASSIGN_OR_RETURN_INNER(LIVND_IO_CONCAT(livnd_io_or_, __LINE__), lhs, expression)

#define LIVND_IO_ASSIGN_OR_RETURN_INNER(result, lhs, expression) \
  auto result = (expression);                                    \
  if (!result.ok()) return std::move(result).status();           \
  lhs = *std::move(result)

#endif  // LIVND_IO_STATUS_MACROS_H_
