#include "server/recording/recording_folder.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/recording/recording_reader.h"
#include "io/recording/stream.h"
#include "io/recording/streams.h"
#include "livnd/v1/recording_service.pb.h"
#include "server/recording/growing_recording.h"
#include "server/recording/recording_summary.h"
#include "server/wire/errors.h"

namespace livnd::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int kSpikes = 0, kRewards = 1;
const std::string kA(32, 'a'), kB(32, 'b'), kC(32, 'c');

std::vector<io::StreamSpec> Streams() { return {io::SpikesStream(), io::RewardsStream()}; }

io::Attributes AttributesAt(double start_unix_s) {
  return {{"environment", std::string("Null-v0")},
          {"num_copies", int64_t{2}},
          {std::string(kLabel), std::string("a label")},
          {std::string(kSessionTag), std::string("12345678")},
          {std::string(kStartUnixS), start_unix_s}};
}

// Rows begin .. end - 1 of both streams; those of the spikes are numbered.
std::vector<std::string> Rows(int64_t begin, int64_t end) {
  std::vector<std::string> rows(2);
  for (int64_t row = begin; row < end; ++row) {
    io::AppendKey({0, 1, row}, &rows[kSpikes]);
    io::AppendValue(static_cast<int32_t>(row), &rows[kSpikes]);
    io::AppendKey({0, 1, row}, &rows[kRewards]);
    io::AppendValue(static_cast<double>(row), &rows[kRewards]);
    io::AppendValue(uint8_t{0}, &rows[kRewards]);
    io::AppendValue(uint8_t{0}, &rows[kRewards]);
  }
  return rows;
}

void Append(GrowingRecording& recording, int64_t begin, int64_t end) {
  std::vector<std::string> rows = Rows(begin, end);
  recording.Append(absl::MakeSpan(rows));
}

// Rows that no compression makes shorter.
void AppendNoise(GrowingRecording& recording, int num, std::mt19937_64& random) {
  std::vector<std::string> rows(2);
  for (int i = 0; i < num; ++i) {
    io::AppendKey({0, static_cast<int64_t>(random()), static_cast<int64_t>(random())},
                  &rows[kSpikes]);
    io::AppendValue(static_cast<int32_t>(random()), &rows[kSpikes]);
  }
  recording.Append(absl::MakeSpan(rows));
}

std::string ContentsOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Write(const std::string& path, const std::string& contents) {
  std::ofstream(path, std::ios::binary) << contents;
}

class RecordingFolderTest : public testing::Test {
 protected:
  RecordingFolderTest() : path_(absl::StrCat(testing::TempDir(), "/recordings_XXXXXX")) {
    EXPECT_NE(mkdtemp(path_.data()), nullptr);
    Open();
  }
  void Open() {
    folder_.reset();
    auto folder = RecordingFolder::Open(path_, options_);
    ASSERT_TRUE(folder.ok()) << folder.status();
    folder_ = *std::move(folder);
  }
  std::shared_ptr<GrowingRecording> Create(const std::string& tenant, const std::string& name,
                                           double start_unix_s = 1.0) {
    auto made = folder_->Create(tenant, name, AttributesAt(start_unix_s), Streams());
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? *std::move(made) : nullptr;
  }
  // One of a few rows that has ended.
  void Make(const std::string& tenant, const std::string& name, double start_unix_s = 1.0) {
    auto growing = Create(tenant, name, start_unix_s);
    Append(*growing, 0, 10);
    folder_->End(tenant, std::move(growing), /*paused=*/false);
  }
  v1::Recording Told(const std::string& tenant, const std::string& name) {
    for (v1::Recording& recording : folder_->List(tenant)) {
      if (recording.recording() == name) return std::move(recording);
    }
    ADD_FAILURE() << "no recording " << name;
    return {};
  }
  std::vector<std::string> Names(const std::string& tenant) {
    std::vector<std::string> out;
    for (const v1::Recording& recording : folder_->List(tenant)) {
      out.push_back(recording.recording());
    }
    return out;
  }
  std::string PathOf(const std::string& tenant, const std::string& name) {
    return absl::StrCat(path_, "/tenant-", tenant, "/", name, ".h5");
  }

  std::string path_;
  RecordingFolder::Options options_;
  std::unique_ptr<RecordingFolder> folder_;
};

