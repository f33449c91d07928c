// Tensors to numbers and back: little-endian, as are the machines that livnd runs on.
#ifndef LIVND_SERVER_WIRE_TENSOR_H_
#define LIVND_SERVER_WIRE_TENSOR_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/status_macros.h"
#include "env/spec.h"
#include "livnd/v1/tensor.pb.h"
#include "server/wire/errors.h"

namespace livnd::server {

// --- wire to numbers -----------------------------------------------------------------------------

// OK if the tensor has this dtype, exactly this shape, and the bytes that they ask for.
absl::Status CheckTensor(absl::string_view field, const v1::Tensor& tensor, v1::DataType dtype,
                         absl::Span<const int64_t> shape);

// A BOOL [length] tensor, as bytes 0 and 1.
absl::StatusOr<std::vector<uint8_t>> ParseFlags(absl::string_view field, const v1::Tensor& tensor,
                                                int64_t length);

// The numbers of a tensor that has been checked.
template <typename T>
std::vector<T> Values(const v1::Tensor& tensor) {
  std::vector<T> values(tensor.data().size() / sizeof(T));
  if (!values.empty()) {  // which may have no memory at all
    std::memcpy(values.data(), tensor.data().data(), values.size() * sizeof(T));
  }
  return values;
}

// A tensor of one axis of any length, and of 8 bytes an element.
template <typename T>
absl::StatusOr<std::vector<T>> ParseVector(absl::string_view field, const v1::Tensor& tensor,
                                           v1::DataType dtype) {
  static_assert(sizeof(T) == 8);
  if (tensor.shape_size() != 1) {
    return InvalidField(absl::StrCat(field, ".shape"), absl::StrCat(tensor.shape_size(), " axes"),
                        "1 axis");
  }
  // Asked for by the bytes that are there, so that no length can be too large.
  const auto length = static_cast<int64_t>(tensor.data().size() / sizeof(T));
  LIVND_RETURN_IF_ERROR(CheckTensor(field, tensor, dtype, {length}));
  return Values<T>(tensor);
}

// --- numbers to wire -----------------------------------------------------------------------------

v1::DataType EncodeDType(env::DType dtype);

// [num_envs] or, with a spec's shape, [num_envs, shape...].
std::vector<int64_t> BatchShape(int num_envs, absl::Span<const int64_t> shape = {});

// Sets *tensor to C-order `values` of the given shape.
template <typename T>
void EncodeTensor(v1::DataType dtype, absl::Span<const int64_t> shape, absl::Span<const T> values,
                  v1::Tensor* tensor) {
  tensor->set_dtype(dtype);
  tensor->mutable_shape()->Clear();
  tensor->mutable_shape()->Add(shape.begin(), shape.end());
  tensor->mutable_data()->assign(reinterpret_cast<const char*>(values.data()),
                                 values.size() * sizeof(T));
}

inline void EncodeVector(const std::vector<double>& values, v1::Tensor* tensor) {
  EncodeTensor<double>(v1::DATA_TYPE_FLOAT64, {static_cast<int64_t>(values.size())}, values,
                       tensor);
}
inline void EncodeVector(const std::vector<int64_t>& values, v1::Tensor* tensor) {
  EncodeTensor<int64_t>(v1::DATA_TYPE_INT64, {static_cast<int64_t>(values.size())}, values, tensor);
}
inline void EncodeVector(const std::vector<uint64_t>& values, v1::Tensor* tensor) {
  EncodeTensor<uint64_t>(v1::DATA_TYPE_UINT64, {static_cast<int64_t>(values.size())}, values,
                         tensor);
}
inline void EncodeVector(const std::vector<uint8_t>& values, v1::Tensor* tensor) {
  EncodeTensor<uint8_t>(v1::DATA_TYPE_BOOL, {static_cast<int64_t>(values.size())}, values, tensor);
}

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_TENSOR_H_
