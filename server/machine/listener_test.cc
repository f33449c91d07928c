#include "server/machine/listener.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace livnd::server {
namespace {

// Connections that a listener has handed on.
class Connections {
 public:
  ~Connections() { CloseAll(); }
  Listener::Accepted Taker() {
    return [this](int fd) {
      std::lock_guard<std::mutex> lock(mu_);
      fds_.push_back(fd);
    };
  }
  // Returns once there are at least n.
  std::vector<int> Await(size_t n) {
    while (true) {
      {
        std::lock_guard<std::mutex> lock(mu_);
        if (fds_.size() >= n) return fds_;
      }
      std::this_thread::yield();
    }
  }
  void CloseAll() {
    std::lock_guard<std::mutex> lock(mu_);
    for (const int fd : fds_) close(fd);
    fds_.clear();
  }

 private:
  std::mutex mu_;
  std::vector<int> fds_;
};

int ConnectTo(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path.c_str());
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0)
      << std::strerror(errno);
  return fd;
}

int ConnectTo(const char* host, int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, host, &address.sin_addr);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0)
      << std::strerror(errno);
  return fd;
}

int NumOpenDescriptors() {
  int n = 0;
  DIR* dir = opendir("/proc/self/fd");
  while (readdir(dir) != nullptr) ++n;
  closedir(dir);
  return n - 3;  // ".", ".." and the folder itself
}

class ListenerTest : public ::testing::Test {
 protected:
  ListenerTest() {
    char path[] = "/tmp/livnd-listener-XXXXXX";
    dir_ = mkdtemp(path);
    getrlimit(RLIMIT_NOFILE, &limit_);
  }
  ~ListenerTest() override {
    setrlimit(RLIMIT_NOFILE, &limit_);
    std::filesystem::remove_all(dir_);
  }
  std::unique_ptr<Listener> Listen(const std::string& text) {
    auto listener = Listener::Create(*ListenAddress::Parse(text));
    EXPECT_TRUE(listener.ok()) << listener.status();
    return *std::move(listener);
  }
  void LimitDescriptors(int soft) {
    rlimit limit = limit_;
    limit.rlim_cur = static_cast<rlim_t>(soft);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  }

  std::string dir_;
  rlimit limit_;
};

TEST_F(ListenerTest, HandsOnWhatConnects) {
  const auto listener = Listen("127.0.0.1:0");
  ASSERT_GT(listener->port(), 0);
  const int early = ConnectTo("127.0.0.1", listener->port());  // waits for the start
  Connections connections;
  listener->Start(connections.Taker());
  const int late = ConnectTo("127.0.0.1", listener->port());
  for (const int fd : connections.Await(2)) {
    int on = 0;
    socklen_t size = sizeof(on);
    getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size);
    EXPECT_NE(on, 0);
  }
  close(early);
  close(late);
}

TEST_F(ListenerTest, TakesAPathAsItIs) {
  for (const std::string& name :
       {std::string("s"), std::string("a#b"), std::string("a?b=c"), std::string("a%20b"),
        std::string("a b%"), std::string("\xc3\xa9\n\xff")}) {
    const std::string path = dir_ + "/" + name;
    const auto listener = Listen("unix:" + path);
    EXPECT_EQ(listener->port(), 0);
    struct stat made;
    ASSERT_EQ(stat(path.c_str(), &made), 0) << name;
    EXPECT_TRUE(S_ISSOCK(made.st_mode));
    EXPECT_EQ(made.st_mode & 0777, 0600u);
    Connections connections;
    listener->Start(connections.Taker());
    const int fd = ConnectTo(path);
    connections.Await(1);
    close(fd);
    unlink(path.c_str());
  }
  EXPECT_TRUE(std::filesystem::is_empty(dir_));
}

TEST_F(ListenerTest, RefusesWhatIsTakenOrNotThisMachines) {
  const auto listener = Listen("127.0.0.1:0");
  const std::string taken = "127.0.0.1:" + std::to_string(listener->port());
  for (const std::string& address :
       {taken, std::string("192.0.2.1:0"), "unix:" + dir_ + "/no/such/folder"}) {
    const auto refused = Listener::Create(*ListenAddress::Parse(address));
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition) << address;
    EXPECT_NE(std::string(refused.status().message()).find(address.substr(5)), std::string::npos)
        << refused.status();
  }
}

TEST_F(ListenerTest, AnEndedListenerRefusesConnections) {
  auto listener = Listen("127.0.0.1:0");
  const int port = listener->port();
  Connections connections;
  listener->Start(connections.Taker());
  listener.reset();
  EXPECT_TRUE(Listener::Create(*ListenAddress::Parse("127.0.0.1:" + std::to_string(port))).ok());
}

TEST_F(ListenerTest, KeepsDescriptorsForTheProcessAndTakesConnectionsAgain) {
  const auto listener = Listen("unix:" + dir_ + "/s");
  Connections connections;
  listener->Start(connections.Taker());
  std::vector<int> callers;
  for (int i = 0; i < 40; ++i) callers.push_back(socket(AF_UNIX, SOCK_STREAM, 0));
  const int limit = NumOpenDescriptors() + 20;
  LimitDescriptors(limit);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, (dir_ + "/s").c_str());
  for (const int fd : callers) {
    ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  // Who is refused reads the end; who is taken would wait.
  char byte;
  EXPECT_EQ(read(callers.back(), &byte, 1), 0);
  EXPECT_LE(NumOpenDescriptors(), limit - 4);

  for (const int fd : callers) close(fd);
  connections.CloseAll();
  const int fd = ConnectTo(dir_ + "/s");
  connections.Await(1);
  close(fd);
}

TEST_F(ListenerTest, WaitsWhereThereIsNoDescriptorAtAll) {
  const auto listener = Listen("unix:" + dir_ + "/s");
  const int early = ConnectTo(dir_ + "/s");
  LimitDescriptors(NumOpenDescriptors() - 1);
  Connections connections;
  listener->Start(connections.Taker());
  std::this_thread::sleep_for(std::chrono::milliseconds(150));  // it has tried, and tries again
  setrlimit(RLIMIT_NOFILE, &limit_);
  connections.Await(1);
  close(early);
}

}  // namespace
}  // namespace livnd::server
