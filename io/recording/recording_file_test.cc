// What RecordingFile writes, read with the HDF5 library.

#include "io/recording/recording_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/field_error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/recording/testing/sample_recording.h"
#include "io/testing/hdf5_table.h"

namespace livnd::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

int64_t FileBytes(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 ? info.st_size : -1;
}

// Rows of all streams so far.
struct Written {
  std::vector<int64_t> num_rows = std::vector<int64_t>(SampleStreams().size(), 0);

  void Append(RecordingFile& file, int stream, int64_t count) {
    const int64_t begin = num_rows[stream];
    ASSERT_TRUE(file.Append(stream, SampleRows(stream, begin, begin + count)).ok());
    num_rows[stream] += count;
  }
};

void ExpectRows(const std::string& path, const std::vector<int64_t>& num_rows) {
  const std::vector<StreamSpec> streams = SampleStreams();
  for (size_t i = 0; i < streams.size(); ++i) {
    SCOPED_TRACE(streams[i].name);
    const auto rows = ReadHdf5Table(path, streams[i].name);
    ASSERT_TRUE(rows.ok()) << rows.status();
    EXPECT_TRUE(*rows == SampleRows(static_cast<int>(i), 0, num_rows[i]))
        << rows->size() << " bytes, wanted " << num_rows[i] << " rows";
  }
}

class RecordingFileTest : public testing::TestWithParam<bool> {
 protected:
  RecordingFile::Options Options() const {
    RecordingFile::Options options;
    options.compressed = GetParam();
    return options;
  }
};

TEST_P(RecordingFileTest, IsAnHdf5FileFromTheStart) {
  const std::string path = FreshPath("start");
  const auto file = RecordingFile::Create(path, SampleAttributes(), SampleStreams(), Options());
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(FileBytes(path + ".new"), -1);
  ExpectRows(path, {0, 0, 0, 0, 0});
  EXPECT_EQ(*Hdf5Integer(path, "closed"), 0);
  EXPECT_EQ(*Hdf5Integer(path, "tick_ns"), 25000);
  EXPECT_EQ(*Hdf5Text(path, "system"), "EI-µ");
  EXPECT_EQ(*Hdf5Text(path, "format"), "livnd recording");
  EXPECT_THAT(*Hdf5Names(path),
              ElementsAre("potentials", "potentials.index", "rewards", "rewards.index", "spikes",
                          "spikes.index", "voltages", "voltages.index", "voltages.labels"));
}

TEST_P(RecordingFileTest, HasTheColumnsOfItsStreams) {
  const std::string path = FreshPath("columns");
  ASSERT_TRUE(RecordingFile::Create(path, {}, SampleStreams(), Options()).ok());
  const auto columns = Hdf5Columns(path, "potentials");
  ASSERT_TRUE(columns.ok()) << columns.status();
  ASSERT_EQ(columns->size(), 4u);
  EXPECT_EQ((*columns)[0].name, "copy");
  EXPECT_EQ((*columns)[0].num_bytes, 4);
  EXPECT_FALSE((*columns)[2].is_real);
  EXPECT_EQ((*columns)[3].name, "values");
  EXPECT_TRUE((*columns)[3].is_real);
  EXPECT_EQ((*columns)[3].length, 64);
  EXPECT_EQ((*columns)[3].num_bytes, 256);
}

