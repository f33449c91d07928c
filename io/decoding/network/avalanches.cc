#include "io/decoding/network/avalanches.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace livnd::io {
namespace {

constexpr size_t kNumSizeBins = 19;

}  // namespace

Avalanches::Avalanches(DecodingKey key, const Config& config, const DecodingWindow& window)
    : Decoding(key, window), fit_(config.fit), bin_ticks_(config.bin_ms / window.tick_ms) {
  // Each but the last is followed by a silent bin; and each has a tick of its own.
  const double num_bins = BinOf(static_cast<double>(window.num_ticks - 1)) + 1.0;
  max_num_ = static_cast<size_t>(
      std::min(std::ceil(num_bins / 2.0), static_cast<double>(window.num_ticks)));
  row_ = layout().AddAny(kRow);
  num_ = layout().AddWhole(1, 0.0, static_cast<double>(max_num_));
  sizes_ = layout().AddAny(max_num_);
  AddOutput("num_avalanches", "1", {}, "avalanches");
  AddOutput("mean_size", "1", {}, "spikes of an avalanche");
  AddOutput("mean_duration", "1", {}, "bins of an avalanche");
  AddOutput("branching_ratio", "1", {}, "spikes of a bin by those of the bin before");
  AddOutput("exponent", "1", {}, "of the power law of sizes");
  AddOutput("r2", "1", {}, "part of the variance that the line explains");
}

double Avalanches::BinOf(double ticks) const { return WholeBelow(ticks / bin_ticks_); }

void Avalanches::EndBin(absl::Span<double> state) const {
  const auto row = state.subspan(row_, kRow);
  row[kSize] += row[kCount];
  row[kDuration] += 1.0;
  if (row[kDuration] > 1.0) {
    row[kRatios] += row[kCount] / row[kBefore];
    row[kNumRatios] += 1.0;
  }
  row[kBefore] = row[kCount];
  row[kCount] = 0.0;
}

void Avalanches::EndAvalanche(absl::Span<double> state) const {
  const auto row = state.subspan(row_, kRow);
  const auto num = static_cast<size_t>(state[num_]);
  // It holds but in a state that was put together from outside.
  if (num < max_num_) {
    state[sizes_ + num] = row[kSize];
    state[num_] += 1.0;
  }
  row[kDurations] += row[kDuration];
  row[kSize] = row[kDuration] = 0.0;
}

void Avalanches::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  const auto row = state.subspan(row_, kRow);
  const auto now = static_cast<double>(spike.tick + 1);
  if (row[kFirst] == 0.0) row[kFirst] = now;
  const double bin = BinOf(now - row[kFirst]);
  if (bin != row[kBin]) {
    EndBin(state);
    if (bin != row[kBin] + 1.0) EndAvalanche(state);
    row[kBin] = bin;
  }
  row[kCount] += 1.0;
}

absl::Status Avalanches::Read(absl::Span<double> state, absl::Span<double> values) const {
  std::fill(values.begin(), values.end(), 0.0);
  const auto row = state.subspan(row_, kRow);
  if (row[kFirst] == 0.0) return absl::OkStatus();
  EndBin(state);
  EndAvalanche(state);
  const auto sizes = state.subspan(sizes_, static_cast<size_t>(state[num_]));
  values[0] = state[num_];
  values[1] = Mean(sizes);
  values[2] = row[kDurations] / state[num_];
  values[3] = row[kNumRatios] > 0.0 ? row[kRatios] / row[kNumRatios] : 0.0;
  if (sizes.size() > 10) Fit(sizes, values.subspan(4));
  return absl::OkStatus();
}

void Avalanches::Fit(absl::Span<const double> sizes, absl::Span<double> values) const {
  const double max = *std::max_element(sizes.begin(), sizes.end());
  if (!(max > 1.0)) return;
  std::array<double, kNumSizeBins + 1> edges;
  for (size_t i = 0; i < kNumSizeBins; ++i) {
    edges[i] = std::pow(10.0, std::log10(max) * static_cast<double>(i) / kNumSizeBins);
  }
  edges[kNumSizeBins] = max;  // which belongs to the last bin
  std::array<double, kNumSizeBins> counts{};
  for (const double size : sizes) {
    const auto above = std::upper_bound(edges.begin() + 1, edges.end() - 1, size);
    counts[static_cast<size_t>(above - edges.begin() - 1)] += 1.0;
  }
  // Of the bins that have any: the line y = a + b x.
  double n = 0.0, sum_x = 0.0, sum_y = 0.0;
  std::array<double, kNumSizeBins> xs, ys;
  for (size_t i = 0; i < kNumSizeBins; ++i) {
    if (counts[i] == 0.0) continue;
    const bool is_last = i + 1 == kNumSizeBins;
    const double least = std::ceil(edges[i]);
    const double most = is_last ? max : std::ceil(edges[i + 1]) - 1.0;
    double middle = (edges[i] + edges[i + 1]) / 2.0;
    double weight = counts[i] / static_cast<double>(sizes.size());
    if (fit_ == AvalanchesConfig::kDensity) {
      middle = std::sqrt(least * most);
      weight /= most - least + 1.0;
    }
    const auto at = static_cast<size_t>(n);
    xs[at] = std::log10(middle);
    ys[at] = std::log10(weight);
    sum_x += xs[at];
    sum_y += ys[at];
    n += 1.0;
  }
  if (n <= 2.0) return;
  double xx = 0.0, xy = 0.0, yy = 0.0;
  for (size_t i = 0; i < static_cast<size_t>(n); ++i) {
    const double x = xs[i] - sum_x / n, y = ys[i] - sum_y / n;
    xx += x * x;
    xy += x * y;
    yy += y * y;
  }
  values[0] = -xy / xx;
  // 1 - residuals / total.
  values[1] = yy > 0.0 ? xy * xy / (xx * yy) : 0.0;
}

}  // namespace livnd::io
