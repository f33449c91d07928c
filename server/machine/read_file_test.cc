#include "server/machine/read_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "base/field_error.h"
#include "gtest/gtest.h"

namespace livnd::server {
namespace {

class ReadFileTest : public ::testing::Test {
 protected:
  ReadFileTest() {
    char path[] = "/tmp/livnd-read-XXXXXX";
    dir_ = mkdtemp(path);
  }
  ~ReadFileTest() override { std::filesystem::remove_all(dir_); }

  std::string Write(const std::string& text, mode_t mode = 0600) {
    const std::string path = dir_ + "/file";
    std::filesystem::remove(path);
    std::ofstream(path) << text;
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }
  FieldError ErrorOf(const std::string& path, Readers readers = Readers::kAnyone) {
    const absl::Status status = ReadFile(path, "a file of words", 10, readers).status();
    const std::optional<FieldError> error = FieldErrorOf(status);
    EXPECT_TRUE(error.has_value()) << status;
    return error.value_or(FieldError());
  }

  std::string dir_;
};

TEST_F(ReadFileTest, GivesTheBytes) {
  const std::string text("a\0b\n", 4);
  EXPECT_EQ(*ReadFile(Write(text), "a file of words", 4), text);
  EXPECT_EQ(*ReadFile(Write(""), "a file of words", 4), "");
}

TEST_F(ReadFileTest, SaysWhatIsNoFile) {
  EXPECT_EQ(ErrorOf(dir_ + "/absent").value, "No such file or directory");
  EXPECT_EQ(ErrorOf(dir_ + "/absent").file, dir_ + "/absent");
  EXPECT_EQ(ErrorOf(dir_).value, "no regular file");
  EXPECT_EQ(ErrorOf("/dev/zero").value, "no regular file");
  EXPECT_EQ(ErrorOf("").file, "''");
  ASSERT_EQ(mkfifo((dir_ + "/fifo").c_str(), 0600), 0);
  EXPECT_EQ(ErrorOf(dir_ + "/fifo").value, "no regular file");
  const FieldError larger = ErrorOf(Write("eleven char"));
  EXPECT_EQ(larger.value, "larger than that");
  EXPECT_EQ(larger.accepted, "a file of words that can be read, of at most 10 bytes");
}

TEST_F(ReadFileTest, RefusesASecretThatManyCanRead) {
  // Root's own files may be read by a group.
  const mode_t most = geteuid() == 0 ? 0640 : 0600;
  for (const mode_t mode : {0400, 0600, 0700, static_cast<int>(most)}) {
    EXPECT_TRUE(ReadFile(Write("secret", mode), "a key", 10, Readers::kFew).ok()) << mode;
  }
  for (const mode_t mode : {0604, 0602, 0644, 0660, 0610, 0666}) {
    const std::string path = Write("secret", mode);
    const FieldError error = ErrorOf(path, Readers::kFew);
    EXPECT_EQ(error.field, "mode") << mode;
    EXPECT_TRUE(absl::StartsWith(error.value, "06")) << error.value;
    EXPECT_TRUE(absl::StrContains(error.accepted, "or less")) << error.accepted;
    EXPECT_TRUE(ReadFile(path, "a key", 10).ok());
  }
}

TEST_F(ReadFileTest, RefusesASecretOfAnotherUser) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  const std::string path = Write("secret", 0600);
  ASSERT_EQ(chown(path.c_str(), 12345, 0), 0);
  EXPECT_EQ(ErrorOf(path, Readers::kFew).value, "the user 12345");
}

}  // namespace
}  // namespace livnd::server
