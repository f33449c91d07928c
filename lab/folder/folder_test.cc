// What a researcher puts beside a system, on systems that livn made.
#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/device/electrode_array_json.h"
#include "io/json/json_file.h"
#include "io/json/yaml.h"
#include "io/neuroh5/read_system.h"
#include "io/system/system.h"
#include "io/system/system_documents.h"
#include "io/testing/temporary_folder.h"
#include "lab/folder/document_file.h"
#include "lab/folder/electrodes.h"
#include "lab/folder/export_system.h"
#include "lab/folder/fibers.h"
#include "lab/folder/named_selection.h"

namespace livnd::lab {
namespace {

using io::Json;
using io::JsonView;
using io::System;
using testing::_;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kMini[] = "systems/EI-mini";
constexpr char kEi100[] = "systems/EI-100";
constexpr char kLayers[] = "systems/S1-MEA4";

Json Yaml(const std::string& text) { return io::ParseYaml("text", text).value(); }

// --- documents -----------------------------------------------------------------------------------

TEST(WriteDocument, WritesAsAWholeAndOverwritesOnlyWhenAsked) {
  const io::TemporaryFolder folder;
  const std::string path = folder.file("selection/e1.json");
  ASSERT_TRUE(WriteDocument({{"a", 1}}, path, {}).ok());
  EXPECT_THAT(WriteDocument({{"a", 2}}, path, {}), IsFileError(path, "", "there already", _));
  EXPECT_EQ(io::ReadJsonFile(path).value(), Json({{"a", 1}}));
  ASSERT_TRUE(WriteDocument({{"a", 2}}, path, {true, nullptr}).ok());
  EXPECT_EQ(io::ReadJsonFile(path).value(), Json({{"a", 2}}));
  EXPECT_THAT(folder.AllEntries(), ElementsAre("selection", "selection/e1.json"));
}

TEST(WriteDocument, LeavesNothingWhenStopped) {
  const io::TemporaryFolder folder;
  const auto stop = [] { return true; };
  EXPECT_EQ(WriteDocument({{"a", 1}}, folder.file("selection/e1.json"), {false, stop}).code(),
            absl::StatusCode::kCancelled);
  EXPECT_THAT(folder.AllEntries(), ElementsAre());
}

TEST(WriteDocument, SaysWhatTheSystemSays) {
  const absl::Status status = WriteDocument({}, "/proc/nothing/mea.json", {});
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("/proc/nothing"));
}

// --- electrodes ----------------------------------------------------------------------------------

TEST(MakeElectrodes, LiesInTheMiddleOfThePlaneAsLivnsGridDoes) {
  const System system = io::ReadSystem(kEi100).value();
  const io::ElectrodeArrayConfig array = MakeElectrodes(system, {}).value();
  // livn: floor(extent / 50) + 1 electrodes an axis, rounded down to a power of two.
  EXPECT_EQ(array.electrodes.size(), 4u * 8u);
  EXPECT_EQ(array.input_radius_um, 50.0);
  EXPECT_EQ(array.output_radius_um, 80.0);
  const io::AreaExtent& area = *system.area;
  const auto &first = array.electrodes.front().position_um,
             &last = array.electrodes.back().position_um;
  EXPECT_DOUBLE_EQ(first[0] + last[0], area.min_um[0] + area.max_um[0]);
  EXPECT_DOUBLE_EQ(first[1] + last[1], area.min_um[1] + area.max_um[1]);
  EXPECT_DOUBLE_EQ(last[0] - first[0], 150.0);
  EXPECT_DOUBLE_EQ(first[2], 5.0);
}

TEST(MakeElectrodes, GivesASystemOfLayersLivnsDefaultArray) {
  const System system = io::ReadSystem(kLayers).value();
  const io::ElectrodeArrayConfig array = MakeElectrodes(system, {}).value();
  ASSERT_EQ(array.electrodes.size(), 16u);
  EXPECT_THAT(array.electrodes[5].position_um, ElementsAre(1500, 1500, 175));
  EXPECT_EQ(array.output_radius_um, 250.0);
  ElectrodeRequest pitch;
  pitch.pitch_um = 20.0;
  EXPECT_EQ(MakeElectrodes(system, pitch)->electrodes.size(), 4u);
}

TEST(MakeElectrodes, TakesPlacesAndPutsThoseWithoutAHeightInTheMiddle) {
  const System system = io::ReadSystem(kMini).value();
  const Json rows = Yaml("[[7, 1, 2], [3, 4, 5, 6]]");
  const JsonView view(rows, "--coordinates");
  ElectrodeRequest request;
  request.coordinates = &view;
  request.output_radius_um = 30.0;
  const io::ElectrodeArrayConfig array = MakeElectrodes(system, request).value();
  EXPECT_EQ(array.electrodes[0].id, 7);
  EXPECT_THAT(array.electrodes[0].position_um, ElementsAre(1, 2, 5));
  EXPECT_THAT(array.electrodes[1].position_um, ElementsAre(4, 5, 6));
  EXPECT_EQ(array.output_radius_um, 30.0);
  EXPECT_EQ(array.input_radius_um, 50.0);
  request.z_um = -10.0;
  EXPECT_EQ(MakeElectrodes(system, request)->electrodes[0].position_um[2], -10.0);
}

TEST(MakeElectrodes, CentersAPreset) {
  const System system = io::ReadSystem(kEi100).value();
  const Json device = Yaml("{preset: mcs_60}");
  ElectrodeRequest request;
  request.device = &device;
  request.device_name = "device.yml";
  const io::ElectrodeArrayConfig array = MakeElectrodes(system, request).value();
  ASSERT_EQ(array.electrodes.size(), 60u);
  const Extent extent = ExtentOf(system);
  double x = 0.0, y = 0.0;
  for (const io::Electrode& electrode : array.electrodes) {
    x += electrode.position_um[0] / 60;
    y += electrode.position_um[1] / 60;
    EXPECT_EQ(electrode.position_um[2], extent.Middle(2));
  }
  EXPECT_NEAR(x, extent.Middle(0), 1e-9);
  EXPECT_NEAR(y, extent.Middle(1), 1e-9);
}

TEST(MakeElectrodes, RefusesByPlace) {
  const System system = io::ReadSystem(kMini).value();
  ElectrodeRequest request;
  request.pitch_um = 1e-3;
  EXPECT_THAT(MakeElectrodes(system, request).status(),
              IsFieldError("pitch", "0.001", HasSubstr("at most 65536 electrodes")));
  Json rows = Yaml("[[7, 1]]");
  JsonView view(rows, "--coordinates");
  request.coordinates = &view;
  EXPECT_THAT(MakeElectrodes(system, request).status(),
              IsFileError("--coordinates", "[0]", _, "[id, x, y] or [id, x, y, z]"));
  rows = Yaml("[[7, 1, 2], [7, 3, 4]]");
  EXPECT_THAT(MakeElectrodes(system, request).status(),
              IsFieldError("electrode_coordinates[1][0]", _, "each id once"));
  const Json device = Yaml("{preset: mcs}");
  request.device = &device;
  request.device_name = "device.yml";
  EXPECT_THAT(MakeElectrodes(system, request).status(),
              IsFileError("device.yml", "preset", "\"mcs\"", "mcs_60, max_one, cl1"));
}

// --- fibres --------------------------------------------------------------------------------------

TEST(MakeFibers, PutsOneOverTheMiddleOrThoseThatAreGiven) {
  const System system = io::ReadSystem(kEi100).value();
  const Extent extent = ExtentOf(system);
  io::LightArrayConfig array = MakeFibers(system, {}).value();
  ASSERT_EQ(array.fibers.size(), 1u);
  EXPECT_THAT(array.fibers[0].position_um, ElementsAre(extent.Middle(0), extent.Middle(1), -100.0));
  EXPECT_EQ(array.wavelength_nm, 473.0);
  Json rows = Yaml("[[4, 1, 2], [2, 3, 4, 5]]");
  JsonView view(rows, "--coordinates");
  FiberRequest request;
  request.coordinates = &view;
  request.height_um = 20.0;
  request.optics.wavelength_nm = 561.0;
  array = MakeFibers(system, request).value();
  EXPECT_THAT(array.fibers[0].position_um, ElementsAre(1, 2, -20));
  EXPECT_THAT(array.fibers[1].position_um, ElementsAre(3, 4, 5));
  EXPECT_EQ(array.fibers[1].id, 2);
  EXPECT_EQ(array.wavelength_nm, 561.0);
  rows = Yaml("[[4, 1, 2], [4, 3, 4, 5]]");
  EXPECT_THAT(MakeFibers(system, request).status(),
              IsFieldError("fiber_coordinates[1][0]", _, "each id once"));
  rows = Yaml("[[4]]");
  EXPECT_THAT(MakeFibers(system, request).status(), IsFileError("--coordinates", "[0]", _, _));
}

// --- selections ----------------------------------------------------------------------------------

TEST(CheckSelectionName, TakesNamesOfFilesThatAreNoNumbers) {
  for (const char* name : {"e1", "left-half", "a.b", "_"})
    EXPECT_TRUE(CheckSelectionName(name).ok());
  for (const char* name : {"", "12", "0.5", "1e3", "inf", ".e1", "a/b", "a b", "a\n"}) {
    EXPECT_THAT(CheckSelectionName(name), IsFieldError("name", name, _)) << name;
  }
}

TEST(SelectCells, SaysWhatItTookAndWhatItKeeps) {
  const System system = io::ReadSystem(kEi100).value();
  const Json spec = Yaml("{cells: 0.5, method: random, seed: 4}");
  const NamedSelection selection = SelectCells(system, JsonView(spec, ""), {}).value();
  EXPECT_EQ(selection.gids.at("EXC").size(), 40u);
  EXPECT_EQ(selection.gids.at("INH").size(), 10u);
  const Json& meta = selection.document["meta"];
  EXPECT_EQ(meta["spec"], 0.5);
  EXPECT_EQ(meta["method"], "random");
  EXPECT_EQ(meta["seed"], 4);
  EXPECT_EQ(meta["counts"], Json({{"EXC", 40}, {"INH", 10}}));
  EXPECT_EQ(meta["graph"], system.graph_uuid);
  const io::SelectionDocument read =
      io::ParseSelectionDocument(JsonView(selection.document, "")).value();
  EXPECT_EQ(read.gids, selection.gids);
  EXPECT_EQ(read.graph_uuid, system.graph_uuid);
  uint64_t inputs = 0, kept = 0;
  const auto has = [&](uint32_t gid) {
    for (const auto& [name, gids] : selection.gids) {
      if (std::find(gids.begin(), gids.end(), gid) != gids.end()) return true;
    }
    return false;
  };
  for (const io::Projection& p : system.projections) {
    for (size_t e = 0; e < p.target_gid.size(); ++e) {
      inputs += has(p.target_gid[e]);
      kept += has(p.target_gid[e]) && has(p.source_gid[e]);
    }
  }
  EXPECT_EQ(selection.num_edges, kept);
  EXPECT_DOUBLE_EQ(selection.kept_inputs, static_cast<double>(kept) / inputs);
}

TEST(SelectCells, TakesSquaresAndSomePopulations) {
  const System system = io::ReadSystem(kEi100).value();
  const Json all = SquareSpec(system, 2000.0, std::nullopt);
  EXPECT_EQ(SelectCells(system, JsonView(all, ""), {})->kept_inputs, 1.0);
  const Json at = SquareSpec(system, 100.0, std::array<double, 2>{100.0, 200.0});
  EXPECT_EQ(at["bounds"], Json({{50.0, 150.0}, {150.0, 250.0}}));
  const NamedSelection some = SelectCells(system, JsonView(all, ""), {{"INH"}}).value();
  EXPECT_EQ(some.gids.size(), 1u);
  EXPECT_EQ(some.gids.at("INH").size(), 20u);
  EXPECT_EQ(some.document["meta"]["populations"], Json({"INH"}));
  EXPECT_THAT(SelectCells(system, JsonView(all, ""), {{"INHI"}}).status(),
              IsFieldError("populations[INHI]", kUnknownName, "EXC, INH"));
  const Json bad = Yaml("{EXC: [3, 99]}");
  EXPECT_THAT(SelectCells(system, JsonView(bad, ""), {}).status(),
              IsFieldError("cells[EXC][1]", "99", _));
}

// --- copies --------------------------------------------------------------------------------------

TEST(ExportSystem, CopiesWhatMakesUpASystemAndNothingElse) {
  const io::TemporaryFolder folder;
  const std::vector<ExportedFile> files = ExportSystem(kMini, folder.file("copy/")).value();
  for (const ExportedFile& file : files) {
    EXPECT_EQ(std::filesystem::file_size(absl::StrCat(kMini, "/", file.name)), file.num_bytes);
    EXPECT_EQ(std::filesystem::file_size(folder.file("copy/" + file.name)), file.num_bytes);
  }
  EXPECT_THAT(folder.AllEntries(), ElementsAre("copy", "copy/cells.h5", "copy/connections.h5",
                                               "copy/graph.json", "copy/mea.json", "copy/params",
                                               "copy/params/default.json", "copy/provenance.json"));
  EXPECT_EQ(io::ReadSystem(folder.file("copy"))->num_edges(), io::ReadSystem(kMini)->num_edges());
  ASSERT_TRUE(ExportSystem(kMini, folder.file("bare"), {true, nullptr}).ok());
  EXPECT_FALSE(std::filesystem::exists(folder.file("bare/params")));
  EXPECT_TRUE(std::filesystem::exists(folder.file("bare/mea.json")));
}

TEST(ExportSystem, LeavesNothingOfWhatFails) {
  const io::TemporaryFolder folder;
  const auto stop = [] { return true; };
  EXPECT_EQ(ExportSystem(kMini, folder.file("copy"), {false, stop}).status().code(),
            absl::StatusCode::kCancelled);
  EXPECT_EQ(ExportSystem(folder.file("none"), folder.file("copy")).status().code(),
            absl::StatusCode::kNotFound);
  std::ofstream(folder.file("taken")) << "mine";
  EXPECT_EQ(ExportSystem(kMini, folder.file("taken")).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(folder.AllEntries(), ElementsAre("taken"));
}

}  // namespace
}  // namespace livnd::lab
