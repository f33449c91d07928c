#include "sim/noise/counter_normal.h"

#include <cmath>

#include "Random123/philox.h"
#include "sim/simd/scalar_math.h"

namespace livnd::sim {
namespace {

// In (-1, 1), never 0.
double Symmetric(uint32_t word) { return (static_cast<double>(word) + 0.5) * 0x1p-31 - 1.0; }

}  // namespace

double CounterNormal(uint64_t seed, uint32_t purpose, uint32_t stream, uint64_t index) {
  const r123::Philox4x32::key_type key = {
      {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32) ^ purpose}};
  for (uint32_t attempt = 0;; ++attempt) {
    const r123::Philox4x32::ctr_type words = r123::Philox4x32()(
        {{static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), stream, attempt}}, key);
    for (int pair = 0; pair < 4; pair += 2) {
      const double u = Symmetric(words[pair]), v = Symmetric(words[pair + 1]);
      const double s = u * u + v * v;
      if (s < 1.0) return u * std::sqrt(-2.0 * ScalarLog(s) / s);
    }
  }
}

}  // namespace livnd::sim
