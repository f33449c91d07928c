#include "server/session/recorder.h"

#include <stdlib.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "io/recording/recording_reader.h"
#include "io/recording/stream.h"
#include "io/recording/streams.h"
#include "livnd/v1/journal.pb.h"
#include "livnd/v1/recording_service.pb.h"
#include "server/machine/memory_budget.h"
#include "server/recording/recording_folder.h"
#include "server/wire/errors.h"

namespace livnd::server {
namespace {

const std::string kTenant = "a";

std::vector<io::StreamSpec> Streams() { return {io::SpikesStream()}; }

// The rows of one operation: two, of its number.
std::string RowsOf(int operation) {
  std::string rows;
  for (int i = 0; i < 2; ++i) {
    io::AppendKey({0, 1, operation}, &rows);
    io::AppendValue(2 * operation + i, &rows);
  }
  return rows;
}

std::string RowsOf(int begin, int end) {
  std::string rows;
  for (int i = begin; i < end; ++i) rows += RowsOf(i);
  return rows;
}

v1::StartRecordingRequest Request(int64_t op_index) {
  v1::StartRecordingRequest request;
  request.set_op_index(op_index);
  request.set_label("a label");
  return request;
}

class RecorderTest : public testing::Test {
 protected:
  RecorderTest() : path_(absl::StrCat(testing::TempDir(), "/recorder_XXXXXX")) {
    EXPECT_NE(mkdtemp(path_.data()), nullptr);
    folder_ = *RecordingFolder::Open(path_, {});
  }
  std::unique_ptr<Recorder> Make(bool comes_back = true) {
    auto recorder = std::make_unique<Recorder>();
    recorder->SetPlace({folder_.get(), &memory_, kTenant, "12345678", comes_back});
    recorder->SetKey("a session");
    return recorder;
  }
  // Does an operation; its number for Release.
  static int64_t Do(Recorder& recorder, int operation) {
    recorder.rows()[0] = RowsOf(operation);
    return recorder.Keep(absl::Milliseconds(1));
  }
  static void DoAll(Recorder& recorder, int begin, int end) {
    for (int i = begin; i < end; ++i) recorder.Release(Do(recorder, i));
  }
  // What the file has now, or would have if the process died.
  std::string InFile(const std::string& name) {
    const auto reader = io::RecordingReader::Open(*folder_->Find(kTenant, name));
    EXPECT_TRUE(reader.ok()) << reader.status();
    return (*reader)->Read(0, {}, 0, {})->rows;
  }
  std::string Bytes(const std::string& name) {
    std::ifstream file(*folder_->Find(kTenant, name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  v1::Recording Told() {
    const std::vector<v1::Recording> all = folder_->List(kTenant);
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? v1::Recording() : all[0];
  }
  // The process dies when the file was this: only the folder is left.
  void Die(std::unique_ptr<Recorder> recorder) {
    v1::JournalRecording ignored;
    recorder->Encode(&ignored);  // all is in the file
    const std::string name = recorder->name(), bytes = Bytes(name);
    const std::string file = *folder_->Find(kTenant, name);
    recorder.reset();
    folder_.reset();
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
    folder_ = *RecordingFolder::Open(path_, {});
  }

  std::string path_;
  std::unique_ptr<RecordingFolder> folder_;
  MemoryBudget memory_;
};

TEST_F(RecorderTest, WritesWhatIsReleasedAndNothingElse) {
  auto recorder = Make();
  ASSERT_TRUE(recorder->Start(Request(3), {}, Streams()).ok());
  const std::string name = recorder->name();
  const int64_t first = Do(*recorder, 0), second = Do(*recorder, 1);
  EXPECT_LT(first, second);
  recorder->Release(first);
  recorder->Release(first);  // says nothing new
  while (Told().streams(0).num_rows() < 2) absl::SleepFor(absl::Milliseconds(10));
  EXPECT_EQ(InFile(name), RowsOf(0, 1));
  recorder->Release(second);
  recorder->Stop();
  EXPECT_FALSE(recorder->active());
  EXPECT_EQ(InFile(name), RowsOf(0, 2));
  EXPECT_EQ(Told().state(), v1::RECORDING_STATE_COMPLETE);
  EXPECT_EQ(Told().label(), "a label");
  EXPECT_EQ(Told().session_tag(), "12345678");
  EXPECT_EQ(memory_.used(), 0);
}

TEST_F(RecorderTest, NamesFollowFromSessionAndOperation) {
  std::vector<std::string> names;
  for (const auto& [key, op_index] :
       std::vector<std::pair<std::string, int64_t>>{{"x", 1}, {"x", 2}, {"y", 1}, {"x", 1}}) {
    auto recorder = Make(false);
    recorder->SetKey(key);
    ASSERT_TRUE(recorder->Start(Request(op_index), {}, Streams()).ok());
    names.push_back(recorder->name());
  }
  EXPECT_NE(names[0], names[1]);
  EXPECT_NE(names[0], names[2]);
  EXPECT_EQ(names[0], names[3]);  // of a call that is repeated after a crash
}

TEST_F(RecorderTest, WhatIsInTheFileIsNotWrittenAgain) {
  // In the file are the rows of so many of the operations that the journal has.
  for (int in_file = 0; in_file <= 5; ++in_file) {
    SCOPED_TRACE(in_file);
    auto recorder = Make();
    ASSERT_TRUE(recorder->Start(Request(1), {}, Streams()).ok());
    const std::string name = recorder->name();
    DoAll(*recorder, 0, in_file);
    Die(std::move(recorder));
    recorder = Make();
    recorder->BeginRedo();
    ASSERT_TRUE(recorder->Start(Request(1), {}, Streams()).ok());
    EXPECT_EQ(recorder->name(), name);
    DoAll(*recorder, 0, 5);
    recorder->EndRedo();
    EXPECT_EQ(Told().state(), v1::RECORDING_STATE_RECORDING);
    DoAll(*recorder, 5, 7);
    recorder->Stop();
    EXPECT_EQ(InFile(name), RowsOf(0, 7));
    EXPECT_EQ(Told().state(), v1::RECORDING_STATE_COMPLETE);
    ASSERT_TRUE(folder_->Delete(kTenant, name).ok());
  }
}

TEST_F(RecorderTest, GoesOnAsAJournalSaysThatBeginsAnew) {
  auto recorder = Make();
  ASSERT_TRUE(recorder->Start(Request(1), {}, Streams()).ok());
  DoAll(*recorder, 0, 4);
  v1::JournalRecording state;
  ASSERT_TRUE(recorder->Encode(&state));
  EXPECT_EQ(state.num_rows(0), 8);
  DoAll(*recorder, 4, 6);
  const std::string name = recorder->name();
  recorder.reset();  // the session leaves the memory
  EXPECT_EQ(Told().state(), v1::RECORDING_STATE_PAUSED);
  recorder = Make();
  recorder->GoOn(state, Streams());
  recorder->BeginRedo();
  DoAll(*recorder, 4, 6);
  recorder->EndRedo();
  recorder->Stop();
  EXPECT_EQ(InFile(name), RowsOf(0, 6));
  EXPECT_EQ(Told().state(), v1::RECORDING_STATE_COMPLETE);
}

TEST_F(RecorderTest, AFileThatKnowsMoreThanItsSessionIsCutShort) {
  auto recorder = Make();
  ASSERT_TRUE(recorder->Start(Request(1), {}, Streams()).ok());
  DoAll(*recorder, 0, 4);
  Die(std::move(recorder));
  recorder = Make();
  recorder->BeginRedo();
  ASSERT_TRUE(recorder->Start(Request(1), {}, Streams()).ok());
  DoAll(*recorder, 0, 3);
  recorder->EndRedo();
  EXPECT_EQ(Told().state(), v1::RECORDING_STATE_CUT_SHORT);
  DoAll(*recorder, 3, 5);  // which the session does not feel
  EXPECT_TRUE(recorder->active());
  recorder->Stop();
  EXPECT_EQ(Told().state(), v1::RECORDING_STATE_CUT_SHORT);
  EXPECT_EQ(Told().streams(0).num_rows(), 8);
}

TEST_F(RecorderTest, AFileThatIsGoneOrGarbageEndsTheRecordingAlone) {
  for (const bool garbage : {false, true}) {
    SCOPED_TRACE(garbage);
    auto recorder = Make();
    ASSERT_TRUE(recorder->Start(Request(1), {}, Streams()).ok());
    DoAll(*recorder, 0, 4);
    v1::JournalRecording state;
    ASSERT_TRUE(recorder->Encode(&state));
    const std::string name = recorder->name(), file = *folder_->Find(kTenant, name);
    recorder.reset();
    if (garbage) {
      std::ofstream(file, std::ios::trunc) << "garbage";
    } else {
      ASSERT_TRUE(folder_->Delete(kTenant, name).ok());
    }
    recorder = Make();
    recorder->GoOn(state, Streams());
    recorder->BeginRedo();
    DoAll(*recorder, 4, 6);
    recorder->EndRedo();
    EXPECT_TRUE(recorder->active());
    v1::JournalRecording after;
    ASSERT_TRUE(recorder->Encode(&after));
    EXPECT_NE(after.why(), "");
    EXPECT_EQ(after.num_rows(0), 12);
    recorder->Stop();
    EXPECT_FALSE(recorder->active());
    if (garbage) {
      EXPECT_EQ(Told().state(), v1::RECORDING_STATE_DAMAGED);
      ASSERT_TRUE(folder_->Delete(kTenant, name).ok());
    }
    EXPECT_TRUE(folder_->List(kTenant).empty());
  }
}

TEST_F(RecorderTest, OtherStreamsThanTheFilesCutItShort) {
  auto recorder = Make();
  ASSERT_TRUE(recorder->Start(Request(1), {}, Streams()).ok());
  DoAll(*recorder, 0, 4);
  v1::JournalRecording state;
  ASSERT_TRUE(recorder->Encode(&state));
  recorder.reset();
  recorder = Make();
  recorder->GoOn(state, {io::RewardsStream()});
  EXPECT_EQ(Told().state(), v1::RECORDING_STATE_CUT_SHORT);
  EXPECT_EQ(Told().streams(0).num_rows(), 8);
}

TEST_F(RecorderTest, TakesMemoryOfTheBudgetOrIsRefused) {
  MemoryBudget small(1 << 20);
  Recorder recorder;
  recorder.SetPlace({folder_.get(), &small, kTenant, "12345678", true});
  const absl::Status refused = recorder.Start(Request(1), {}, Streams());
  EXPECT_EQ(ReasonOf(refused), "OUT_OF_MEMORY") << refused;
  EXPECT_FALSE(recorder.active());
  EXPECT_TRUE(folder_->List(kTenant).empty());
  EXPECT_EQ(small.used(), 0);
}

TEST_F(RecorderTest, WithoutAPlaceItCountsAndWritesNothing) {
  Recorder recorder;
  recorder.BeginRedo();
  ASSERT_TRUE(recorder.Start(Request(1), {}, Streams()).ok());
  recorder.rows()[0] = RowsOf(0);
  EXPECT_EQ(recorder.Keep(absl::ZeroDuration()), 0);
  recorder.EndRedo();
  EXPECT_TRUE(recorder.has_room());
  v1::JournalRecording state;
  ASSERT_TRUE(recorder.Encode(&state));
  EXPECT_EQ(state.num_rows(0), 2);
  EXPECT_TRUE(folder_->List(kTenant).empty());
}

}  // namespace
}  // namespace livnd::server
