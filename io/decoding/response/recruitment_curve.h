// Who answers stimuli of several amplitudes: what decodings of recruitment have in common.
#ifndef LIVND_IO_DECODING_RESPONSE_RECRUITMENT_CURVE_H_
#define LIVND_IO_DECODING_RESPONSE_RECRUITMENT_CURVE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "io/coding/coding_fields.h"
#include "io/coding/state_layout.h"
#include "io/decoding/bins.h"
#include "io/decoding/window.h"

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

// Stimuli of amplitudes[i] at onsets_ms[i], each with a time before and one after, half open.
struct StimulusSeries {
  std::vector<double> onsets_ms;
  std::vector<double> amplitudes;
  double pre_ms = 0.0;
  double post_ms = 0.0;

  void Describe(CodingFields& fields);
  // A field error of the first one whose times are not all within the window.
  absl::Status CheckWithin(const DecodingWindow& window) const;
};

// livn's other rule: so many spikes after it at least, and more than before it by time.
inline bool HasAnyAnswer(double before, double after, int64_t min_spikes,
                         const StimulusSeries& series) {
  return after >= static_cast<double>(min_spikes) &&
         after > before * (series.post_ms / series.pre_ms);
}

// The part of a decoding's state that counts each unit's spikes around each stimulus.
class RecruitmentCurve {
 public:
  struct Stimulus {
    size_t rung;  // the place of its amplitude among amplitudes()
    // Ticks: before it [first, onset), after it [onset, end).
    int64_t first, onset, end;
  };

  RecruitmentCurve(const StimulusSeries& series, const DecodingWindow& window, StateLayout& layout);

  // Ascending, each once.
  const std::vector<double>& amplitudes() const { return amplitudes_; }
  const std::vector<Stimulus>& stimuli() const { return stimuli_; }

  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const;
  // curve [amplitudes]: the median over an amplitude's stimuli of the part of units of which
  // answers(spikes before, spikes after) holds.
  template <typename Answers>
  void Read(absl::Span<double> state, Answers answers, absl::Span<double> curve) const {
    for (size_t a = 0; a < amplitudes_.size(); ++a) {
      size_t num = 0;
      for (size_t i = 0; i < stimuli_.size(); ++i) {
        if (stimuli_[i].rung != a) continue;
        double num_answers = 0.0;
        for (size_t u = 0; u < num_units_; ++u) {
          const size_t at = counts_ + 2 * (i * num_units_ + u);
          if (answers(state[at], state[at + 1])) num_answers += 1.0;
        }
        state[scratch_ + num++] = num_answers / static_cast<double>(num_units_);
      }
      curve[a] = Median(state.subspan(scratch_, num));
    }
  }

 private:
  size_t num_units_;
  std::vector<double> amplitudes_;
  std::vector<Stimulus> stimuli_;
  size_t counts_, scratch_;  // [stimuli][units][before, after]; [stimuli]
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_RESPONSE_RECRUITMENT_CURVE_H_
