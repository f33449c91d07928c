#include "server/machine/systems_folder.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace livnd::server {
namespace {

namespace fs = std::filesystem;

class SystemsFolderTest : public ::testing::Test {
 protected:
  SystemsFolderTest() {
    char path[] = "/tmp/livnd-systems-XXXXXX";
    folder_ = mkdtemp(path);
    Copy("first");
  }
  ~SystemsFolderTest() override { fs::remove_all(folder_); }

  void Copy(const std::string& name) {
    const auto from = fs::canonical("systems/EI-mini/graph.json").parent_path();
    fs::copy(from, folder_ / name, fs::copy_options::recursive);
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / name)) {
      fs::permissions(entry, fs::perms::owner_all);
    }
  }
  static std::vector<std::string> NamesOf(const SystemsFolder& folder) {
    std::vector<std::string> names;
    for (const auto& system : folder.systems()) names.push_back(system.system->name);
    return names;
  }
  using Names = std::vector<std::string>;

  fs::path folder_;
};

TEST_F(SystemsFolderTest, IsReadAtOnceAndThenReadsWhatRests) {
  SystemsFolder folder(folder_);
  ASSERT_TRUE(folder.ReadAll().ok());
  EXPECT_EQ(NamesOf(folder), Names({"first"}));
  const auto first = folder.systems().front().system;
  EXPECT_FALSE(folder.Look());
  Copy("second");
  EXPECT_FALSE(folder.Look());  // seen for the first time
  EXPECT_TRUE(folder.Look());
  EXPECT_EQ(NamesOf(folder), Names({"first", "second"}));
  EXPECT_FALSE(folder.Look());
  EXPECT_EQ(folder.systems().front().system, first);  // read once
}

TEST_F(SystemsFolderTest, ACopyHalfMadeIsNotRead) {
  SystemsFolder folder(folder_);
  ASSERT_TRUE(folder.ReadAll().ok());
  Copy("late");
  const fs::path part = folder_ / "late/connections.h5";
  const auto size = fs::file_size(part);
  fs::resize_file(part, size / 2);
  EXPECT_FALSE(folder.Look());
  fs::remove(part);
  fs::copy_file(folder_ / "first/connections.h5", part);
  testing::internal::CaptureStderr();
  EXPECT_FALSE(folder.Look());
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_TRUE(folder.Look());
}

TEST_F(SystemsFolderTest, ABrokenOneIsToldOfOnce) {
  SystemsFolder folder(folder_);
  ASSERT_TRUE(folder.ReadAll().ok());
  Copy("broken");
  fs::resize_file(folder_ / "broken/cells.h5", 1000);
  testing::internal::CaptureStderr();
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(folder.Look());
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("system left out"), std::string::npos) << log;
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
  EXPECT_EQ(NamesOf(folder), Names({"first"}));
}

TEST_F(SystemsFolderTest, OneThatBreaksStaysAsItWas) {
  SystemsFolder folder(folder_);
  ASSERT_TRUE(folder.ReadAll().ok());
  const std::string before = folder.systems().front().sha256;
  fs::resize_file(folder_ / "first/cells.h5", 1000);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(folder.Look());
  EXPECT_EQ(NamesOf(folder), Names({"first"}));
  EXPECT_EQ(folder.systems().front().sha256, before);
}

TEST_F(SystemsFolderTest, OneThatIsRemovedIsGoneAndAFolderThatIsAwayChangesNothing) {
  SystemsFolder folder(folder_);
  Copy("second");
  ASSERT_TRUE(folder.ReadAll().ok());
  fs::remove_all(folder_ / "first");
  EXPECT_TRUE(folder.Look());
  EXPECT_EQ(NamesOf(folder), Names({"second"}));
  fs::remove_all(folder_);
  EXPECT_FALSE(folder.Look());
  EXPECT_EQ(NamesOf(folder), Names({"second"}));
}

TEST_F(SystemsFolderTest, NothingToReadIsAnError) {
  fs::remove_all(folder_ / "first");
  EXPECT_TRUE(absl::IsNotFound(SystemsFolder(folder_).ReadAll()));
  EXPECT_TRUE(absl::IsNotFound(SystemsFolder(folder_ / "absent").ReadAll()));
}

}  // namespace
}  // namespace livnd::server
