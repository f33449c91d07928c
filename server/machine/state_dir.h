// The folder that one running server owns.
#ifndef LIVND_SERVER_MACHINE_STATE_DIR_H_
#define LIVND_SERVER_MACHINE_STATE_DIR_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/machine/file_lock.h"

namespace livnd::server {

// Holds DIR/lock for as long as it lives and, once published, DIR/endpoint.json, which tells other
// programs how to reach the server. Both are removed at the end.
class StateDir {
 public:
  // Makes the folder, with its parents, for the owner alone. FailedPrecondition if another server
  // uses it.
  static absl::StatusOr<std::unique_ptr<StateDir>> Open(const std::string& path);

  // $XDG_STATE_HOME/livnd, or $HOME/.local/state/livnd. FailedPrecondition if neither variable is
  // set.
  static absl::StatusOr<std::string> DefaultPath();

  ~StateDir();
  StateDir(const StateDir&) = delete;
  StateDir& operator=(const StateDir&) = delete;

  const std::string& path() const { return path_; }

  // Writes endpoint.json in one rename: readers see all of it or nothing.
  absl::Status PublishEndpoint(absl::string_view json) const;

 private:
  StateDir(std::string path, std::unique_ptr<FileLock> lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string EndpointPath() const;

  const std::string path_;
  const std::unique_ptr<FileLock> lock_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_STATE_DIR_H_
