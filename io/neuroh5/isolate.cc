#include "io/neuroh5/isolate.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace livnd::io {
namespace {

// What the child sends: frames of a kind, a length and that many bytes.
enum Kind : uint64_t { kNote = 1, kResult = 2, kError = 3 };  // kError: code, then message

struct FrameHead {
  uint64_t kind;
  uint64_t size;
};

bool WriteAll(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t written = write(fd, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    data += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

void Send(int fd, Kind kind, absl::string_view bytes) {
  const FrameHead head = {kind, bytes.size()};
  if (WriteAll(fd, reinterpret_cast<const char*>(&head), sizeof(head))) {
    WriteAll(fd, bytes.data(), bytes.size());
  }
}

// A crash is expected here: no handlers of the parent, no core file, no message.
void PrepareToCrash() {
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPIPE}) {
    signal(number, SIG_DFL);
  }
  const struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  const int null = open("/dev/null", O_WRONLY);
  if (null >= 0) {
    dup2(null, STDERR_FILENO);
    close(null);
  }
#endif
}

// Nothing of the parent's outlives it here: its end is this one's too, and its connections, its listening
// sockets and its locks are its alone.
void LetGoOfParent(pid_t parent, int kept_fd) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);  // it ended before that
  if (kept_fd > STDERR_FILENO + 1) close_range(STDERR_FILENO + 1, kept_fd - 1, 0);
  close_range(kept_fd + 1, ~0U, 0);
}

[[noreturn]] void RunChild(pid_t parent, int fd,
                           const std::function<absl::StatusOr<std::string>(const Note&)>& work) {
  LetGoOfParent(parent, fd);
  PrepareToCrash();
  const absl::StatusOr<std::string> result =
      work([fd](absl::string_view text) { Send(fd, kNote, text); });
  if (result.ok()) {
    Send(fd, kResult, *result);
  } else {
    const std::string code(1, static_cast<char>(result.status().code()));
    Send(fd, kError, absl::StrCat(code, result.status().message()));
  }
  _exit(0);
}

// Reads frames until the child's last one, the end of the pipe or the deadline.
class Receiver {
 public:
  Receiver(int fd, double limit_s)
      : fd_(fd),
        deadline_(std::chrono::steady_clock::now() +
                  std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                      std::chrono::duration<double>(limit_s))) {}

  bool timed_out() const { return timed_out_; }
  const std::string& note() const { return note_; }

  // Whether the child finished; then `result` is what it returned.
  bool Receive(absl::StatusOr<std::string>& result) {
    FrameHead head;
    while (Read(reinterpret_cast<char*>(&head), sizeof(head))) {
      std::string bytes;
      if (!ReadBytes(head.size, bytes)) return false;
      if (head.kind == kNote) {
        note_ = std::move(bytes);
      } else if (head.kind == kResult) {
        result = std::move(bytes);
        return true;
      } else if (head.kind == kError && !bytes.empty() && bytes[0] != 0) {
        result = absl::Status(static_cast<absl::StatusCode>(bytes[0]), bytes.substr(1));
        return true;
      } else {
        return false;
      }
    }
    return false;
  }

 private:
  // Grows with what arrives, since a crashing child may announce any size.
  bool ReadBytes(uint64_t size, std::string& bytes) {
    while (bytes.size() < size) {
      const size_t old = bytes.size();
      bytes.resize(old + std::min<uint64_t>(size - old, std::max<size_t>(old, 1 << 16)));
      if (!Read(bytes.data() + old, bytes.size() - old)) return false;
    }
    return true;
  }

  bool Read(char* data, size_t size) {
    while (size > 0) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          deadline_ - std::chrono::steady_clock::now());
      struct pollfd wait = {fd_, POLLIN, 0};
      const int ready = poll(&wait, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
      if (ready < 0 && errno == EINTR) continue;
      timed_out_ = ready == 0;
      if (ready <= 0) return false;
      const ssize_t got = read(fd_, data, size);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      data += got;
      size -= static_cast<size_t>(got);
    }
    return true;
  }

  const int fd_;
  const std::chrono::steady_clock::time_point deadline_;
  bool timed_out_ = false;
  std::string note_;
};

}  // namespace

absl::StatusOr<std::string> RunIsolated(
    double limit_s, const std::function<absl::StatusOr<std::string>(const Note&)>& work) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) {
    return absl::ResourceExhaustedError(absl::StrCat("pipe: ", std::strerror(errno)));
  }
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) RunChild(parent, fds[1], work);
  close(fds[1]);
  if (child < 0) {
    close(fds[0]);
    return absl::ResourceExhaustedError(absl::StrCat("fork: ", std::strerror(errno)));
  }
  absl::StatusOr<std::string> result;
  Receiver receiver(fds[0], limit_s);
  const bool finished = receiver.Receive(result);
  close(fds[0]);
  if (!finished) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (finished) return result;
  const std::string how = receiver.timed_out()
                              ? absl::StrCat("took longer than ", limit_s, " s to read")
                              : "the HDF5 library crashed while reading it";
  return absl::DataLossError(absl::StrCat(receiver.note(), ": ", how, "; the file is damaged"));
}

}  // namespace livnd::io
