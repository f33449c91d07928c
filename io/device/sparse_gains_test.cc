#include "io/device/sparse_gains.h"

#include <malloc.h>

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "io/device/electrode_grid.h"

namespace livnd::io {
namespace {

ElectrodeArray Grid(double pitch_um, int num_x, int num_y, double output_radius_um) {
  ElectrodeArrayConfig config;
  ElectrodeGrid grid;
  grid.pitch_um = pitch_um;
  grid.num_x = num_x;
  grid.num_y = num_y;
  config.electrodes = *MakeElectrodeGrid(grid);
  config.output_radius_um = output_radius_um;
  return *ElectrodeArray::Create(std::move(config));
}

std::vector<Point> Scatter(size_t n, double width_um, double height_um, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> x(500.0, 500.0 + width_um), y(500.0, 500.0 + height_um);
  std::vector<Point> points(n);
  for (Point& point : points) point = {x(random), y(random), 175.0};
  return points;
}

TEST(SparseGainsTest, AreTheMatrixWithoutItsZeros) {
  const ElectrodeArray array = Grid(100.0, 4, 3, 120.0);
  const std::vector<Point> points = Scatter(300, 400.0, 300.0, 1);
  const std::vector<double> matrix = array.RecordingGains(points);
  const SparseGains gains(array, points);
  ASSERT_EQ(gains.num_electrodes(), 12u);
  ASSERT_EQ(gains.num_points(), 300u);
  size_t num_pairs = 0;
  std::vector<double> row(300);
  for (size_t e = 0; e < 12; ++e) {
    gains.WriteRow(e, row.data());
    for (size_t p = 0; p < 300; ++p) {
      ASSERT_EQ(row[p], matrix[e * 300 + p]);
      num_pairs += row[p] != 0.0 ? 1 : 0;
    }
  }
  EXPECT_EQ(gains.num_pairs(), num_pairs);
  EXPECT_LT(num_pairs, 12u * 300u / 2);
}

TEST(SparseGainsTest, PotentialsHaveTheBitsOfTheMatrix) {
  const ElectrodeArray array = Grid(100.0, 4, 3, 120.0);
  const std::vector<Point> points = Scatter(300, 400.0, 300.0, 2);
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal(0.0, 1e-3);
  std::vector<double> currents_ua(300);
  for (double& current : currents_ua) current = normal(random);
  const auto expected = ElectrodePotentials(array.RecordingGains(points), currents_ua, 300);
  ASSERT_TRUE(expected.ok());
  std::vector<double> potentials_uv(12, -1.0);
  SparseGains(array, points).Potentials(currents_ua.data(), potentials_uv.data());
  EXPECT_EQ(potentials_uv, *expected);
}

TEST(SparseGainsTest, NobodyInReach) {
  const SparseGains gains(Grid(100.0, 2, 1, 1.0), {{-900.0, 0.0, 0.0}});
  double potentials_uv[2] = {1.0, 1.0};
  const double current_ua = 5.0;
  gains.Potentials(&current_ua, potentials_uv);
  EXPECT_EQ(potentials_uv[0], 0.0);
  EXPECT_EQ(potentials_uv[1], 0.0);
  EXPECT_EQ(SparseGains().num_electrodes(), 0u);
}

int64_t InUse() {
  const auto info = mallinfo2();
  return static_cast<int64_t>(info.uordblks + info.hblkhd);
}

// The size of EI-10000: two points a cell, at the density of livn's EI (2,600 cells on 1.6 x 3.2 mm), under 1,024
// electrodes; a matrix would be 164 MB.
TEST(SparseGainsTest, TenThousandCellsUnderAThousandElectrodesAreMegabytes) {
  const std::vector<Point> points = Scatter(20'000, 3140.0, 6270.0, 4);
  const ElectrodeArray array = Grid(98.0, 32, 32, 250.0);
  const int64_t before = InUse();
  const SparseGains gains(array, points);
  const int64_t held = InUse() - before;
  RecordProperty("held_bytes", std::to_string(held));
  EXPECT_LE(held, int64_t{5} << 20);
  EXPECT_LE(gains.num_bytes(), size_t{5} << 20);
  EXPECT_GE(gains.num_pairs(), 50'000u);
// Memory of the sanitizers' own allocators, which mallinfo does not see.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_NEAR(static_cast<double>(gains.num_bytes()), static_cast<double>(held), 16384.0);
#endif
}

}  // namespace
}  // namespace livnd::io
