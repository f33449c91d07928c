// A document beside a system, as mea.json.
#ifndef LIVND_LAB_FOLDER_DOCUMENT_FILE_H_
#define LIVND_LAB_FOLDER_DOCUMENT_FILE_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "io/json/json_file.h"

namespace livnd::lab {

struct WriteOptions {
  bool overwrite = false;      // take the place of a file of that name
  std::function<bool()> stop;  // true: give up
};

// Writes the document to a file, whose folder is made if it is missing. The file has its name once all of it is on the
// disk; a reader finds the one before or this one. Errors: a field error about `path` if there is one already that may
// not be overwritten; Cancelled; the system's own error with the path. Nothing is left of the new file then.
// Thread-safe.
absl::Status WriteDocument(const io::Json& document, const std::string& path,
                           const WriteOptions& options);

}  // namespace livnd::lab

#endif  // LIVND_LAB_FOLDER_DOCUMENT_FILE_H_
