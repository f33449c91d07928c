// Where electrodes and fibres may be.
#ifndef LIVND_IO_DEVICE_POSITION_H_
#define LIVND_IO_DEVICE_POSITION_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace livnd::io {

// From the origin on each axis: a km, so that squares of distances are far from overflow and nm are told apart.
inline constexpr double kMaxPositionUm = 1e9;

// A field error unless a coordinate is a number within the bound.
absl::Status CheckPosition(absl::string_view field, double coordinate_um);

}  // namespace livnd::io

#endif  // LIVND_IO_DEVICE_POSITION_H_
