#include "lab/tune/recruitment_miss.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>

#include "io/decoding/response/recruitment_curve.h"

namespace livnd::lab {
namespace {

using Censored = RecruitmentBracket::Censored;

constexpr double kDefaultSlope = 20.0;  // logits a decade
constexpr double kMostDecades = 1.0;
constexpr double kLeastProbability = 1e-3;

double Logit(double probability) {
  const double p = std::clamp(probability, kLeastProbability, 1.0 - kLeastProbability);
  return std::log(p / (1.0 - p));
}

// Of logits over decades, by least squares; none: it does not rise.
std::optional<double> SlopeOf(const RecruitmentBracket& bracket) {
  const size_t n = bracket.amplitudes_ua.size();
  double mean_x = 0.0, mean_y = 0.0;
  for (size_t i = 0; i < n; ++i) {
    mean_x += std::log10(bracket.amplitudes_ua[i]) / static_cast<double>(n);
    mean_y += Logit(bracket.probabilities[i]) / static_cast<double>(n);
  }
  double xx = 0.0, xy = 0.0;
  for (size_t i = 0; i < n; ++i) {
    const double x = std::log10(bracket.amplitudes_ua[i]) - mean_x;
    xx += x * x;
    xy += x * (Logit(bracket.probabilities[i]) - mean_y);
  }
  if (!(xx > 0.0) || !(xy > 0.0)) return std::nullopt;
  return xy / xx;
}

double DecadesBeyond(const RecruitmentBracket& bracket) {
  const bool is_above = bracket.censored == Censored::kAbove;
  if (bracket.probabilities.empty()) {
    const size_t n = bracket.amplitudes_ua.size();
    return n < 2 ? 0.0 : std::log10(bracket.amplitudes_ua[n - 1] / bracket.amplitudes_ua[n - 2]);
  }
  const double nearest = is_above ? bracket.probabilities.back() : bracket.probabilities.front();
  const double short_by = (Logit(bracket.recruited) - Logit(nearest)) * (is_above ? 1.0 : -1.0);
  const double slope = SlopeOf(bracket).value_or(kDefaultSlope);
  return std::min(std::max(short_by, 0.0) / slope, kMostDecades);
}

}  // namespace

RecruitmentBracket BracketOf(absl::Span<const double> amplitudes_ua,
                             absl::Span<const double> probabilities, double recruited) {
  RecruitmentBracket out;
  out.amplitudes_ua.assign(amplitudes_ua.begin(), amplitudes_ua.end());
  out.probabilities.assign(probabilities.begin(), probabilities.end());
  out.recruited = recruited;
  out.highest_ua = amplitudes_ua.back();
  const io::RecruitmentThreshold found = io::FindThreshold(amplitudes_ua, probabilities, recruited);
  out.censored = !found.is_reached  ? Censored::kAbove
                 : !found.has_below ? Censored::kBelow
                                    : Censored::kNo;
  out.below_ua = found.below;
  out.above_ua = found.above;
  return out;
}

double ThresholdUa(const RecruitmentBracket& bracket) {
  switch (bracket.censored) {
    case Censored::kAbove:
      return bracket.highest_ua * std::pow(10.0, DecadesBeyond(bracket));
    case Censored::kBelow:
      return bracket.above_ua / std::pow(10.0, DecadesBeyond(bracket));
    case Censored::kNo:
      break;
  }
  return std::sqrt(bracket.below_ua * bracket.above_ua);
}

double ThresholdMiss(const RecruitmentBracket& measured, const RecruitmentBracket& simulated) {
  const double difference = std::log10(ThresholdUa(simulated)) - std::log10(ThresholdUa(measured));
  if (measured.censored == Censored::kAbove) return std::max(0.0, -difference);
  if (measured.censored == Censored::kBelow) return std::max(0.0, difference);
  return std::fabs(difference);
}

double RecruitmentMiss(const RecruitmentBracket& measured, const RecruitmentBracket& simulated) {
  double squares = 0.0;
  int num = 0;
  for (size_t i = 0; i < measured.probabilities.size(); ++i) {
    const auto same = std::find(simulated.amplitudes_ua.begin(), simulated.amplitudes_ua.end(),
                                measured.amplitudes_ua[i]);
    if (same == simulated.amplitudes_ua.end()) continue;
    const auto at = static_cast<size_t>(same - simulated.amplitudes_ua.begin());
    const double miss = Logit(simulated.probabilities[at]) - Logit(measured.probabilities[i]);
    squares += miss * miss;
    ++num;
  }
  return num == 0 ? std::numeric_limits<double>::quiet_NaN() : std::sqrt(squares / num);
}

}  // namespace livnd::lab
