#include "io/recording/recording_reader.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/field_error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/recording/recording_file.h"
#include "io/recording/testing/sample_recording.h"

namespace livnd::io {
namespace {

using testing::HasSubstr;

constexpr int64_t kNumSpikes = 200000;

// A closed recording of spikes, and some of the others.
std::string Recording(const std::string& name, bool compressed = true) {
  const std::string path = FreshPath(name);
  RecordingFile::Options options;
  options.compressed = compressed;
  auto file = *RecordingFile::Create(path, SampleAttributes(), SampleStreams(), options);
  EXPECT_TRUE(file->Append(kSampleSpikes, SampleRows(kSampleSpikes, 0, kNumSpikes)).ok());
  EXPECT_TRUE(file->Flush().ok());
  EXPECT_TRUE(file->Append(kSampleVoltages, SampleRows(kSampleVoltages, 0, 70)).ok());
  EXPECT_TRUE(file->Append(kSampleSites, SampleRows(kSampleSites, 0, 50)).ok());
  EXPECT_TRUE(file->Close().ok());
  return path;
}

// All that is wanted, piece by piece.
std::string ReadAll(RecordingReader& reader, int stream, const RowFilter& filter,
                    const RecordingReader::Limits& limits, int* num_pieces = nullptr) {
  std::string rows;
  int64_t next_row = 0;
  for (int pieces = 1;; ++pieces) {
    const auto piece = reader.Read(stream, filter, next_row, limits);
    EXPECT_TRUE(piece.ok()) << piece.status();
    if (!piece.ok()) return rows;
    EXPECT_LE(static_cast<int64_t>(piece->rows.size()), limits.max_bytes);
    EXPECT_TRUE(piece->done || piece->next_row > next_row);
    rows += piece->rows;
    next_row = piece->next_row;
    if (piece->done) {
      if (num_pieces != nullptr) *num_pieces = pieces;
      return rows;
    }
  }
}

std::string Wanted(const RowFilter& filter, int64_t num_rows = kNumSpikes) {
  std::string rows;
  for (int64_t row = 0; row < num_rows; ++row) {
    if (filter.Wants(SampleKey(row))) rows += SampleRows(kSampleSpikes, row, row + 1);
  }
  return rows;
}

TEST(RecordingReaderTest, TellsWhatTheRecordingIs) {
  const auto reader = *RecordingReader::Open(Recording("info"));
  for (const auto& [name, value] : SampleAttributes()) {
    EXPECT_TRUE(reader->attributes().at(name) == value) << name;
  }
  EXPECT_TRUE(reader->closed());
  const std::vector<StreamSpec> streams = SampleStreams();
  ASSERT_EQ(reader->streams().size(), streams.size());
  for (size_t i = 0; i < streams.size(); ++i) {
    EXPECT_EQ(reader->streams()[i].name, streams[i].name);
    EXPECT_TRUE(reader->streams()[i].columns == streams[i].columns) << streams[i].name;
    EXPECT_TRUE(reader->streams()[i].attributes == streams[i].attributes) << streams[i].name;
    EXPECT_EQ(reader->Find(streams[i].name), static_cast<int>(i));
  }
  EXPECT_EQ(reader->Find("spikes.index"), -1);
  EXPECT_EQ(reader->num_rows(kSampleSpikes), kNumSpikes);
  EXPECT_EQ(reader->num_rows(kSamplePotentials), 0);
}

TEST(RecordingReaderTest, ReadsAllRowsInPiecesOfAnySize) {
  for (const bool compressed : {true, false}) {
    const auto reader = *RecordingReader::Open(Recording("pieces", compressed));
    const std::string spikes = SampleRows(kSampleSpikes, 0, kNumSpikes);
    for (const int64_t max_bytes : {int64_t{24 * 1000 + 5}, int64_t{1} << 20, INT64_MAX}) {
      EXPECT_TRUE(ReadAll(*reader, kSampleSpikes, {}, {max_bytes}) == spikes) << max_bytes;
    }
    EXPECT_TRUE(ReadAll(*reader, kSampleVoltages, {}, {1 << 20}) ==
                SampleRows(kSampleVoltages, 0, 70));
    EXPECT_EQ(ReadAll(*reader, kSampleSites, {}, {64}), SampleRows(kSampleSites, 0, 50));
    EXPECT_EQ(ReadAll(*reader, kSamplePotentials, {}, {1 << 20}), "");
  }
}

TEST(RecordingReaderTest, GoesOnAtAnyRow) {
  const auto reader = *RecordingReader::Open(Recording("resume"));
  std::mt19937_64 random(3);
  for (int i = 0; i < 200; ++i) {
    const int64_t first = random() % (kNumSpikes + 1), count = 1 + random() % 40000;
    const auto piece = reader->Read(kSampleSpikes, {}, first, {24 * count});
    ASSERT_TRUE(piece.ok()) << piece.status();
    const int64_t end = std::min(kNumSpikes, first + count);
    EXPECT_TRUE(piece->rows == SampleRows(kSampleSpikes, first, end));
    EXPECT_EQ(piece->next_row, end);
    EXPECT_EQ(piece->done, end == kNumSpikes);
  }
}

TEST(RecordingReaderTest, FindsWhatAFilterWants) {
  const auto reader = *RecordingReader::Open(Recording("filter"));
  std::mt19937_64 random(4);
  for (int i = 0; i < 60; ++i) {
    RowFilter filter;
    if (random() % 2 == 0) filter.copy = static_cast<int32_t>(random() % 4);
    if (random() % 2 == 0) {
      filter.begin_episode = static_cast<int64_t>(random() % 210);
      filter.end_episode = filter.begin_episode + static_cast<int64_t>(random() % 20);
    }
    if (random() % 2 == 0) {
      filter.begin_tick = static_cast<int64_t>(random() % 40000);
      filter.end_tick = filter.begin_tick + static_cast<int64_t>(random() % 20000);
    }
    const int64_t max_bytes = 24 * (1 + static_cast<int64_t>(random() % 20000));
    EXPECT_TRUE(ReadAll(*reader, kSampleSpikes, filter, {max_bytes}) == Wanted(filter)) << i;
  }
}

// An episode's rows are found without reading the others' chunks.
TEST(RecordingReaderTest, SkipsChunksInWhichNothingIsWanted) {
  const auto reader = *RecordingReader::Open(Recording("skip"));
  RowFilter filter;
  filter.begin_episode = 100;
  filter.end_episode = 101;
  const auto piece = reader->Read(kSampleSpikes, filter, 0, {1 << 20, 2});
  ASSERT_TRUE(piece.ok());
  EXPECT_TRUE(piece->rows == Wanted(filter));
  EXPECT_EQ(static_cast<int64_t>(piece->rows.size()), 24 * 1000);
}

TEST(RecordingReaderTest, LooksIntoNoMoreChunksThanItMay) {
  const auto reader = *RecordingReader::Open(Recording("effort"));
  RowFilter filter;
  filter.copy = 7;  // none has it
  int num_pieces = 0;
  EXPECT_EQ(ReadAll(*reader, kSampleSpikes, filter, {1 << 20, 2}, &num_pieces), "");
  // 200,000 rows of 24 bytes are 13 chunks.
  EXPECT_EQ(num_pieces, 7);
}

void ExpectField(const absl::Status& status, const std::string& field) {
  const auto error = FieldErrorOf(status);
  ASSERT_TRUE(error.has_value()) << status;
  EXPECT_EQ(error->field, field);
}

TEST(RecordingReaderTest, WhatCannotBeReadIsNamed) {
  const auto reader = *RecordingReader::Open(Recording("errors"));
  ExpectField(reader->Read(kSampleSpikes, {}, -1, {}).status(), "first_row");
  ExpectField(reader->Read(kSampleSpikes, {}, kNumSpikes + 1, {}).status(), "first_row");
  ExpectField(reader->Read(kSampleSpikes, {}, 0, {23}).status(), "max_bytes");
  RowFilter filter;
  filter.begin_tick = 0;
  ExpectField(reader->Read(kSampleSites, filter, 0, {}).status(), "filter");
}

TEST(RecordingReaderTest, WhatIsNoRecordingIsNamed) {
  EXPECT_EQ(RecordingReader::Open("/nowhere/x.h5").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(RecordingReader::Open("/dev/null").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(RecordingReader::Open("/tmp").status().code(), absl::StatusCode::kInvalidArgument);
  const auto foreign = RecordingReader::Open("systems/EI-mini/cells.h5");
  EXPECT_EQ(foreign.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(foreign.status().message()), HasSubstr("systems/EI-mini/cells.h5: "));
  EXPECT_EQ(RecordingReader::Open("systems/EI-mini/graph.json").status().code(),
            absl::StatusCode::kDataLoss);
}

// Somebody reads while the file is written and flushed all the time.
TEST(RecordingReaderTest, ReadsWhileTheRecordingIsWritten) {
  const std::string path = FreshPath("live");
  auto file = *RecordingFile::Create(path, SampleAttributes(), SampleStreams(), {});
  std::atomic<int64_t> flushed{0};
  std::atomic<bool> over{false};
  std::thread writer([&] {
    std::mt19937_64 random(5);
    int64_t row = 0;
    while (row < 150000) {
      const int64_t count = 1 + static_cast<int64_t>(random() % 400);
      EXPECT_TRUE(file->Append(kSampleSpikes, SampleRows(kSampleSpikes, row, row + count)).ok());
      row += count;
      EXPECT_TRUE(file->Flush().ok());
      flushed = row;
    }
    EXPECT_TRUE(file->Close().ok());
    over = true;
  });
  const auto reader = *RecordingReader::Open(path);
  int64_t next_row = 0;
  std::string rows;
  while (true) {
    const bool was_over = over;
    const int64_t least = flushed;
    if (!reader->Refresh().ok()) continue;
    const auto piece = reader->Read(kSampleSpikes, {}, next_row, {24 * 3000});
    if (!piece.ok()) {
      ASSERT_EQ(piece.status().code(), absl::StatusCode::kUnavailable) << piece.status();
      continue;
    }
    rows += piece->rows;
    next_row = piece->next_row;
    // Nothing that was flushed before it was asked for is left out.
    if (piece->done) {
      EXPECT_GE(next_row, least);
    }
    if (was_over && piece->done) break;
  }
  writer.join();
  EXPECT_TRUE(reader->Refresh().ok());
  EXPECT_TRUE(reader->closed());
  EXPECT_EQ(next_row, reader->num_rows(kSampleSpikes));
  EXPECT_TRUE(rows == SampleRows(kSampleSpikes, 0, next_row));
}

}  // namespace
}  // namespace livnd::io
