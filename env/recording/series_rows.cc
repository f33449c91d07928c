#include "env/recording/series_rows.h"

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

SeriesRows::SeriesRows(absl::Span<const SeriesSelection> series, absl::Span<const int64_t> num_rows,
                       std::vector<io::StreamSpec>* streams)
    : series_(series.begin(), series.end()), num_rows_(num_rows.begin(), num_rows.end()) {
  const auto add = [streams](io::StreamSpec stream) {
    streams->push_back(std::move(stream));
    return static_cast<int>(streams->size()) - 1;
  };
  std::map<std::string, int> num_named;
  for (size_t i = 0; i < series_.size(); ++i) {
    const Kind kind = KindOf(series_[i]);
    const int number = ++num_named[kind.name];
    const std::string name = number == 1 ? kind.name : absl::StrCat(kind.name, ".", number);
    streams_.push_back(add(io::SeriesStream(
        name, series_[i].single_precision ? io::ElementType::kFloat32 : io::ElementType::kFloat64,
        num_rows_[i], kind.unit, {{"sample_dt_ms", series_[i].sample_dt_ms}})));
    labels_.push_back(series_[i].sites.empty() ? -1
                                               : add(io::LabelsStream(name, {"gid", "section"})));
  }
}

void SeriesRows::AddLabels(absl::Span<std::string> rows) const {
  for (size_t i = 0; i < series_.size(); ++i) {
    if (labels_[i] < 0) continue;
    std::string& labels = rows[static_cast<size_t>(labels_[i])];
    for (const Site& site : series_[i].sites) {
      io::AppendValue(site.gid, &labels);
      io::AppendValue(int64_t{site.section}, &labels);
    }
  }
}

void SeriesRows::AddSample(size_t i, const io::RowKey& key, const double* values, int64_t stride,
                           absl::Span<std::string> rows) const {
  std::string& out = rows[static_cast<size_t>(streams_[i])];
  io::AppendKey(key, &out);
  for (int64_t row = 0; row < num_rows_[i]; ++row) {
    if (series_[i].single_precision) {
      io::AppendValue(static_cast<float>(values[row * stride]), &out);
    } else {
      io::AppendValue(values[row * stride], &out);
    }
  }
}

}  // namespace livnd::env
