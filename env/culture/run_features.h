// An encoding of a live culture, and the numbers that it is given in one run.
#ifndef LIVND_ENV_CULTURE_RUN_FEATURES_H_
#define LIVND_ENV_CULTURE_RUN_FEATURES_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "env/culture/culture_types.h"
#include "env/culture/stimulus_plan.h"
#include "io/device/preset/stimulation_limits.h"
#include "io/encoding/encoding.h"
#include "sim/culture/culture.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::env {

// Immutable and thread-safe; what goes on from step to step of a copy is EncodingStates.
class CultureEncoding {
 public:
  // Field errors below "encoding": of io::MakeEncoding, about a step that is no whole number of ticks, and about a
  // culture without electrodes, which have none (0).
  static absl::StatusOr<std::shared_ptr<const CultureEncoding>> Create(
      const EncodingSelection& selection, size_t num_electrodes, const sim::Culture& culture);

  const EncodingSelection& selection() const { return selection_; }
  const io::Encoding& encoding() const { return *encoding_; }
  int64_t step_ticks() const { return encoding_->window().num_ticks; }
  // What the currents of a step take up, about.
  int64_t step_bytes() const { return step_bytes_; }

 private:
  CultureEncoding(EncodingSelection selection, std::unique_ptr<const io::Encoding> encoding);

  const EncodingSelection selection_;
  const std::unique_ptr<const io::Encoding> encoding_;
  int64_t step_bytes_;
};

// [copy]: the state of io::Encoding.
using EncodingStates = std::vector<std::vector<double>>;
EncodingStates BeginEncoding(const CultureEncoding& encoding, int num_copies);

// Gives a run the currents of an encoding step by step. Immutable and thread-safe.
class RunFeatures {
 public:
  // Takes [copy][step][input] for a run that begins at start_tick, or refuses them whole: field errors below
  // "features", about a number out of its bounds, or one that makes a potential beyond +-1000 mV at a cell or
  // currents beyond the limits of the electrodes.
  static absl::StatusOr<RunFeatures> Create(std::shared_ptr<const CultureEncoding> encoding,
                                            CultureFeatures features, const EncodingStates& states,
                                            const Electrodes& electrodes,
                                            const io::StimulationLimits& limits,
                                            const sim::Culture& culture, int64_t start_tick);

  // The steps that begin in [from, to) of the run: the first one, and how many.
  std::pair<int64_t, int64_t> Beginning(int64_t from, int64_t to) const;
  // The currents of one step of a copy. Its steps come in their order, with its state.
  std::shared_ptr<const sim::Waveform> Waveform(int copy, int64_t step,
                                                absl::Span<double> state) const;

 private:
  RunFeatures(std::shared_ptr<const CultureEncoding> encoding, CultureFeatures features,
              int64_t start_tick)
      : encoding_(std::move(encoding)), features_(std::move(features)), start_tick_(start_tick) {}

  absl::Span<const float> Values(int copy, int64_t step) const;

  std::shared_ptr<const CultureEncoding> encoding_;
  CultureFeatures features_;
  int64_t start_tick_;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_CULTURE_RUN_FEATURES_H_