TEST_F(RecordingFolderTest, TellsOfARecordingInEachOfItsStates) {
  auto growing = Create("a", kA, 1234.5);
  EXPECT_TRUE(folder_->IsGrowing("a", kA));
  Append(*growing, 0, 10);
  ASSERT_TRUE(growing->Flush().ok());
  growing->AddTimes(absl::Milliseconds(250), absl::Seconds(2));
  v1::Recording told = Told("a", kA);
  EXPECT_EQ(told.state(), v1::RECORDING_STATE_RECORDING);
  EXPECT_EQ(told.label(), "a label");
  EXPECT_EQ(told.session_tag(), "12345678");
  EXPECT_EQ(told.environment_id(), "Null-v0");
  EXPECT_EQ(told.num_envs(), 2);
  EXPECT_EQ(told.start_unix_s(), 1234.5);
  EXPECT_EQ(told.recording_s(), 0.25);
  EXPECT_EQ(told.operations_s(), 2.0);
  ASSERT_EQ(told.streams_size(), 2);
  EXPECT_EQ(told.streams(kSpikes).stream(), "spikes");
  EXPECT_EQ(told.streams(kSpikes).num_rows(), 10);

  folder_->End("a", std::move(growing), /*paused=*/true);
  EXPECT_EQ(Told("a", kA).state(), v1::RECORDING_STATE_PAUSED);
  Open();
  EXPECT_EQ(Told("a", kA).state(), v1::RECORDING_STATE_PAUSED);

  auto more = folder_->GoOn("a", kA);
  ASSERT_TRUE(more.ok()) << more.status();
  EXPECT_EQ(Told("a", kA).state(), v1::RECORDING_STATE_RECORDING);
  Append(**more, 10, 15);
  folder_->End("a", *std::move(more), /*paused=*/false);
  told = Told("a", kA);
  EXPECT_EQ(told.state(), v1::RECORDING_STATE_COMPLETE);
  EXPECT_EQ(told.streams(kSpikes).num_rows(), 15);
  EXPECT_EQ(told.label(), "a label");
  EXPECT_GT(told.num_bytes(), 0);

  const auto reader = io::RecordingReader::Open(*folder_->Find("a", kA));
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->Read(kSpikes, {}, 0, {})->rows, Rows(0, 15)[kSpikes]);
}

TEST_F(RecordingFolderTest, TellsTheLatestFirst) {
  Make("a", kA, 10.0);
  Make("a", kB, 30.0);
  auto growing = Create("a", kC, 20.0);
  EXPECT_THAT(Names("a"), ElementsAre(kB, kC, kA));
}

TEST_F(RecordingFolderTest, TenantsAreApartWhateverTheirNames) {
  const std::vector<std::string> tenants = {"", "a", "A", "..", "a/b", "../a", "%61", "tenant-a"};
  for (const std::string& tenant : tenants) Make(tenant, kA);
  for (int reopened = 0; reopened < 2; ++reopened) {
    for (const std::string& tenant : tenants) EXPECT_THAT(Names(tenant), ElementsAre(kA)) << tenant;
    EXPECT_THAT(Names("b"), IsEmpty());
    Open();
  }
  ASSERT_TRUE(folder_->Delete("..", kA).ok());
  for (const std::string& tenant : tenants) {
    EXPECT_EQ(folder_->Find(tenant, kA).ok(), tenant != "..") << tenant;
  }
}

TEST_F(RecordingFolderTest, KnowsNoNamesButItsOwn) {
  Make("a", kA);
  for (const std::string& name :
       {std::string(), std::string("../tenant-a/") + kA, std::string(32, 'A'), std::string(31, 'a'),
        std::string(33, 'a'), std::string(32, '.'), kB}) {
    EXPECT_EQ(ReasonOf(folder_->Find("a", name).status()), reason::kUnknownRecording) << name;
    EXPECT_EQ(ReasonOf(folder_->Delete("a", name)), reason::kUnknownRecording) << name;
  }
  EXPECT_EQ(ReasonOf(folder_->Find("b", kA).status()), reason::kUnknownRecording);
}

TEST_F(RecordingFolderTest, DeletesWhatDoesNotGrow) {
  auto growing = Create("a", kA);
  EXPECT_EQ(ReasonOf(folder_->Delete("a", kA)), reason::kRecordingUnderWay);
  folder_->End("a", std::move(growing), false);
  EXPECT_TRUE(folder_->Delete("a", kA).ok());
  EXPECT_THAT(Names("a"), IsEmpty());
  EXPECT_EQ(folder_->totals().num_bytes, 0);
}

