#include "io/decoding/testing/decode.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/status_macros.h"
#include "io/coding/coding_spec.h"
#include "io/decoding/catalog.h"

namespace livnd::io {

DecodingWindow WindowOf(int64_t num_units, double duration_ms, std::vector<UnitGroup> groups) {
  DecodingWindow window;
  window.num_units = num_units;
  window.tick_ms = 0.025;
  window.num_ticks = std::llround(duration_ms / window.tick_ms);
  window.groups = std::move(groups);
  return window;
}

absl::StatusOr<std::unique_ptr<const Decoding>> MakeOfText(absl::string_view spec,
                                                           const DecodingWindow& window) {
  LIVND_ASSIGN_OR_RETURN(const CodingSpec parsed, CodingSpec::ParseText("", spec));
  return MakeDecoding(parsed, window);
}

Decoded ByName(const Decoding& decoding, const std::vector<double>& values) {
  Decoded decoded;
  auto at = values.begin();
  for (const DecodingOutput& output : decoding.outputs()) {
    decoded[output.name].assign(at, at + output.size());
    at += output.size();
  }
  return decoded;
}

absl::StatusOr<Decoded> Decode(absl::string_view spec, const DecodingWindow& window,
                               const std::vector<int32_t>& units,
                               const std::vector<double>& times_ms) {
  std::vector<UnitSpike> spikes;
  for (size_t i = 0; i < units.size(); ++i) {
    spikes.push_back({units[i], std::llround(times_ms[i] / window.tick_ms)});
  }
  std::stable_sort(spikes.begin(), spikes.end(),
                   [](const UnitSpike& a, const UnitSpike& b) { return a.tick < b.tick; });
  LIVND_ASSIGN_OR_RETURN(const auto decoding, MakeOfText(spec, window));
  LIVND_ASSIGN_OR_RETURN(const std::vector<double> values, DecodeWindow(*decoding, spikes));
  return ByName(*decoding, values);
}

}  // namespace livnd::io
