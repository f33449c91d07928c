#include "server/commands/mea.h"

#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/device/electrode_array_json.h"
#include "io/json/json_view.h"
#include "io/json/yaml.h"
#include "io/neuroh5/read_system.h"
#include "io/system/summary.h"
#include "io/system/system.h"
#include "lab/folder/document_file.h"
#include "lab/folder/electrodes.h"
#include "server/commands/flag_value.h"
#include "server/commands/flags.h"
#include "server/commands/interrupt.h"
#include "server/commands/json_line.h"

namespace livnd::server {
namespace {

using io::Json;
using io::JsonView;

constexpr double kMaxUm = 1e7;

struct Settings {
  std::optional<double> pitch_um, z_um, input_radius_um, output_radius_um;
  std::string coordinates, preset, center, block, routed, device;
  bool overwrite = false, json = false;
};

FlagSet MakeFlags(Settings& settings) {
  FlagSet flags(
      "livnd mea SYSTEM [--pitch UM | --coordinates ROWS | --preset NAME | --device FILE]",
      "Gives a system electrodes: writes SYSTEM/mea.json, which livnd and livn read with it.\n"
      "Without a wish: on a plane the largest grid 50 um apart with a power of two of electrodes\n"
      "a side, in the middle; for a system of layers 4 x 4 electrodes 1 mm apart, as livn does.\n"
      "Lengths are um. docs/generating.md tells more.");
  flags.Number("pitch", "UM", "distance between electrodes of the grid; of the preset cl1, too",
               1e-3, kMaxUm, &settings.pitch_um);
  flags.String("coordinates", "ROWS",
               "electrodes one by one: '[[id, x, y, z], ...]'; without z in the middle",
               &settings.coordinates);
  flags.String("preset", "NAME", "an array that people own: mcs_60, max_one, cl1",
               &settings.preset);
  flags.String("center", "X,Y[,Z]", "where the middle of a preset lies (default: of the system)",
               &settings.center);
  flags.String("block", "COLUMN,ROW,COLUMNS,ROWS[,STRIDE]",
               "of max_one: which electrodes have channels", &settings.block);
  flags.String("routed", "IDS", "of max_one, in place of a block: '110, 111'", &settings.routed);
  flags.String(
      "device", "FILE",
      "a device as docs/stimuli-and-devices.md has it; its limits are no matter of mea.json",
      &settings.device);
  flags.Number("z", "UM", "height of electrodes that have none (default: the middle of the layers)",
               -kMaxUm, kMaxUm, &settings.z_um);
  flags.Number("input-radius", "UM", "reach of stimulation, which is noted and not applied", 0,
               kMaxUm, &settings.input_radius_um);
  flags.Number("output-radius", "UM",
               "cells so near are heard (default: 80; of presets and of 4 x 4 electrodes 250)", 0,
               kMaxUm, &settings.output_radius_um);
  flags.Switch("overwrite", "in place of the electrodes that the system has", &settings.overwrite);
  flags.Switch("json", "print one JSON object", &settings.json);
  return flags;
}

// One of the ways to say which electrodes, at most.
absl::Status CheckWays(const Settings& settings) {
  const std::pair<const char*, bool> ways[] = {
      {"--coordinates", !settings.coordinates.empty()},
      {"--preset", !settings.preset.empty()},
      {"--device", !settings.device.empty()},
      {"--pitch", settings.pitch_um.has_value() && settings.preset.empty()}};
  const char* first = nullptr;
  for (const auto& [name, given] : ways) {
    if (!given) continue;
    if (first != nullptr) {
      return MakeFieldError(name, absl::StrCat("beside ", first), "one of the two");
    }
    first = name;
  }
  const std::pair<const char*, const std::string*> of_presets[] = {
      {"--center", &settings.center}, {"--block", &settings.block}, {"--routed", &settings.routed}};
  for (const auto& [name, value] : of_presets) {
    if (!value->empty() && settings.preset.empty()) {
      return MakeFieldError(name, *value, "nothing without --preset");
    }
  }
  return absl::OkStatus();
}

// The preset as a device's text has it.
absl::StatusOr<Json> PresetOf(const Settings& settings, const lab::Extent& extent) {
  Json device = {{"preset", settings.preset}};
  if (settings.pitch_um.has_value()) device["pitch_um"] = *settings.pitch_um;
  if (!settings.center.empty()) {
    LIVND_ASSIGN_OR_RETURN(Json center, FlagList("center", settings.center));
    const JsonView view(center, "--center");
    LIVND_ASSIGN_OR_RETURN(const std::vector<double> numbers, view.Numbers());
    if (numbers.size() != 2 && numbers.size() != 3) return view.Refused("X,Y or X,Y,Z (um)");
    if (numbers.size() == 2) center.push_back(settings.z_um.value_or(extent.Middle(2)));
    device["center_um"] = std::move(center);
  }
  if (!settings.routed.empty()) {
    LIVND_ASSIGN_OR_RETURN(device["routed"], FlagList("routed", settings.routed));
  }
  if (!settings.block.empty()) {
    LIVND_ASSIGN_OR_RETURN(const Json block, FlagList("block", settings.block));
    const JsonView view(block, "--block");
    LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> numbers, view.Elements());
    if (numbers.size() != 4 && numbers.size() != 5) {
      return view.Refused("COLUMN,ROW,COLUMNS,ROWS or with ,STRIDE");
    }
    constexpr const char* kNames[] = {"first_column", "first_row", "num_columns", "num_rows",
                                      "stride"};
    for (size_t i = 0; i < numbers.size(); ++i) device["block"][kNames[i]] = numbers[i].json();
  }
  return device;
}

absl::StatusOr<io::ElectrodeArrayConfig> Electrodes(const io::System& system,
                                                    const Settings& settings) {
  lab::ElectrodeRequest request;
  request.z_um = settings.z_um;
  request.input_radius_um = settings.input_radius_um;
  request.output_radius_um = settings.output_radius_um;
  Json device, rows;
  std::optional<JsonView> view;
  if (!settings.coordinates.empty()) {
    LIVND_ASSIGN_OR_RETURN(rows, FlagValue("coordinates", settings.coordinates));
    request.coordinates = &view.emplace(rows, "--coordinates");
  } else if (!settings.preset.empty()) {
    LIVND_ASSIGN_OR_RETURN(device, PresetOf(settings, lab::ExtentOf(system)));
    request.device = &device;
    request.device_name = "--preset";
  } else if (!settings.device.empty()) {
    LIVND_ASSIGN_OR_RETURN(device, io::ReadYamlFile(settings.device));
    request.device = &device;
    request.device_name = settings.device;
  } else {
    request.pitch_um = settings.pitch_um;
  }
  return lab::MakeElectrodes(system, request);
}

Json Row(const io::Electrode& electrode) {
  const auto& place = electrode.position_um;
  return {electrode.id, place[0], place[1], place[2]};
}

absl::Status Run(const std::string& directory, const Settings& settings) {
  LIVND_RETURN_IF_ERROR(CheckWays(settings));
  LIVND_ASSIGN_OR_RETURN(const io::System system, io::ReadSystem(directory));
  LIVND_ASSIGN_OR_RETURN(const io::ElectrodeArrayConfig array, Electrodes(system, settings));
  LIVND_ASSIGN_OR_RETURN(const io::ElectrodeSummary heard, io::Summarize(system, array));
  const std::string path = absl::StrCat(directory, "/mea.json");
  LIVND_RETURN_IF_ERROR(
      lab::WriteDocument(io::ElectrodeArrayToJson(array), path, {settings.overwrite, Interrupted}));
  const io::Electrode &first = array.electrodes.front(), &last = array.electrodes.back();
  if (settings.json) {
    std::printf(
        "%s\n",
        JsonLine(
            {{"file", path},
             {"electrodes", array.electrodes.size()},
             {"first", Row(first)},
             {"last", Row(last)},
             {"input_radius", array.input_radius_um},
             {"output_radius", array.output_radius_um},
             {"cells_heard",
              {{"min", heard.cells.min}, {"mean", heard.cells.mean()}, {"max", heard.cells.max}}},
             {"without_cells", heard.ids_without_cells}})
            .c_str());
    return absl::OkStatus();
  }
  std::printf("%s: %zu electrodes, from %d at (%g, %g, %g) to %d at (%g, %g, %g) um\n",
              path.c_str(), array.electrodes.size(), first.id, first.position_um[0],
              first.position_um[1], first.position_um[2], last.id, last.position_um[0],
              last.position_um[1], last.position_um[2]);
  std::printf("  each hears %.1f cells on average (%.0f .. %.0f) within %g um; %zu hear none\n",
              heard.cells.mean(), heard.cells.min, heard.cells.max, array.output_radius_um,
              heard.ids_without_cells.size());
  return absl::OkStatus();
}

}  // namespace

int MeaCommand(absl::Span<const std::string> args) {
  Settings settings;
  const FlagSet flags = MakeFlags(settings);
  int exit_status = kExitOk;
  const std::optional<std::string> directory =
      OnlyArgument(flags, args, "mea", "expected one system", &exit_status);
  if (!directory.has_value()) return exit_status;
  StopOnSignals();
  const absl::Status status = Run(*directory, settings);
  if (status.ok()) return kExitOk;
  std::fprintf(stderr, "livnd mea: %s\n", std::string(status.message()).c_str());
  return kExitFailure;
}

}  // namespace livnd::server
