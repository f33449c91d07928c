// Sections of cells.
#ifndef LIVND_SERVER_WIRE_SITES_H_
#define LIVND_SERVER_WIRE_SITES_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "env/culture/culture_types.h"
#include "livnd/v1/culture.pb.h"

namespace livnd::server {

// INVALID_FIELD names the field below `field`. Whether there are such sections is the culture's to
// say.
absl::StatusOr<std::vector<env::Site>> ParseSites(absl::string_view field, const v1::Sites& sites);
void EncodeSites(const std::vector<env::Site>& sites, v1::Sites* message);

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_SITES_H_
