// Potentials of chosen electrodes, low-passed and with fewer samples: a local field potential.
#ifndef LIVND_IO_DECODING_POTENTIAL_DOWNSAMPLING_H_
#define LIVND_IO_DECODING_POTENTIAL_DOWNSAMPLING_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "io/coding/coding_fields.h"
#include "io/decoding/window.h"

namespace livnd::io {

struct DownsamplingConfig {
  std::vector<double> channels;  // none: all
  double downsample_hz = 1000.0;
  double lowpass_hz = -1.0;
  int64_t lowpass_order = 4;

  void Describe(CodingFields& fields);
};

// Samples are low-passed at lowpass_hz, without phase; then every n-th one is taken, n =
// int(rate / downsample_hz). lowpass_hz -1 is two fifths of downsample_hz where samples are left out, and
// nothing where none are; 0 is no filter. Immutable and thread-safe.
//
// Source: livn 2.0.0, decoding.py: LFP, which leaves samples out without a filter unless it is given one.
class Downsampling {
 public:
  Downsampling(const DownsamplingConfig& config, const DecodingWindow& window);

  // MakeFieldError where the window and the configuration do not fit: nothing else may be called then.
  const absl::Status& fault() const { return fault_; }
  // Of the channels that are named; empty: all units.
  const std::vector<size_t>& units() const { return units_; }
  // Of what is left of the window.
  int64_t num_left() const { return num_left_; }
  double rate_hz() const { return rate_hz_ / static_cast<double>(every_); }

  // The window's samples of one channel become those that are left. Allocates.
  void Apply(std::vector<double>* samples) const;

 private:
  absl::Status fault_;
  std::vector<size_t> units_;
  double rate_hz_;  // before
  int64_t every_;
  int64_t num_left_;
  int64_t lowpass_order_;
  double lowpass_hz_;
  bool is_filtered_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_POTENTIAL_DOWNSAMPLING_H_
