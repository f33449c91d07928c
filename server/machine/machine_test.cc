// Locks, sockets and folders: what a server holds of the machine while it runs.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "gtest/gtest.h"
#include "server/machine/file_lock.h"
#include "server/machine/state_dir.h"
#include "server/machine/unix_socket.h"

namespace livnd::server {
namespace {

class MachineTest : public ::testing::Test {
 protected:
  MachineTest() {
    char path[] = "/tmp/livnd-machine-XXXXXX";
    dir_ = mkdtemp(path);
  }
  ~MachineTest() override { std::filesystem::remove_all(dir_); }

  std::string Path(const std::string& name) const { return dir_ + "/" + name; }
  static bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }
  static std::string Read(const std::string& path) {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  // A socket bound to the path; listening sockets answer, others are what a killed server leaves.
  static int Bind(const std::string& path, bool listening) {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path.c_str());
    EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    if (listening) {
      EXPECT_EQ(listen(fd, 1), 0);
    }
    return fd;
  }

  std::string dir_;
};

TEST_F(MachineTest, ALockIsHeldByOneAndGoneWithIt) {
  const std::string path = Path("lock");
  {
    const auto held = FileLock::Acquire(path);
    ASSERT_TRUE(held.ok());
    const auto second = FileLock::Acquire(path);
    EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_NE(std::string(second.status().message()).find(std::to_string(getpid())),
              std::string::npos)
        << second.status();
  }
  EXPECT_FALSE(Exists(path));
  EXPECT_TRUE(FileLock::Acquire(path).ok());
}

TEST_F(MachineTest, ALockFileOfAKilledProcessLocksNobodyOut) {
  std::ofstream(Path("lock")) << "1\n";
  EXPECT_TRUE(FileLock::Acquire(Path("lock")).ok());
}

TEST_F(MachineTest, ALockDoesNotFollowLinks) {
  std::ofstream(Path("precious")) << "text";
  ASSERT_EQ(symlink(Path("precious").c_str(), Path("lock").c_str()), 0);
  EXPECT_FALSE(FileLock::Acquire(Path("lock")).ok());
  EXPECT_EQ(Read(Path("precious")), "text");
}

TEST_F(MachineTest, AStaleSocketIsRemoved) {
  close(Bind(Path("s"), /*listening=*/false));
  ASSERT_TRUE(Exists(Path("s")));
  EXPECT_TRUE(UnixSocketClaim::Acquire(Path("s")).ok());
  EXPECT_FALSE(Exists(Path("s")));
}

TEST_F(MachineTest, ASocketThatAnswersIsLeftAlone) {
  const int fd = Bind(Path("s"), /*listening=*/true);
  EXPECT_EQ(UnixSocketClaim::Acquire(Path("s")).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Exists(Path("s")));
  close(fd);
}

TEST_F(MachineTest, AFileThatIsNoSocketIsLeftAlone) {
  std::ofstream(Path("s")) << "text";
  EXPECT_FALSE(UnixSocketClaim::Acquire(Path("s")).ok());
  EXPECT_EQ(Read(Path("s")), "text");
}

TEST_F(MachineTest, AClaimIsExclusiveAndCleansUp) {
  {
    const auto claim = UnixSocketClaim::Acquire(Path("s"));
    ASSERT_TRUE(claim.ok());
    EXPECT_FALSE(UnixSocketClaim::Acquire(Path("s")).ok());
    const int fd = Bind(Path("s"), /*listening=*/true);
    EXPECT_TRUE(Exists(Path("s.lock")));
    close(fd);
  }
  EXPECT_FALSE(Exists(Path("s")));
  EXPECT_FALSE(Exists(Path("s.lock")));
}

TEST_F(MachineTest, AStateFolderIsMadeAndBelongsToOneServer) {
  const std::string path = Path("a/b/state");
  {
    const auto state = StateDir::Open(path);
    ASSERT_TRUE(state.ok()) << state.status();
    struct stat made;
    ASSERT_EQ(stat(path.c_str(), &made), 0);
    EXPECT_EQ(made.st_mode & 0777, 0700u);
    EXPECT_EQ(StateDir::Open(path).status().code(), absl::StatusCode::kFailedPrecondition);

    ASSERT_TRUE((*state)->PublishEndpoint("{\"pid\":1}").ok());
    EXPECT_EQ(Read(path + "/endpoint.json"), "{\"pid\":1}\n");
  }
  EXPECT_FALSE(Exists(path + "/endpoint.json"));
  EXPECT_FALSE(Exists(path + "/lock"));
}

TEST_F(MachineTest, AStateFolderForgetsAKilledServersEndpoint) {
  std::ofstream(Path("endpoint.json")) << "{}";
  const auto state = StateDir::Open(dir_);
  ASSERT_TRUE(state.ok());
  EXPECT_FALSE(Exists(Path("endpoint.json")));
}

TEST_F(MachineTest, AStateFolderMustBeAFolder) {
  std::ofstream(Path("file")) << "";
  EXPECT_FALSE(StateDir::Open(Path("file")).ok());
  EXPECT_FALSE(StateDir::Open(Path("file/below")).ok());
  EXPECT_FALSE(StateDir::Open("").ok());
}

}  // namespace
}  // namespace livnd::server
