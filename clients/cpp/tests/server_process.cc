#include "clients/cpp/tests/server_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace livnd::client {
namespace {

constexpr char kBinary[] = "server/livnd";  // in the test's runfiles

bool Has(const std::vector<std::string>& flags, const std::string& name) {
  return std::any_of(flags.begin(), flags.end(),
                     [&](const std::string& flag) { return flag.rfind(name, 0) == 0; });
}

void Add(std::vector<std::string>* flags, const std::string& name, const std::string& value) {
  if (!Has(*flags, name)) flags->insert(flags->end(), {name, value});
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  char path[] = "/tmp/livnd-test-XXXXXX";
  path_ = mkdtemp(path);
}

TemporaryFolder::~TemporaryFolder() { std::filesystem::remove_all(path_); }

std::unique_ptr<ServerProcess> ServerProcess::Start(const TemporaryFolder& folder,
                                                    std::vector<std::string> flags) {
  static int num_started = 0;
  auto server = std::unique_ptr<ServerProcess>(new ServerProcess());
  const std::string number = std::to_string(++num_started);
  server->log_path_ = folder.path("log" + number);
  Add(&flags, "--systems", "systems");
  Add(&flags, "--state-dir", folder.path("state" + number));
  Add(&flags, "--listen", "unix:" + folder.path("s" + number));

  std::vector<std::string> words = {kBinary, "serve"};
  words.insert(words.end(), flags.begin(), flags.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  int in[2];
  int out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) std::abort();
  const int log = open(server->log_path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0600);
  server->pid_ = fork();
  if (server->pid_ == 0) {
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execv(kBinary, argv.data());
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  close(log);
  server->stdin_fd_ = in[1];

  std::string line;
  char c = 0;
  while (read(out[0], &c, 1) == 1 && c != '\n') line.push_back(c);
  close(out[0]);
  if (c == '\n') server->ready_line_ = nlohmann::json::parse(line);
  return server;
}

ServerProcess::~ServerProcess() {
  if (!exit_.has_value()) {
    Signal(SIGKILL);
    WaitForExit();
  }
  CloseStdin();
}

void ServerProcess::Signal(int signal) { kill(pid_, signal); }

void ServerProcess::CloseStdin() {
  if (stdin_fd_ >= 0) close(stdin_fd_);
  stdin_fd_ = -1;
}

std::optional<int> ServerProcess::WaitForExit(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!exit_.has_value()) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    } else if (std::chrono::steady_clock::now() >= deadline) {
      break;
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  return exit_;
}

std::string ServerProcess::log() const {
  std::ifstream in(log_path_);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace livnd::client
