#include "env/recording/run_rows.h"

#include <cmath>
#include <cstddef>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "io/recording/streams.h"

namespace livnd::env {
namespace {

struct Kind {
  std::string name;
  absl::string_view unit;
};

Kind KindOf(const SeriesSelection& series) {
  switch (series.quantity) {
    case RecordedQuantity::kVoltageMv:
      return {std::string(io::kVoltages), "mV"};
    case RecordedQuantity::kMembraneCurrentUa:
      return {"membrane_currents", "uA"};
    case RecordedQuantity::kState:
      return {absl::StrCat("states.", series.state), ""};
    case RecordedQuantity::kElectrodePotentialUv:
      return {std::string(io::kPotentials), "uV"};
    case RecordedQuantity::kLearnedWeight:
      return {std::string(io::kLearnedWeights), ""};
  }
  return {};
}

}  // namespace

RunRows::RunRows(const RecordingSelection& selection, absl::Span<const int64_t> num_rows,
                 double dt_ms)
    : selection_(selection), dt_ms_(dt_ms) {
  const auto add = [this](io::StreamSpec stream) {
    streams_.push_back(std::move(stream));
    return static_cast<int>(streams_.size()) - 1;
  };
  if (selection_.spikes) spikes_ = add(io::SpikesStream());
  std::map<std::string, int> num_named;
  for (size_t i = 0; i < selection_.series.size(); ++i) {
    const SeriesSelection& series = selection_.series[i];
    const Kind kind = KindOf(series);
    const int number = ++num_named[kind.name];
    const std::string name = number == 1 ? kind.name : absl::StrCat(kind.name, ".", number);
    series_.push_back(add(io::SeriesStream(
        name, series.single_precision ? io::ElementType::kFloat32 : io::ElementType::kFloat64,
        num_rows[i], kind.unit, {{"sample_dt_ms", series.sample_dt_ms}})));
    labels_.push_back(series.sites.empty() ? -1 : add(io::LabelsStream(name, {"gid", "section"})));
  }
}

void RunRows::AddLabels(absl::Span<std::string> rows) const {
  for (size_t i = 0; i < labels_.size(); ++i) {
    if (labels_[i] < 0) continue;
    for (const Site& site : selection_.series[i].sites) {
      io::AppendValue(site.gid, &rows[labels_[i]]);
      io::AppendValue(int64_t{site.section}, &rows[labels_[i]]);
    }
  }
}

void RunRows::AddSeries(const CultureRecording& recording, size_t series, int64_t num_clears,
                        std::string* rows) const {
  const SeriesSelection& selection = selection_.series[series];
  const RecordedSeries& recorded = recording.series[series];
  const auto num_copies = static_cast<int>(recording.failed_at_ms.size());
  const int64_t sample_ticks = std::llround(selection.sample_dt_ms / dt_ms_);
  for (int copy = 0; copy < num_copies; ++copy) {
    const double failed_at_ms = recording.failed_at_ms[copy];
    const double* const values =
        recorded.values.data() + copy * recorded.num_rows * recorded.num_samples;
    for (int64_t sample = 0; sample < recorded.num_samples; ++sample) {
      const int64_t tick = recording.start_tick + sample * sample_ticks;
      if (static_cast<double>(tick) * dt_ms_ >= failed_at_ms) break;
      io::AppendKey({copy, num_clears, tick}, rows);
      for (int64_t row = 0; row < recorded.num_rows; ++row) {
        const double value = values[row * recorded.num_samples + sample];
        if (selection.single_precision) {
          io::AppendValue(static_cast<float>(value), rows);
        } else {
          io::AppendValue(value, rows);
        }
      }
    }
  }
}

void RunRows::AddRun(const CultureRecording& recording, int64_t num_clears,
                     absl::Span<std::string> rows) const {
  if (spikes_ >= 0) {
    for (size_t copy = 0; copy + 1 < recording.spike_offsets.size(); ++copy) {
      for (int64_t i = recording.spike_offsets[copy]; i < recording.spike_offsets[copy + 1]; ++i) {
        io::AppendKey({static_cast<int32_t>(copy), num_clears, recording.spike_ticks[i]},
                      &rows[spikes_]);
        io::AppendValue(static_cast<int32_t>(recording.spike_gids[i]), &rows[spikes_]);
      }
    }
  }
  for (size_t i = 0; i < series_.size(); ++i) {
    AddSeries(recording, i, num_clears, &rows[series_[i]]);
  }
}

}  // namespace livnd::env
