#include "sim/culture/config_fields.h"

#include <cmath>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"

namespace livnd::sim {

std::string FieldAt(absl::string_view map, absl::string_view key) {
  return absl::StrCat(map, "[", key, "]");
}

std::string FieldOf(const ProjectionConfig& projection) {
  return FieldAt("projections", absl::StrCat(projection.post, "<-", projection.pre));
}

absl::Status AtKeyOf(absl::string_view map, const absl::Status& status) {
  std::optional<FieldError> error = FieldErrorOf(status);
  if (!error.has_value()) return status;
  error->field = FieldAt(map, error->field);
  return WithFieldError(*error, status);
}

absl::Status NotBuilt(absl::string_view map, absl::string_view population) {
  return MakeFieldError(FieldAt(map, population), kUnknownName, "populations that are built");
}

absl::Status CellNotBuilt(absl::string_view map, int64_t gid) {
  return MakeFieldError(FieldAt(map, absl::StrCat(gid)), kUnknownName, "gids of built cells");
}

absl::Status CheckEdge(const ProjectionConfig& projection, const Edge& edge, bool between_cells) {
  const auto bad = [&](absl::string_view name, double value, absl::string_view accepted) {
    return MakeFieldError(
        absl::StrCat(FieldOf(projection), ".edges.", name),
        absl::StrCat(Exact(value), " (from gid ", edge.source_gid, " to ", edge.target_gid, ")"),
        accepted);
  };
  if (!between_cells) {
    return MakeFieldError(absl::StrCat(FieldOf(projection), ".edges"),
                          absl::StrCat("from gid ", edge.source_gid, " to ", edge.target_gid),
                          "edges from cells or event sources to built cells");
  }
  if (!(edge.distance_um >= 0.0 && edge.distance_um <= 1e7)) {
    return bad("distance_um", edge.distance_um, "a number from 0 to 1e7 (um)");
  }
  if (!std::isfinite(edge.location)) return bad("location", edge.location, "a finite number");
  if (!(edge.weight >= 0.0 && edge.weight <= 1e9)) {
    return bad("weight", edge.weight, "a number from 0 to 1e9");
  }
  return absl::OkStatus();
}

}  // namespace livnd::sim
