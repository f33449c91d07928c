#include "io/neuroh5/isolate.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace livnd::io {
namespace {

using testing::HasSubstr;

TEST(IsolateTest, ReturnsTheResult) {
  const std::string large(3'000'000, 'x');
  const auto result =
      RunIsolated(60, [&](const Note&) -> absl::StatusOr<std::string> { return large; });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(*result, large);
}

TEST(IsolateTest, ReturnsTheError) {
  const auto result = RunIsolated(60, [](const Note& note) -> absl::StatusOr<std::string> {
    note("somewhere");
    return absl::NotFoundError("not here");
  });
  EXPECT_EQ(result.status(), absl::NotFoundError("not here"));
}

TEST(IsolateTest, CrashBecomesAnErrorWithTheLastNote) {
  const auto result = RunIsolated(60, [](const Note& note) -> absl::StatusOr<std::string> {
    note("first");
    note("second");
    raise(SIGSEGV);
    return std::string();
  });
  EXPECT_TRUE(absl::IsDataLoss(result.status()));
  EXPECT_THAT(result.status().message(), HasSubstr("second: the HDF5 library crashed"));
}

TEST(IsolateTest, ExitIsACrashToo) {
  const auto result = RunIsolated(60, [](const Note&) -> absl::StatusOr<std::string> { _exit(0); });
  EXPECT_TRUE(absl::IsDataLoss(result.status()));
}

TEST(IsolateTest, TimeIsLimited) {
  const auto result = RunIsolated(0.2, [](const Note& note) -> absl::StatusOr<std::string> {
    note("slow place");
    for (;;) pause();
  });
  EXPECT_TRUE(absl::IsDataLoss(result.status()));
  EXPECT_THAT(result.status().message(), HasSubstr("slow place: took longer than 0.2 s"));
}

TEST(IsolateTest, TheChildHasNoneOfTheParentsDescriptors) {
  const int before = open("/dev/null", O_RDONLY);
  const int high = fcntl(before, F_DUPFD, 200);
  const auto result = RunIsolated(60, [](const Note&) -> absl::StatusOr<std::string> {
    std::string open;
    for (int fd = 3; fd < 1000; ++fd) open += fcntl(fd, F_GETFD) >= 0 ? "x" : "";
    return open;
  });
  close(before);
  close(high);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(*result, "x");  // by which it answers
}

TEST(IsolateTest, TheChildEndsWithItsParent) {
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    // The child has nothing of its parent's, and opens the pipe anew.
    (void)RunIsolated(600, [&](const Note&) -> absl::StatusOr<std::string> {
      const std::string note = std::to_string(getpid()) + "\n";
      const std::string pipe =
          "/proc/" + std::to_string(getppid()) + "/fd/" + std::to_string(fds[1]);
      const int fd = open(pipe.c_str(), O_WRONLY);
      if (write(fd, note.data(), note.size()) < 0) _exit(1);
      for (;;) pause();
    });
    _exit(0);
  }
  close(fds[1]);
  char note[32] = "";
  ASSERT_GT(read(fds[0], note, sizeof(note) - 1), 0);
  ASSERT_GT(std::atoi(note), 0) << note;
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  // The end of the pipe: nobody is left who holds it.
  EXPECT_EQ(read(fds[0], note, sizeof(note)), 0);
  close(fds[0]);
}

}  // namespace
}  // namespace livnd::io
