#include "io/recording/recording_writer.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/field_error.h"
#include "gtest/gtest.h"
#include "io/recording/recording_file.h"
#include "io/recording/recording_reader.h"
#include "io/recording/testing/sample_recording.h"

namespace livnd::io {
namespace {

using WhenFull = RecordingWriter::WhenFull;

std::string Rows(const std::string& path, int stream) {
  const auto reader = RecordingReader::Open(path);
  EXPECT_TRUE(reader.ok()) << reader.status();
  const auto piece = (*reader)->Read(stream, {}, 0, {INT64_MAX});
  EXPECT_TRUE(piece.ok()) << piece.status();
  return piece->rows;
}

int64_t Number(const Attributes& attributes, const std::string& name) {
  return std::get<int64_t>(attributes.at(name));
}

class RecordingWriterTest : public testing::Test {
 protected:
  void Make(RecordingWriter::Options options, const RecordingFile::Options& of_file = {}) {
    auto file = RecordingFile::Create(path_, SampleAttributes(), SampleStreams(), of_file);
    ASSERT_TRUE(file.ok()) << file.status();
    writer_ = std::make_unique<RecordingWriter>(*std::move(file), options);
  }
  void Start() {
    thread_ = std::thread([this] { writer_->Run(); });
  }
  void TearDown() override {
    if (thread_.joinable()) {
      writer_->BeginClose();
      thread_.join();
    }
  }
  absl::Status AppendSpikes(int64_t begin, int64_t end) {
    return writer_->Append(kSampleSpikes, SampleRows(kSampleSpikes, begin, end));
  }

