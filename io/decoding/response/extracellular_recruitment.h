// How strong a stimulus may be: between what recruits cells and what no longer makes spikes of them.
#ifndef LIVND_IO_DECODING_RESPONSE_EXTRACELLULAR_RECRUITMENT_H_
#define LIVND_IO_DECODING_RESPONSE_EXTRACELLULAR_RECRUITMENT_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "io/decoding/decoding.h"
#include "io/decoding/response/recruitment_curve.h"

namespace livnd::io {

struct ExtracellularRecruitmentConfig {
  StimulusSeries series{{}, {}, 50.0, 20.0};
  double recruited = 0.5;
  int64_t min_spikes = 1;
  double ceiling_mv = 60.0;
  double undefined = -1.0;

  void Describe(CodingFields& fields);
};

// Listens to spikes of cells and to the voltages of their somata. Stimuli, answers (`any` of
// recruitment), amplitude, curve, threshold and block are those of recruitment; peak_mv
// [amplitudes], the highest voltage of any cell after a stimulus of that amplitude; ceiling, the
// first amplitude whose peak is above ceiling_mv, where the membrane is driven and fires no more;
// band, block or ceiling, whichever is less, by the threshold. Where there is none, `undefined`.
//
// Source: livn 2.0.0, decoding.py: ExtracellularRecruitment.
// Traps: amplitudes have to be of one sign for a quotient to say much. A peak is that of samples: a
// spike between two is lower than it was. livn has no default for ceiling_mv and leaves peaks out
// without one; what it has as infinity or NaN is `undefined`.
class ExtracellularRecruitment final : public Decoding {
 public:
  static constexpr char kName[] = "extracellular_recruitment";
  using Config = ExtracellularRecruitmentConfig;

  ExtracellularRecruitment(DecodingKey key, const Config& config, const DecodingWindow& window);
  Heard heard() const override { return Heard::kSpikesAndVoltages; }
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;
  void AddSample(absl::Span<const double> voltages_mv, absl::Span<double> state) const override;

 private:
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;

  Config config_;
  RecruitmentCurve curve_;
  size_t num_, peaks_;  // samples so far; [amplitudes][whether there is one, the peak]
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_RESPONSE_EXTRACELLULAR_RECRUITMENT_H_
