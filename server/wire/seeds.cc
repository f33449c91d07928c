#include "server/wire/seeds.h"

#include "base/status_macros.h"
#include "server/wire/errors.h"
#include "server/wire/tensor.h"

namespace livnd::server {

absl::StatusOr<std::vector<std::optional<uint64_t>>> ParseSeeds(const v1::Tensor* seeds,
                                                                const v1::Tensor* seed_present,
                                                                int num_envs) {
  std::vector<std::optional<uint64_t>> out;
  if (seeds == nullptr) {
    if (seed_present == nullptr) return out;
    return InvalidField("seed_present", "present without seeds", "absent where seeds is absent");
  }
  LIVND_RETURN_IF_ERROR(CheckTensor("seeds", *seeds, v1::DATA_TYPE_UINT64, {num_envs}));
  const std::vector<uint64_t> values = Values<uint64_t>(*seeds);
  out.assign(values.begin(), values.end());
  if (seed_present == nullptr) return out;
  LIVND_ASSIGN_OR_RETURN(const std::vector<uint8_t> present,
                         ParseFlags("seed_present", *seed_present, num_envs));
  for (size_t i = 0; i < out.size(); ++i) {
    if (present[i] == 0) out[i].reset();
  }
  return out;
}

}  // namespace livnd::server
