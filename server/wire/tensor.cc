#include "server/wire/tensor.h"

#include <algorithm>

#include "absl/strings/str_join.h"
#include "server/wire/enum_words.h"

namespace livnd::server {
namespace {

int SizeOf(v1::DataType dtype) {
  switch (dtype) {
    case v1::DATA_TYPE_BOOL:
      return 1;
    case v1::DATA_TYPE_FLOAT32:
      return 4;
    case v1::DATA_TYPE_INT64:
    case v1::DATA_TYPE_UINT64:
    case v1::DATA_TYPE_FLOAT64:
      return 8;
    default:
      return 0;
  }
}

// "[4, 16]"; long shapes, which are wrong anyway, are cut.
template <typename Shape>
std::string ShapeText(const Shape& shape) {
  constexpr int kMaxAxes = 8;
  const int axes = static_cast<int>(shape.size());
  const auto end = shape.begin() + std::min(axes, kMaxAxes);
  return absl::StrCat("[", absl::StrJoin(shape.begin(), end, ", "),
                      axes > kMaxAxes ? absl::StrCat(", ... ", axes, " axes]") : "]");
}

}  // namespace

absl::Status CheckTensor(absl::string_view field, const v1::Tensor& tensor, v1::DataType dtype,
                         absl::Span<const int64_t> shape) {
  if (tensor.dtype() != dtype) {
    return InvalidField(absl::StrCat(field, ".dtype"), WordOf(tensor.dtype()), WordOf(dtype));
  }
  if (!std::equal(shape.begin(), shape.end(), tensor.shape().begin(), tensor.shape().end())) {
    return InvalidField(absl::StrCat(field, ".shape"), ShapeText(tensor.shape()), ShapeText(shape));
  }
  // The shape is now one that the server chose, so the product cannot overflow.
  int64_t num_bytes = SizeOf(dtype);
  for (const int64_t length : shape) num_bytes *= length;
  if (static_cast<int64_t>(tensor.data().size()) != num_bytes) {
    return InvalidField(
        absl::StrCat(field, ".data"), absl::StrCat(tensor.data().size(), " bytes"),
        absl::StrCat(num_bytes, " bytes (", ShapeText(shape), " of ", WordOf(dtype), ")"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<uint8_t>> ParseFlags(absl::string_view field, const v1::Tensor& tensor,
                                                int64_t length) {
  LIVND_RETURN_IF_ERROR(CheckTensor(field, tensor, v1::DATA_TYPE_BOOL, {length}));
  std::vector<uint8_t> flags(tensor.data().begin(), tensor.data().end());
  for (size_t i = 0; i < flags.size(); ++i) {
    if (flags[i] > 1) {
      return InvalidField(absl::StrCat(field, ".data"),
                          absl::StrCat("byte ", flags[i], " at element ", i), "bytes 0 and 1");
    }
  }
  return flags;
}

v1::DataType EncodeDType(env::DType dtype) {
  switch (dtype) {
    case env::DType::kFloat32:
      return v1::DATA_TYPE_FLOAT32;
    case env::DType::kFloat64:
      return v1::DATA_TYPE_FLOAT64;
    case env::DType::kInt64:
      return v1::DATA_TYPE_INT64;
  }
  return v1::DATA_TYPE_UNSPECIFIED;
}

std::vector<int64_t> BatchShape(int num_envs, absl::Span<const int64_t> shape) {
  std::vector<int64_t> batch = {num_envs};
  batch.insert(batch.end(), shape.begin(), shape.end());
  return batch;
}

}  // namespace livnd::server
