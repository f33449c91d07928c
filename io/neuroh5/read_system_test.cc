// What ReadSystem accepts, and what it says about folders and JSON that it does not.
// Damaged HDF5 files: damaged_hdf5_test.cc; content against references: truth_test.cc.

#include "io/neuroh5/read_system.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/json/json_file.h"
#include "io/system/system.h"
#include "io/system/truth.h"
#include "io/testing/hdf5_editor.h"
#include "io/testing/system_copy.h"

namespace livnd::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr char kMini[] = "systems/EI-mini";

std::string Digest(const System& system) {
  std::string digest;
  for (size_t i = 0; i < system.populations.size(); ++i) {
    absl::StrAppend(&digest, CoordinatesSha256(system, i), SynapsesSha256(system, i));
  }
  for (const Projection& projection : system.projections) {
    absl::StrAppend(&digest, projection.pre, projection.post, EdgesSynSha256(projection));
  }
  return digest;
}

std::string MiniDigest() { return Digest(*ReadSystem(kMini)); }

TEST(ReadSystemTest, MembersOfASystem) {
  const auto system = ReadSystem("systems/EI-100/");
  ASSERT_TRUE(system.ok()) << system.status();
  EXPECT_EQ(system->name, "EI-100");
  EXPECT_EQ(system->FindPopulation("INH"), 1);
  EXPECT_EQ(system->FindPopulation("PYR"), -1);
  EXPECT_EQ(system->PopulationOf(79), 0);
  EXPECT_EQ(system->PopulationOf(80), 1);
  EXPECT_EQ(system->PopulationOf(100), -1);
  EXPECT_EQ(system->layers.size(), 1u);
  EXPECT_EQ(system->layers[0].name, "2D");
  EXPECT_EQ(system->area->max_um[1], 621.8264770507812);
  std::vector<std::string> order;
  for (const auto& p : system->projections) order.push_back(p.pre + ">" + p.post);
  EXPECT_THAT(order, ElementsAre("EXC>EXC", "INH>EXC", "EXC>INH"));

  const ProjectionConfig* config = system->FindProjectionConfig("EXC", "INH");
  ASSERT_NE(config, nullptr);
  EXPECT_EQ(config->type, "inhibitory");
  EXPECT_THAT(config->sections, ElementsAre("soma"));
  ASSERT_EQ(config->mechanisms.at("default").size(), 1u);
  const ReceptorConfig& receptor = config->mechanisms.at("default")[0];
  EXPECT_EQ(receptor.receptor, "GABA_A");
  EXPECT_FALSE(receptor.disabled);
  EXPECT_THAT(receptor.params,
              ElementsAre(Pair("e", -60), Pair("g_unit", 0.001), Pair("tau_decay", 6.0),
                          Pair("tau_rise", 0.3), Pair("weight", 1.0)));
  EXPECT_EQ(system->FindProjectionConfig("INH", "INH"), nullptr);
}

TEST(ReadSystemTest, ReceptorWithoutDecayIsDisabled) {
  const auto system = ReadSystem("tests/data/systems/S1");
  ASSERT_TRUE(system.ok()) << system.status();
  const auto& receptors = system->FindProjectionConfig("EXC", "EXC")->mechanisms.at("default");
  ASSERT_EQ(receptors.size(), 2u);
  EXPECT_FALSE(receptors[0].disabled);
  EXPECT_EQ(receptors[1].receptor, "NMDA");
  EXPECT_TRUE(receptors[1].disabled);
  EXPECT_THAT(receptors[1].params, ElementsAre(Pair("g_unit", 1e-05), Pair("weight", 1.0)));
}

TEST(ReadSystemTest, EmptyPopulationNeedsNoGroup) {
  const auto system = ReadSystem("tests/data/systems/E-100");
  ASSERT_TRUE(system.ok()) << system.status();
  ASSERT_EQ(system->populations.size(), 2u);
  EXPECT_EQ(system->populations[1].name, "INH");
  EXPECT_EQ(system->populations[1].num_cells, 0u);
  EXPECT_EQ(system->populations[1].first_gid, 100u);
  EXPECT_THAT(system->synapse_sites[1].offsets, ElementsAre(0));
}

