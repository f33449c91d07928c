// Bytes as a tensor, parsed as each kind of field is.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "livnd/v1/tensor.pb.h"
#include "server/wire/seeds.h"
#include "server/wire/tensor.h"
#include "tests/fuzz/harm.h"

namespace livnd::server {
namespace {

using fuzz::Require;
using fuzz::RequireCallersError;

template <typename T>
void ParseAsVector(const v1::Tensor& tensor, v1::DataType dtype) {
  const auto values = ParseVector<T>("tensor", tensor, dtype);
  RequireCallersError(values.status());
  if (!values.ok()) return;
  Require(tensor.dtype() == dtype, "a tensor of another type is refused");
  Require(tensor.shape_size() == 1 && tensor.shape(0) == static_cast<int64_t>(values->size()),
          "a vector has as many numbers as its shape says");
}

void CheckAs(const v1::Tensor& tensor, v1::DataType dtype, size_t element_bytes) {
  for (const std::vector<int64_t>& shape :
       std::vector<std::vector<int64_t>>{{}, {1}, {2}, {2, 16}, {3, 0}}) {
    const absl::Status sound = CheckTensor("tensor", tensor, dtype, shape);
    RequireCallersError(sound);
    if (!sound.ok()) continue;
    size_t num_elements = 1;
    for (const int64_t n : shape) num_elements *= static_cast<size_t>(n);
    Require(tensor.data().size() == num_elements * element_bytes,
            "there are as many bytes as the shape asks for");
  }
}

void Parse(const v1::Tensor& tensor) {
  CheckAs(tensor, v1::DATA_TYPE_BOOL, 1);
  CheckAs(tensor, v1::DATA_TYPE_FLOAT32, 4);
  CheckAs(tensor, v1::DATA_TYPE_FLOAT64, 8);
  ParseAsVector<double>(tensor, v1::DATA_TYPE_FLOAT64);
  ParseAsVector<int64_t>(tensor, v1::DATA_TYPE_INT64);
  ParseAsVector<uint64_t>(tensor, v1::DATA_TYPE_UINT64);
  for (const int length : {0, 1, 2, 7}) {
    const auto flags = ParseFlags("tensor", tensor, length);
    RequireCallersError(flags.status());
    if (flags.ok()) {
      Require(flags->size() == static_cast<size_t>(length), "a flag a copy");
      for (const uint8_t flag : *flags) Require(flag <= 1, "flags are 0 and 1");
    }
    for (const v1::Tensor* present : {static_cast<const v1::Tensor*>(nullptr), &tensor}) {
      const auto seeds = ParseSeeds(&tensor, present, length);
      RequireCallersError(seeds.status());
      if (seeds.ok()) Require(seeds->size() == static_cast<size_t>(length), "a seed a copy");
    }
  }
}

}  // namespace
}  // namespace livnd::server

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  livnd::v1::Tensor tensor;
  if (tensor.ParseFromArray(data, static_cast<int>(size))) livnd::server::Parse(tensor);
  return 0;
}
