// The local field potential of electrodes, as a trace.
#ifndef LIVND_IO_DECODING_POTENTIAL_LFP_H_
#define LIVND_IO_DECODING_POTENTIAL_LFP_H_

#include "io/decoding/decoding.h"
#include "io/decoding/potential/downsampling.h"

namespace livnd::io {

// Listens to potentials. lfp [channels][samples], uV, is the potential of each channel as Downsampling
// leaves it; sample_rate_hz is its rate.
//
// Source: livn 2.0.0, decoding.py: LFP, whose other half is lfp_bands.
// Traps: livn leaves samples out without a filter unless it is given one; lowpass_hz: 0 does as it does.
// Finish allocates.
class Lfp final : public Decoding {
 public:
  static constexpr char kName[] = "lfp";
  using Config = DownsamplingConfig;

  Lfp(DecodingKey key, const Config& config, const DecodingWindow& window);
  Heard heard() const override { return Heard::kPotentials; }
  void AddSample(absl::Span<const double> potentials_uv, absl::Span<double> state) const override;

 private:
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;

  const Downsampling downsampling_;
  size_t num_channels_;
  size_t num_, samples_;  // [channel][sample]
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_POTENTIAL_LFP_H_
