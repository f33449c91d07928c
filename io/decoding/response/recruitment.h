// How strong a stimulus has to be, from a window with many.
#ifndef LIVND_IO_DECODING_RESPONSE_RECRUITMENT_H_
#define LIVND_IO_DECODING_RESPONSE_RECRUITMENT_H_

#include <cstdint>

#include "absl/types/span.h"
#include "io/decoding/decoding.h"
#include "io/decoding/response/recruitment_curve.h"

namespace livnd::io {

struct RecruitmentConfig {
  enum Answer { kExcess, kAny };

  StimulusSeries series{{}, {}, 1000.0, 500.0};
  double recruited = 0.5;
  int answer = kExcess;
  int64_t min_spikes = 1;
  double undefined = -1.0;

  void Describe(CodingFields& fields);
};

// Stimuli of amplitudes[i] at onsets_ms[i], each with a time before and one after, half open. A
// unit answers one by `answer`: excess: more spikes after than post / pre times those before, and
// one more; any: min_spikes after at least, and more than post / pre times those before. amplitude
// [amplitudes], ascending, each once; curve [amplitudes], the median over its stimuli of the part
// of units that answer; threshold, the first amplitude that reaches `recruited`; below, the one
// before it; block, the first one above it that falls short again: where there is none,
// `undefined`; is_reached: 1 if any amplitude reaches it, and has_below: 1 if a smaller one does
// not, so that the threshold lies between two.
//
// Source: livn 2.0.0, decoding.py: RecruitmentCurve (excess; pre 1000, post 500), and
// ExtracellularRecruitment (any; pre 50, post 20) where it has no limit on voltages: with one it is
// extracellular_recruitment.
// Traps: amplitudes have the unit of whoever made the stimuli: livn's keys say mV where electrodes
// take uA. A threshold is known to the step between amplitudes only. livn counts a stimulus whose
// times do not fit as one that nothing answered; here it is refused.
class Recruitment final : public Decoding {
 public:
  static constexpr char kName[] = "recruitment";
  using Config = RecruitmentConfig;

  Recruitment(DecodingKey key, const Config& config, const DecodingWindow& window);
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;

 private:
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;
  bool Answers(double pre, double post) const;

  Config config_;
  RecruitmentCurve curve_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_RESPONSE_RECRUITMENT_H_
