// How strong a stimulus has to be, from a window with many.
#ifndef LIVND_IO_DECODING_RESPONSE_RECRUITMENT_H_
#define LIVND_IO_DECODING_RESPONSE_RECRUITMENT_H_

#include <vector>

#include "absl/types/span.h"
#include "io/decoding/decoding.h"

namespace livnd::io {

// Where a curve over ascending amplitudes reaches a criterion first.
struct RecruitmentThreshold {
  bool is_reached = false;
  double above = 0.0;       // the first amplitude whose part reaches it
  bool has_below = false;   // whether there is a smaller amplitude
  double below = 0.0;       // the largest one of those
  bool is_blocked = false;  // whether a larger amplitude falls below it again
  double block = 0.0;       // the first one that does
};
RecruitmentThreshold FindThreshold(absl::Span<const double> amplitudes,
                                   absl::Span<const double> parts, double criterion);

struct RecruitmentConfig {
  enum Answer { kExcess, kAny };

  std::vector<double> onsets_ms;
  std::vector<double> amplitudes;
  double pre_ms = 1000.0;
  double post_ms = 500.0;
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
// ExtracellularRecruitment (any; pre 50, post 20), without its limit on voltages.
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
  std::vector<double> amplitudes_;  // ascending, each once
  size_t counts_, scratch_;         // [stimuli][units][pre, post]; [stimuli]
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_RESPONSE_RECRUITMENT_H_