TEST(ReadSystemTest, SameInAProcessOfItsOwn) {
  const auto in_process = ReadSystem(kMini, {.in_process = true});
  ASSERT_TRUE(in_process.ok()) << in_process.status();
  EXPECT_EQ(Digest(*in_process), MiniDigest());
}

TEST(ReadSystemTest, OneFileForCellsAndConnections) {
  const SystemCopy copy(kMini);
  copy.Write("graph.h5", copy.Read("cells.h5"));
  {
    Hdf5Editor graph(copy.file("graph.h5"));
    const Hdf5Editor connections(copy.file("connections.h5"));
    graph.CopyFrom(connections, "Projections");
  }
  copy.Remove("cells.h5");
  copy.Remove("connections.h5");
  const auto system = ReadSystem(copy.path());
  ASSERT_TRUE(system.ok()) << system.status();
  EXPECT_EQ(Digest(*system), MiniDigest());
}

TEST(ReadSystemTest, NewestFileFormat) {
  const SystemCopy copy(kMini);
  for (const std::string name : {"cells.h5", "connections.h5"}) {
    CreateHdf5(copy.file("new.h5"), /*latest_format=*/true);
    {
      Hdf5Editor file(copy.file("new.h5"), /*latest_format=*/true);
      const Hdf5Editor old(copy.file(name));
      file.CopyFrom(old, "H5Types");
      file.CopyFrom(old, name == "cells.h5" ? "Populations" : "Projections");
    }
    copy.Write(name, copy.Read("new.h5"));
  }
  const auto system = ReadSystem(copy.path());
  ASSERT_TRUE(system.ok()) << system.status();
  EXPECT_EQ(Digest(*system), MiniDigest());
}

// --- folders -------------------------------------------------------------------------------------

TEST(ReadSystemTest, MissingFilesAreNamed) {
  for (const char* name : {"graph.json", "cells.h5", "connections.h5"}) {
    const SystemCopy copy(kMini);
    copy.Remove(name);
    const absl::Status status = ReadSystem(copy.path()).status();
    EXPECT_TRUE(absl::IsNotFound(status)) << status;
    EXPECT_THAT(status.message(), HasSubstr(copy.file(name)));
  }
  EXPECT_TRUE(absl::IsNotFound(ReadSystem("no/such/folder").status()));
  EXPECT_TRUE(absl::IsNotFound(ReadSystem("").status()));
}

TEST(ReadSystemTest, ElectrodesAreOptional) {
  const SystemCopy copy(kMini);
  copy.Remove("mea.json");
  const auto system = ReadSystem(copy.path());
  ASSERT_TRUE(system.ok()) << system.status();
  EXPECT_FALSE(system->electrode_array.has_value());
}

TEST(ReadSystemTest, WhatIsNoRegularFileIsRefused) {
  for (const char* name : {"graph.json", "cells.h5", "mea.json"}) {
    const SystemCopy pipe(kMini);
    pipe.Remove(name);
    ASSERT_EQ(mkfifo(pipe.file(name).c_str(), 0600), 0);
    EXPECT_THAT(ReadSystem(pipe.path()).status().message(), HasSubstr("not a regular file"));
    const SystemCopy folder(kMini);
    folder.Remove(name);
    ASSERT_EQ(mkdir(folder.file(name).c_str(), 0700), 0);
    EXPECT_THAT(ReadSystem(folder.path()).status().message(), HasSubstr("not a regular file"));
  }
}

TEST(ReadSystemTest, TextIsNoHdf5) {
  const SystemCopy copy(kMini);
  copy.Write("cells.h5", "these are no cells");
  const absl::Status status = ReadSystem(copy.path()).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(status.message(), HasSubstr(copy.file("cells.h5") + ": not an HDF5 file"));
}

