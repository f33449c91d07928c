// Where an encoding or decoding keeps what in its flat state.
#ifndef LIVND_IO_CODING_STATE_LAYOUT_H_
#define LIVND_IO_CODING_STATE_LAYOUT_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace livnd::io {

// Rows of numbers in a block. A row is of whole numbers within bounds, which may be used to count
// and to index, or of any numbers, which may not. All of them begin as 0.
class StateLayout {
 public:
  // Both return where the row begins. Sizes may be as large as 2^40: no memory is taken.
  size_t AddWhole(size_t size, double low, double high);
  size_t AddAny(size_t size);

  size_t size() const { return size_; }

  // Whether a block from outside can be one of this layout; the field error names "[i]".
  absl::Status Check(absl::Span<const double> state) const;

 private:
  struct Row {
    size_t begin;
    size_t size;
    double low;
    double high;
  };
  std::vector<Row> whole_;
  size_t size_ = 0;
};

}  // namespace livnd::io

#endif  // LIVND_IO_CODING_STATE_LAYOUT_H_
