// From a system on disk to the configuration of a culture: the wiring, the model's defaults and the
// system's params document.
#ifndef LIVND_IO_CULTURE_CULTURE_CONFIG_OF_H_
#define LIVND_IO_CULTURE_CULTURE_CONFIG_OF_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "io/neuroh5/system.h"
#include "sim/culture_config.h"

namespace livnd::io {

// livn's name of the model class, the key of a params document.
inline constexpr char kModelClass[] = "ReducedCalciumSomaDendrite";

// Populations, projections and receptors of a system, at graph weights and without noise. Edges
// whose syn_id has no site are dropped, as livn does; disabled receptors are left out.
// InvalidArgument names the system and what contradicts itself.
absl::StatusOr<sim::CultureConfig> CultureConfigOf(const System& system);

// Applies parameters by livn's keys: "weight-POST_PRE-SECTION-RECEPTOR-weight" (the prefix may be
// absent), "noise-NAME", "noise-POP-NAME". InvalidArgument for any other key. Weight and noise
// names themselves are checked by sim::Culture::Create.
absl::Status ApplyParams(const std::map<std::string, double>& params, sim::CultureConfig& config);

// The group "default" of params/default.json for this model; NotFound says what is missing.
absl::StatusOr<std::map<std::string, double>> DefaultParams(const System& system);

}  // namespace livnd::io

#endif  // LIVND_IO_CULTURE_CULTURE_CONFIG_OF_H_