TEST(ReadSystemTest, CutOffHdf5IsHdf5) {
  const SystemCopy copy(kMini);
  const std::string whole = copy.Read("cells.h5");
  copy.Write("cells.h5", whole.substr(0, whole.size() / 2));
  const absl::Status status = ReadSystem(copy.path()).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(status.message(), HasSubstr("truncated or damaged"));
  EXPECT_THAT(status.message(), testing::Not(HasSubstr("not an HDF5 file")));
}

TEST(ReadSystemTest, FileThatItsWriterLeftOpenIsSaidToBe) {
  const SystemCopy copy(kMini);
  CreateHdf5(copy.file("new.h5"), /*latest_format=*/true);
  std::string while_open;
  {
    Hdf5Editor file(copy.file("new.h5"), /*latest_format=*/true);
    while_open = copy.Read("new.h5");
  }
  copy.Write("connections.h5", while_open);
  const absl::Status status = ReadSystem(copy.path()).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr(copy.file("connections.h5") + ": "));
  EXPECT_THAT(status.message(), HasSubstr("open for writing"));
  EXPECT_THAT(status.message(), HasSubstr("h5clear -s " + copy.file("connections.h5")));
}

// However few descriptors a process may have, it says that these are what is missing.
TEST(ReadSystemTest, TooManyOpenFilesAreSaidToBe) {
  const int lowest_free = open("/dev/null", O_RDONLY);
  close(lowest_free);
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  for (const bool in_process : {false, true}) {
    bool some_failed = false, some_passed = false;
    for (int more = 0; more < 8; ++more) {
      SCOPED_TRACE(more);
      const rlimit few = {static_cast<rlim_t>(lowest_free + more), before.rlim_max};
      ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
      const absl::Status status = ReadSystem(kMini, {.in_process = in_process}).status();
      ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
      (status.ok() ? some_passed : some_failed) = true;
      if (status.ok()) continue;
      EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
      EXPECT_THAT(status.message(), HasSubstr("Too many open files"));
    }
    EXPECT_TRUE(some_failed);
    EXPECT_TRUE(some_passed);
  }
}

// What is there and cannot be opened is an error, not an absence.
TEST(ReadSystemTest, FilesThatCannotBeOpenedSayWhy) {
  for (const char* name : {"graph.json", "cells.h5", "connections.h5", "mea.json", "model.json"}) {
    const SystemCopy copy(kMini);
    copy.Remove(name);
    ASSERT_EQ(symlink(name, copy.file(name).c_str()), 0);
    const absl::Status status = ReadSystem(copy.path()).status();
    EXPECT_FALSE(status.ok()) << name;
    EXPECT_THAT(status.message(),
                HasSubstr(copy.file(name) + ": Too many levels of symbolic links"));
  }
}

// --- graph.json ----------------------------------------------------------------------------------

struct GraphCase {
  const char* name;
  std::function<void(Json&)> change;
  std::vector<const char*> expected;  // in the message
};

void PrintTo(const GraphCase& c, std::ostream* out) { *out << c.name; }

Json& Connections(Json& graph) { return graph["connections"]["culture2d"]["config"]; }
Json& Ampa(Json& graph) {
  return Connections(graph)["synapses"]["EXC"]["EXC"]["mechanisms"]["default"]["AMPA"];
}

class GraphTest : public testing::TestWithParam<GraphCase> {};

TEST_P(GraphTest, ErrorSaysWhere) {
  const SystemCopy copy(kMini);
  Json graph = *ReadJsonFile(copy.file("graph.json"));
  GetParam().change(graph);
  copy.Write("graph.json", graph.dump());
  const absl::Status status = ReadSystem(copy.path(), {.in_process = true}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr(copy.file("graph.json")));
  for (const char* expected : GetParam().expected) {
    EXPECT_THAT(status.message(), HasSubstr(expected));
  }
}

