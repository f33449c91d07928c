#include "io/decoding/window.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/decoding/bins.h"

namespace livnd::io {
namespace {

constexpr int64_t kMaxUnits = int64_t{1} << 20;
constexpr int64_t kMaxTicks = int64_t{1} << 40;
constexpr double kMaxTickMs = 1e3;

absl::Status CheckWhole(absl::string_view field, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return MakeFieldError(absl::StrCat("window.", field), Exact(value),
                        absl::StrCat(low, " .. ", high));
}

}  // namespace

int64_t DecodingWindow::FirstTickAt(double time_ms) const {
  const double first = WholeAbove(time_ms / tick_ms);
  const auto limit = static_cast<double>(int64_t{1} << 60);
  return static_cast<int64_t>(std::clamp(first, -limit, limit));
}

DecodingWindow DecodingWindow::OneGroup() const {
  DecodingWindow window = *this;
  window.groups = {{"all", 0, num_units}};
  return window;
}

int64_t DecodingWindow::GroupOf(int64_t unit) const {
  const auto after =
      std::upper_bound(groups.begin(), groups.end(), unit,
                       [](int64_t u, const UnitGroup& group) { return u < group.first; });
  if (after == groups.begin()) return -1;
  const auto group = after - 1;
  return unit < group->first + group->count ? group - groups.begin() : -1;
}

absl::Status DecodingWindow::Validate() const {
  LIVND_RETURN_IF_ERROR(CheckWhole("num_units", num_units, 1, kMaxUnits));
  LIVND_RETURN_IF_ERROR(CheckWhole("num_ticks", num_ticks, 1, kMaxTicks));
  LIVND_RETURN_IF_ERROR(CheckWhole("sample_ticks", sample_ticks, 1, kMaxTicks));
  // NaN fails.
  if (!(tick_ms >= 1e-6 && tick_ms <= kMaxTickMs)) {
    return MakeFieldError("window.tick_ms", Exact(tick_ms), absl::StrCat("1e-06 .. ", kMaxTickMs));
  }
  int64_t end = 0;
  for (size_t g = 0; g < groups.size(); ++g) {
    const UnitGroup& group = groups[g];
    LIVND_RETURN_IF_ERROR(
        CheckWhole(absl::StrCat("groups[", g, "].first"), group.first, end, num_units - 1));
    LIVND_RETURN_IF_ERROR(
        CheckWhole(absl::StrCat("groups[", g, "].count"), group.count, 1, num_units - group.first));
    end = group.first + group.count;
  }
  return absl::OkStatus();
}

absl::Status CheckSpikes(const DecodingWindow& window, absl::Span<const UnitSpike> spikes) {
  int64_t last = 0;
  for (size_t i = 0; i < spikes.size(); ++i) {
    const UnitSpike& spike = spikes[i];
    if (spike.unit < 0 || spike.unit >= window.num_units) {
      return MakeFieldError(absl::StrCat("spikes[", i, "].unit"), absl::StrCat(spike.unit),
                            absl::StrCat("0 .. ", window.num_units - 1));
    }
    if (spike.tick < last || spike.tick >= window.num_ticks) {
      return MakeFieldError(
          absl::StrCat("spikes[", i, "].tick"), Exact(spike.tick),
          absl::StrCat(last, " .. ", window.num_ticks - 1, ", none before the last spike"));
    }
    last = spike.tick;
  }
  return absl::OkStatus();
}

}  // namespace livnd::io
