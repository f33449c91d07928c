#include "server/commands/lightarray.h"

#include <cstdio>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/device/light_array_json.h"
#include "io/json/json_view.h"
#include "io/neuroh5/read_system.h"
#include "io/system/system.h"
#include "lab/folder/document_file.h"
#include "lab/folder/fibers.h"
#include "server/commands/flag_value.h"
#include "server/commands/flags.h"
#include "server/commands/interrupt.h"
#include "server/commands/json_line.h"

namespace livnd::server {
namespace {

using io::Json;

struct Settings {
  std::string coordinates;
  std::optional<double> height_um, numerical_aperture, radius_um, wavelength_nm, scattering_per_mm;
  bool overwrite = false, json = false;
};

FlagSet MakeFlags(Settings& settings) {
  FlagSet flags(
      "livnd lightarray SYSTEM [--coordinates ROWS] [--height UM]",
      "Gives a system optical fibres: writes SYSTEM/lightarray.json, which livnd and livn read\n"
      "with it. Without coordinates it is one fibre over the middle of the culture. Lengths\n"
      "are um.");
  flags.String("coordinates", "ROWS",
               "tips of fibres: '[[id, x, y, z], ...]'; without z at the height",
               &settings.coordinates);
  flags.Number("height", "UM", "of tips without a z: they lie at z = -UM (default: 100)", -1e7, 1e7,
               &settings.height_um);
  flags.Number("wavelength", "NM", "of the light (default: 473)", 1, 1e6, &settings.wavelength_nm);
  flags.Number("numerical-aperture", "NA", "of the fibres (default: 0.37)", 1e-6, io::kTissueIndex,
               &settings.numerical_aperture);
  flags.Number("radius", "UM", "of the fibres (default: 100)", 1e-6, 1e6, &settings.radius_um);
  flags.Number("scattering", "PER_MM", "of the tissue (default: 11.2)", 0, 1e6,
               &settings.scattering_per_mm);
  flags.Switch("overwrite", "in place of the fibres that the system has", &settings.overwrite);
  flags.Switch("json", "print one JSON object", &settings.json);
  return flags;
}

absl::StatusOr<io::LightArrayConfig> Fibers(const io::System& system, const Settings& settings) {
  lab::FiberRequest request;
  io::LightArrayConfig& optics = request.optics;
  request.height_um = settings.height_um.value_or(request.height_um);
  optics.wavelength_nm = settings.wavelength_nm.value_or(optics.wavelength_nm);
  optics.numerical_aperture = settings.numerical_aperture.value_or(optics.numerical_aperture);
  optics.fiber_radius_um = settings.radius_um.value_or(optics.fiber_radius_um);
  optics.scattering_per_mm = settings.scattering_per_mm.value_or(optics.scattering_per_mm);
  Json rows;
  std::optional<io::JsonView> view;
  if (!settings.coordinates.empty()) {
    LIVND_ASSIGN_OR_RETURN(rows, FlagValue("coordinates", settings.coordinates));
    request.coordinates = &view.emplace(rows, "--coordinates");
  }
  return lab::MakeFibers(system, request);
}

absl::Status Run(const std::string& directory, const Settings& settings) {
  LIVND_ASSIGN_OR_RETURN(const io::System system, io::ReadSystem(directory));
  LIVND_ASSIGN_OR_RETURN(const io::LightArrayConfig array, Fibers(system, settings));
  const std::string path = absl::StrCat(directory, "/lightarray.json");
  const Json document = io::LightArrayToJson(array);
  LIVND_RETURN_IF_ERROR(lab::WriteDocument(document, path, {settings.overwrite, Interrupted}));
  if (settings.json) {
    Json told = {{"file", path}, {"fibers", array.fibers.size()}};
    told.update(document);
    std::printf("%s\n", JsonLine(told).c_str());
    return absl::OkStatus();
  }
  const io::Fiber &first = array.fibers.front(), &last = array.fibers.back();
  std::printf("%s: %zu fibre%s of %g nm, from %d at (%g, %g, %g) to %d at (%g, %g, %g) um\n",
              path.c_str(), array.fibers.size(), array.fibers.size() == 1 ? "" : "s",
              array.wavelength_nm, first.id, first.position_um[0], first.position_um[1],
              first.position_um[2], last.id, last.position_um[0], last.position_um[1],
              last.position_um[2]);
  return absl::OkStatus();
}

}  // namespace

int LightArrayCommand(absl::Span<const std::string> args) {
  Settings settings;
  const FlagSet flags = MakeFlags(settings);
  int exit_status = kExitOk;
  const std::optional<std::string> directory =
      OnlyArgument(flags, args, "lightarray", "expected one system", &exit_status);
  if (!directory.has_value()) return exit_status;
  StopOnSignals();
  const absl::Status status = Run(*directory, settings);
  if (status.ok()) return kExitOk;
  std::fprintf(stderr, "livnd lightarray: %s\n", std::string(status.message()).c_str());
  return kExitFailure;
}

}  // namespace livnd::server
