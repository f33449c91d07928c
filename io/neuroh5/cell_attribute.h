// NeuroH5's ragged data by cell: /Populations/POP/NAMESPACE/ATTRIBUTE.

#ifndef LIVND_IO_NEUROH5_CELL_ATTRIBUTE_H_
#define LIVND_IO_NEUROH5_CELL_ATTRIBUTE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "io/neuroh5/hdf5_file.h"

namespace livnd::io {

// Where the values of each cell of a population are: cell c's are elements
// [begin[c], begin[c] + count[c]) of the attribute's value array. Cells that the file does not
// list have count 0.
struct CellRanges {
  std::vector<uint64_t> begin;
  std::vector<uint64_t> count;
  uint64_t num_values = 0;
};

// InvalidArgument unless the pointer array read from `inner` starts at 0, never falls and ends at
// `end`.
absl::Status CheckPointers(const Hdf5File& file, const std::string& inner,
                           const std::vector<int64_t>& pointers, uint64_t end);

// Reads "Cell Index" and "Attribute Pointer" of the attribute at `inner`. The caller checks that
// "Attribute Value" has num_values elements.
absl::StatusOr<CellRanges> ReadCellRanges(const Hdf5File& file, const std::string& inner,
                                          uint32_t num_cells);

// Values of an attribute in order of the cells; `inner` is the attribute's group.
struct IntegerAttribute {
  CellRanges ranges;
  std::vector<int64_t> values;
};
struct RealAttribute {
  CellRanges ranges;
  std::vector<double> values;
};
absl::StatusOr<IntegerAttribute> ReadIntegerAttribute(const Hdf5File& file,
                                                      const std::string& inner, uint32_t num_cells,
                                                      int64_t min, int64_t max);
absl::StatusOr<RealAttribute> ReadRealAttribute(const Hdf5File& file, const std::string& inner,
                                                uint32_t num_cells);

}  // namespace livnd::io

#endif  // LIVND_IO_NEUROH5_CELL_ATTRIBUTE_H_
