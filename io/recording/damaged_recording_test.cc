// Recordings that are cut off, overwritten or mean harm: the reader gives the rows that were written,
// or an error that names the file, and never others.

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/recording/hdf5/metadata.h"
#include "io/recording/recording_file.h"
#include "io/recording/recording_reader.h"
#include "io/recording/testing/sample_recording.h"

namespace livnd::io {
namespace {

using testing::HasSubstr;

constexpr int64_t kNumSpikes = 17000, kNumVoltages = 1, kNumSites = 10;

std::string Bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void Write(const std::string& path, const std::string& bytes) {
  unlink(path.c_str());
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string Make(int64_t num_voltages) {
  const std::string path = FreshPath("whole");
  auto file = *RecordingFile::Create(path, SampleAttributes(), SampleStreams(), {});
  EXPECT_TRUE(file->Append(kSampleSpikes, SampleRows(kSampleSpikes, 0, kNumSpikes)).ok());
  EXPECT_TRUE(file->Append(kSampleVoltages, SampleRows(kSampleVoltages, 0, num_voltages)).ok());
  EXPECT_TRUE(file->Flush().ok());
  EXPECT_TRUE(file->Append(kSampleSites, SampleRows(kSampleSites, 0, kNumSites)).ok());
  EXPECT_TRUE(file->Close().ok());
  return Bytes(path);
}

// A recording in a file of some 100 KB.
const std::string& Whole() {
  static const auto* const bytes = new std::string(Make(kNumVoltages));
  return *bytes;
}

// Reading rows is cheaper than making them.
const std::string& Rows(int stream, int64_t num_rows) {
  static auto* const rows = new std::map<std::pair<int, int64_t>, std::string>;
  std::string& found = (*rows)[{stream, num_rows}];
  if (found.empty()) found = SampleRows(stream, 0, num_rows);
  return found;
}

absl::Status ReadStream(RecordingReader& reader, int stream, const RowFilter& filter,
                        std::string* rows) {
  for (int64_t next = 0;;) {
    const auto piece = reader.Read(stream, filter, next, {1 << 20});
    if (!piece.ok()) return piece.status();
    *rows += piece->rows;
    next = piece->next_row;
    if (piece->done) return absl::OkStatus();
  }
}

// Whether all could be read; what could is right.
bool ExpectRightOrLost(const std::string& path, int64_t num_voltages = kNumVoltages) {
  const auto reader = RecordingReader::Open(path);
  if (!reader.ok()) {
    EXPECT_THAT(std::string(reader.status().message()), HasSubstr(path));
    return false;
  }
  bool all = true;
  const int64_t num_rows[] = {kNumSpikes, 0, 0, num_voltages, kNumSites};
  for (int stream = 0; stream < 5; ++stream) {
    const std::string name = SampleStreams()[stream].name;
    const int found = (*reader)->Find(name);
    EXPECT_GE(found, 0) << name;
    if (found < 0) return false;
    std::string rows;
    const absl::Status status = ReadStream(**reader, found, {}, &rows);
    if (status.ok()) {
      EXPECT_TRUE(rows == Rows(stream, num_rows[stream])) << name;
    } else {
      EXPECT_THAT(std::string(status.message()), HasSubstr(path));
      all = false;
    }
  }
  RowFilter filter;
  filter.begin_episode = filter.end_episode = 12;
  ++filter.end_episode;
  std::string rows;
  if (ReadStream(**reader, kSampleSpikes, filter, &rows).ok()) {
    EXPECT_TRUE(rows == SampleRows(kSampleSpikes, 11000, 12000));
  } else {
    all = false;
  }
  return all;
}

class DamagedRecordingTest : public testing::Test {
 protected:
  const std::string path_ = FreshPath("damaged");
};

TEST_F(DamagedRecordingTest, WholeIsWhole) {
  Write(path_, Whole());
  EXPECT_TRUE(ExpectRightOrLost(path_));
  // There is no byte behind what is used.
  Write(path_, Whole() + "more");
  EXPECT_TRUE(ExpectRightOrLost(path_));
}

TEST_F(DamagedRecordingTest, CutOffAnywhere) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200; ++i) {
    const size_t length = i < 100 ? i : random() % Whole().size();
    SCOPED_TRACE(length);
    Write(path_, Whole().substr(0, length));
    EXPECT_FALSE(ExpectRightOrLost(path_));
    const absl::Status status = RecordingReader::Open(path_).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  }
}

TEST_F(DamagedRecordingTest, FlippedBits) {
  int num_lost = 0;
  for (int seed = 0; seed < 250; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    std::string bytes = Whole();
    for (int i = 0; i < 1 << (seed % 6); ++i) {
      bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
    }
    Write(path_, bytes);
    if (!ExpectRightOrLost(path_)) ++num_lost;
  }
  EXPECT_GT(num_lost, 60);
}

// Where a structure begins: headers, nodes, the superblock.
std::vector<size_t> Structures(const std::string& bytes) {
  std::vector<size_t> places = {0};
  for (const char* signature : {"OHDR", "TREE"}) {
    for (size_t at = bytes.find(signature); at != std::string::npos;
         at = bytes.find(signature, at + 1)) {
      places.push_back(at);
    }
  }
  return places;
}

TEST_F(DamagedRecordingTest, EveryByteOfTheMetadataOverwritten) {
  const std::vector<size_t> places = Structures(Whole());
  EXPECT_GT(places.size(), 15u);
  std::mt19937_64 random(2);
  int num_lost = 0;
  for (const size_t place : places) {
    for (int i = 0; i < 36; ++i) {
      const size_t at = place + (i < 24 ? i : random() % 2100);
      if (at >= Whole().size()) continue;
      SCOPED_TRACE(testing::Message() << "byte " << at - place << " of " << place);
      std::string bytes = Whole();
      bytes[at] = i % 3 == 0 ? '\xff' : i % 3 == 1 ? '\0' : static_cast<char>(random());
      Write(path_, bytes);
      if (!ExpectRightOrLost(path_)) ++num_lost;
    }
  }
  EXPECT_GT(num_lost, 150);
}

// A node of the tree has no checksum: whatever it says is looked at.
TEST_F(DamagedRecordingTest, TreesThatLeadAstray) {
  const int64_t num_voltages = 66;  // more than one node of them
  const std::string whole = Make(num_voltages);
  int num_used = 0, num_levels = 0;
  for (const size_t place : Structures(whole)) {
    if (whole.substr(place, 4) != "TREE") continue;
    SCOPED_TRACE(place);
    const auto is_right = [&](const std::string& node) {
      std::string bytes = whole;
      bytes.replace(place, node.size(), node);
      Write(path_, bytes);
      return ExpectRightOrLost(path_, num_voltages);
    };
    // Nodes of earlier flushes lie about, too.
    if (is_right("LOST")) continue;
    ++num_used;
    const hdf5::Node node = *hdf5::DecodeNode(whole.substr(place, hdf5::kNodeBytes));
    num_levels = std::max(num_levels, node.level + 1);
    const auto expect_lost = [&](auto change) {
      hdf5::Node other = node;
      change(other);
      EXPECT_FALSE(is_right(hdf5::EncodeNode(other, 0)));
    };
    expect_lost([&](hdf5::Node& n) { n.entries[0].address = place; });
    expect_lost([](hdf5::Node& n) { n.entries[0].address = UINT64_MAX; });
    expect_lost([](hdf5::Node& n) { n.entries[0].first_row = 1 << 20; });
    expect_lost([](hdf5::Node& n) { n.level += 1; });
    expect_lost([](hdf5::Node& n) { n.level = 200; });
    if (node.entries.size() < hdf5::kMaxEntries) {
      expect_lost([](hdf5::Node& n) { n.entries.push_back(n.entries[0]); });
    }
    if (node.level == 0) {
      expect_lost([](hdf5::Node& n) { n.entries[0].stored_bytes = 0xffffffff; });
      expect_lost([](hdf5::Node& n) { n.entries[0].stored_bytes = 3; });
    }
    if (node.entries.size() > 1) {
      expect_lost([](hdf5::Node& n) { n.entries[1].address = n.entries[0].address; });
      expect_lost([](hdf5::Node& n) { n.entries.pop_back(); });
    }
  }
  EXPECT_GE(num_used, 5);
  EXPECT_EQ(num_levels, 2);
}

// Metadata with right checksums that promises more than there is.
TEST_F(DamagedRecordingTest, HeadersThatPromiseTooMuch) {
  for (const size_t place : Structures(Whole())) {
    const auto num_bytes = hdf5::HeaderBytes(Whole().substr(place, 10));
    if (!num_bytes.ok()) continue;
    const auto dataset = hdf5::DecodeDataset(Whole().substr(place, *num_bytes));
    if (!dataset.ok()) continue;
    for (const int64_t num_rows : {int64_t{1} << 20, int64_t{1} << 40, INT64_MAX}) {
      hdf5::Dataset other = *dataset;
      other.num_rows = num_rows;
      std::string bytes = Whole();
      bytes.replace(place, *num_bytes, hdf5::EncodeDataset(other));
      Write(path_, bytes);
      const auto reader = RecordingReader::Open(path_);
      if (!reader.ok()) continue;
      for (int stream = 0; stream < 5; ++stream) {
        const int64_t found = (*reader)->num_rows(stream);
        if (found != num_rows) continue;
        std::string rows;
        EXPECT_FALSE(ReadStream(**reader, stream, {}, &rows).ok());
      }
    }
    hdf5::Dataset other = *dataset;
    other.chunk_rows *= 2;
    std::string bytes = Whole();
    bytes.replace(place, *num_bytes, hdf5::EncodeDataset(other));
    Write(path_, bytes);
    ExpectRightOrLost(path_);
  }
}

}  // namespace
}  // namespace livnd::io
