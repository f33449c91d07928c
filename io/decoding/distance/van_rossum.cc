#include "io/decoding/distance/van_rossum.h"

#include <algorithm>
#include <cmath>

#include "io/decoding/distance/victor_purpura.h"

namespace livnd::io {

void VanRossumConfig::Describe(CodingFields& fields) {
  fields.Number("tau_ms", &tau_ms, 1e-6, 1e12);
  fields.Lists("reference_ms", &reference_ms, 32768, 0.0, 1e15);
}

VanRossum::VanRossum(DecodingKey key, const Config& config, const DecodingWindow& window)
    : Decoding(key, window), config_(config) {
  const bool has_reference = !config.reference_ms.empty();
  Refuse(CheckReference(config.reference_ms, window));
  last_ = layout().AddAny(1);             // tick of the last spike
  tails_ = layout().AddAny(num_units());  // what is left of each unit's exponentials then
  sums_ = layout().AddAny(has_reference ? 2 * num_units() : num_units() * num_units());
  for (const std::vector<double>& train : config.reference_ms) {
    double sum = 0.0, tail = 0.0, last = 0.0;
    for (const double time : train) {
      tail *= std::exp(-(time - last) / config.tau_ms);
      sum += 2.0 * tail + 1.0;
      tail += 1.0;
      last = time;
    }
    reference_sums_.push_back(sum);
  }
  AddOutput("distance", "1",
            has_reference ? std::vector<int64_t>{num_units()}
                          : std::vector<int64_t>{num_units(), num_units()},
            has_reference ? "of each unit from its reference" : "of each two units");
}

size_t VanRossum::SumOf(size_t a, size_t b) const {
  return sums_ + std::min(a, b) * static_cast<size_t>(num_units()) + std::max(a, b);
}

void VanRossum::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  const auto num = static_cast<size_t>(num_units());
  const auto unit = static_cast<size_t>(spike.unit);
  const auto tails = state.subspan(tails_, num);
  const auto now = static_cast<double>(spike.tick);
  if (now != state[last_]) {
    const double left = std::exp(-(now - state[last_]) * window().tick_ms / config_.tau_ms);
    for (double& tail : tails) tail *= left;
    state[last_] = now;
  }
  // Each pair of spikes is seen by its later one.
  if (config_.reference_ms.empty()) {
    for (size_t other = 0; other < num; ++other) {
      if (other != unit) state[SumOf(unit, other)] += tails[other];
    }
    state[SumOf(unit, unit)] += 2.0 * tails[unit] + 1.0;
  } else {
    const double time = now * window().tick_ms;
    state[sums_ + unit] += 2.0 * tails[unit] + 1.0;
    for (const double reference : config_.reference_ms[unit]) {
      state[sums_ + num + unit] += std::exp(-std::fabs(time - reference) / config_.tau_ms);
    }
  }
  tails[unit] += 1.0;
}

absl::Status VanRossum::Read(absl::Span<double> state, absl::Span<double> values) const {
  const auto num = static_cast<size_t>(num_units());
  const auto distance = [](double aa, double bb, double ab) {
    return std::sqrt(std::max(0.0, aa + bb - 2.0 * ab));  // 0 but for rounding
  };
  for (size_t a = 0; a < num; ++a) {
    if (!config_.reference_ms.empty()) {
      values[a] = distance(state[sums_ + a], reference_sums_[a], state[sums_ + num + a]);
      continue;
    }
    for (size_t b = 0; b < num; ++b) {
      values[a * num + b] =
          a == b ? 0.0 : distance(state[SumOf(a, a)], state[SumOf(b, b)], state[SumOf(a, b)]);
    }
  }
  return absl::OkStatus();
}

}  // namespace livnd::io
