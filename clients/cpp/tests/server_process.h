// A real livnd server as a child process, for tests.
#ifndef LIVND_CLIENTS_CPP_TESTS_SERVER_PROCESS_H_
#define LIVND_CLIENTS_CPP_TESTS_SERVER_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"

namespace livnd::client {

// A folder of its own below /tmp (paths of sockets are short), removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  std::string path(const std::string& name = "") const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// Runs `livnd serve` with the project's systems. Killed at the end if it still runs.
class ServerProcess {
 public:
  // Adds --systems, --state-dir and --listen where `flags` does not have them: a Unix socket in
  // `folder`. Waits until the process says that it is ready, or has ended.
  static std::unique_ptr<ServerProcess> Start(const TemporaryFolder& folder,
                                              std::vector<std::string> flags = {});
  ~ServerProcess();

  // False if the process ended without a ready line.
  bool ready() const { return !ready_line_.is_null(); }
  const nlohmann::json& ready_line() const { return ready_line_; }
  std::string address() const { return ready_line_.at("address"); }
  pid_t pid() const { return pid_; }

  void Signal(int signal);
  void CloseStdin();
  // The exit status, or 128 + the signal that ended it; nullopt if it still runs after `timeout`.
  std::optional<int> WaitForExit(std::chrono::milliseconds timeout = std::chrono::seconds(20));
  // Standard error so far.
  std::string log() const;

 private:
  ServerProcess() = default;

  pid_t pid_ = -1;
  int stdin_fd_ = -1;
  std::string log_path_;
  nlohmann::json ready_line_;
  std::optional<int> exit_;
};

}  // namespace livnd::client

#endif  // LIVND_CLIENTS_CPP_TESTS_SERVER_PROCESS_H_
