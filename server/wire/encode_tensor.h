// Numbers into tensors: little-endian, as are the machines that livnd runs on.
#ifndef LIVND_SERVER_WIRE_ENCODE_TENSOR_H_
#define LIVND_SERVER_WIRE_ENCODE_TENSOR_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "livnd/v1/tensor.pb.h"

namespace livnd::server {

// Sets *tensor to C-order `values` of the given shape.
template <typename T>
void EncodeTensor(v1::DType dtype, absl::Span<const int64_t> shape, absl::Span<const T> values,
                  v1::Tensor* tensor) {
  tensor->set_dtype(dtype);
  tensor->mutable_shape()->Clear();
  tensor->mutable_shape()->Add(shape.begin(), shape.end());
  tensor->mutable_data()->assign(reinterpret_cast<const char*>(values.data()),
                                 values.size() * sizeof(T));
}

inline void EncodeVector(const std::vector<double>& values, v1::Tensor* tensor) {
  EncodeTensor<double>(v1::DTYPE_FLOAT64, {static_cast<int64_t>(values.size())}, values, tensor);
}
inline void EncodeVector(const std::vector<int64_t>& values, v1::Tensor* tensor) {
  EncodeTensor<int64_t>(v1::DTYPE_INT64, {static_cast<int64_t>(values.size())}, values, tensor);
}
inline void EncodeVector(const std::vector<uint64_t>& values, v1::Tensor* tensor) {
  EncodeTensor<uint64_t>(v1::DTYPE_UINT64, {static_cast<int64_t>(values.size())}, values, tensor);
}
inline void EncodeVector(const std::vector<uint8_t>& values, v1::Tensor* tensor) {
  EncodeTensor<uint8_t>(v1::DTYPE_BOOL, {static_cast<int64_t>(values.size())}, values, tensor);
}

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_ENCODE_TENSOR_H_
