#include "io/recording/testing/sample_recording.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "io/recording/streams.h"

namespace livnd::io {
namespace {

constexpr int kNumElectrodes = 64;
constexpr int kNumSites = 40000;
constexpr int64_t kEpisodeRows = 1000;
constexpr int kNumCopies = 3;

// Bits that look like none.
uint64_t Scrambled(uint64_t x) {
  x = (x ^ x >> 31) * 0x9e3779b97f4a7c15u;
  return x ^ x >> 29;
}

}  // namespace

std::vector<StreamSpec> SampleStreams() {
  return {SpikesStream(), SeriesStream(kPotentials, ElementType::kFloat32, kNumElectrodes, "uV"),
          RewardsStream(),
          SeriesStream(kVoltages, ElementType::kFloat64, kNumSites, "mV", {{"sample_dt_ms", 0.1}}),
          LabelsStream(kVoltages, {"gid", "section"})};
}

Attributes SampleAttributes() {
  return {{"physics_version", std::string("1")},
          {"system", std::string("EI-µ")},
          {"tick_ns", int64_t{25000}},
          {"step_ms", 2.5},
          {"names", std::vector<std::string>{"a", "", "ccc"}},
          {"empty", std::string()}};
}

RowKey SampleKey(int64_t row) {
  return {static_cast<int32_t>(row % kNumCopies), 1 + row / kEpisodeRows, row % kEpisodeRows * 40};
}

std::string SampleRows(int stream, int64_t begin, int64_t end) {
  std::string rows;
  for (int64_t row = begin; row < end; ++row) {
    const uint64_t bits = Scrambled(row + 1);
    if (stream != kSampleSites) AppendKey(SampleKey(row), &rows);
    switch (stream) {
      case kSampleSpikes:
        AppendValue(static_cast<int32_t>(bits % 1000), &rows);
        break;
      case kSamplePotentials:
        for (int i = 0; i < kNumElectrodes; ++i) {
          AppendValue(static_cast<float>(Scrambled(bits + i) % 2000) / 10, &rows);
        }
        break;
      case kSampleRewards:
        AppendValue(static_cast<double>(bits % 100), &rows);
        AppendValue(static_cast<uint8_t>(row % kEpisodeRows == kEpisodeRows - 1), &rows);
        AppendValue(static_cast<uint8_t>(0), &rows);
        break;
      case kSampleVoltages:
        for (int i = 0; i < kNumSites; ++i) AppendValue(-65.0 + (row + i) % 7, &rows);
        break;
      default:
        AppendValue(row, &rows);
        AppendValue(row % 2, &rows);
    }
  }
  return rows;
}

std::string FreshPath(absl::string_view name) {
  const std::string path = absl::StrCat(testing::TempDir(), "/", name, "_", getpid(), ".h5");
  unlink(path.c_str());
  unlink(absl::StrCat(path, ".new").c_str());
  return path;
}

}  // namespace livnd::io
