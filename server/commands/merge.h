// livnd merge: the folders of a data set that was made in parts, as one.
#ifndef LIVND_SERVER_COMMANDS_MERGE_H_
#define LIVND_SERVER_COMMANDS_MERGE_H_

#include <string>

#include "absl/types/span.h"

namespace livnd::server {

// Arguments without the command's name; returns the exit status.
int MergeCommand(absl::Span<const std::string> args);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_MERGE_H_
