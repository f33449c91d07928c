#include "lab/generate/generate_culture.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/json/json_file.h"
#include "io/json/yaml.h"
#include "io/neuroh5/read_system.h"
#include "io/system/system.h"
#include "io/system/truth.h"
#include "io/testing/temporary_folder.h"
#include "lab/generate/culture_config_json.h"
#include "sim/executor.h"
#include "sim/testing/executors.h"

namespace livnd::lab {
namespace {

using testing::HasSubstr;

sim::InlineExecutor inline_executor;
const Work kWork = {&inline_executor, nullptr, nullptr};

CultureConfig ConfigOf(const std::string& text) {
  const io::Json json = io::ParseYaml("c.yml", text).value();
  return ParseCultureConfig(io::JsonView(json, "c.yml")).value();
}

CultureConfig ConfigOfFile(const std::string& path) {
  const io::Json json = io::ReadJsonFile(path).value();
  return ParseCultureConfig(io::JsonView(json, path)).value();
}

// Everything that a culture is made of, but the number of its graph.
void ExpectSame(const io::System& a, const io::System& b) {
  ASSERT_EQ(a.populations.size(), b.populations.size());
  for (size_t i = 0; i < a.populations.size(); ++i) {
    const auto of = [](const io::Population& p) {
      return std::tie(p.name, p.label, p.first_gid, p.num_cells);
    };
    EXPECT_EQ(of(a.populations[i]), of(b.populations[i]));
    const auto sites = [](const io::SynapseSites& s) {
      return std::tie(s.offsets, s.syn_id, s.syn_type, s.swc_type, s.section, s.layer, s.location,
                      s.path_distance_um);
    };
    EXPECT_TRUE(sites(a.synapse_sites[i]) == sites(b.synapse_sites[i])) << i;
  }
  EXPECT_TRUE(a.position_um == b.position_um);
  EXPECT_EQ(a.area->min_um, b.area->min_um);
  EXPECT_EQ(a.area->max_um, b.area->max_um);
  ASSERT_EQ(a.projections.size(), b.projections.size());
  for (size_t i = 0; i < a.projections.size(); ++i) {
    const auto of = [](const io::Projection& p) {
      return std::tie(p.post, p.pre, p.source_gid, p.target_gid, p.distance_um, p.syn_id);
    };
    EXPECT_TRUE(of(a.projections[i]) == of(b.projections[i])) << a.projections[i].pre;
  }
  ASSERT_EQ(a.projection_configs.size(), b.projection_configs.size());
  for (size_t i = 0; i < a.projection_configs.size(); ++i) {
    const io::ProjectionConfig &x = a.projection_configs[i], &y = b.projection_configs[i];
    EXPECT_EQ(std::tie(x.post, x.pre, x.type, x.contacts, x.sections, x.layers, x.proportions),
              std::tie(y.post, y.pre, y.type, y.contacts, y.sections, y.layers, y.proportions));
    ASSERT_EQ(x.mechanisms.at("default").size(), y.mechanisms.at("default").size());
    for (size_t r = 0; r < x.mechanisms.at("default").size(); ++r) {
      EXPECT_EQ(x.mechanisms.at("default")[r].receptor, y.mechanisms.at("default")[r].receptor);
      EXPECT_EQ(x.mechanisms.at("default")[r].params, y.mechanisms.at("default")[r].params);
    }
  }
}

// Systems that livn's generator made, and what it said of how.
class SystemOfLivn : public testing::TestWithParam<std::string> {};

TEST_P(SystemOfLivn, IsMadeAgainFromItsProvenance) {
  const io::System system = io::ReadSystem(GetParam()).value();
  const CultureConfig config = ConfigOfFile(GetParam() + "/provenance.json");
  ASSERT_EQ(config.rng, Rng::kNumpy);
  const GeneratedCulture culture = GenerateCulture(config, kWork).value();
  ExpectSame(culture.system, system);
  // The amplitude to the last bit, which is written beside each projection.
  const io::Json graph = io::ReadJsonFile(GetParam() + "/graph.json").value();
  const io::Json& synapses = graph["connections"]["culture2d"]["config"]["synapses"];
  const io::Json& made = culture.graph["connections"]["connections"]["config"]["synapses"];
  for (const auto& [post, inputs] : synapses.items()) {
    for (const auto& [pre, projection] : inputs.items()) {
      EXPECT_EQ(made[post][pre]["kernel"], projection["kernel"]) << pre << "->" << post;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shipped, SystemOfLivn,
                         testing::Values("systems/EI-mini", "systems/EI-100",
                                         "tests/data/systems/E-100", "tests/data/systems/EI-alt"));

// Larger than one of livn's chunks of targets.
TEST(GenerateCulture, MakesLivnsTenThousandCellsAgain) {
  const CultureConfig config = ConfigOf(
      "{area_kwargs: {x_range: [0, 3137.9], y_range: [0, 6275.7]}, rng: numpy, random_seed: 1004,"
      " populations: {EXC: {count: 8000}, INH: {count: 2000, synapse_type: inhibitory}},"
      " connectivity: {mean_degree: {EXC->EXC: 20, EXC->INH: 4, INH->EXC: 40}}}");
  ExpectSame(GenerateCulture(config, kWork).value().system,
             io::ReadSystem("tests/data/systems/EI-10000").value());
}

constexpr char kSmall[] =
    "{area_kwargs: {x_range: [0, 1000], y_range: [0, 800]}, total_cells: 150, random_seed: 7,"
    " connectivity: {sigma: 300, mean_degree: {EXC->EXC: 6, EXC->INH: 4, INH->EXC: 8}}, rng: ";

TEST(GenerateCulture, GivesTheSameBitsForAnyNumberOfThreads) {
  sim::BackwardExecutor backward(5);
  for (const char* rng : {"philox}", "livn}", "numpy}"}) {
    const CultureConfig config = ConfigOf(absl::StrCat(kSmall, rng));
    const GeneratedCulture a = GenerateCulture(config, kWork).value();
    const GeneratedCulture b = GenerateCulture(config, {&backward, nullptr, nullptr}).value();
    EXPECT_EQ(a.system.graph_uuid, b.system.graph_uuid);
    EXPECT_EQ(a.graph, b.graph);
    ExpectSame(a.system, b.system);
  }
}

TEST(GenerateCulture, AnotherSeedOrSourceIsAnotherCulture) {
  const CultureConfig config = ConfigOf(absl::StrCat(kSmall, "philox}"));
  CultureConfig seeded = config, livn = config;
  seeded.random_seed = 8;
  livn.rng = Rng::kLivn;
  const GeneratedCulture a = GenerateCulture(config, kWork).value();
  for (const CultureConfig& other : {seeded, livn}) {
    const GeneratedCulture b = GenerateCulture(other, kWork).value();
    EXPECT_NE(a.system.graph_uuid, b.system.graph_uuid);
    EXPECT_NE(a.system.position_um, b.system.position_um);
  }
}

// Cells by count and by share, as livn shares them out.
TEST(NumCells, FollowsCountsThenSharesThenRemainders) {
  const auto counts = [](const std::string& populations, const std::string& total) {
    return NumCells(ConfigOf(absl::StrCat("{total_cells: ", total, ", populations: ", populations,
                                          ", connectivity: {mean_degree: 0}}")));
  };
  EXPECT_EQ(counts("{EXC: {ratio: 0.8}, INH: {ratio: 0.2, synapse_type: inhibitory}}", "104"),
            (std::vector<int64_t>{83, 21}));
  EXPECT_EQ(counts("{A: {ratio: 1}, B: {ratio: 1}, C: {count: 5}}", "12"),
            (std::vector<int64_t>{4, 3, 5}));
  EXPECT_EQ(counts("{A: {ratio: 1}, B: {count: 5}}", "5"), (std::vector<int64_t>{0, 5}));
}

TEST(GenerateCulture, NumbersPopulationsByTheirLabels) {
  const CultureConfig config = ConfigOf(
      "{populations: {A: {count: 30}, B: {count: 20}}, population_definitions: {A: 9, B: 3},"
      " area_kwargs: {x_range: [0, 500], y_range: [0, 500]},"
      " connectivity: {mean_degree: {A->B: 5}}, synapse_overrides: {A->B: {NMDA: {tau_decay: "
      "null}}}}");
  const io::System system = GenerateCulture(config, kWork).value().system;
  EXPECT_EQ(system.populations[0].name, "B");
  EXPECT_EQ(system.populations[1].first_gid, 20u);
  ASSERT_EQ(system.projections.size(), 1u);
  for (const uint32_t source : system.projections[0].source_gid) EXPECT_GE(source, 20u);
  for (const uint32_t target : system.projections[0].target_gid) EXPECT_LT(target, 20u);
  EXPECT_TRUE(system.projection_configs[0].mechanisms.at("default")[1].disabled);
}

TEST(WriteCulture, LeavesASystemWithAllToMakeItAgain) {
  const io::TemporaryFolder folder;
  const CultureConfig config =
      ConfigOf(absl::StrCat(kSmall, "philox, margin: 100, z_range: [3, 3]}"));
  const GeneratedCulture culture = GenerateCulture(config, kWork).value();
  ASSERT_TRUE(WriteCulture(culture, config, "1.2", folder.file("a"), kWork).ok());
  ExpectSame(io::ReadSystem(folder.file("a")).value(), culture.system);
  const CultureConfig again = ConfigOfFile(folder.file("a/provenance.json"));
  EXPECT_EQ(CultureConfigToJson(again), CultureConfigToJson(config));
  ASSERT_TRUE(
      WriteCulture(GenerateCulture(again, kWork).value(), again, "1.2", folder.file("b"), kWork)
          .ok());
  for (const char* name : {"cells.h5", "connections.h5", "graph.json", "provenance.json"}) {
    const auto bytes = [&](const char* of) {
      std::ifstream file(folder.file(absl::StrCat(of, "/", name)), std::ios::binary);
      return std::string(std::istreambuf_iterator<char>(file), {});
    };
    EXPECT_FALSE(bytes("a").empty());
    EXPECT_EQ(bytes("a"), bytes("b")) << name;
  }
  size_t inside = 0;
  for (const uint8_t cell : culture.interior.at("EXC")) inside += cell;
  EXPECT_GT(inside, 50u);
  EXPECT_LT(inside, 100u);
}

TEST(WriteCulture, LeavesNothingWhenInterrupted) {
  const io::TemporaryFolder folder;
  const CultureConfig config = ConfigOf(absl::StrCat(kSmall, "philox}"));
  const GeneratedCulture culture = GenerateCulture(config, kWork).value();
  int asked = 0;
  for (int stop_at = 1;; ++stop_at) {
    asked = 0;
    const Work work = {&inline_executor, nullptr, [&] { return ++asked == stop_at; }};
    const absl::Status status = WriteCulture(culture, config, "1", folder.file("a"), work);
    if (status.ok()) {
      EXPECT_GT(stop_at, 4);
      break;
    }
    EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
    EXPECT_EQ(folder.Entries().size(), 0u);
  }
  EXPECT_EQ(folder.Entries().size(), 1u);
  const Work stopped = {&inline_executor, nullptr, [] { return true; }};
  EXPECT_EQ(GenerateCulture(config, stopped).status().code(), absl::StatusCode::kCancelled);
}

TEST(GenerateCulture, RefusesMoreInputsThanASystemMayHave) {
  const CultureConfig config =
      ConfigOf("{populations: {A: {count: 1000000}}, connectivity: {mean_degree: 1000}}");
  EXPECT_THAT(GenerateCulture(config, kWork).status(),
              IsFieldError("connectivity.mean_degree", "1000 inputs for each cell of A",
                           HasSubstr("at most 241")));
}

}  // namespace
}  // namespace livnd::lab
