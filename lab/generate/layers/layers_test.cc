// Cultures of layers whose numbers can be told from their settings.
#include <cmath>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/json/yaml.h"
#include "lab/generate/layers/generate_layers.h"
#include "lab/generate/layers/layers_config.h"
#include "lab/generate/layers/morphology.h"
#include "sim/executor.h"
#include "sim/testing/executors.h"

namespace livnd::lab {
namespace {

using io::Json;
using io::JsonView;
using testing::_;
using testing::HasSubstr;

// A soma of 10 um in layer 6; an apical dendrite of 100 um there and 200 in layer 8; a basal one of 50 um in layer 5.
constexpr char kCell[] =
    "# a cell\n"
    "0 1 0 0 0 5 -1 6\n1 1 0 10 0 5 0 6\n"
    "3 4 0 110 200 1 2 8\n2 4 0 110 0 1 1 6\n"
    "4 3 0 -40 0 1 1 5\n";

constexpr char kSettings[] = R"(
Definitions: {Populations: {INH: 7, EXC: 3}, Layers: {SO: 5, SP: 6, SR: 8}}
Geometry:
  Parametric Surface:
    Layer Extents: {SP: [[0, 0, 10], [400, 300, 20]], SR: [[0, 0, 20], [400, 300, 50]]}
  Cell Distribution: {EXC: {SP: 30, SR: 0}, INH: {SP: 4, SR: 6}}
Connection Generator:
  Axon Extent:
    EXC: {default: {width: [600, 600], offset: [0, 0]}}
    INH: {default: {width: [9000, 9000]}, SP: {width: [200, 9000]}}
  Synapses:
    EXC:
      EXC:
        type: excitatory
        sections: [apical, apical]
        layers: [SP, SR]
        proportions: [1.0, 3.0]
        mechanisms: {AMPA: {tau_rise: 0.5, tau_decay: 3, e: 0, g_unit: 0.001, weight: 1}}
      INH:
        type: excitatory
        sections: [apical]
        layers: [SR]
        proportions: [1.0]
        mechanisms: {AMPA: {tau_rise: 0.5, tau_decay: 3, e: 0}}
Cell Types:
  EXC:
    template: gEXC
    mechanism:
    synapses:
      density:
        apical:
          excitatory: {SP: {mean: 2.0, variance: 0.0}, SR: {mean: 5.0, variance: 0.1}}
        soma:
          inhibitory: {default: {mean: 1.0, variance: 0.1}}
)";

Json Yaml(const std::string& text) { return io::ParseYaml("S.yml", text).value(); }
LayersConfig ConfigOf(const std::string& text) {
  const Json json = Yaml(text);
  return ParseLayersConfig(JsonView(json, "S.yml")).value();
}
absl::Status ErrorOf(const std::string& from, const std::string& to) {
  const Json json = Yaml(absl::StrReplaceAll(kSettings, {{from, to}}));
  return ParseLayersConfig(JsonView(json, "S.yml")).status();
}

sim::InlineExecutor executor;
const Work kWork = {&executor, nullptr, nullptr};

// --- shapes --------------------------------------------------------------------------------------

TEST(ParseMorphology, CutsSectionsByLayers) {
  const Morphology shape = ParseMorphology("cell.swc", kCell).value();
  ASSERT_EQ(shape.size(), 4u);
  const auto of = [](const Stretch& s) {
    return std::make_tuple(s.section, int{s.swc_type}, s.layer, s.length_um, s.soma_um);
  };
  EXPECT_EQ(of(shape[0]), std::make_tuple(0, 1, 6, 10.0, 0.0));
  EXPECT_EQ(of(shape[1]), std::make_tuple(1, 4, 6, 100.0, 10.0));
  EXPECT_EQ(of(shape[2]), std::make_tuple(1, 4, 8, 200.0, 110.0));
  EXPECT_EQ(of(shape[3]), std::make_tuple(2, 3, 5, 50.0, 10.0));
  EXPECT_DOUBLE_EQ(shape[1].end, 1.0 / 3);
  EXPECT_DOUBLE_EQ(shape[2].begin, 1.0 / 3);
  EXPECT_EQ(shape[2].end, 1.0);
}

TEST(ParseMorphology, RefusesByLine) {
  const auto error = [](const char* text) { return ParseMorphology("c.swc", text).status(); };
  EXPECT_THAT(error("0 1 0 0 0 5 -1 6\n1 1 0 x 0 5 0 6"),
              IsFileError("c.swc:2", "", "1 1 0 x 0 5 0 6", HasSubstr("a point: id")));
  EXPECT_THAT(error("0 1 0 0 0 5 -1\n"), IsFileError("c.swc:1", "", _, HasSubstr("layer")));
  EXPECT_THAT(error("0 1 0 0 0 5 -1 6\n1 1 0 9 0 5 7 6"),
              IsFileError("c.swc:2", "", "a child of 7", HasSubstr("the id of a point")));
  EXPECT_THAT(error("0 1 0 0 0 5 -1 6\n1 1 0 9 0 5 -1 6"),
              IsFileError("c.swc", "", "2 points without a parent", _));
  EXPECT_THAT(error("0 1 0 0 0 5 -1 6\n1 1 0 9 0 5 2 6\n2 1 0 9 0 5 1 6"),
              IsFileError("c.swc", "", "1 points without a parent", _));
  EXPECT_THAT(error("0 1 0 0 0 5 -1 6\n0 1 0 9 0 5 0 6"),
              IsFileError("c.swc:2", "", _, "each id once"));
  EXPECT_THAT(error("# none"), IsFileError("c.swc", "", "0 points", "2 or more"));
}

// --- settings ------------------------------------------------------------------------------------

TEST(ParseLayersConfig, ReadsNamesOfLivn) {
  const LayersConfig config = ConfigOf(kSettings);
  ASSERT_EQ(config.populations.size(), 2u);  // by number
  EXPECT_EQ(config.populations[0].name, "EXC");
  EXPECT_EQ(config.populations[1].label, 7);
  EXPECT_EQ(config.populations[0].densities.size(), 3u);
  EXPECT_EQ(config.populations[1].axons.at("SP").reach_um[0], 100.0);
  EXPECT_EQ(config.projections.size(), 2u);
  EXPECT_EQ(config.random_seed, 123u);
  EXPECT_FALSE(config.density_of_last_layer);
}

TEST(ParseLayersConfig, RefusesByPlace) {
  EXPECT_THAT(ErrorOf("Cell Distribution:", "Cell Distributions:"),
              IsFileError("S.yml", "Geometry.Cell Distributions", kUnknownName,
                          HasSubstr("Cell Distribution (the nearest)")));
  EXPECT_THAT(ErrorOf("{SP: 30,", "{SX: 30,"),
              IsFileError("S.yml", "Geometry.Cell Distribution.EXC.SX", kUnknownName, _));
  EXPECT_THAT(ErrorOf("{SP: 30,", "{SP: -3,"),
              IsFileError("S.yml", "Geometry.Cell Distribution.EXC.SP", "-3", _));
  EXPECT_THAT(ErrorOf("[400, 300, 20]", "[400, -300, 20]"),
              IsFileError("S.yml", "Geometry.Parametric Surface.Layer Extents.SP[1]", _,
                          HasSubstr("none below")));
  EXPECT_THAT(ErrorOf("INH: 7", "INH: 3"),
              IsFileError("S.yml", "Definitions.Populations.EXC", "3", _));
  EXPECT_THAT(
      ErrorOf("width: [600, 600]", "width: [0, 600]"),
      IsFileError("S.yml", HasSubstr("Axon Extent.EXC.default"), _, HasSubstr("a width > 0")));
  EXPECT_THAT(ErrorOf("EXC: {default: {w", "EXC: {SP: {w"),
              IsFileError("S.yml", "Connection Generator.Axon Extent.EXC", "without SR", _));
  EXPECT_THAT(ErrorOf("sections: [apical, apical]", "sections: [apical, apic]"),
              IsFileError("S.yml", HasSubstr("sections[1]"), "apic", HasSubstr("soma, axon")));
  EXPECT_THAT(ErrorOf("proportions: [1.0, 3.0]", "proportions: [1.0]"),
              IsFileError("S.yml", HasSubstr("proportions"), _, "2 numbers, as sections"));
  EXPECT_THAT(ErrorOf("AMPA: {tau_rise", "AMPAR: {tau_rise"),
              IsFileError("S.yml", HasSubstr("mechanisms.AMPAR"), kUnknownName, _));
  EXPECT_THAT(
      ErrorOf("mean: 2.0", "mean: -2"),
      IsFileError("S.yml", "Cell Types.EXC.synapses.density.apical.excitatory.SP.mean", "-2", _));
  EXPECT_THAT(ErrorOf("Cell Types:", "density_of_layer: first\nCell Types:"),
              IsFileError("S.yml", "density_of_layer", _, "own, last"));
}

// --- cultures ------------------------------------------------------------------------------------

GeneratedCulture Make(const std::string& extra = "") {
  return GenerateLayers(ConfigOf(kSettings + extra), {{"EXC", kCell}}, kWork).value();
}

const io::Projection& From(const GeneratedCulture& culture, const std::string& pre) {
  for (const io::Projection& p : culture.system.projections) {
    if (p.pre == pre && p.post == "EXC") return p;
  }
  ADD_FAILURE() << pre;
  return culture.system.projections.front();
}

TEST(GenerateLayers, PutsCellsIntoTheirLayers) {
  const GeneratedCulture culture = Make();
  ASSERT_EQ(culture.system.num_cells(), 40u);
  for (uint32_t gid = 0; gid < 40; ++gid) {
    const auto& place = culture.system.position_um[gid];
    const bool deep = gid >= 34;  // the 6 last of INH
    EXPECT_GE(place[2], deep ? 20 : 10);
    EXPECT_LE(place[2], deep ? 50 : 20);
    EXPECT_LE(place[0], 400);
    EXPECT_LE(place[1], 300);
  }
  EXPECT_EQ(culture.graph["architecture"]["config"]["cell_distributions"]["INH"]["SR"], 6);
}

TEST(GenerateLayers, SpreadsSynapsesByDensity) {
  const GeneratedCulture culture = Make();
  const io::SynapseSites& sites = culture.system.synapse_sites[0];
  std::map<std::tuple<int, int, int>, double> found;
  for (size_t i = 0; i < sites.syn_id.size(); ++i) {
    ++found[{sites.swc_type[i], sites.layer[i], sites.syn_type[i]}];
    const bool near = sites.layer[i] == 6;
    if (sites.swc_type[i] == 4) {
      EXPECT_EQ(sites.location[i] < 1.0 / 3, near);
      EXPECT_NEAR(sites.path_distance_um[i], 10 + 300 * sites.location[i], 1e-3);
    }
  }
  // Poisson: 30 cells of 200, 1000 and 10; five deviations.
  const double counts[] = {6000, 30000, 300};
  const std::tuple<int, int, int> kinds[] = {{4, 6, 0}, {4, 8, 0}, {1, 6, 1}};
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(found[kinds[i]], counts[i], 5 * std::sqrt(counts[i]) + 0.02 * counts[i]);
  }
  EXPECT_EQ(found.size(), 3u);
  EXPECT_EQ(culture.system.synapse_sites[1].syn_id.size(), 0u);
}

