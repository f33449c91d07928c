// Sections of cells as callers name them.
#ifndef LIVND_ENV_CULTURE_SITES_H_
#define LIVND_ENV_CULTURE_SITES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "env/culture/culture_types.h"
#include "sim/culture/culture.h"

namespace livnd::env {

// Sections of a built cell, in order: "soma", "dend" if there is one, "ais0" .. "ais4". Empty if
// the gid is not a built cell.
std::vector<std::string> SectionNames(const sim::Culture& culture, int64_t gid);

// A field error about field.gid or field.section unless the culture has built the cell and it has the section.
absl::Status CheckSite(absl::string_view field, const Site& site, const sim::Culture& culture);

}  // namespace livnd::env

#endif  // LIVND_ENV_CULTURE_SITES_H_
