// From model.json to the configuration of a model.
#ifndef LIVND_IO_CULTURE_MODEL_OPTIONS_H_
#define LIVND_IO_CULTURE_MODEL_OPTIONS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "io/device/sampling_points.h"
#include "io/system/system.h"
#include "sim/culture/culture_config.h"

namespace livnd::io {

// The models that there are, as ModelDocument names them.
inline constexpr char kRcsdClass[] = "livn.models.rcsd.ReducedCalciumSomaDendrite";
inline constexpr char kGlifClass[] = "livn.models.glif.GLIF";
inline constexpr char kIzhikevichClass[] = "livn.models.izhikevich.Izhikevich";

struct ModelOptions {
  std::string params_key;  // livn's name of the class: the key of params documents
  sim::ModelConfig model;
  DendriteOrientation orientation;
  std::vector<std::string> built_populations;  // all others are event sources
};

// The model that a document names, with the arguments of livn 2.0.0's constructor; without a
// document livn's default, ReducedCalciumSomaDendrite as it is. The error names "cls" or
// "kwargs.NAME" of the document.
absl::StatusOr<ModelOptions> ResolveModel(const std::optional<ModelDocument>& document);

}  // namespace livnd::io

#endif  // LIVND_IO_CULTURE_MODEL_OPTIONS_H_