  const std::string path_ = FreshPath("writer");
  std::unique_ptr<RecordingWriter> writer_;
  std::thread thread_;
};

TEST_F(RecordingWriterTest, WritesWhatIsAppendedInOrder) {
  Make({});
  Start();
  for (int64_t i = 0; i < 2000; ++i) {
    ASSERT_TRUE(AppendSpikes(i * 37, (i + 1) * 37).ok());
    ASSERT_TRUE(writer_->Append(kSampleRewards, SampleRows(kSampleRewards, i, i + 1)).ok());
  }
  ASSERT_TRUE(writer_->Close().ok());
  EXPECT_TRUE(Rows(path_, kSampleSpikes) == SampleRows(kSampleSpikes, 0, 2000 * 37));
  EXPECT_TRUE(Rows(path_, kSampleRewards) == SampleRows(kSampleRewards, 0, 2000));
  EXPECT_TRUE((*RecordingReader::Open(path_))->closed());
  EXPECT_EQ(AppendSpikes(0, 1).code(), absl::StatusCode::kFailedPrecondition);
  const RecordingWriter::Counts counts = writer_->counts();
  EXPECT_EQ(counts.appended[kSampleSpikes], 2000 * 37);
  EXPECT_EQ(counts.flushed[kSampleSpikes], 2000 * 37);
  EXPECT_EQ(counts.dropped[kSampleSpikes], 0);
}

TEST_F(RecordingWriterTest, RowsOfSeveralThreadsStayWhole) {
  Make({1 << 14});
  Start();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int64_t i = 0; i < 500; ++i) {
        EXPECT_TRUE(AppendSpikes((4 * i + t) * 10, (4 * i + t + 1) * 10).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(writer_->Close().ok());
  const std::string rows = Rows(path_, kSampleSpikes);
  ASSERT_EQ(rows.size(), 20000u * 24);
  // Each batch of 10 is there once, together.
  std::vector<int> found(2000);
  for (size_t at = 0; at < rows.size(); at += 240) {
    const RowKey key = KeyOf(rows.data() + at);
    const int64_t first = (key.episode - 1) * 1000 + key.tick / 40;
    ASSERT_EQ(first % 10, 0);
    ++found[first / 10];
    EXPECT_TRUE(rows.substr(at, 240) == SampleRows(kSampleSpikes, first, first + 10));
  }
  EXPECT_EQ(found, std::vector<int>(2000, 1));
}

TEST_F(RecordingWriterTest, AFlushPutsAllThatCameBeforeIntoTheFile) {
  Make({1 << 20, WhenFull::kWait, std::chrono::hours(1)});
  Start();
  for (int64_t i = 0; i < 20; ++i) {
    ASSERT_TRUE(AppendSpikes(i * 100, (i + 1) * 100).ok());
    ASSERT_TRUE(writer_->Flush().ok());
    EXPECT_TRUE(Rows(path_, kSampleSpikes) == SampleRows(kSampleSpikes, 0, (i + 1) * 100));
    EXPECT_EQ(writer_->counts().flushed[kSampleSpikes], (i + 1) * 100);
  }
}

TEST_F(RecordingWriterTest, FlushesByItself) {
  Make({1 << 20, WhenFull::kWait, std::chrono::milliseconds(20)});
  Start();
  ASSERT_TRUE(AppendSpikes(0, 5).ok());
  const auto begin = std::chrono::steady_clock::now();
  while (writer_->counts().flushed[kSampleSpikes] < 5) {
    ASSERT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(Rows(path_, kSampleSpikes).size(), 5u * 24);
  // Nothing new, nothing written.
  const int64_t num_flushes = writer_->counts().num_flushes;
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(writer_->counts().num_flushes, num_flushes);
}

// Before Run is called nothing is written, so what waits is certain.
TEST_F(RecordingWriterTest, DropsAndCountsWhatHasNoRoom) {
  Make({24 * 100, WhenFull::kDrop});
  ASSERT_TRUE(AppendSpikes(0, 60).ok());
  ASSERT_TRUE(AppendSpikes(60, 100).ok());
  ASSERT_TRUE(AppendSpikes(100, 101).ok());
  ASSERT_TRUE(AppendSpikes(101, 150).ok());
  RecordingWriter::Counts counts = writer_->counts();
  EXPECT_EQ(counts.appended[kSampleSpikes], 100);
  EXPECT_EQ(counts.dropped[kSampleSpikes], 50);
  EXPECT_EQ(counts.most_waiting_bytes, 24 * 100);
  Start();
  ASSERT_TRUE(writer_->Close().ok());
  EXPECT_TRUE(Rows(path_, kSampleSpikes) == SampleRows(kSampleSpikes, 0, 100));
  const auto reader = *RecordingReader::Open(path_);
  EXPECT_EQ(Number(reader->streams()[kSampleSpikes].attributes, "num_dropped"), 50);
  EXPECT_EQ(Number(reader->streams()[kSampleRewards].attributes, "num_dropped"), 0);
  EXPECT_EQ(Number(reader->attributes(), "num_waits"), 0);
}

TEST_F(RecordingWriterTest, WaitsForRoomAndCountsIt) {
  Make({24 * 100, WhenFull::kWait});
  ASSERT_TRUE(AppendSpikes(0, 100).ok());
  std::thread late([this] { EXPECT_TRUE(AppendSpikes(100, 150).ok()); });
  while (writer_->counts().num_waits == 0) std::this_thread::yield();
  EXPECT_EQ(writer_->counts().appended[kSampleSpikes], 100);
  Start();
  late.join();
  ASSERT_TRUE(writer_->Close().ok());
  EXPECT_TRUE(Rows(path_, kSampleSpikes) == SampleRows(kSampleSpikes, 0, 150));
  const auto reader = *RecordingReader::Open(path_);
  EXPECT_EQ(Number(reader->attributes(), "num_waits"), 1);
  EXPECT_EQ(Number(reader->attributes(), "waited_us"), writer_->counts().waited_us);
  EXPECT_EQ(Number(reader->streams()[kSampleSpikes].attributes, "num_dropped"), 0);
}

TEST_F(RecordingWriterTest, MemoryStaysWithinItsBound) {
  Make({24 * 1000, WhenFull::kWait});
  Start();
  for (int64_t i = 0; i < 500; ++i) ASSERT_TRUE(AppendSpikes(i * 300, (i + 1) * 300).ok());
  ASSERT_TRUE(writer_->Close().ok());
  EXPECT_LE(writer_->counts().most_waiting_bytes, 24 * 1000);
  EXPECT_TRUE(Rows(path_, kSampleSpikes) == SampleRows(kSampleSpikes, 0, 150000));
}

TEST_F(RecordingWriterTest, OneAppendOfMoreThanTheBoundIsTakenAlone) {
  Make({24 * 10, WhenFull::kWait});
  Start();
  ASSERT_TRUE(AppendSpikes(0, 5).ok());
  ASSERT_TRUE(AppendSpikes(5, 500).ok());
  ASSERT_TRUE(AppendSpikes(500, 505).ok());
  ASSERT_TRUE(writer_->Close().ok());
  EXPECT_TRUE(Rows(path_, kSampleSpikes) == SampleRows(kSampleSpikes, 0, 505));
}

// A file that may not become longer is closed as it is, and what it did not take is told.
TEST_F(RecordingWriterTest, AFullFileIsClosedAndItsLossesAreCounted) {
  RecordingFile::Options of_file;
  of_file.compressed = false;
  of_file.max_bytes = 12 << 20;
  Make({1 << 20, WhenFull::kWait}, of_file);
  Start();
  absl::Status status;
  int64_t num_tried = 0;
  while (status.ok()) {
    status = AppendSpikes(num_tried, num_tried + 5000);
    num_tried += 5000;
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(writer_->Close().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(writer_->Flush().code(), absl::StatusCode::kResourceExhausted);
  const RecordingWriter::Counts counts = writer_->counts();
  EXPECT_EQ(counts.appended[kSampleSpikes] + counts.dropped[kSampleSpikes], num_tried);
  EXPECT_GT(counts.appended[kSampleSpikes], 0);
  EXPECT_GT(counts.dropped[kSampleSpikes], 0);
  const auto reader = *RecordingReader::Open(path_);
  EXPECT_TRUE(reader->closed());
  EXPECT_EQ(reader->num_rows(kSampleSpikes), counts.appended[kSampleSpikes]);
  EXPECT_GT(Number(reader->streams()[kSampleSpikes].attributes, "num_dropped"), 0);
}

// A file holds all of what one Append gave to its streams, at every flush.
TEST_F(RecordingWriterTest, NoFlushComesBetweenStreams) {
  Make({1 << 16, WhenFull::kWait, std::chrono::milliseconds(0)});
  Start();
  for (int64_t i = 0; i < 3000; ++i) {
    std::vector<std::string> rows(5);
    rows[kSampleSpikes] = SampleRows(kSampleSpikes, 20 * i, 20 * (i + 1));
    rows[kSampleRewards] = SampleRows(kSampleRewards, i, i + 1);
    ASSERT_TRUE(writer_->Append(absl::MakeSpan(rows)).ok());
    if (i % 100 != 0) continue;
    const auto reader = *RecordingReader::Open(path_);
    EXPECT_EQ(reader->num_rows(kSampleSpikes), 20 * reader->num_rows(kSampleRewards));
  }
  ASSERT_TRUE(writer_->Close().ok());
  EXPECT_TRUE(Rows(path_, kSampleSpikes) == SampleRows(kSampleSpikes, 0, 60000));
  EXPECT_GT(writer_->counts().num_flushes, 10);
}

// Counts of a recording are those of all its writers.
TEST_F(RecordingWriterTest, GoesOnCounting) {
  Make({24 * 100, WhenFull::kDrop});
  ASSERT_TRUE(AppendSpikes(0, 100).ok());
  ASSERT_TRUE(AppendSpikes(100, 150).ok());  // dropped
  Start();
  ASSERT_TRUE(writer_->Close().ok());
  thread_.join();
  auto file = RecordingFile::Resume(path_, {});
  ASSERT_TRUE(file.ok()) << file.status();
  writer_ = std::make_unique<RecordingWriter>(*std::move(file),
                                              RecordingWriter::Options{24 * 100, WhenFull::kDrop});
  EXPECT_EQ(writer_->counts().appended[kSampleSpikes], 100);
  ASSERT_TRUE(AppendSpikes(100, 130).ok());
  ASSERT_TRUE(AppendSpikes(130, 240).ok());  // dropped
  Start();
  ASSERT_TRUE(writer_->Close().ok());
  const auto reader = *RecordingReader::Open(path_);
  EXPECT_EQ(reader->num_rows(kSampleSpikes), 130);
  EXPECT_EQ(Number(reader->streams()[kSampleSpikes].attributes, "num_dropped"), 160);
  EXPECT_EQ(writer_->counts().appended[kSampleSpikes], 130);
}

TEST_F(RecordingWriterTest, HalfARowIsRefused) {
  Make({});
  const auto error = FieldErrorOf(writer_->Append(kSampleSpikes, "half"));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->field, "rows");
  EXPECT_TRUE(writer_->Append(kSampleSpikes, "").ok());
}

// Who waits for room is told that there will be none.
TEST_F(RecordingWriterTest, ClosingWakesThoseWhoWait) {
  Make({24 * 10, WhenFull::kWait});
  ASSERT_TRUE(AppendSpikes(0, 10).ok());
  std::thread late(
      [this] { EXPECT_EQ(AppendSpikes(10, 20).code(), absl::StatusCode::kFailedPrecondition); });
  while (writer_->counts().num_waits == 0) std::this_thread::yield();
  writer_->BeginClose();
  late.join();
  Start();
  thread_.join();
  EXPECT_TRUE(Rows(path_, kSampleSpikes) == SampleRows(kSampleSpikes, 0, 10));
}

}  // namespace
}  // namespace livnd::io