// livn 2.0.0 asks for tau_decay with dict.get: absent and null are the same.
TEST(ReadSystemTest, ReceptorWithoutAnyDecayIsDisabledToo) {
  const SystemCopy copy(kMini);
  Json graph = Json::parse(copy.Read("graph.json"));
  Ampa(graph).erase("tau_decay");
  copy.Write("graph.json", graph.dump());
  const auto system = ReadSystem(copy.path());
  ASSERT_TRUE(system.ok()) << system.status();
  const auto& receptors = system->FindProjectionConfig("EXC", "EXC")->mechanisms.at("default");
  ASSERT_EQ(receptors[0].receptor, "AMPA");
  EXPECT_TRUE(receptors[0].disabled);
  EXPECT_FALSE(receptors[1].disabled);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, GraphTest,
    testing::Values(
        GraphCase{"version 2", [](Json& g) { g["version"] = 2; }, {"version is 2; accepted: 1"}},
        GraphCase{"version text", [](Json& g) { g["version"] = "1"; }, {"version"}},
        GraphCase{"list", [](Json& g) { g = Json::array({1}); }, {"accepted: an object"}},
        GraphCase{
            "no connections", [](Json& g) { g.erase("connections"); }, {"connections is absent"}},
        GraphCase{
            "no element", [](Json& g) { g["connections"] = Json::object(); }, {"connections"}},
        GraphCase{"no config",
                  [](Json& g) { g["architecture"].erase("config"); },
                  {"architecture.config is absent"}},
        GraphCase{"bad area",
                  [](Json& g) { g["architecture"]["config"]["area"][0][1] = 1e9; },
                  {"architecture.config.area[0][1] is 1e+09", "not above the maximum"}},
        GraphCase{"area of strings",
                  [](Json& g) { g["architecture"]["config"]["area"][0][1] = "x"; },
                  {"area[0][1] is \"x\"; accepted: a number"}},
        GraphCase{"unknown receptor",
                  [](Json& g) {
                    Json& site = Connections(g)["synapses"]["EXC"]["EXC"]["mechanisms"]["default"];
                    site["Glycine"] = site["AMPA"];
                  },
                  {"EXC.EXC.mechanisms.default.Glycine", "AMPA, NMDA, GABA_A, GABA_B"}},
        GraphCase{"unknown parameter",
                  [](Json& g) { Ampa(g)["tau"] = 1; },
                  {"default.AMPA.tau is an unknown name", "tau_decay"}},
        GraphCase{"text parameter",
                  [](Json& g) { Ampa(g)["weight"] = "1"; },
                  {"AMPA.weight is \"1\"; accepted: a number"}},
        GraphCase{"zero time constant",
                  [](Json& g) { Ampa(g)["tau_rise"] = 0; },
                  {"AMPA.tau_rise", "> 0"}},
        GraphCase{"unknown type",
                  [](Json& g) { Connections(g)["synapses"]["EXC"]["EXC"]["type"] = "odd"; },
                  {"EXC.EXC.type", "excitatory"}},
        GraphCase{"unknown site",
                  [](Json& g) {
                    Json& mechanisms = Connections(g)["synapses"]["EXC"]["EXC"]["mechanisms"];
                    mechanisms["somewhere"] = mechanisms["default"];
                  },
                  {"mechanisms.somewhere", "SWC"}},
        GraphCase{"unknown population",
                  [](Json& g) {
                    Json& synapses = Connections(g)["synapses"];
                    synapses["PYR"] = synapses["EXC"];
                  },
                  {"synapses.PYR is an unknown name; accepted: populations of cells.h5"}},
        GraphCase{"other labels",
                  [](Json& g) { Connections(g)["population_definitions"]["EXC"] = 12; },
                  {"population_definitions.EXC is 12; accepted: 10, as in cells.h5"}},
        GraphCase{"path as namespace",
                  [](Json& g) {
                    g["architecture"]["config"]["coordinate_namespace"] = "../Synapse Attributes";
                  },
                  {"coordinate_namespace"}}));

TEST(ReadSystemTest, VersionOneIsAccepted) {
  const SystemCopy copy(kMini);
  Json graph = *ReadJsonFile(copy.file("graph.json"));
  graph["version"] = 1;
  copy.Write("graph.json", graph.dump());
  EXPECT_TRUE(ReadSystem(copy.path()).ok());
}

