// For tests: a decoding by its specification, on spikes in ms, by the names of its outputs.
#ifndef LIVND_IO_DECODING_TESTING_DECODE_H_
#define LIVND_IO_DECODING_TESTING_DECODE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "io/decoding/decoding.h"
#include "io/decoding/window.h"

namespace livnd::io {

using Decoded = std::map<std::string, std::vector<double>>;

// A window in ticks of 0.025 ms.
DecodingWindow WindowOf(int64_t num_units, double duration_ms, std::vector<UnitGroup> groups = {});

absl::StatusOr<std::unique_ptr<const Decoding>> MakeOfText(absl::string_view spec,
                                                           const DecodingWindow& window);

// Values by output.
Decoded ByName(const Decoding& decoding, const std::vector<double>& values);

// Times go to the nearest tick and are sorted; units[i] is that of times_ms[i].
absl::StatusOr<Decoded> Decode(absl::string_view spec, const DecodingWindow& window,
                               const std::vector<int32_t>& units,
                               const std::vector<double>& times_ms);

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_TESTING_DECODE_H_
