// Files that an operator gives the server.
#ifndef LIVND_SERVER_MACHINE_READ_FILE_H_
#define LIVND_SERVER_MACHINE_READ_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace livnd::server {

// Whom the file may be open to.
enum class Readers {
  kAnyone,
  // A secret: a file of the server's own user is for that user alone (mode 0600 at most). One of root's
  // may be read by a group too (0640), which is how secrets are handed to a process.
  kFew,
};

// The bytes of a regular file, at most max_bytes of them. `what` says of what it is: "a file of YAML".
// A field error (base/field_error.h) with the path as its file: it cannot be read, is no regular file,
// is larger, or more people than `readers` can read or write it.
absl::StatusOr<std::string> ReadFile(const std::string& path, absl::string_view what,
                                     size_t max_bytes, Readers readers = Readers::kAnyone);

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_READ_FILE_H_
