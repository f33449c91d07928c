// Numbers into the protocol's tensors and back. Tensors are little-endian, as are the machines that
// this library runs on.
#ifndef LIVND_CLIENTS_CPP_TENSOR_H_
#define LIVND_CLIENTS_CPP_TENSOR_H_

#include <cstdint>
#include <cstring>
#include <vector>

#include "livnd/v1/tensor.pb.h"

namespace livnd::client {

// The dtype of a tensor of T.
template <typename T>
inline constexpr v1::DataType kDType = v1::DATA_TYPE_UNSPECIFIED;
template <>
inline constexpr v1::DataType kDType<uint8_t> = v1::DATA_TYPE_BOOL;
template <>
inline constexpr v1::DataType kDType<int64_t> = v1::DATA_TYPE_INT64;
template <>
inline constexpr v1::DataType kDType<uint64_t> = v1::DATA_TYPE_UINT64;
template <>
inline constexpr v1::DataType kDType<float> = v1::DATA_TYPE_FLOAT32;
template <>
inline constexpr v1::DataType kDType<double> = v1::DATA_TYPE_FLOAT64;

// Sets *tensor to C-order `values` of the given shape.
template <typename T>
void Pack(const std::vector<T>& values, const std::vector<int64_t>& shape, v1::Tensor* tensor) {
  tensor->set_dtype(kDType<T>);
  tensor->mutable_shape()->Clear();
  tensor->mutable_shape()->Add(shape.begin(), shape.end());
  tensor->mutable_data()->assign(reinterpret_cast<const char*>(values.data()),
                                 values.size() * sizeof(T));
}

// False if the tensor holds something else than T.
template <typename T>
bool Unpack(const v1::Tensor& tensor, std::vector<T>* values) {
  if (tensor.dtype() != kDType<T> || tensor.data().size() % sizeof(T) != 0) return false;
  values->resize(tensor.data().size() / sizeof(T));
  std::memcpy(values->data(), tensor.data().data(), tensor.data().size());
  return true;
}

}  // namespace livnd::client

#endif  // LIVND_CLIENTS_CPP_TENSOR_H_
