#include "server/journal/journal_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace livnd::server {
namespace {

v1::JournalRecord Operation(int number, size_t request_bytes = 40) {
  v1::JournalRecord record;
  v1::JournalOperation& operation = *record.mutable_operation();
  operation.set_method(v1::JOURNAL_METHOD_STEP);
  operation.set_request(std::string(request_bytes, static_cast<char>('a' + number)));
  operation.add_digests(0x01020304u + static_cast<uint32_t>(number));
  return record;
}

class JournalFileTest : public testing::Test {
 protected:
  JournalFileTest() : path_(absl::StrCat(testing::TempDir(), "/j", getpid(), ".journal")) {
    head_.set_num_envs(3);
    head_.set_request_id("wish");
  }
  ~JournalFileTest() override { unlink(path_.c_str()); }

  std::string Bytes() const {
    std::ifstream file(path_, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  void Write(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }
  // A file with operations 0 .. n-1; where each of them ends.
  std::vector<size_t> WriteOperations(int n) {
    JournalFile file(path_, Durability::kProcess);
    EXPECT_TRUE(file.Replace(head_).ok());
    std::vector<size_t> ends = {static_cast<size_t>(file.num_bytes())};
    for (int i = 0; i < n; ++i) {
      EXPECT_TRUE(file.Reserve(100).ok());
      EXPECT_TRUE(file.Append(Operation(i)).ok());
      ends.push_back(static_cast<size_t>(file.num_bytes()));
    }
    return ends;
  }

  const std::string path_;
  v1::JournalHead head_;
};

TEST_F(JournalFileTest, WhatIsWrittenIsRead) {
  for (const Durability durability : {Durability::kProcess, Durability::kPower}) {
    JournalFile file(path_, durability);
    ASSERT_TRUE(file.Replace(head_).ok());
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(file.Reserve(500'000).ok());
      ASSERT_TRUE(file.Append(Operation(i, 100'000u * static_cast<size_t>(i) + 1)).ok());
      ASSERT_TRUE(SyncFile(file.handle()).ok());
    }
    const auto journal = ReadJournal(path_);
    ASSERT_TRUE(journal.ok()) << journal.status();
    EXPECT_EQ(journal->head.SerializeAsString(), head_.SerializeAsString());
    ASSERT_EQ(journal->records.size(), 3u);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(journal->records[static_cast<size_t>(i)].SerializeAsString(),
                Operation(i, 100'000u * static_cast<size_t>(i) + 1).SerializeAsString());
    }
    EXPECT_FALSE(journal->torn);
    EXPECT_EQ(journal->num_bytes, file.num_bytes());
    EXPECT_TRUE(ReadJournal(path_, ReadWhat::kHead)->records.empty());
  }
  struct stat info;
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(JournalFileTest, ANewHeadTakesThePlaceOfAll) {
  JournalFile file(path_, Durability::kProcess);
  ASSERT_TRUE(file.Replace(head_).ok());
  ASSERT_TRUE(file.Append(Operation(1)).ok());
  head_.set_next_op_index(2);
  ASSERT_TRUE(file.Replace(head_).ok());
  ASSERT_TRUE(file.Append(Operation(2)).ok());
  const auto journal = ReadJournal(path_);
  ASSERT_TRUE(journal.ok());
  EXPECT_EQ(journal->head.next_op_index(), 2);
  ASSERT_EQ(journal->records.size(), 1u);
  EXPECT_EQ(journal->records[0].operation().request()[0], 'c');
  ASSERT_TRUE(file.Remove().ok());
  EXPECT_EQ(ReadJournal(path_).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(JournalFileTest, ACutEndIsLeftOut) {
  const std::vector<size_t> ends = WriteOperations(3);
  const std::string whole = Bytes();
  ASSERT_GT(whole.size(), ends.back());  // room that was found and not used
  for (size_t size = ends[0]; size <= ends[3]; ++size) {
    for (const bool reserved : {false, true}) {
      std::string cut = whole.substr(0, size);
      if (reserved) cut.resize(whole.size());
      Write(cut);
      size_t sound = 0;
      while (sound < 3 && ends[sound + 1] <= size) ++sound;
      const auto journal = ReadJournal(path_);
      ASSERT_TRUE(journal.ok()) << size << " " << journal.status();
      EXPECT_EQ(journal->records.size(), sound) << size;
      EXPECT_EQ(journal->num_bytes, static_cast<int64_t>(ends[sound]));
      EXPECT_EQ(journal->torn, size > ends[sound]) << size;
    }
  }
}

TEST_F(JournalFileTest, NoChangedBitIsTakenForTheEnd) {
  const std::vector<size_t> ends = WriteOperations(3);
  const std::string whole = Bytes();
  for (size_t place = 0; place < ends[3]; ++place) {
    std::string damaged = whole;
    damaged[place] = static_cast<char>(damaged[place] ^ 0x20);
    Write(damaged);
    const auto journal = ReadJournal(path_);
    // Of the last record's length and last byte nobody can say whether they were ever written.
    if (place >= ends[2] && (place < ends[2] + 4 || place == ends[3] - 1)) continue;
    EXPECT_EQ(journal.status().code(), absl::StatusCode::kDataLoss) << place;
  }
}

TEST_F(JournalFileTest, WhatIsNoJournalIsAnError) {
  for (const std::string& bytes :
       {std::string(), std::string("x"), std::string("LIVNDJ01"), std::string("LIVNDJ02________"),
        std::string(1000, '\0'), std::string(1000, '\xff')}) {
    Write(bytes);
    EXPECT_EQ(ReadJournal(path_).status().code(), absl::StatusCode::kDataLoss) << bytes;
  }
  unlink(path_.c_str());
  ASSERT_EQ(mkdir(path_.c_str(), 0700), 0);
  EXPECT_FALSE(ReadJournal(path_).ok());
  rmdir(path_.c_str());
}

// Holes take no room on a disk, and would in memory.
TEST_F(JournalFileTest, AFileIsNoLongerThanItsHeadSays) {
  constexpr off_t kHuge = off_t{300} << 30;
  WriteOperations(2);
  ASSERT_EQ(truncate(path_.c_str(), kHuge), 0);
  const auto head = ReadJournal(path_, ReadWhat::kHead);
  ASSERT_TRUE(head.ok()) << head.status();
  EXPECT_EQ(head->head.SerializeAsString(), head_.SerializeAsString());
  EXPECT_EQ(ReadJournal(path_).status().code(), absl::StatusCode::kDataLoss);
  for (const std::string& bytes : {std::string("LIVNDJ01\xff\xff\xff\xff____"), std::string("x")}) {
    Write(bytes);
    ASSERT_EQ(truncate(path_.c_str(), kHuge), 0);
    for (const ReadWhat what : {ReadWhat::kHead, ReadWhat::kAll}) {
      EXPECT_EQ(ReadJournal(path_, what).status().code(), absl::StatusCode::kDataLoss);
    }
  }
}

TEST_F(JournalFileTest, WhatCannotBeWrittenLeavesWhatThereIs) {
  WriteOperations(2);
  JournalFile nowhere(testing::TempDir() + "/none/x.journal", Durability::kProcess);
  EXPECT_EQ(nowhere.Replace(head_).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadJournal(path_)->records.size(), 2u);
}

}  // namespace
}  // namespace livnd::server
