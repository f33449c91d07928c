// Tensors of tests' own numbers.
#ifndef LIVND_SERVER_TESTING_TENSORS_H_
#define LIVND_SERVER_TESTING_TENSORS_H_

#include <cstdint>
#include <vector>

#include "livnd/v1/tensor.pb.h"

namespace livnd::server {

// Nothing is checked: a test may want a tensor that contradicts itself.
template <typename T>
v1::Tensor MakeTensor(v1::DataType dtype, const std::vector<int64_t>& shape,
                      const std::vector<T>& values) {
  v1::Tensor tensor;
  tensor.set_dtype(dtype);
  tensor.mutable_shape()->Add(shape.begin(), shape.end());
  tensor.set_data(values.data(), values.size() * sizeof(T));
  return tensor;
}

}  // namespace livnd::server

#endif  // LIVND_SERVER_TESTING_TENSORS_H_
