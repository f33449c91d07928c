#include "server/wire/system.h"

#include "gtest/gtest.h"
#include "server/wire/tensor.h"

namespace livnd::server {
namespace {

TEST(SystemTest, ASystemArrivesInNumbers) {
  io::System system;
  system.name = "two";
  system.populations = {{"EXC", 0, 0, 2}};
  system.position_um = {{1, 2, 3}, {4, 5, 6}};
  io::Projection projection;
  projection.pre = projection.post = "EXC";
  projection.distance_um = {7, 3, 5};
  system.projections = {projection, io::Projection()};
  v1::System encoded = EncodeSystem(system);
  EXPECT_EQ(encoded.populations(0).num_cells(), 2);
  EXPECT_EQ(encoded.projections(0).num_edges(), 3);
  EXPECT_EQ(encoded.projections(0).min_distance_um(), 3);
  EXPECT_EQ(encoded.projections(0).max_distance_um(), 7);
  EXPECT_EQ(encoded.projections(1).num_edges(), 0);
  EXPECT_TRUE(CheckTensor("p", encoded.positions_um(), v1::DATA_TYPE_FLOAT64, {2, 3}).ok());
  EXPECT_TRUE(CheckTensor("e", encoded.electrode_ids(), v1::DATA_TYPE_INT64, {0}).ok());

  system.electrode_array.emplace();
  system.electrode_array->electrodes = {{4, {9, 8, 7}}};
  system.electrode_array->output_radius_um = 100;
  encoded = EncodeSystem(system);
  EXPECT_TRUE(
      CheckTensor("e", encoded.electrode_positions_um(), v1::DATA_TYPE_FLOAT64, {1, 3}).ok());
  EXPECT_EQ(encoded.output_radius_um(), 100);
}

}  // namespace
}  // namespace livnd::server
