// For tests: an encoding by its specification, and what its waveform does tick by tick.
#ifndef LIVND_IO_ENCODING_TESTING_ENCODE_H_
#define LIVND_IO_ENCODING_TESTING_ENCODE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "io/encoding/encoding.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::io {

// Ticks of 0.025 ms.
EncodingWindow StepOf(int64_t num_electrodes, double duration_ms);

absl::StatusOr<std::unique_ptr<const Encoding>> MakeEncodingOfText(absl::string_view spec,
                                                                   const EncodingWindow& window);

// A pulse, or what else is not 0: from its first tick on, counted from the step's start.
struct Onset {
  int64_t electrode;
  int64_t tick;
  double current_ua;

  bool operator==(const Onset& other) const {
    return electrode == other.electrode && tick == other.tick && current_ua == other.current_ua;
  }
};

// Where an electrode's current leaves 0, or turns to the sign that a pulse begins with: by time,
// then by electrode.
std::vector<Onset> OnsetsOf(const Encoding& encoding, const sim::Waveform& waveform, int64_t tick);

}  // namespace livnd::io

#endif  // LIVND_IO_ENCODING_TESTING_ENCODE_H_
