#include "env/recording/series_rows.h"

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

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

struct Told {
  std::vector<std::string> columns;
  std::string rows;
};

// What the rows of a series are; no columns where nobody knows.
Told Tell(const SeriesSelection& series, int64_t num_rows, const SeriesSources& sources) {
  Told out;
  const auto n = static_cast<size_t>(num_rows);
  if (!series.sites.empty()) {
    out.columns = {"gid", "section"};
    for (const Site& site : series.sites) {
      io::AppendValue(site.gid, &out.rows);
      io::AppendValue(int64_t{site.section}, &out.rows);
    }
  } else if (series.quantity == RecordedQuantity::kElectrodePotentialUv &&
             sources.electrode_ids.size() == n) {
    out.columns = {"channel"};
    for (const int32_t id : sources.electrode_ids) io::AppendValue(int64_t{id}, &out.rows);
  } else if (series.quantity == RecordedQuantity::kLearnedWeight &&
             sources.connections.size() == n) {
    out.columns = {"source_gid", "target_gid", "syn_id"};
    for (const sim::PlasticConnection& connection : sources.connections) {
      io::AppendValue(connection.source_gid, &out.rows);
      io::AppendValue(connection.target_gid, &out.rows);
      io::AppendValue(connection.syn_id, &out.rows);
    }
  }
  return out;
}

}  // namespace

SeriesRows::SeriesRows(absl::Span<const SeriesSelection> series, absl::Span<const int64_t> num_rows,
                       const SeriesSources& sources, std::vector<io::StreamSpec>* streams)
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
    Told told = Tell(series_[i], num_rows_[i], sources);
    if (told.columns.empty()) continue;
    labels_.push_back({add(io::LabelsStream(name, told.columns)), std::move(told.rows)});
  }
}

void SeriesRows::AddLabels(absl::Span<std::string> rows) const {
  for (const Labels& labels : labels_) rows[static_cast<size_t>(labels.stream)] += labels.rows;
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
