// The part of `livnd inspect` that shows what the documents of a system come to.
#ifndef LIVND_SERVER_COMMANDS_INSPECT_CULTURE_H_
#define LIVND_SERVER_COMMANDS_INSPECT_CULTURE_H_

#include <string>

#include "absl/status/statusor.h"
#include "io/system/system.h"
#include "nlohmann/json.hpp"

namespace livnd::server {

// Texts of the flags; empty means that the flag is absent.
struct CultureFlags {
  std::string selection;  // a name, or JSON (io/culture/selection.h)
  std::string model;      // JSON as in model.json
  std::string group;      // of the params document; "none": parameters are not applied
  std::string set;        // JSON {key: number or [numbers]}, applied after those

  bool empty() const { return selection.empty() && model.empty() && group.empty() && set.empty(); }
};

// {"model", "params_from", "gids": {population: [gid]}, "synapses": {"POST_PRE-SECTION-RECEPTOR":
// numbers}, "noise": {population: numbers} or null, "cells": {key: [a number a cell, null where a
// cell lacks it]}, "electrodes", "accepted": [key]}. The culture has been made, so all parameters
// are sound. Errors name the flag or the file, and the place in it.
absl::StatusOr<nlohmann::ordered_json> DescribeCulture(const io::System& system,
                                                       const CultureFlags& flags);

// The same as text.
std::string CultureText(const nlohmann::ordered_json& culture);

// {"model", "params", "selections"} of the folder, as far as there are any.
nlohmann::ordered_json DescribeDocuments(const io::System& system);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_INSPECT_CULTURE_H_