TEST(GenerateLayers, CanTakeTheDensityOfTheLastLayer) {
  const io::System system = Make("density_of_layer: last\n").system;
  EXPECT_NEAR(static_cast<double>(system.synapse_sites[0].syn_id.size()), 45300, 1500);
}

TEST(GenerateLayers, SharesSynapsesByProportion) {
  const GeneratedCulture culture = Make();
  const double exc = static_cast<double>(From(culture, "EXC").source_gid.size());
  const double inh = static_cast<double>(From(culture, "INH").source_gid.size());
  // Of the 30,000 in SR a quarter.
  EXPECT_NEAR(inh, 7500, 400);
  EXPECT_NEAR(exc, 6000 + 22500, 1000);
}

TEST(GenerateLayers, ReachesAsFarAsAxonsDo) {
  const GeneratedCulture culture = Make();
  const io::Projection& exc = From(culture, "EXC");
  double near = 0.0, far = 0.0, near_pairs = 0.0, far_pairs = 0.0;
  const auto& places = culture.system.position_um;
  const auto apart = [&](uint32_t a, uint32_t b, int axis) {
    return std::abs(places[a][static_cast<size_t>(axis)] - places[b][static_cast<size_t>(axis)]);
  };
  for (size_t e = 0; e < exc.source_gid.size(); ++e) {
    const double dx = apart(exc.source_gid[e], exc.target_gid[e], 0);
    const double dy = apart(exc.source_gid[e], exc.target_gid[e], 1);
    EXPECT_LT(dx, 300);
    EXPECT_NEAR(exc.distance_um[e], dx + dy, 1e-3);
    near += dx < 60 && dy < 60;
    far += dx > 200;
  }
  for (uint32_t a = 0; a < 30; ++a) {
    for (uint32_t b = 0; b < 30; ++b) {
      near_pairs += apart(a, b, 0) < 60 && apart(a, b, 1) < 60;
      far_pairs += apart(a, b, 0) > 200;
    }
  }
  // exp(-2^2 / 2) of the middle at 200 um.
  EXPECT_GT(near / near_pairs, 5 * far / far_pairs);
}

