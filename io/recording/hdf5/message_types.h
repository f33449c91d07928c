// What encoding and decoding of HDF5's metadata share.
#ifndef LIVND_IO_RECORDING_HDF5_MESSAGE_TYPES_H_
#define LIVND_IO_RECORDING_HDF5_MESSAGE_TYPES_H_

#include <string>

#include "absl/strings/string_view.h"
#include "io/recording/stream.h"

namespace livnd::io::hdf5 {

// Header messages (specification IV.A.2).
enum Message : int {
  kDataspace = 0x01,
  kLinkInfo = 0x02,
  kDatatype = 0x03,
  kFillValue = 0x05,
  kLink = 0x06,
  kLayout = 0x08,
  kGroupInfo = 0x0a,
  kFilters = 0x0b,
  kAttribute = 0x0c,
};

inline constexpr absl::string_view kSignature("\x89HDF\r\n\x1a\n", 8);
inline constexpr absl::string_view kHeaderSignature = "OHDR";
inline constexpr absl::string_view kNodeSignature = "TREE";

// Filters that HDF5 knows by number.
enum Filter : int { kDeflate = 1, kShuffle = 2, kFletcher32 = 3 };

// The datatype message of a number; it says all of itself, so decoding compares.
std::string EncodeElementType(ElementType type);

// Attribute of a data set with the units of its columns.
inline constexpr absl::string_view kUnits = "units";

}  // namespace livnd::io::hdf5

#endif  // LIVND_IO_RECORDING_HDF5_MESSAGE_TYPES_H_
