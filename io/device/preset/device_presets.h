// Arrays that people own: where their electrodes are, how these are numbered, and what they may be asked for.
//
// Electrodes lie in a plane around a centre, um; columns go along x and rows along y. Numbers that the sources named
// in device_presets.cc do not give are not there.
#ifndef LIVND_IO_DEVICE_PRESET_DEVICE_PRESETS_H_
#define LIVND_IO_DEVICE_PRESET_DEVICE_PRESETS_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "io/device/electrode_array_config.h"
#include "io/device/preset/stimulation_limits.h"

namespace livnd::io {

struct Device {
  ElectrodeArrayConfig array;
  StimulationLimits limits;

  // A field error: of either, or of a record-only id that the array lacks.
  absl::Status Validate() const;
};

using PlanePoint = std::array<double, 3>;  // x, y, z in um

// 60MEA200/30 of Multi Channel Systems with titanium nitride electrodes: 8 x 8 without its corners, 200 um apart.
// An id is COLUMN ROW, as "23" is the third row of the second column: 12 .. 17, 21 .. 28, ..., 82 .. 87, by column.
// Where 15 is the reference, leave it out of plans.
Device Mcs60(const PlanePoint& center_um);

// A high-density array like MaxOne of MaxWell Biosystems: 220 x 120 electrodes 17.5 um apart, of which at most 1024
// are routed to channels.
inline constexpr int kMaxOneColumns = 220, kMaxOneRows = 120, kMaxOneChannels = 1024;
inline constexpr int32_t MaxOneId(int column, int row) { return row * kMaxOneColumns + column; }

// A rectangle of every `stride`-th electrode.
struct MaxOneBlock {
  int first_column = 0, first_row = 0;
  int num_columns = 32, num_rows = 32;
  int stride = 1;
};
// Field errors: the block leaves the array or has more electrodes than channels.
absl::StatusOr<std::vector<int32_t>> MaxOneIds(const MaxOneBlock& block);

// Channels in the order of `routed`. A field error: no id, too many, an unknown one or one twice.
absl::StatusOr<Device> MaxOne(const PlanePoint& center_um, absl::Span<const int32_t> routed);

// The 64 channels of a Cortical Labs CL1: 8 x 8, numbered down the columns, five of which take no current. The pitch
// is not published: 200 um is that of other arrays of this kind, and yours may be another.
Device Cl1(const PlanePoint& center_um, double pitch_um = 200.0);

}  // namespace livnd::io

#endif  // LIVND_IO_DEVICE_PRESET_DEVICE_PRESETS_H_
