#include "server/machine/shutdown_trigger.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "server/machine/steady_time.h"

namespace livnd::server {
namespace {

volatile sig_atomic_t exit_status_at_once = 1;

sigset_t EndingSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ShutdownTrigger>> ShutdownTrigger::Create(bool watch_stdin) {
  const sigset_t signals = EndingSignals();
  if (pthread_sigmask(SIG_BLOCK, &signals, nullptr) != 0) {
    return absl::InternalError("cannot block signals");
  }
  const int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) return absl::ErrnoToStatus(errno, "signalfd");
  return std::unique_ptr<ShutdownTrigger>(new ShutdownTrigger(fd, watch_stdin));
}

ShutdownTrigger::~ShutdownTrigger() { close(signal_fd_); }

void ShutdownTrigger::Ask() { kill(getpid(), SIGTERM); }

void ShutdownTrigger::EndAtOnceFromNowOn(int exit_status) {
  exit_status_at_once = exit_status;
  // A handler, though there is a default action: process 1 of a container has none.
  struct sigaction action = {};
  action.sa_handler = [](int) { _exit(exit_status_at_once); };
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  const sigset_t signals = EndingSignals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

std::string ShutdownTrigger::Wait(absl::Duration timeout) {
  const absl::Time deadline = SteadyNow() + timeout;
  while (true) {
    pollfd fds[2] = {{signal_fd_, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    const int64_t left_ms =
        std::clamp<int64_t>(absl::ToInt64Milliseconds(deadline - SteadyNow()), 0, 60'000);
    if (poll(fds, watch_stdin_ ? 2 : 1, static_cast<int>(left_ms)) > 0) {
      signalfd_siginfo info;
      if (read(signal_fd_, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo == SIGINT) return "SIGINT";
        return info.ssi_pid == static_cast<uint32_t>(getpid()) ? "a call of Drain" : "SIGTERM";
      }
      char scratch[4096];
      if (watch_stdin_ && fds[1].revents != 0) {
        const ssize_t n = read(STDIN_FILENO, scratch, sizeof(scratch));
        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
          watch_stdin_ = false;
          return kStdinEnded;
        }
      }
    }
    if (SteadyNow() >= deadline) return "";
  }
}

}  // namespace livnd::server
