#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/json/yaml.h"
#include "lab/generate/culture_config_json.h"

namespace livnd::lab {
namespace {

using testing::HasSubstr;

absl::StatusOr<CultureConfig> Parse(const std::string& text) {
  const absl::StatusOr<io::Json> json = io::ParseYaml("c.yml", text);
  if (!json.ok()) return json.status();
  return ParseCultureConfig(io::JsonView(*json, "c.yml"));
}

constexpr char kWhole[] = R"(area: systems.generate_2d.disk
area_kwargs: {center: [1, 2], radius: 300, inner_radius: 20}
margin: 10
z_range: [1, 5]
total_cells: 60
populations:
  EXC: {ratio: 0.75, synapse_type: excitatory, transmitter: cholinergic}
  INH: {count: 10, ratio: null, synapse_type: inhibitory, soma_only: false}
connectivity:
  kernel: gaussian
  sigma: 100
  mean_degree: {EXC->EXC: 3, INH->EXC: 4, default: 1}
  cutoff: 0.01
  allow_self_connections: true
synapse_overrides: {EXC->EXC: {AMPA: {tau_decay: 4, weight: 2}}}
population_definitions: {EXC: 3, INH: 5}
random_seed: 9
rng: livn
output_directory: here
)";

TEST(ParseCultureConfig, ReadsAllOfLivnsNames) {
  const CultureConfig c = Parse(kWhole).value();
  EXPECT_EQ(c.area.shape, AreaConfig::Shape::kDisk);
  EXPECT_EQ(c.area.inner_radius_um, 20);
  EXPECT_EQ(c.total_cells, 60);
  EXPECT_EQ(c.populations[0].transmitter, Transmitter::kCholinergic);
  EXPECT_EQ(c.populations[1].transmitter, Transmitter::kGabaergic);
  EXPECT_FALSE(c.populations[1].soma_only);
  EXPECT_EQ(c.populations[1].label, 5);
  EXPECT_TRUE(c.kernel.gaussian);
  EXPECT_EQ(c.DegreeOf("EXC->EXC"), 3);
  EXPECT_EQ(c.DegreeOf("EXC->INH"), 1);
  EXPECT_EQ(c.synapse_overrides.at("EXC->EXC").at("AMPA").at("tau_decay"), 4);
  EXPECT_EQ(c.rng, Rng::kLivn);
  EXPECT_EQ(c.output_directory, "here");
  // And tells them again.
  const io::Json json = CultureConfigToJson(c);
  const CultureConfig again = ParseCultureConfig(io::JsonView(json, "j")).value();
  EXPECT_EQ(CultureConfigToJson(again), json);
  EXPECT_EQ(json["connectivity"]["cutoff"], 0.01);
}

TEST(ParseCultureConfig, HasLivnsDefaults) {
  const CultureConfig c = Parse("{total_cells: 50, connectivity: {mean_degree: 2}}").value();
  EXPECT_EQ(c.area.x_range_um[1], 4000);
  EXPECT_EQ(c.kernel.sigma_um, 600);
  EXPECT_EQ(c.random_seed, 123u);
  EXPECT_EQ(c.rng, Rng::kPhilox);
  EXPECT_EQ(NumCells(c), (std::vector<int64_t>{40, 10}));
  EXPECT_EQ(c.populations[1].label, 11);
  EXPECT_TRUE(c.populations[1].soma_only);
}

// Of a provenance.json of livn its version says whose numbers they are.
TEST(ParseCultureConfig, TakesProvenance) {
  const std::string config =
      "config: {total_cells: 5, connectivity: {mean_degree: 1}, _update_: {}}";
  const std::string livn = "{generator: generate_2d.Generate2DSystem, ";
  EXPECT_EQ(Parse(livn + config + "}")->rng, Rng::kNumpy);
  EXPECT_EQ(Parse(livn + "connectivity_chunk: 2048, " + config + "}")->rng, Rng::kLivn);
  const CultureConfig c = Parse(kWhole).value();
  io::Json provenance = ProvenanceJson(c, "1");
  EXPECT_EQ(CultureConfigToJson(ParseCultureConfig(io::JsonView(provenance, "p")).value()),
            CultureConfigToJson(c));
  provenance["streams"] = 2;
  EXPECT_THAT(ParseCultureConfig(io::JsonView(provenance, "p")).status(),
              IsFileError("p", "streams", "2", HasSubstr("1")));
  provenance["generator"] = "other";
  EXPECT_THAT(ParseCultureConfig(io::JsonView(provenance, "p")).status(),
              IsFileError("p", "generator", HasSubstr("other"), HasSubstr("livnd generate")));
}

// What is written in place of one line, what is about, and what is accepted.
TEST(ParseCultureConfig, RefusesWithPlaceValueAndAccepted) {
  const std::vector<std::tuple<std::string, std::string, std::string>> rows = {
      {"{total_cell: 5}", "total_cell", "total_cells (the nearest)"},
      {"{area: hexagon}", "area", "rectangle, disk"},
      {"{area: my.module.disk}", "area", "rectangle, disk"},
      {"{area_kwargs: {radius: 5}}", "area_kwargs.radius", "x_range"},
      {"{area_kwargs: {x_range: [5, 1]}}", "area_kwargs.x_range", "from <= to"},
      {"{area: disk, area_kwargs: {inner_radius: 501}}", "area_kwargs.inner_radius", "500"},
      {"{margin: 2001}", "margin", "0 .. 2000"},
      {"{z_range: [2, 1]}", "z_range", "from <= to"},
      {"{total_cells: 0}", "total_cells", "from 1 to 10000000"},
      {"{}", "total_cells", "ratios share"},
      {"{populations: {A: {count: 5}}, total_cells: 6}", "total_cells", "5"},
      {"{populations: {A: {ratio: 0}}, total_cells: 6}", "populations", "a ratio > 0"},
      {"{populations: {A: {}}}", "populations.A", "ratio or count"},
      {"{populations: {}}", "populations", "by name"},
      {"{populations: {A/B: {count: 1}}}", "populations.A/B", "without /"},
      {"{populations: {A: {count: 1, transmiter: x}}}", "populations.A.transmiter",
       "transmitter (the nearest)"},
      {"{populations: {A: {count: 1, transmitter: x}}}", "populations.A.transmitter",
       "cholinergic"},
      {"{populations: {A: {count: 1, transmitter: gabaergic}}}", "populations.A.transmitter",
       "where synapse_type is excitatory"},
      {"{populations: {A: {count: 1, synapse_type: both}}}", "populations.A.synapse_type",
       "inhibitory"},
      {"{populations: {A: {count: -1}}}", "populations.A.count", "from 0 to 10000000"},
      {"{total_cells: 5, population_definitions: {EXC: 1, IHN: 2}}", "population_definitions.IHN",
       "INH (the nearest)"},
      {"{total_cells: 5, population_definitions: {EXC: 1, INH: 1}}", "population_definitions.INH",
       "a number that EXC has not"},
      {"{total_cells: 5}", "connectivity", "mean_degree"},
      {"{total_cells: 5, connectivity: {sigma: 5}}", "connectivity.mean_degree", "inputs a cell"},
      {"{total_cells: 5, connectivity: {mean_degree: 1, sigma: 0}}", "connectivity.sigma", "1e-3"},
      {"{total_cells: 5, connectivity: {mean_degree: 1, kernel: box}}", "connectivity.kernel",
       "gaussian"},
      {"{total_cells: 5, connectivity: {mean_degree: 1, cutoff: 2}}", "connectivity.cutoff",
       "0 .. 1"},
      {"{total_cells: 5, connectivity: {mean_degree: {EXC->IHN: 1}}}",
       "connectivity.mean_degree.EXC->IHN", "EXC->INH (the nearest)"},
      {"{total_cells: 5, connectivity: {mean_degree: -1}}", "connectivity.mean_degree",
       "inputs a cell"},
      {"{total_cells: 5, connectivity: {mean_degree: 1}, synapse_overrides: {EXC->EXC: {AMPB: "
       "{}}}}",
       "synapse_overrides.EXC->EXC.AMPB", "AMPA (the nearest)"},
      {"{total_cells: 5, connectivity: {mean_degree: 1}, synapse_overrides: {EXC->EXC: {AMPA: "
       "{tau_rise: 0}}}}",
       "synapse_overrides.EXC->EXC.AMPA.tau_rise", "> 0"},
      {"{total_cells: 5, connectivity: {mean_degree: 1}, random_seed: -1}", "random_seed",
       "from 0 to "},
      {"{total_cells: 5, connectivity: {mean_degree: 1}, rng: mt}", "rng", "philox, livn, numpy"},
  };
  for (const auto& [text, field, accepted] : rows) {
    EXPECT_THAT(Parse(text).status(), IsFileError("c.yml", field, testing::_, HasSubstr(accepted)))
        << text;
  }
  EXPECT_FALSE(Parse("just text").ok());
}

// Bytes changed, lost and doubled: an error or a configuration, and nothing else.
TEST(ParseCultureConfig, TakesGarbage) {
  std::mt19937 random(1);
  const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  const std::string bits[] = {
      "{", "}", "[", "null", "-1", "1e400", ".nan", "->", "\n", ": ", "99999999999999999999"};
  int parsed = 0, refused = 0;
  for (int i = 0; i < 6000; ++i) {
    std::string text = kWhole;
    for (size_t n = 1 + below(2); n-- > 0;) {
      const size_t at = below(text.size());
      switch (below(4)) {
        case 0:
          text[at] = static_cast<char>(below(256));
          break;
        case 1:
          text.erase(at, 1 + below(30));
          break;
        case 2:
          text.insert(at, bits[below(std::size(bits))]);
          break;
        default:
          text.insert(at, text.substr(below(text.size()), below(40)));
      }
      if (text.empty()) text = "x";
    }
    const absl::StatusOr<CultureConfig> config = Parse(text);
    if (!config.ok()) {
      ++refused;
      EXPECT_TRUE(FieldErrorOf(config.status()).has_value()) << config.status();
      continue;
    }
    ++parsed;
    // What is taken can be told and taken again.
    const io::Json json = CultureConfigToJson(*config);
    const auto again = ParseCultureConfig(io::JsonView(json, "j"));
    ASSERT_TRUE(again.ok()) << again.status() << json;
    EXPECT_EQ(CultureConfigToJson(*again), json);
  }
  EXPECT_GT(parsed, 30);
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace livnd::lab
