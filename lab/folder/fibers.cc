#include "lab/folder/fibers.h"

#include <cstdint>
#include <vector>

#include "base/status_macros.h"
#include "lab/folder/electrodes.h"

namespace livnd::lab {

using io::JsonView;

absl::StatusOr<io::LightArrayConfig> MakeFibers(const io::System& system,
                                                const FiberRequest& request) {
  io::LightArrayConfig array = request.optics;
  array.fibers.clear();
  const double z_um = -request.height_um;
  if (request.coordinates == nullptr) {
    const Extent extent = ExtentOf(system);
    array.fibers.push_back({0, {extent.Middle(0), extent.Middle(1), z_um}});
  } else {
    LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> rows, request.coordinates->Elements());
    for (const JsonView& row : rows) {
      LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> values, row.Elements());
      if (values.size() != 3 && values.size() != 4) {
        return row.Refused("[id, x, y] or [id, x, y, z]");
      }
      LIVND_ASSIGN_OR_RETURN(const int64_t id, values[0].Integer(INT32_MIN, INT32_MAX));
      io::Fiber& fiber = array.fibers.emplace_back();
      fiber = {static_cast<int32_t>(id), {0.0, 0.0, z_um}};
      for (size_t axis = 0; axis + 1 < values.size(); ++axis) {
        LIVND_ASSIGN_OR_RETURN(fiber.position_um[axis], values[axis + 1].Number());
      }
    }
  }
  LIVND_RETURN_IF_ERROR(array.Validate());
  return array;
}

}  // namespace livnd::lab
