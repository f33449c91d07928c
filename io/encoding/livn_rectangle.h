// What livn's historical encodings give: a rectangle on a grid of 1 ms.
#ifndef LIVND_IO_ENCODING_LIVN_RECTANGLE_H_
#define LIVND_IO_ENCODING_LIVN_RECTANGLE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "io/encoding/encoding.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::io {

// A rectangle of one sign on the grid of 1 ms, as livn's arrays have it: from whole ms onset_ms on
// for width_ms, rounded, as far as the step goes. Immutable but for the waveform.
class LivnRectangle {
 public:
  // Whether a step can have one: ticks that are parts of 1 ms, and no more samples than an encoding
  // may have. The field error names "window.tick_ms" or "width_ms".
  static absl::Status Check(const EncodingWindow& window, double width_ms);

  // Clears the waveform of a step that begins at `tick`.
  LivnRectangle(const EncodingWindow& window, double width_ms, double onset_ms, int64_t tick,
                sim::Waveform* waveform);
  void Put(int64_t electrode, double current_ua);

 private:
  int64_t num_electrodes_;
  sim::Waveform* waveform_;
  int64_t num_samples_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_ENCODING_LIVN_RECTANGLE_H_
