// From a system on disk to a culture that can be built: wiring, model and selection; parameters are
// applied to it (io/culture/params.h).
#ifndef LIVND_IO_CULTURE_CULTURE_SETUP_H_
#define LIVND_IO_CULTURE_CULTURE_SETUP_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "io/culture/selection.h"
#include "io/device/electrode_array_config.h"
#include "io/device/sampling_points.h"
#include "io/system/system.h"
#include "sim/culture/culture_config.h"

namespace livnd::io {

struct SetupOptions {
  std::optional<ModelDocument> model;      // instead of the system's model.json
  std::optional<SelectionSpec> selection;  // absent: all cells
};

// All that decides how a culture and its electrodes behave.
struct CultureSetup {
  std::string system;      // its name
  std::string params_key;  // livn's name of the model class, the key of params documents
  std::string selection;   // name of the stored selection, or empty
  std::vector<std::string> built_populations;  // those that the model builds
  sim::CultureConfig culture;
  DendriteOrientation orientation;
  std::optional<ElectrodeArrayConfig> electrode_array;

  // Whether the model builds cells of a population of this name.
  bool Builds(absl::string_view population) const;
  // Gids of the cells that are built, ascending.
  std::vector<int64_t> BuiltGids() const;
};

// At graph weights and without noise: parameters are not applied yet. Edges whose syn_id has no
// site are dropped, as livn does; disabled receptors are left out. Of a selected culture, edges
// from cells of built populations that are not selected are dropped, and a population of which no
// cell is selected becomes a set of event sources, as livn has it. Errors name the
// options' field ("selection.cells[EXC]", "model.kwargs.level") or the system's file and the place in
// it.
absl::StatusOr<CultureSetup> SetUpCulture(const System& system, const SetupOptions& options = {});

// sim::Culture::Create's error about what SetUpCulture made, in the same words.
absl::Status FaultOfSetup(const System& system, const SetupOptions& options,
                          const absl::Status& status);

}  // namespace livnd::io

#endif  // LIVND_IO_CULTURE_CULTURE_SETUP_H_