TEST_F(RecordingFolderTest, LeavesGarbageAloneAndSaysWhatItIs) {
  Make("a", kA);
  const std::string whole = ContentsOf(PathOf("a", kA));
  Write(PathOf("a", kB), "not HDF5 at all");
  Write(PathOf("a", kC), whole.substr(0, whole.size() / 2));
  Write(absl::StrCat(path_, "/tenant-a/README.h5"), "somebody's");
  const std::string left = absl::StrCat(PathOf("a", kB), ".new");
  Write(left, "of a crash");
  for (const char* const name :
       {"tenant-%zz", "tenant-%", "tenant-%4", "tenant-a%62", "tenant-%-1", "elsewhere"}) {
    mkdir(absl::StrCat(path_, "/", name).c_str(), 0700);
    Write(absl::StrCat(path_, "/", name, "/", kA, ".h5"), whole);
  }
  Write(absl::StrCat(path_, "/tenant-file"), "no folder");
  const std::string as_folder(32, 'd');
  mkdir(PathOf("a", as_folder).c_str(), 0700);

  Open();
  EXPECT_EQ(Names("a").size(), 3u);
  EXPECT_THAT(Names("ab"), IsEmpty());
  EXPECT_THAT(Names("file"), IsEmpty());
  EXPECT_EQ(Told("a", kA).state(), v1::RECORDING_STATE_COMPLETE);
  for (const std::string& name : {kB, kC}) {
    const v1::Recording told = Told("a", name);
    EXPECT_EQ(told.state(), v1::RECORDING_STATE_DAMAGED);
    EXPECT_NE(told.why(), "");
    EXPECT_EQ(told.why().find(path_), std::string::npos);
    EXPECT_FALSE(folder_->GoOn("a", name).ok());
    folder_->GiveUp("a", name, /*cut_short=*/true);
    EXPECT_EQ(Told("a", name).state(), v1::RECORDING_STATE_DAMAGED);
    EXPECT_TRUE(folder_->Delete("a", name).ok());
  }
  EXPECT_EQ(ReasonOf(folder_->Find("a", as_folder).status()), reason::kUnknownRecording);
  EXPECT_NE(access(left.c_str(), F_OK), 0);
  EXPECT_EQ(ContentsOf(absl::StrCat(path_, "/tenant-a/README.h5")), "somebody's");
  EXPECT_EQ(ContentsOf(absl::StrCat(path_, "/tenant-%zz/", kA, ".h5")), whole);
}

TEST_F(RecordingFolderTest, TakesNoHarmFromDamagedFiles) {
  Make("a", kA);
  const std::string whole = ContentsOf(PathOf("a", kA));
  std::mt19937_64 random(7);
  std::set<int> states;
  for (int i = 0; i < 400; ++i) {
    std::string damaged = whole;
    if (i % 4 == 0) {
      damaged.resize(random() % whole.size());
    } else {
      for (int k = 0; k < 1 + i % 5; ++k) {
        damaged[random() % damaged.size()] = static_cast<char>(random());
      }
    }
    Write(PathOf("a", kB), damaged);
    Open();
    const v1::Recording told = Told("a", kB);
    states.insert(told.state());
    if (told.state() == v1::RECORDING_STATE_DAMAGED) {
      EXPECT_NE(told.why(), "");
    }
    auto more = folder_->GoOn("a", kB);
    if (more.ok()) {
      Append(**more, 10, 12);
      folder_->End("a", *std::move(more), false);
    }
  }
  EXPECT_THAT(states, testing::IsSupersetOf({static_cast<int>(v1::RECORDING_STATE_COMPLETE),
                                             static_cast<int>(v1::RECORDING_STATE_DAMAGED)}));
  EXPECT_EQ(Told("a", kA).state(), v1::RECORDING_STATE_COMPLETE);
}

TEST_F(RecordingFolderTest, AFileWhoseWriterDiedIsAbandonedUntilSomebodyGivesItUp) {
  auto growing = Create("a", kA);
  Append(*growing, 0, 10);
  ASSERT_TRUE(growing->Flush().ok());
  const std::string died = ContentsOf(PathOf("a", kA));
  folder_->End("a", std::move(growing), false);
  for (const bool cut_short : {false, true}) {
    Write(PathOf("a", kA), died);
    Open();
    EXPECT_EQ(Told("a", kA).state(), v1::RECORDING_STATE_ABANDONED);
    EXPECT_EQ(Told("a", kA).streams(kSpikes).num_rows(), 10);
    folder_->GiveUp("a", kA, cut_short);
    EXPECT_EQ(Told("a", kA).state(),
              cut_short ? v1::RECORDING_STATE_CUT_SHORT : v1::RECORDING_STATE_COMPLETE);
    EXPECT_EQ(Told("a", kA).streams(kSpikes).num_rows(), 10);
  }
}