TEST(GenerateLayers, GivesTheSameBitsForAnyNumberOfThreads) {
  sim::BackwardExecutor backward(5);
  const LayersConfig config = ConfigOf(kSettings);
  const io::System a = Make().system;
  const io::System b =
      GenerateLayers(config, {{"EXC", kCell}}, {&backward, nullptr, nullptr})->system;
  EXPECT_EQ(a.graph_uuid, b.graph_uuid);
  EXPECT_EQ(a.position_um, b.position_um);
  EXPECT_EQ(a.synapse_sites[0].location, b.synapse_sites[0].location);
  for (size_t p = 0; p < a.projections.size(); ++p) {
    EXPECT_EQ(a.projections[p].source_gid, b.projections[p].source_gid);
    EXPECT_EQ(a.projections[p].syn_id, b.projections[p].syn_id);
  }
  const io::System other = Make("random_seed: 4\n").system;
  EXPECT_NE(other.graph_uuid, a.graph_uuid);
  EXPECT_NE(other.position_um, a.position_um);
}

TEST(GenerateLayers, IsMadeAgainFromItsProvenance) {
  const LayersConfig config = ConfigOf(std::string(kSettings) + "random_seed: 9\n");
  const Json provenance = LayersProvenance(config, {{"EXC", kCell}}, "1.0");
  const auto origin = ParseLayersProvenance(JsonView(provenance, "provenance.json")).value();
  ASSERT_TRUE(origin.has_value());
  const io::System again = GenerateLayers(origin->config, origin->morphologies, kWork)->system;
  const io::System before = GenerateLayers(config, {{"EXC", kCell}}, kWork)->system;
  EXPECT_EQ(again.graph_uuid, before.graph_uuid);
  EXPECT_EQ(again.projections[0].source_gid, before.projections[0].source_gid);
  EXPECT_EQ(LayersProvenance(origin->config, origin->morphologies, "1.0"), provenance);
  const Json other = {{"generator", "livnd generate"}};
  EXPECT_FALSE(ParseLayersProvenance(JsonView(other, "p.json"))->has_value());
}

TEST(GenerateLayers, NeedsTheShapesOfCellsWithSynapses) {
  EXPECT_THAT(GenerateLayers(ConfigOf(kSettings), {}, kWork).status(),
              IsFieldError("morphologies.EXC", "absent", "the shape of its cells"));
  EXPECT_EQ(GenerateLayers(ConfigOf(kSettings), {{"EXC", kCell}},
                           {&executor, nullptr, [] { return true; }})
                .status()
                .code(),
            absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace livnd::lab
