#include "io/signal/potential_stream.h"

#include <malloc.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "io/device/electrode_array.h"
#include "io/device/sampling_points.h"
#include "io/signal/spike_detector.h"
#include "sim/culture/culture.h"
#include "sim/gang/gang.h"

namespace livnd::io {
namespace {

// Cells in a row, each with an electrode nearby.
class PotentialStreamTest : public testing::Test {
 protected:
  static constexpr int kCells = 3;

  void SetUp() override {
    sim::CultureConfig config;
    config.populations = {{"EXC", 0, kCells}};
    auto culture = sim::Culture::Create(config);
    ASSERT_TRUE(culture.ok()) << culture.status();
    culture_ = *culture;
    ElectrodeArrayConfig electrodes;
    electrodes.output_radius_um = 150.0;
    std::vector<Point> points;
    for (int gid = 0; gid < kCells; ++gid) {
      const Point soma = {400.0 * gid, 0.0, 5.0};
      const std::vector<Point> of_cell = SamplingPoints(culture_->groups()[0].geometry, gid, soma);
      for (int section = 0; section < 2; ++section) {
        points.push_back(of_cell[static_cast<size_t>(section)]);
        probe_.sites.push_back({gid, section});
      }
      electrodes.electrodes.push_back({gid, {400.0 * gid + 15.0, 0.0, 0.0}});
    }
    gains_ = std::make_shared<const SparseGains>(*ElectrodeArray::Create(electrodes), points);
    probe_.quantity = sim::Probe::Quantity::kMembraneCurrentUa;
    gang_ = std::make_unique<sim::Gang>(culture_, 1);
    // Cell 0 is left alone, the others are made to fire every 60 and 100 ms.
    auto map = std::make_shared<sim::StimulusMap>();
    map->num_channels = 2;
    map->row_of_channel = {culture_->SectionRow(1, 0), culture_->SectionRow(2, 0)};
    gang_->SetStimulusMap(sim::StimulusMode::kCurrent, map);
    sim::Waveform drive;
    drive.sample_dt_ms = 2.0;
    drive.num_channels = 2;
    for (int i = 0; i < 1000; ++i) {
      drive.samples.push_back(i % 30 == 0 ? 2.0 : 0.0);
      drive.samples.push_back(i % 50 == 0 ? 2.0 : 0.0);
    }
    ASSERT_TRUE(gang_->Install(0, sim::StimulusMode::kCurrent, std::move(drive)).ok());
  }

  std::shared_ptr<const sim::Culture> culture_;
  std::shared_ptr<const SparseGains> gains_;
  std::unique_ptr<sim::Gang> gang_;
  sim::Probe probe_;
};

TEST_F(PotentialStreamTest, IsTheSameHoweverTheRunIsCut) {
  std::vector<sim::Spike> spikes;
  std::vector<sim::Probe*> probes = {&probe_};
  gang_->Advance(1200, &spikes, probes);
  const auto potentials = [&](const std::vector<size_t>& cuts) {
    PotentialStream stream(gains_, *ElectrodeNoise::Create(2.0, 3), 100, 1);
    std::vector<double> all;
    size_t from = 0;
    for (const size_t to : cuts) {
      stream.Push(absl::MakeConstSpan(probe_.samples).subspan(from * 6, (to - from) * 6),
                  [&](int64_t tick, absl::Span<const double> row) {
                    EXPECT_EQ(tick, 100 + static_cast<int64_t>(all.size() / kCells));
                    all.insert(all.end(), row.begin(), row.end());
                  });
      from = to;
    }
    EXPECT_EQ(stream.tick(), 1300);
    return all;
  };
  const std::vector<double> whole = potentials({1200});
  ASSERT_EQ(whole.size(), 1200u * kCells);
  EXPECT_EQ(whole, potentials({1, 2, 700, 1200}));
}

int64_t InUse() {
  const auto info = mallinfo2();
  return static_cast<int64_t>(info.uordblks + info.hblkhd);
}

// Two seconds of potentials of three electrodes would be 1.9 MB.
TEST_F(PotentialStreamTest, FindsTheSpikesOfItsCellsInBoundedMemory) {
  constexpr int64_t kTicks = 80'000, kPiece = 400;
  PotentialStream stream(gains_, *ElectrodeNoise::Create(1.0, 7), 0, 1);
  SpikeDetectorConfig config;
  config.noise_window_ms = 200.0;
  config.dead_time_ms = 3.0;
  auto detector = SpikeDetector::Create(config, kCells, culture_->dt_ms());
  ASSERT_TRUE(detector.ok()) << detector.status();
  std::vector<sim::Spike> spikes;
  std::vector<DetectedSpike> detected;
  spikes.reserve(10'000);
  detected.reserve(10'000);
  std::vector<sim::Probe*> probes = {&probe_};
  int64_t before = 0;
  for (int64_t tick = 0; tick < kTicks; tick += kPiece) {
    gang_->Advance(kPiece, &spikes, probes);
    stream.Push(probe_.samples,
                [&](int64_t, absl::Span<const double> row) { detector->Push(row, &detected); });
    probe_.samples.clear();
    if (tick == 10 * kPiece) before = InUse();
  }
  detector->Finish(&detected);
  int64_t snippets = 0;
  for (const DetectedSpike& spike : detected) {
    snippets += static_cast<int64_t>(spike.snippet_uv.capacity() * sizeof(float)) + 32;
  }
  EXPECT_LE(InUse() - before, snippets + 65'536);

  // Ground truth beside what was found, on each cell's own electrode, once the noise is known.
  for (int cell = 0; cell < kCells; ++cell) {
    int num_true = 0, num_found = 0, num_detected = 0;
    for (const DetectedSpike& d : detected) {
      num_detected += d.channel == cell && d.sample >= 8'320 ? 1 : 0;
    }
    for (const sim::Spike& spike : spikes) {
      if (spike.gid != cell || spike.tick < 8'400) continue;
      ++num_true;
      for (const DetectedSpike& d : detected) {
        if (d.channel != cell || std::abs(d.sample - spike.tick) > 80) continue;  // 2 ms
        ++num_found;
        break;
      }
    }
    RecordProperty("cell_" + std::to_string(cell), std::to_string(num_true) + " spikes, " +
                                                       std::to_string(num_detected) + " detected");
    EXPECT_EQ(num_found, num_true) << "cell " << cell;
    // A slow slope after a spike may cross the threshold once more.
    EXPECT_LE(num_detected, num_true + num_true / 5) << "cell " << cell;
    if (cell > 0) {
      EXPECT_GE(num_true, 10) << "cell " << cell;
    }
  }
}

}  // namespace
}  // namespace livnd::io