TEST_F(RecordingFolderTest, ATenantHasSoMany) {
  options_.max_recordings = 2;
  Open();
  Make("a", kA);
  auto growing = Create("a", kB);
  const absl::Status refused = folder_->Create("a", kC, AttributesAt(1), Streams()).status();
  EXPECT_EQ(ReasonOf(refused), reason::kQuotaExceeded);
  EXPECT_EQ(MetadataOf(refused, "field"), "max_recordings");
  EXPECT_EQ(MetadataOf(refused, "value"), "3");
  Make("b", kA);
  ASSERT_TRUE(folder_->Delete("a", kA).ok());
  Make("a", kC);
}

TEST_F(RecordingFolderTest, ARecordingEndsAtItsBound) {
  options_.max_recording_bytes = 8 << 20;
  Open();
  std::mt19937_64 random(1);
  auto growing = Create("a", kA);
  for (int i = 0; i < 200 && growing->status().ok(); ++i) {
    growing->WaitForRoom();
    AppendNoise(*growing, 20000, random);
    growing->Flush().IgnoreError();
  }
  ASSERT_FALSE(growing->status().ok());
  const v1::Recording ended = Told("a", kA);
  EXPECT_EQ(ended.state(), v1::RECORDING_STATE_CUT_SHORT);
  EXPECT_NE(ended.why().find("8388608"), std::string::npos) << ended.why();
  AppendNoise(*growing, 10, random);
  EXPECT_GE(Told("a", kA).streams(kSpikes).num_dropped(), 10);
  folder_->End("a", std::move(growing), false);
  Open();
  const v1::Recording told = Told("a", kA);
  EXPECT_EQ(told.state(), v1::RECORDING_STATE_CUT_SHORT);
  EXPECT_LE(told.num_bytes(), options_.max_recording_bytes);
  EXPECT_GT(told.streams(kSpikes).num_rows(), 20000);
}

TEST_F(RecordingFolderTest, AFullFolderEndsWhatGrowsAndRefusesMore) {
  options_.max_tenant_bytes = 8 << 20;
  Open();
  std::mt19937_64 random(1);
  std::vector<std::shared_ptr<GrowingRecording>> growing = {Create("a", kA), Create("a", kB)};
  auto others = Create("b", kA);
  for (int i = 0; i < 100 && growing[0]->status().ok(); ++i) {
    for (const auto& recording : {growing[0], growing[1], others}) {
      AppendNoise(*recording, 20000, random);
      ASSERT_TRUE(recording->Flush().ok());
    }
    folder_->CheckGrowth("a", *growing[0]);
    folder_->CheckGrowth("b", *others);
  }
  EXPECT_EQ(ReasonOf(growing[0]->status()), reason::kQuotaExceeded);
  EXPECT_TRUE(others->status().ok());  // which is another tenant's
  const absl::Status refused = folder_->Create("a", kC, AttributesAt(1), Streams()).status();
  EXPECT_EQ(ReasonOf(refused), reason::kQuotaExceeded);
  EXPECT_EQ(MetadataOf(refused, "field"), "max_tenant_recording_bytes");
  EXPECT_NE(access(PathOf("a", kC).c_str(), F_OK), 0);
  folder_->End("a", std::move(growing[0]), false);
  folder_->End("a", std::move(growing[1]), false);
  EXPECT_EQ(Told("a", kA).state(), v1::RECORDING_STATE_CUT_SHORT);
  Open();
  EXPECT_EQ(ReasonOf(folder_->Create("a", kC, AttributesAt(1), Streams()).status()),
            reason::kQuotaExceeded);
  ASSERT_TRUE(folder_->Delete("a", kA).ok());
  ASSERT_TRUE(folder_->Delete("a", kB).ok());
  Make("a", kC);
}

// A disk that has no room for what lies behind so many bytes of a file.
class FullDisk {
 public:
  explicit FullDisk(rlim_t num_bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &before_), 0);
    const struct rlimit full = {num_bytes, before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  }
  ~FullDisk() {
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &before_), 0);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  struct rlimit before_;
  void (*handler_)(int);
};