TEST(ReadSystemTest, OnlyTheFirstConnectionsCount) {
  const SystemCopy copy(kMini);
  Json graph = *ReadJsonFile(copy.file("graph.json"));
  graph["connections"]["a later element"] = "anything";
  copy.Write("graph.json", graph.dump());
  EXPECT_TRUE(ReadSystem(copy.path()).ok());
}

TEST(ReadSystemTest, GarbageForGraph) {
  const std::string deep(1000, '[');
  std::string wide = "{\"a\": {";
  for (int i = 0; i < 2000; ++i) absl::StrAppend(&wide, i == 0 ? "" : ",", "\"", i, "\":0");
  wide += "}}";
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("\xff\xfe{}"), std::string("{\"a\": NaN}"),
        std::string("{\"version\": 1e999}"), deep, wide, std::string(17 << 20, ' ')}) {
    const SystemCopy copy(kMini);
    copy.Write("graph.json", text);
    const absl::Status status = ReadSystem(copy.path()).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(status.message(), HasSubstr(copy.file("graph.json")));
  }
}

// --- params --------------------------------------------------------------------------------------

TEST(ReadSystemTest, ParamsByDocumentModelAndGroup) {
  const SystemCopy copy(kMini);
  ASSERT_EQ(mkdir(copy.file("params").c_str(), 0700), 0);
  copy.Write("params/default.json",
             R"({"Model": {"default": {"params": {"noise-std_e": 0.003, "cells-soma.cm": [1, 2]},
                                       "meta": {"by": "me"}},
                           "strong": {"params": {}}, "plain": {"a": 1}}})");
  copy.Write("params/e1.json", R"({})");
  copy.Write("params/readme.txt", "no document");
  const auto system = ReadSystem(copy.path());
  ASSERT_TRUE(system.ok()) << system.status();
  ASSERT_EQ(system->params.size(), 2u);
  const ParamsDocument& document = system->params.at("default");
  const ParamList& params = document.at("Model").at("default");
  ASSERT_EQ(params.size(), 2u);
  EXPECT_EQ(params[0].key, "noise-std_e");
  EXPECT_THAT(params[0].values, ElementsAre(0.003));
  EXPECT_EQ(params[1].key, "cells-soma.cm");
  EXPECT_THAT(params[1].values, ElementsAre(1.0, 2.0));
  EXPECT_THAT(document.at("Model").at("strong"), IsEmpty());
  // A group may leave out "params".
  EXPECT_EQ(document.at("Model").at("plain").at(0).key, "a");
}

TEST(ReadSystemTest, BadParamsAreNamed) {
  const SystemCopy copy(kMini);
  ASSERT_EQ(mkdir(copy.file("params").c_str(), 0700), 0);
  copy.Write("params/default.json", R"({"Model": {"default": {"params": {"a": "b"}}}})");
  EXPECT_EQ(
      ReadSystem(copy.path()).status().message(),
      copy.file("params/default.json") + ": Model.default.params.a is \"b\"; accepted: a number");
}

// --- model and selections ------------------------------------------------------------------------

TEST(ReadSystemTest, ModelAndSelections) {
  const SystemCopy copy(kMini);
  ASSERT_EQ(mkdir(copy.file("selection").c_str(), 0700), 0);
  copy.Write("model.json", R"({"cls": "a.b.Model", "kwargs": {"flag": true, "number": 2.5,
             "text": "x", "nothing": null, "each": {"EXC": 1}}})");
  copy.Write("selection/e1.json", R"({"gids": {"EXC": [3, 1], "INH": []},
                                      "meta": {"graph": "some-uuid", "counts": {"EXC": 2}}})");
  copy.Write("selection/e2.json", R"({"gids": {"EXC": [0]}})");
  const auto system = ReadSystem(copy.path());
  ASSERT_TRUE(system.ok()) << system.status();
  EXPECT_FALSE(system->graph_uuid.empty());
  ASSERT_TRUE(system->model.has_value());
  EXPECT_EQ(system->model->model_class, "a.b.Model");
  const std::map<std::string, ModelArgument> expected = {
      {"flag", true},
      {"number", 2.5},
      {"text", "x"},
      {"nothing", std::monostate()},
      {"each", std::map<std::string, double>{{"EXC", 1.0}}}};
  EXPECT_EQ(system->model->arguments, expected);
  ASSERT_EQ(system->selections.size(), 2u);
  EXPECT_THAT(system->selections.at("e1").gids.at("EXC"), ElementsAre(3, 1));
  EXPECT_EQ(system->selections.at("e1").graph_uuid, "some-uuid");
  EXPECT_EQ(system->selections.at("e2").graph_uuid, "");
}

