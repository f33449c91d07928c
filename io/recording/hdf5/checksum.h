// The checksums of HDF5 files.
#ifndef LIVND_IO_RECORDING_HDF5_CHECKSUM_H_
#define LIVND_IO_RECORDING_HDF5_CHECKSUM_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace livnd::io::hdf5 {

// Of metadata: Bob Jenkins' lookup3 (hashlittle, initial value 0; burtleburtle.net/bob/c/lookup3.c,
// public domain).
uint32_t Lookup3(absl::string_view bytes);

// Of chunks, filter 3: Fletcher's sums over big-endian words of 16 bits, each folded to 16 bits; an
// odd last byte is the high half of a word.
uint32_t Fletcher32(absl::string_view bytes);

}  // namespace livnd::io::hdf5

#endif  // LIVND_IO_RECORDING_HDF5_CHECKSUM_H_
