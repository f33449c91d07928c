// The numbers that go into environments and come out of them.
#ifndef LIVND_ENV_TENSOR_BATCH_H_
#define LIVND_ENV_TENSOR_BATCH_H_

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "absl/types/span.h"
#include "env/spec.h"

namespace livnd::env {

template <typename T>
constexpr DType DTypeOf() {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double> ||
                std::is_same_v<T, int64_t>);
  return std::is_same_v<T, float>    ? DType::kFloat32
         : std::is_same_v<T, double> ? DType::kFloat64
                                     : DType::kInt64;
}

// One tensor for each of a list of specs, all copies: [num_copies, shape...] in C order, in the
// machine's own byte order. Starts as zeros and never grows. Thread-compatible; several threads may
// write to it, each to copies of its own.
class TensorBatch {
 public:
  TensorBatch() = default;
  TensorBatch(absl::Span<const TensorSpec> specs, int num_copies) {
    for (const TensorSpec& spec : specs) {
      const auto bytes = static_cast<size_t>(spec.num_elements() * BytesOf(spec.dtype));
      tensors_.push_back({spec.dtype, static_cast<size_t>(spec.num_elements()),
                          std::vector<uint8_t>(bytes * static_cast<size_t>(num_copies))});
    }
  }

  int num_tensors() const { return static_cast<int>(tensors_.size()); }
  absl::Span<const uint8_t> data(int tensor) const { return At(tensor).data; }
  absl::Span<uint8_t> data(int tensor) {
    return absl::MakeSpan(tensors_[static_cast<size_t>(tensor)].data);
  }

  // The elements of one copy, or of all. T is the spec's dtype.
  template <typename T>
  absl::Span<const T> of(int tensor, int copy) const {
    return all<T>(tensor).subspan(static_cast<size_t>(copy) * At(tensor).size, At(tensor).size);
  }
  template <typename T>
  absl::Span<T> of(int tensor, int copy) {
    const absl::Span<const T> elements = static_cast<const TensorBatch&>(*this).of<T>(tensor, copy);
    return {const_cast<T*>(elements.data()), elements.size()};
  }
  template <typename T>
  absl::Span<const T> all(int tensor) const {
    const Tensor& t = At(tensor);
    assert(t.dtype == DTypeOf<T>());
    return {reinterpret_cast<const T*>(t.data.data()), t.data.size() / sizeof(T)};
  }

  // Becomes, in one copy, what a batch of the same specs holds of it.
  void TakeCopy(int copy, const TensorBatch& from) {
    for (size_t t = 0; t < tensors_.size(); ++t) {
      const size_t bytes = tensors_[t].bytes_of_copy();
      const size_t first = static_cast<size_t>(copy) * bytes;
      std::memcpy(tensors_[t].data.data() + first, from.tensors_[t].data.data() + first, bytes);
    }
  }
  // One copy's elements of each tensor, and back into any copy that they fit.
  std::vector<std::vector<uint8_t>> SaveCopy(int copy) const {
    std::vector<std::vector<uint8_t>> out;
    for (const Tensor& t : tensors_) {
      const auto begin = t.data.begin() + static_cast<int64_t>(t.bytes_of_copy()) * copy;
      out.emplace_back(begin, begin + static_cast<int64_t>(t.bytes_of_copy()));
    }
    return out;
  }
  bool Fits(const std::vector<std::vector<uint8_t>>& elements) const {
    bool fits = elements.size() == tensors_.size();
    for (size_t i = 0; fits && i < elements.size(); ++i) {
      fits = elements[i].size() == tensors_[i].bytes_of_copy();
    }
    return fits;
  }
  void LoadCopy(int copy, const std::vector<std::vector<uint8_t>>& elements) {
    for (size_t i = 0; i < tensors_.size(); ++i) {
      Tensor& t = tensors_[i];
      std::copy(elements[i].begin(), elements[i].end(),
                t.data.begin() + static_cast<int64_t>(t.bytes_of_copy()) * copy);
    }
  }

  friend bool operator==(const TensorBatch& a, const TensorBatch& b) {
    return a.tensors_ == b.tensors_;
  }
  friend bool operator!=(const TensorBatch& a, const TensorBatch& b) { return !(a == b); }

 private:
  struct Tensor {
    DType dtype;
    size_t size;  // elements of a copy
    std::vector<uint8_t> data;

    size_t bytes_of_copy() const { return size * static_cast<size_t>(BytesOf(dtype)); }
    friend bool operator==(const Tensor& a, const Tensor& b) {
      return a.dtype == b.dtype && a.size == b.size && a.data == b.data;
    }
  };
  const Tensor& At(int tensor) const { return tensors_[static_cast<size_t>(tensor)]; }

  std::vector<Tensor> tensors_;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_TENSOR_BATCH_H_
