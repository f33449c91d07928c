// Files and folders that are written as a whole.
#ifndef LIVND_IO_NEUROH5_NEW_FILE_H_
#define LIVND_IO_NEUROH5_NEW_FILE_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace livnd::io {

// Writes the bytes to a file that is not there yet, and waits for the disk. AlreadyExists, or the
// system's own error (no space, say) with the path; nothing is left of the file then.
absl::Status WriteNewFile(const std::string& path, absl::string_view bytes);

// Makes a folder. `fill` writes what is in it, below the path that it is given, and fsyncs its files; the folder has
// its name only then. AlreadyExists (there is something of that name, before or after), the fill's error, or the
// system's own; nothing is left then.
absl::Status MakeNewFolder(const std::string& path,
                           absl::FunctionRef<absl::Status(const std::string&)> fill);

// Has the disk keep the names in a folder.
absl::Status SyncFolder(const std::string& path);

}  // namespace livnd::io

#endif  // LIVND_IO_NEUROH5_NEW_FILE_H_
