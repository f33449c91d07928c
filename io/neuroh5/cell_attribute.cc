#include "io/neuroh5/cell_attribute.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace livnd::io {
namespace {

constexpr int64_t kAnyPointer = std::numeric_limits<int64_t>::max();

absl::Status CheckNumValues(const Hdf5File& file, const std::string& inner, size_t found,
                            const CellRanges& ranges) {
  if (found == ranges.num_values) return absl::OkStatus();
  return file.Invalid(inner + "/Attribute Value",
                      absl::StrCat("found ", found, " elements, expected ", ranges.num_values,
                                   " as Attribute Pointer says"));
}

}  // namespace

absl::Status CheckPointers(const Hdf5File& file, const std::string& inner,
                           const std::vector<int64_t>& pointers, uint64_t end) {
  if (pointers.empty() || pointers.front() != 0) {
    return file.Invalid(inner, "does not start with 0");
  }
  for (size_t i = 1; i < pointers.size(); ++i) {
    if (pointers[i] < pointers[i - 1]) {
      return file.Invalid(inner,
                          absl::StrCat("element ", i, " is ", pointers[i], ", expected at least ",
                                       pointers[i - 1], " like the one before"));
    }
  }
  if (static_cast<uint64_t>(pointers.back()) != end) {
    return file.Invalid(inner,
                        absl::StrCat("the last element is ", pointers.back(), ", expected ", end));
  }
  return absl::OkStatus();
}

absl::StatusOr<CellRanges> ReadCellRanges(const Hdf5File& file, const std::string& inner,
                                          uint32_t num_cells) {
  const std::string index_path = inner + "/Cell Index";
  const std::string pointer_path = inner + "/Attribute Pointer";
  LIVND_ASSIGN_OR_RETURN(const std::vector<int64_t> cells,
                         file.ReadIntegers(index_path, 0, int64_t{num_cells} - 1));
  LIVND_ASSIGN_OR_RETURN(const std::vector<int64_t> pointers,
                         file.ReadIntegers(pointer_path, 0, kAnyPointer));
  CellRanges ranges;
  ranges.begin.resize(num_cells);
  ranges.count.resize(num_cells);
  if (cells.empty() && pointers.empty()) return ranges;
  if (pointers.size() != cells.size() + 1) {
    return file.Invalid(pointer_path,
                        absl::StrCat("found ", pointers.size(), " elements, expected ",
                                     cells.size() + 1, ", one more than Cell Index"));
  }
  LIVND_RETURN_IF_ERROR(CheckPointers(file, pointer_path, pointers, pointers.back()));
  ranges.num_values = pointers.back();
  std::vector<bool> seen(num_cells);
  for (size_t i = 0; i < cells.size(); ++i) {
    if (seen[cells[i]]) {
      return file.Invalid(index_path, absl::StrCat("lists cell ", cells[i], " twice"));
    }
    seen[cells[i]] = true;
    ranges.begin[cells[i]] = pointers[i];
    ranges.count[cells[i]] = pointers[i + 1] - pointers[i];
  }
  return ranges;
}

absl::StatusOr<IntegerAttribute> ReadIntegerAttribute(const Hdf5File& file,
                                                      const std::string& inner, uint32_t num_cells,
                                                      int64_t min, int64_t max) {
  IntegerAttribute attribute;
  LIVND_ASSIGN_OR_RETURN(attribute.ranges, ReadCellRanges(file, inner, num_cells));
  LIVND_ASSIGN_OR_RETURN(attribute.values, file.ReadIntegers(inner + "/Attribute Value", min, max));
  LIVND_RETURN_IF_ERROR(CheckNumValues(file, inner, attribute.values.size(), attribute.ranges));
  return attribute;
}

absl::StatusOr<RealAttribute> ReadRealAttribute(const Hdf5File& file, const std::string& inner,
                                                uint32_t num_cells) {
  RealAttribute attribute;
  LIVND_ASSIGN_OR_RETURN(attribute.ranges, ReadCellRanges(file, inner, num_cells));
  LIVND_ASSIGN_OR_RETURN(attribute.values, file.ReadReals(inner + "/Attribute Value"));
  LIVND_RETURN_IF_ERROR(CheckNumValues(file, inner, attribute.values.size(), attribute.ranges));
  return attribute;
}

}  // namespace livnd::io
