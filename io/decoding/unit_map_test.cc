#include "io/decoding/unit_map.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "io/decoding/window.h"
#include "sim/gang/probe.h"

namespace livnd::io {
namespace {

std::vector<std::pair<int64_t, int64_t>> Heard(const UnitMap& map,
                                               const std::vector<sim::Spike>& spikes,
                                               int64_t first_tick) {
  std::vector<std::pair<int64_t, int64_t>> heard;
  map.ForEach(spikes, first_tick,
              [&](const UnitSpike& spike) { heard.emplace_back(spike.unit, spike.tick); });
  return heard;
}

TEST(UnitMapTest, EveryElectrodeInReachHearsASpikeAndOthersDoNot) {
  const UnitMap map = UnitMap::OfElectrodes({{7, 8}, {}, {8}});
  EXPECT_EQ(map.num_units(), 3);
  EXPECT_EQ(Heard(map, {{0, 7, 10}, {3, 8, 10}, {0, 9, 91}, {0, 8, 95}}, 10),
            (std::vector<std::pair<int64_t, int64_t>>{{0, 0}, {0, 0}, {2, 0}, {0, 85}, {2, 85}}));
}

TEST(UnitMapTest, CellsAreUnitsInTheOrderOfTheGids) {
  const UnitMap map = UnitMap::OfCells({100, 7, 42});
  EXPECT_EQ(map.num_units(), 3);
  EXPECT_EQ(Heard(map, {{0, 42, 3}, {0, 8, 3}, {0, 100, 4}}, 0),
            (std::vector<std::pair<int64_t, int64_t>>{{2, 3}, {0, 4}}));
}

}  // namespace
}  // namespace livnd::io
