// Spikes as a recording system finds them: where the potential of an electrode crosses a threshold.
#ifndef LIVND_IO_SIGNAL_SPIKE_DETECTOR_H_
#define LIVND_IO_SIGNAL_SPIKE_DETECTOR_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "io/signal/noise_estimator.h"

namespace livnd::io {

struct SpikeDetectorConfig {
  enum class Polarity { kNegative, kPositive, kBoth };

  double threshold = 5.0;         // distance from the middle, in multiples of the estimated noise
  double min_threshold_uv = 0.0;  // the distance is not less than this
  Polarity polarity = Polarity::kNegative;
  double dead_time_ms = 1.0;        // between onsets on a channel, at least
  double noise_window_ms = 1000.0;  // of which the noise is estimated
  double snippet_before_ms = 1.0;   // of the onset
  double snippet_after_ms = 2.0;    // the onset among it

  // A field error unless threshold and min_threshold_uv are finite and >= 0, and the times are 0 to 1e5 ms and no more
  // than 1e6 samples of sample_dt_ms, the window not being shorter than what comes before an onset.
  absl::Status Validate(double sample_dt_ms) const;
};

struct DetectedSpike {
  int32_t channel = 0;
  int64_t sample = 0;  // of the onset: the first one beyond the threshold
  double amplitude_uv =
      0.0;  // of the largest excursion from the middle, from the onset to the snippet's end
  std::vector<float> snippet_uv;
};

// Takes samples of all channels, one time after the other. A spike begins at a sample that is beyond the threshold
// where the one before is not, if the last onset of the channel is at least dead_time ago. Thresholds follow the noise:
// each is that of the last full window, and nothing is found before the first is full, nor on a channel whose
// threshold is at no distance. A sample that is not finite is beyond nothing.
//
// Spikes are told when their snippets are complete, by that time, then by channel. What is found depends on the
// samples alone, however they come. Thread-compatible; what it holds depends on configuration and channels, not on time.
class SpikeDetector {
 public:
  // Errors: Validate's, and unless there are 1 to 65536 channels.
  static absl::StatusOr<SpikeDetector> Create(const SpikeDetectorConfig& config, int num_channels,
                                              double sample_dt_ms);

  int num_channels() const { return static_cast<int>(channels_.size()); }
  // Samples of a snippet that is not cut.
  size_t snippet_size() const { return static_cast<size_t>(before_ + after_); }
  // The noise of a channel in uV, 0 before it is known.
  double noise_uv(int channel) const {
    return channels_[static_cast<size_t>(channel)].noise.sigma();
  }
  size_t num_bytes() const;

  // The next sample of every channel, [num_channels]; appends the spikes that are complete with it.
  void Push(absl::Span<const double> potentials_uv, std::vector<DetectedSpike>* spikes);
  // There are no more samples: appends the spikes whose snippets they cut, by onset, then channel.
  void Finish(std::vector<DetectedSpike>* spikes);

 private:
  struct Channel {
    explicit Channel(size_t window) : noise(window) {}

    NoiseEstimator noise;
    bool was_beyond = false;
    int64_t last_onset = 0;
    std::deque<int64_t> onsets;  // whose snippets are not complete
  };

  SpikeDetector(const SpikeDetectorConfig& config, int num_channels, double sample_dt_ms);
  bool IsBeyond(const Channel& channel, double potential_uv) const;
  // The spike of an onset, with the samples that there are.
  DetectedSpike Make(size_t channel, int64_t onset) const;

  SpikeDetectorConfig config_;
  int64_t before_, after_, dead_;  // samples
  int64_t num_samples_ = 0;
  std::vector<Channel> channels_;
  std::vector<double> recent_;  // ring: [before + after][num_channels], by sample
};

}  // namespace livnd::io

#endif  // LIVND_IO_SIGNAL_SPIKE_DETECTOR_H_
