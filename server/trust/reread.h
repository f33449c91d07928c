// Values that are made of files, and made again when these change.
#ifndef LIVND_SERVER_TRUST_REREAD_H_
#define LIVND_SERVER_TRUST_REREAD_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/status_macros.h"
#include "server/machine/log.h"
#include "server/machine/mutex.h"

namespace livnd::server {

// The last good value. A new one is taken once two looks have found the same, so that a file which is
// being written, or one of a pair that is, is left alone; and one that cannot be read changes nothing
// but the log.
//
// current() is thread-safe; Look is for one thread.
template <typename T>
class Reread {
 public:
  using Read = std::function<absl::StatusOr<T>()>;

  // The error of the first reading. `what` is told in the log: "the tokens".
  static absl::StatusOr<std::unique_ptr<Reread>> Create(std::string what, Read read) {
    LIVND_ASSIGN_OR_RETURN(T first, read());
    return std::unique_ptr<Reread>(
        new Reread(std::move(what), std::move(read), std::make_shared<const T>(std::move(first))));
  }

  std::shared_ptr<const T> current() const {
    MutexLock lock(mu_);
    return current_;
  }

  void Look() {
    absl::StatusOr<T> found = read_();
    if (!found.ok()) {
      next_ = nullptr;
      if (found.status() != told_) {
        LogWarning(what_, " stay as they were: ", found.status().message());
      }
      told_ = found.status();
      return;
    }
    told_ = absl::OkStatus();
    if (*found == *current()) {
      next_ = nullptr;
    } else if (next_ == nullptr || !(*found == *next_)) {
      next_ = std::make_shared<const T>(*std::move(found));
    } else {
      MutexLock lock(mu_);
      current_ = std::move(next_);
      LogInfo(what_, " have changed and hold from now on");
    }
  }

 private:
  Reread(std::string what, Read read, std::shared_ptr<const T> first)
      : what_(std::move(what)), read_(std::move(read)), current_(std::move(first)) {}

  const std::string what_;
  const Read read_;
  mutable Mutex mu_;
  std::shared_ptr<const T> current_ ABSL_GUARDED_BY(mu_);
  // Of Look alone.
  std::shared_ptr<const T> next_;  // found once; null if nothing new was
  absl::Status told_;              // what the last look failed with
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_TRUST_REREAD_H_
