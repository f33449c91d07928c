// Files that are written as a whole.
#ifndef LIVND_IO_NEUROH5_NEW_FILE_H_
#define LIVND_IO_NEUROH5_NEW_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace livnd::io {

// Writes the bytes to a file that is not there yet, and waits for the disk. AlreadyExists, or the
// system's own error (no space, say) with the path; nothing is left of the file then.
absl::Status WriteNewFile(const std::string& path, absl::string_view bytes);

// Has the disk keep the names in a folder.
absl::Status SyncFolder(const std::string& path);

}  // namespace livnd::io

#endif  // LIVND_IO_NEUROH5_NEW_FILE_H_