TEST_P(RecordingFileTest, HoldsEveryRowThatWasFlushed) {
  const std::string path = FreshPath("rows");
  auto file = *RecordingFile::Create(path, SampleAttributes(), SampleStreams(), Options());
  Written written;
  std::mt19937_64 random(7);
  std::vector<int64_t> flushed;
  for (int i = 0; i < 60; ++i) {
    written.Append(*file, kSampleSpikes, random() % 9 == 0 ? 30000 : random() % 500);
    written.Append(*file, kSamplePotentials, random() % 100);
    written.Append(*file, kSampleRewards, random() % 3);
    written.Append(*file, kSampleVoltages, random() % 3);
    written.Append(*file, kSampleSites, i == 0 ? 40000 : 0);
    if (random() % 3 == 0) {
      ASSERT_TRUE(file->Flush().ok());
      flushed = written.num_rows;
    }
    if (i % 12 == 11) ExpectRows(path, flushed);
  }
  for (int i = 0; i < 5; ++i) EXPECT_EQ(file->num_rows(i), written.num_rows[i]);
  ASSERT_TRUE(file->Close().ok());
  EXPECT_EQ(*Hdf5Integer(path, "closed"), 1);
  EXPECT_EQ(FileBytes(path), file->num_bytes());
  ExpectRows(path, written.num_rows);
  EXPECT_EQ(file->Append(0, "").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(file->Flush().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(file->Close().code(), absl::StatusCode::kFailedPrecondition);
}

// More chunks than a node of their tree holds.
TEST_P(RecordingFileTest, HoldsMoreChunksThanANodeDoes) {
  const std::string path = FreshPath("chunks");
  auto file = *RecordingFile::Create(path, {}, SampleStreams(), Options());
  Written written;
  for (int i = 0; i < 70; ++i) {
    written.Append(*file, kSampleVoltages, 3);
    if (i % 7 == 0) {
      ASSERT_TRUE(file->Flush().ok());
    }
    if (i == 21 || i == 22 || i == 43) {
      ASSERT_TRUE(file->Flush().ok());
      ExpectRows(path, written.num_rows);
    }
  }
  ASSERT_TRUE(file->Close().ok());
  ExpectRows(path, written.num_rows);
}

TEST_P(RecordingFileTest, WhatIsNotFlushedIsNotThere) {
  const std::string path = FreshPath("unflushed");
  auto file = *RecordingFile::Create(path, {}, SampleStreams(), Options());
  Written written;
  written.Append(*file, kSampleSpikes, 40000);
  ASSERT_TRUE(file->Flush().ok());
  const std::vector<int64_t> flushed = written.num_rows;
  written.Append(*file, kSampleSpikes, 100000);
  written.Append(*file, kSampleVoltages, 5);
  ExpectRows(path, flushed);
  file.reset();
  ExpectRows(path, flushed);
  EXPECT_EQ(*Hdf5Integer(path, "closed"), 0);
}

// A writer goes away, with or without closing, and another one goes on, again and again.
TEST_P(RecordingFileTest, GoesOnFromTheLastFlush) {
  const std::string path = FreshPath("resume");
  auto file = *RecordingFile::Create(path, SampleAttributes(), SampleStreams(), Options());
  Written written;
  std::mt19937_64 random(8);
  for (int round = 0; round < 25; ++round) {
    SCOPED_TRACE(round);
    written.Append(*file, kSampleSpikes, random() % 4 == 0 ? 20000 : random() % 300);
    written.Append(*file, kSamplePotentials, random() % 90);
    written.Append(*file, kSampleRewards, random() % 3);
    written.Append(*file, kSampleVoltages, random() % 5);
    written.Append(*file, kSampleSites, random() % 9);
    if (round % 3 == 0) {
      ASSERT_TRUE(file->Close().ok());
    } else {
      ASSERT_TRUE(file->Flush().ok());
      const Written flushed = written;
      written.Append(*file, kSampleSpikes, round % 2 == 0 ? 30000 : 10);  // lost
      written = flushed;
    }
    file.reset();
    auto resumed = RecordingFile::Resume(path, Options());
    ASSERT_TRUE(resumed.ok()) << resumed.status();
    file = *std::move(resumed);
    EXPECT_EQ(*Hdf5Integer(path, "closed"), 0);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(file->num_rows(i), written.num_rows[i]);
    ExpectRows(path, written.num_rows);
  }
  ASSERT_TRUE(file->Close().ok());
  ExpectRows(path, written.num_rows);
  EXPECT_EQ(*Hdf5Integer(path, "closed"), 1);
  EXPECT_EQ(*Hdf5Text(path, "system"), "EI-µ");
  EXPECT_EQ(FileBytes(path), file->num_bytes());
}

INSTANTIATE_TEST_SUITE_P(Compressed, RecordingFileTest, testing::Bool());

TEST(RecordingFileRoomTest, FlushingAgainAndAgainTakesNoRoom) {
  const std::string path = FreshPath("room");
  auto file = *RecordingFile::Create(path, {}, SampleStreams(), {});
  int64_t after_ten = 0;
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(file->Append(kSampleRewards, SampleRows(kSampleRewards, i, i + 1)).ok());
    ASSERT_TRUE(file->Flush().ok());
    if (i == 9) after_ten = file->num_bytes();
  }
  // 490 rows of 30 bytes, and not 490 chunks.
  EXPECT_LT(file->num_bytes() - after_ten, 40000);
}

TEST(RecordingFileRoomTest, SpikesTakeFewBytes) {
  const std::string path = FreshPath("small");
  auto file = *RecordingFile::Create(path, {}, SampleStreams(), {});
  ASSERT_TRUE(file->Append(kSampleSpikes, SampleRows(kSampleSpikes, 0, 1000000)).ok());
  ASSERT_TRUE(file->Close().ok());
  EXPECT_LT(file->num_bytes(), 8 * 1000000);
}

TEST(RecordingFileRoomTest, StaysWithinItsBytesAndCanBeClosed) {
  const std::string path = FreshPath("quota");
  RecordingFile::Options options;
  options.compressed = false;
  options.max_bytes = 12 << 20;
  auto created = RecordingFile::Create(path, {}, SampleStreams(), options);
  ASSERT_TRUE(created.ok()) << created.status();
  RecordingFile& file = **created;
  Written written;
  absl::Status status;
  while (status.ok()) {
    const int64_t begin = written.num_rows[kSampleSpikes];
    status = file.Append(kSampleSpikes, SampleRows(kSampleSpikes, begin, begin + 5000));
    if (status.ok()) written.num_rows[kSampleSpikes] += 5000;
    ASSERT_TRUE(file.Flush().ok());
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("12582912 bytes"));
  EXPECT_GT(written.num_rows[kSampleSpikes], 50000);
  ASSERT_TRUE(file.Close().ok());
  EXPECT_LE(FileBytes(path), options.max_bytes);
  ExpectRows(path, written.num_rows);
}

// What one call appends to several streams is all there or not at all, however full the file is.
TEST(RecordingFileRoomTest, TakesRowsOfSeveralStreamsTogether) {
  const std::string path = FreshPath("together");
  RecordingFile::Options options;
  options.compressed = false;
  options.max_bytes = 12 << 20;
  auto file = *RecordingFile::Create(path, {}, SampleStreams(), options);
  absl::Status status;
  int64_t num_taken = 0;
  while (status.ok()) {
    std::vector<std::string> rows(5);
    rows[kSampleSpikes] = SampleRows(kSampleSpikes, 100 * num_taken, 100 * (num_taken + 1));
    rows[kSamplePotentials] = SampleRows(kSamplePotentials, num_taken, num_taken + 1);
    rows[kSampleRewards] = SampleRows(kSampleRewards, num_taken, num_taken + 1);
    status = file->Append(rows);
    if (status.ok()) ++num_taken;
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_GT(num_taken, 500);
  ASSERT_TRUE(file->Close().ok());
  EXPECT_LE(FileBytes(path), options.max_bytes);
  ExpectRows(path, {100 * num_taken, num_taken, num_taken, 0, 0});
  // There is no room to go on, and nothing is changed by asking.
  EXPECT_EQ(RecordingFile::Resume(path, options).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(*Hdf5Integer(path, "closed"), 1);
}

TEST(RecordingFileErrorsTest, GoesOnWithNothingElse) {
  EXPECT_EQ(RecordingFile::Resume("/nowhere/x.h5", {}).status().code(),
            absl::StatusCode::kNotFound);
  const std::string path = FreshPath("else");
  std::ofstream(path) << "mine";
  const absl::Status status = RecordingFile::Resume(path, {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr(path));
  EXPECT_EQ(FileBytes(path), 4);
}

TEST(RecordingFileErrorsTest, NothingIsWrittenOver) {
  const std::string path = FreshPath("there");
  std::ofstream(path) << "mine";
  const absl::Status status = RecordingFile::Create(path, {}, SampleStreams(), {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(FileBytes(path), 4);
  EXPECT_EQ(FileBytes(path + ".new"), -1);
}

TEST(RecordingFileErrorsTest, AFolderThatIsNotThereIsNamed) {
  const absl::Status status =
      RecordingFile::Create("/nowhere/x.h5", {}, SampleStreams(), {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("/nowhere/x.h5"));
}

void ExpectField(const absl::Status& status, const std::string& field) {
  const auto error = FieldErrorOf(status);
  ASSERT_TRUE(error.has_value()) << status;
  EXPECT_EQ(error->field, field);
}

TEST(RecordingFileErrorsTest, StreamsThatCannotBeAreNamed) {
  const auto fault = [](std::vector<StreamSpec> streams, const Attributes& attributes = {}) {
    return RecordingFile::Create(FreshPath("fault"), attributes, streams, {}).status();
  };
  const StreamSpec good = SampleStreams()[0];
  ExpectField(fault({}), "streams");
  ExpectField(fault(std::vector<StreamSpec>(257, good)), "streams");
  ExpectField(fault({good, good}), "streams[1].name");
  const auto with = [&good](auto change) {
    StreamSpec stream = good;
    change(stream);
    return std::vector<StreamSpec>{stream};
  };
  for (const std::string name : {"", "a/b", "a b", ".", "..", "x.index", "\xc3\xb6"}) {
    ExpectField(fault(with([&](StreamSpec& s) { s.name = name; })), "streams[0].name");
  }
  ExpectField(fault(with([](StreamSpec& s) { s.name = std::string(129, 'x'); })),
              "streams[0].name");
  ExpectField(fault(with([](StreamSpec& s) { s.columns.clear(); })), "streams[0].columns");
  ExpectField(fault(with([](StreamSpec& s) { s.columns[3].name = "tick"; })),
              "streams[0].columns[3].name");
  for (const int64_t length : {int64_t{0}, int64_t{-1}, int64_t{1} << 40, INT64_MAX}) {
    ExpectField(fault(with([&](StreamSpec& s) { s.columns[3].length = length; })),
                "streams[0].columns[3].length");
  }
  ExpectField(fault(with([](StreamSpec& s) { s.attributes["units"] = int64_t{1}; })),
              "streams[0].attributes[units]");
  ExpectField(fault({good}, {{"spec", std::string(60001, 'x')}}), "attributes[spec]");
  RecordingFile::Options options;
  options.max_bytes = 1000;
  ExpectField(RecordingFile::Create(FreshPath("fault"), {}, {good}, options).status(), "max_bytes");
}

TEST(RecordingFileErrorsTest, HalfARowIsRefusedAndChangesNothing) {
  const std::string path = FreshPath("half");
  auto file = *RecordingFile::Create(path, {}, SampleStreams(), {});
  ExpectField(file->Append(kSampleSpikes, SampleRows(kSampleSpikes, 0, 2).substr(1)), "rows");
  ASSERT_TRUE(file->Append(kSampleSpikes, SampleRows(kSampleSpikes, 0, 2)).ok());
  ASSERT_TRUE(file->Close().ok());
  ExpectRows(path, {2, 0, 0, 0, 0});
}

// As much as fits is there, and no more is asked for.
TEST(RecordingFileErrorsTest, AttributesOfTheLargestSizeAreRead) {
  const std::string path = FreshPath("attributes");
  const std::string text(60000, 'x');
  ASSERT_TRUE(RecordingFile::Create(path, {{"spec", text}}, SampleStreams(), {}).ok());
  EXPECT_EQ(*Hdf5Text(path, "spec"), text);
}

}  // namespace
}  // namespace livnd::io
