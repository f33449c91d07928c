// Why a daemon should end.
#ifndef LIVND_SERVER_MACHINE_SHUTDOWN_TRIGGER_H_
#define LIVND_SERVER_MACHINE_SHUTDOWN_TRIGGER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace livnd::server {

// Turns SIGTERM, SIGINT and the end of standard input into something to wait for. The signals are
// blocked and read from a descriptor, so no code of the daemon ever runs in a signal handler.
//
// Make it before the process starts any thread: threads inherit the blocked signals. One thread
// uses it.
class ShutdownTrigger {
 public:
  static constexpr char kStdinEnded[] = "the end of standard input";

  static absl::StatusOr<std::unique_ptr<ShutdownTrigger>> Create(bool watch_stdin);
  ~ShutdownTrigger();
  ShutdownTrigger(const ShutdownTrigger&) = delete;
  ShutdownTrigger& operator=(const ShutdownTrigger&) = delete;

  // Waits for the next reason to end, at most so long. Returns it in words, or "" at the timeout.
  // The end of standard input is reported once, what arrives there before is thrown away.
  std::string Wait(absl::Duration timeout);

  // Has Wait return that somebody of the process asked to end. On any thread.
  static void Ask();

  // From now on a signal ends the process at once, with that exit status and whatever it is doing.
  static void EndAtOnceFromNowOn(int exit_status);

 private:
  ShutdownTrigger(int signal_fd, bool watch_stdin)
      : signal_fd_(signal_fd), watch_stdin_(watch_stdin) {}
  const int signal_fd_;
  bool watch_stdin_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_SHUTDOWN_TRIGGER_H_
