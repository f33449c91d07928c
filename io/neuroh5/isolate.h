// Runs code that may crash or hang in a process of its own.

#ifndef LIVND_IO_NEUROH5_ISOLATE_H_
#define LIVND_IO_NEUROH5_ISOLATE_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace livnd::io {

// Tells what is being worked on, for the error if it ends badly.
using Note = std::function<void(absl::string_view)>;

// Forks, runs `work` in the child and returns what it returned. If the child crashes or is not
// done after `limit_s` seconds it is gone, and the result is a DataLoss error that begins with
// the last note. ResourceExhausted if there can be no child.
//
// The child has no thread but this one: `work` must not wait for others. Where another thread
// held a lock that `work` needs (inside HDF5, say), the time limit ends the wait.
absl::StatusOr<std::string> RunIsolated(
    double limit_s, const std::function<absl::StatusOr<std::string>(const Note&)>& work);

}  // namespace livnd::io

#endif  // LIVND_IO_NEUROH5_ISOLATE_H_