TEST(ReadSystemTest, AModelWithoutArgumentsHasNone) {
  for (const char* text : {R"({"cls": "a.B"})", R"({"cls": "a.B", "kwargs": null})"}) {
    const SystemCopy copy(kMini);
    copy.Write("model.json", text);
    const auto system = ReadSystem(copy.path());
    ASSERT_TRUE(system.ok()) << system.status();
    EXPECT_EQ(system->model->model_class, "a.B");
    EXPECT_TRUE(system->model->arguments.empty());
  }
}

TEST(ReadSystemTest, BadDocumentsAreNamedWithTheirPlace) {
  const struct {
    const char* file;
    const char* text;
    const char* says;
  } kCases[] = {
      {"model.json", "not json", "model.json"},
      {"model.json", "[]", "model.json is an array of 0 elements; accepted: an object"},
      {"model.json", R"({"kwargs": {}})", "cls is absent"},
      {"model.json", R"({"cls": "a.B", "kwargs": []})",
       "kwargs is an array of 0 elements; accepted: an object"},
      {"model.json", R"({"cls": 3, "kwargs": {}})", "cls is 3; accepted: a string"},
      {"model.json", R"({"cls": "a.B", "kwargs": {"x": [1]}})",
       "kwargs.x is an array of 1 elements; accepted: null"},
      {"model.json", R"({"cls": "a.B", "kwargs": {}, "args": []})",
       "args is an unknown name; accepted: cls, kwargs"},
      {"params/default.json", "{", "params/default.json"},
      {"params/default.json", R"({"M": {"default": {"params": {"a": [1, "b"]}}}})",
       "M.default.params.a[1] is \"b\"; accepted: a number"},
      {"params/default.json", R"({"M": {"default": 3}})", "M.default is 3; accepted: an object"},
      {"params/default.json", R"({"M": {"default": {"params": {"a": 1e999}}}})", "default.json"},
      {"selection/e1.json", "", "selection/e1.json"},
      {"selection/e1.json", R"({"meta": {}})", "gids is absent"},
      {"selection/e1.json", R"({"gids": {}})",
       "gids is an object of 0 members; accepted: gids by population"},
      {"selection/e1.json", R"({"gids": {"EXC": 3}})", "gids.EXC is 3; accepted: an array"},
      {"selection/e1.json", R"({"gids": {"EXC": [0.5]}})",
       "gids.EXC[0] is 0.5; accepted: an integer"},
      {"selection/e1.json", R"({"gids": {"EXC": [-1]}})",
       "gids.EXC[0] is -1; accepted: an integer"},
      {"selection/e1.json", R"({"gids": {"EXC": [0]}, "meta": {"graph": 1}})",
       "meta.graph is 1; accepted: a string"},
  };
  for (const auto& c : kCases) {
    const SystemCopy copy(kMini);
    std::filesystem::create_directories(copy.path() + "/params");
    std::filesystem::create_directories(copy.path() + "/selection");
    copy.Write(c.file, c.text);
    const absl::Status status = ReadSystem(copy.path()).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << c.text << ": " << status;
    EXPECT_THAT(status.message(), HasSubstr(copy.file(c.file)));
    EXPECT_THAT(status.message(), HasSubstr(c.says));
  }
}

}  // namespace
}  // namespace livnd::io