TEST_F(RecordingFolderTest, AFullDiskEndsARecordingAsItsLastFlushLeftIt) {
  std::mt19937_64 random(1);
  auto growing = Create("a", kA);
  Append(*growing, 0, 10);
  ASSERT_TRUE(growing->Flush().ok());
  {
    const FullDisk full(256 << 10);
    for (int i = 0; i < 100 && growing->status().ok(); ++i) {
      AppendNoise(*growing, 2000, random);
      growing->Flush().IgnoreError();
    }
    const absl::Status status = growing->status();
    EXPECT_FALSE(status.ok());
    EXPECT_NE(status.message().find("File too large"), absl::string_view::npos) << status;
    EXPECT_EQ(status.message().find(path_), absl::string_view::npos) << status;
    folder_->End("a", std::move(growing), false);
    EXPECT_EQ(Told("a", kA).state(), v1::RECORDING_STATE_CUT_SHORT);
    EXPECT_EQ(Told("a", kA).why().find(path_), std::string::npos) << Told("a", kA).why();
  }
  Open();
  const v1::Recording told = Told("a", kA);
  EXPECT_EQ(told.state(), v1::RECORDING_STATE_CUT_SHORT);
  EXPECT_GE(told.streams(kSpikes).num_rows(), 10);
  const auto reader = io::RecordingReader::Open(PathOf("a", kA));
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->Read(kRewards, {}, 0, {})->rows, Rows(0, 10)[kRewards]);
}

// Neither that it was cut short is lost, nor that its session has ended.
TEST_F(RecordingFolderTest, WhatAFullDiskDoesNotTakeIsToldAndWrittenLater) {
  for (const bool cut_short : {true, false}) {
    SCOPED_TRACE(cut_short);
    const auto state = cut_short ? v1::RECORDING_STATE_CUT_SHORT : v1::RECORDING_STATE_COMPLETE;
    auto growing = Create("a", kA);
    Append(*growing, 0, 10);
    folder_->End("a", std::move(growing), /*paused=*/true);
    EXPECT_EQ(Told("a", kA).state(), v1::RECORDING_STATE_PAUSED);
    {
      const FullDisk full(4096);
      folder_->GiveUp("a", kA, cut_short);
      EXPECT_EQ(Told("a", kA).state(), state);
      EXPECT_EQ(Told("a", kA).why().empty(), !cut_short);
      EXPECT_EQ(Told("a", kA).why().find(path_), std::string::npos) << Told("a", kA).why();
      // Its session is deleted, which knows nothing of that.
      folder_->GiveUp("a", kA, /*cut_short=*/false);
      EXPECT_EQ(Told("a", kA).state(), state);
    }
    EXPECT_EQ(Told("a", kA).state(), state);
    EXPECT_EQ(Told("a", kA).streams(kSpikes).num_rows(), 10);
    Open();
    EXPECT_EQ(Told("a", kA).state(), state);
    EXPECT_EQ(Told("a", kA).streams(kSpikes).num_rows(), 10);
    ASSERT_TRUE(folder_->Delete("a", kA).ok());
  }
}

TEST_F(RecordingFolderTest, TellsWhereNoFileCanBe) {
  Write(absl::StrCat(path_, "/tenant-a"), "a file where a folder should be");
  const absl::Status refused = folder_->Create("a", kA, AttributesAt(1), Streams()).status();
  EXPECT_FALSE(refused.ok());
  EXPECT_EQ(ReasonOf(refused), "");  // the system's
  EXPECT_EQ(refused.message().find(path_), absl::string_view::npos) << refused;
  EXPECT_THAT(Names("a"), IsEmpty());
  EXPECT_FALSE(RecordingFolder::Open(absl::StrCat(path_, "/tenant-a/x"), options_).ok());
}

TEST_F(RecordingFolderTest, AddsUpWhatAllHaveDone) {
  Make("a", kA);
  auto growing = Create("b", kB);
  Append(*growing, 0, 5);
  ASSERT_TRUE(growing->Flush().ok());
  const RecordingFolder::Totals totals = folder_->totals();
  EXPECT_EQ(totals.num_growing, 1);
  EXPECT_EQ(totals.num_rows, 2 * (10 + 5));
  EXPECT_EQ(totals.num_dropped, 0);
  EXPECT_EQ(totals.num_bytes,
            Told("a", kA).num_bytes() + static_cast<int64_t>(ContentsOf(PathOf("b", kB)).size()));
}

}  // namespace
}  // namespace livnd::server
