// How far a culture's answers to stimuli are from what was measured.
#ifndef LIVND_LAB_TUNE_RECRUITMENT_MISS_H_
#define LIVND_LAB_TUNE_RECRUITMENT_MISS_H_

#include <vector>

#include "absl/types/span.h"

namespace livnd::lab {

// Where the part of units that answer reaches a criterion, between two amplitudes that were tried. Amplitudes are
// above 0 and ascend.
struct RecruitmentBracket {
  // kAbove: no amplitude reaches it; kBelow: the smallest one does.
  enum class Censored { kNo, kAbove, kBelow };

  Censored censored = Censored::kNo;
  double below_ua = 0.0;    // the last amplitude that does not; unless censored
  double above_ua = 0.0;    // the first one that does; unless censored above
  double highest_ua = 0.0;  // that was tried; of one that is censored above
  std::vector<double> amplitudes_ua;
  std::vector<double> probabilities;  // of each amplitude, or empty
  double recruited = 0.5;
};

// Of a curve, a probability an amplitude.
RecruitmentBracket BracketOf(absl::Span<const double> amplitudes_ua,
                             absl::Span<const double> probabilities, double recruited);

// The amplitude that stands for a bracket: the geometric mean of its ends. One end that is missing lies beyond the
// amplitudes by as many decades as the nearest probability is short of the criterion in logits, by the slope of the
// curve over decades (20 where it does not rise), but 1 at most; without probabilities, by the last step.
double ThresholdUa(const RecruitmentBracket& bracket);

// |log10| of the quotient of thresholds. Where the measured one is censored, what lies beyond it misses nothing.
double ThresholdMiss(const RecruitmentBracket& measured, const RecruitmentBracket& simulated);

// The root of the mean square of the differences in logits at the amplitudes that both have; NaN: there are none.
// Probabilities count as 0.001 .. 0.999.
double RecruitmentMiss(const RecruitmentBracket& measured, const RecruitmentBracket& simulated);

// Source of all: livn 2.0.0's culture target, threshold_miss and recruitment_miss.

}  // namespace livnd::lab

#endif  // LIVND_LAB_TUNE_RECRUITMENT_MISS_H_
