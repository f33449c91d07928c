// How strong the rhythms in the potential of electrodes are.
#ifndef LIVND_IO_DECODING_POTENTIAL_LFP_BANDS_H_
#define LIVND_IO_DECODING_POTENTIAL_LFP_BANDS_H_

#include <vector>

#include "io/decoding/decoding.h"
#include "io/decoding/potential/downsampling.h"

namespace livnd::io {

struct LfpBandsConfig : DownsamplingConfig {
  int64_t segment = 2048;
  int64_t overlap = -1;
  std::vector<double> low_hz = {1.0, 4.0, 8.0, 13.0, 30.0};
  std::vector<double> high_hz = {4.0, 8.0, 13.0, 30.0, 80.0};

  void Describe(CodingFields& fields);
};

// Listens to potentials. Their mean over `channels` (all, if none is named) becomes what Downsampling
// leaves of it; then Welch's density, of segments of `segment` samples (all, if there are less) that overlap by
// `overlap` (-1: half), gives power [bands], uV^2, of low_hz .. high_hz: delta, theta, alpha, beta,
// gamma by default; relative [bands], of broadband, which is that of all frequencies;
// sample_rate_hz and num_samples are those of what is left.
//
// Source: livn 2.0.0, decoding.py: LFP. Welch: io/decoding/potential/spectrum.h.
// Traps: livn leaves out samples without a filter unless it is given one, which folds what spikes
// add above half the new rate into the bands; lowpass_hz: 0 does as it does. A window of 1 s tells
// frequencies no closer than 1 Hz: delta needs seconds. Means over electrodes cancel what is out of
// phase. Finish allocates.
class LfpBands final : public Decoding {
 public:
  static constexpr char kName[] = "lfp_bands";
  using Config = LfpBandsConfig;

  LfpBands(DecodingKey key, const Config& config, const DecodingWindow& window);
  Heard heard() const override { return Heard::kPotentials; }
  void AddSample(absl::Span<const double> potentials_uv, absl::Span<double> state) const override;

 private:
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;

  const Config config_;
  const Downsampling downsampling_;
  size_t segment_, overlap_;
  size_t num_, means_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_POTENTIAL_LFP_BANDS_H_
