// Every system at hand is read and compared with its truth.json.

#include "io/system/truth.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "io/json/json_file.h"
#include "io/neuroh5/read_system.h"
#include "io/system/summary.h"
#include "io/system/system.h"

namespace livnd::io {
namespace {

void ExpectRange(const Json& truth, const Range& range) {
  EXPECT_EQ(range.n, truth["n"]);
  const double sum = truth["sum"];
  EXPECT_NEAR(range.sum, sum, 1e-9 * sum);
  EXPECT_EQ(range.min, truth["min"]);
  EXPECT_EQ(range.max, truth["max"]);
}

// The reference reader sorts blocks by their destination.
void ExpectFirstEdges(const Json& truth, const Projection& projection) {
  std::vector<size_t> order(projection.target_gid.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return projection.target_gid[a] < projection.target_gid[b];
  });
  for (size_t i = 0; i < truth.size(); ++i) {
    EXPECT_EQ(projection.source_gid[order[i]], truth[i][0]);
    EXPECT_EQ(projection.target_gid[order[i]], truth[i][1]);
    EXPECT_EQ(projection.distance_um[order[i]], truth[i][2]);
    EXPECT_EQ(projection.syn_id[order[i]], truth[i][3]);
  }
}

class TruthTest : public testing::TestWithParam<const char*> {};

TEST_P(TruthTest, ReaderFindsWhatNeuroH5Finds) {
  const std::string directory = GetParam();
  const absl::StatusOr<System> system = ReadSystem(directory);
  ASSERT_TRUE(system.ok()) << system.status();
  const absl::StatusOr<Json> truth = ReadJsonFile(directory + "/truth.json");
  ASSERT_TRUE(truth.ok()) << truth.status();

  EXPECT_EQ(system->num_cells(), (*truth)["num_neurons"]);
  EXPECT_EQ(system->num_edges(), (*truth)["total_edges"]);
  Json names_order = Json::array();  // truth.json leaves out populations without cells
  for (size_t i = 0; i < system->populations.size(); ++i) {
    const Population& population = system->populations[i];
    SCOPED_TRACE(population.name);
    const Json& cells = (*truth)["populations"][population.name];
    EXPECT_EQ(population.label, cells["enum"]);
    EXPECT_EQ(population.first_gid, cells["start"]);
    EXPECT_EQ(population.num_cells, cells["count"]);
    if (population.num_cells == 0) continue;
    names_order.push_back(population.name);
    EXPECT_EQ(CoordinatesSha256(*system, i), (*truth)["coordinates"][population.name]["sha256"]);
    const Json& synapses = (*truth)["synapses"][population.name];
    EXPECT_EQ(SynapsesSha256(*system, i), synapses["sha256"]);
    const SynapseSummary summary = Summarize(system->synapse_sites[i]);
    EXPECT_EQ(summary.num_sites, synapses["total"]);
    EXPECT_EQ(summary.cells_without_sites, synapses["cells_with_zero"]);
    EXPECT_EQ(summary.min_per_cell, synapses["per_cell_min_max"][0]);
    EXPECT_EQ(summary.max_per_cell, synapses["per_cell_min_max"][1]);
    ExpectRange(synapses["cdist"], summary.path_distance_um);
  }

  EXPECT_EQ(names_order, (*truth)["population_names_order"]);

  ASSERT_EQ(system->projections.size(), (*truth)["projections"].size());
  for (const Projection& projection : system->projections) {
    const std::string name = absl::StrCat(projection.pre, "->", projection.post);
    SCOPED_TRACE(name);
    const Json& edges = (*truth)["projections"][name];
    EXPECT_EQ(EdgesSha256(projection), edges["edges_sha256"]);
    EXPECT_EQ(EdgesSynSha256(projection), edges["edges_syn_sha256"]);
    const ProjectionSummary summary = Summarize(*system, projection);
    EXPECT_EQ(summary.num_edges, edges["edges"]);
    EXPECT_EQ(summary.num_targets, edges["destinations_in_file_with_edges"]);
    EXPECT_EQ(summary.mean_in_degree, edges["mean_in_degree"]);
    EXPECT_EQ(summary.max_in_degree, edges["max_in_degree"]);
    EXPECT_EQ(summary.self_connections, edges["self_connections"]);
    EXPECT_EQ(summary.duplicate_pairs, edges["duplicate_pairs"]);
    EXPECT_EQ(summary.edges_without_site, 0u);
    ExpectRange(edges["distance"], summary.distance_um);
    ExpectFirstEdges(edges["first5_in_file_order"], projection);
  }

  const Json& mea = (*truth)["mea"];
  ASSERT_TRUE(system->electrode_array.has_value());
  EXPECT_EQ(system->electrode_array->electrodes.size(), mea["electrodes"]);
  EXPECT_EQ(system->electrode_array->electrodes.back().position_um[1], mea["last"][2]);
  EXPECT_EQ(system->electrode_array->output_radius_um, mea["output_radius"]);

  for (const std::string name : {"cells.h5", "connections.h5", "mea.json"}) {
    EXPECT_EQ(FileSha256(directory + "/" + name).value_or("missing"),
              (*truth)["files"][name]["sha256"]);
  }
}

INSTANTIATE_TEST_SUITE_P(Systems, TruthTest,
                         testing::Values("systems/EI-mini", "systems/EI-100",
                                         "tests/data/systems/E-100", "tests/data/systems/EI-alt",
                                         "tests/data/systems/EI-blocks", "tests/data/systems/S1"));

TEST(SummaryTest, DelayHasAFloorOfTwoSteps) {
  EXPECT_DOUBLE_EQ(DelayMs(100), 0.4);
  EXPECT_DOUBLE_EQ(DelayMs(12.4), 0.05);
}

TEST(FileSha256Test, MissingFileIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(FileSha256("no/such/file").status()));
}

}  // namespace
}  // namespace livnd::io
