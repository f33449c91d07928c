#include "io/decoding/distance/victor_purpura.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"

namespace livnd::io {

double VictorPurpuraDistance(absl::Span<const double> a_s, absl::Span<const double> b_s,
                             double cost_per_s, absl::Span<double> scratch) {
  // scratch[j]: the distance of the first i spikes of a from the first j of b.
  for (size_t j = 0; j <= b_s.size(); ++j) scratch[j] = static_cast<double>(j);
  for (size_t i = 0; i < a_s.size(); ++i) {
    double diagonal = scratch[0];
    scratch[0] = static_cast<double>(i + 1);
    for (size_t j = 0; j < b_s.size(); ++j) {
      const double moved = diagonal + cost_per_s * std::fabs(a_s[i] - b_s[j]);
      diagonal = scratch[j + 1];
      scratch[j + 1] = std::min({scratch[j] + 1.0, scratch[j + 1] + 1.0, moved});
    }
  }
  return scratch[b_s.size()];
}

absl::Status CheckReference(const std::vector<std::vector<double>>& reference_ms,
                            const DecodingWindow& window) {
  if (reference_ms.empty()) return absl::OkStatus();
  if (static_cast<int64_t>(reference_ms.size()) != window.num_units) {
    return MakeFieldError("reference_ms", absl::StrCat(reference_ms.size(), " trains"),
                          absl::StrCat(window.num_units, ", one a unit"));
  }
  for (size_t u = 0; u < reference_ms.size(); ++u) {
    double last = 0.0;
    for (size_t i = 0; i < reference_ms[u].size(); ++i) {
      const double time = reference_ms[u][i];
      if (!(time >= last && time < window.duration_ms())) {
        return MakeFieldError(absl::StrCat("reference_ms[", u, "][", i, "]"), Exact(time),
                              absl::StrCat(Exact(last), " .. ", Exact(window.duration_ms()),
                                           ", in order, in the window"));
      }
      last = time;
    }
  }
  return absl::OkStatus();
}

namespace {

// Spikes to look at for all pairs: about a second.
constexpr int64_t kMaxWork = int64_t{1} << 30;

}  // namespace

void VictorPurpuraConfig::Describe(CodingFields& fields) {
  fields.Number("cost_per_s", &cost_per_s, 0.0, 1e12);
  fields.Whole("max_spikes", &max_spikes, 1, 32768);
  fields.Lists("reference_ms", &reference_ms, 32768, 0.0, 1e15);
}

VictorPurpura::VictorPurpura(DecodingKey key, const Config& config, const DecodingWindow& window)
    : Decoding(key, window),
      config_(config),
      spikes_(layout(), window, config.max_spikes),
      row_size_(static_cast<size_t>(config.max_spikes) + 1) {
  Refuse(CheckReference(config.reference_ms, window));
  if (config.max_spikes > kMaxWork / (num_units() * num_units())) {
    Refuse(MakeFieldError("max_spikes", Exact(config.max_spikes),
                          absl::StrCat("less with ", num_units(), " units")));
  }
  for (const std::vector<double>& train : config.reference_ms) {
    row_size_ = std::max(row_size_, train.size() + 1);
  }
  for (std::vector<double>& train : config_.reference_ms) {
    for (double& time : train) time *= 1e-3;
  }
  scratch_ = layout().AddAny(3 * row_size_);
  const bool has_reference = !config.reference_ms.empty();
  AddOutput("distance", "1",
            has_reference ? std::vector<int64_t>{num_units()}
                          : std::vector<int64_t>{num_units(), num_units()},
            has_reference ? "of each unit from its reference" : "of each two units");
}

void VictorPurpura::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  spikes_.Add(spike, state);
}

absl::Status VictorPurpura::Read(absl::Span<double> state, absl::Span<double> values) const {
  LIVND_RETURN_IF_ERROR(spikes_.Check(state));
  const auto row = state.subspan(scratch_, row_size_);
  const auto train_of = [&](int64_t unit, size_t which) {
    const auto scratch = state.subspan(scratch_ + which * row_size_, row_size_);
    const auto train = scratch.subspan(0, spikes_.TicksOf(unit, state, scratch));
    for (double& tick : train) tick *= window().tick_ms * 1e-3;
    return train;
  };
  const auto num = static_cast<size_t>(num_units());
  for (size_t a = 0; a < num; ++a) {
    const auto train = train_of(static_cast<int64_t>(a), 1);
    if (!config_.reference_ms.empty()) {
      values[a] = VictorPurpuraDistance(train, config_.reference_ms[a], config_.cost_per_s, row);
      continue;
    }
    values[a * num + a] = 0.0;
    for (size_t b = a + 1; b < num; ++b) {
      values[a * num + b] = values[b * num + a] = VictorPurpuraDistance(
          train, train_of(static_cast<int64_t>(b), 2), config_.cost_per_s, row);
    }
  }
  return absl::OkStatus();
}

}  // namespace livnd::io
