// The document of a long run in its folder, by which the same command goes on and another one is refused.
#ifndef LIVND_LAB_FOLDER_RUN_DOCUMENT_H_
#define LIVND_LAB_FOLDER_RUN_DOCUMENT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "io/json/json_file.h"
#include "io/system/system.h"

namespace livnd::lab {

// {file name: SHA-256} of the files that decide how a system's culture behaves, but for its parameters.
absl::StatusOr<io::Json> SystemFiles(const io::System& system);

// Replaces a file by a text, whole or not at all.
absl::Status WriteWhole(const std::string& path, const std::string& text);

// As it is written: two spaces a level, and a line's end.
std::string DocumentText(const io::Json& document);

// OK if the documents are of the same run: every member that one of them has the other has, too, and with the
// same value, but for those in `free`. FailedPrecondition names the first that differs:
// "PATH is of another WHAT: KEY is X there and Y here; ADVICE".
absl::Status CheckSameRun(const std::string& path, const io::Json& there, const io::Json& here,
                          absl::Span<const absl::string_view> free, absl::string_view what,
                          absl::string_view advice);

}  // namespace livnd::lab

#endif  // LIVND_LAB_FOLDER_RUN_DOCUMENT_H_
