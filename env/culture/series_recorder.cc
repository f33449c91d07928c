#include "env/culture/series_recorder.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/field_error.h"
#include "env/culture/sites.h"
#include "io/device/sampling_points.h"

namespace livnd::env {
namespace {

constexpr int kSitesPerCell = 2;
// A run keeps books for every series of every copy.
constexpr size_t kMaxSeries = 64;

bool HasSites(RecordedQuantity quantity) {
  return quantity != RecordedQuantity::kElectrodePotentialUv &&
         quantity != RecordedQuantity::kLearnedWeight;
}

absl::Status CheckState(const std::string& field, const SeriesSelection& series,
                        const sim::Culture& culture) {
  for (const Site& site : series.sites) {
    const std::vector<std::string> names =
        culture.groups()[culture.Find(site.gid).group].model->state_names();
    if (std::find(names.begin(), names.end(), series.state) == names.end()) {
      return MakeFieldError(field, absl::StrCat("'", series.state, "'"),
                            absl::StrJoin(names, ", "));
    }
  }
  return absl::OkStatus();
}

// A point neuron has no membrane whose current could be recorded or heard.
absl::Status CheckMembrane(const std::string& field, RecordedQuantity quantity,
                           const sim::Culture& culture) {
  const bool membrane = quantity == RecordedQuantity::kMembraneCurrentUa ||
                        quantity == RecordedQuantity::kElectrodePotentialUv;
  for (const sim::CellGroup& group : culture.groups()) {
    if (!membrane || group.model->area_um2(group.params(0), 0) > 0.0) continue;
    return MakeFieldError(
        field,
        quantity == RecordedQuantity::kMembraneCurrentUa ? "membrane currents"
                                                         : "electrode potentials",
        absl::StrCat("voltages and states: neurons of ", group.population, " are points"));
  }
  return absl::OkStatus();
}

sim::Probe::Quantity ProbeOf(RecordedQuantity quantity) {
  switch (quantity) {
    case RecordedQuantity::kVoltageMv:
      return sim::Probe::Quantity::kVoltageMv;
    case RecordedQuantity::kMembraneCurrentUa:
    case RecordedQuantity::kElectrodePotentialUv:
      return sim::Probe::Quantity::kMembraneCurrentUa;
    case RecordedQuantity::kState:
      return sim::Probe::Quantity::kState;
    case RecordedQuantity::kLearnedWeight:
      return sim::Probe::Quantity::kLearnedWeights;
  }
  return sim::Probe::Quantity::kVoltageMv;
}

}  // namespace

ElectrodeHearing MakeElectrodeHearing(const io::ElectrodeArray& array,
                                      absl::Span<const io::Point> position_um,
                                      const io::DendriteOrientation& orientation,
                                      const sim::Culture& culture) {
  ElectrodeHearing hearing;
  std::vector<io::Point> points;
  for (const int64_t gid : culture.gids()) {
    const sim::CellGroup& group = culture.groups()[culture.Find(gid).group];
    const std::vector<io::Point> of_cell =
        io::SamplingPoints(group.geometry, gid, position_um[static_cast<size_t>(gid)], orientation);
    const int n = std::min(kSitesPerCell, static_cast<int>(of_cell.size()));
    for (int section = 0; section < n; ++section) {
      hearing.sites.push_back({gid, section});
      points.push_back(of_cell[static_cast<size_t>(section)]);
    }
  }
  hearing.gains = io::SparseGains(array, points);
  return hearing;
}

absl::Status CheckSeries(absl::string_view field, absl::Span<const SeriesSelection> series,
                         const sim::Culture& culture, bool has_electrodes) {
  if (series.size() > kMaxSeries) {
    return MakeFieldError(field, absl::StrCat(series.size(), " series"),
                          absl::StrCat("at most ", kMaxSeries, "; one takes many sites"));
  }
  for (size_t i = 0; i < series.size(); ++i) {
    const SeriesSelection& s = series[i];
    const std::string path = absl::StrCat(field, "[", i, "]");
    const double steps = s.sample_dt_ms / culture.dt_ms();
    if (!(steps >= 1.0 - 1e-9 && steps <= 1e6 && std::fabs(steps - std::round(steps)) <= 1e-6)) {
      return MakeFieldError(absl::StrCat(path, ".sample_dt_ms"), Exact(s.sample_dt_ms),
                            absl::StrCat("a multiple of dt_ms = ", Exact(culture.dt_ms())));
    }
    if (s.quantity == RecordedQuantity::kElectrodePotentialUv && !has_electrodes) {
      return MakeFieldError(absl::StrCat(path, ".quantity"), "electrode potentials",
                            "another: this system has no electrodes");
    }
    if (absl::Status status = CheckMembrane(absl::StrCat(path, ".quantity"), s.quantity, culture);
        !status.ok()) {
      return status;
    }
    if (s.sites.empty() == HasSites(s.quantity)) {
      return MakeFieldError(absl::StrCat(path, ".sites"), s.sites.empty() ? "empty" : "not empty",
                            s.sites.empty() ? "at least one site" : "none for this quantity");
    }
    for (size_t k = 0; k < s.sites.size(); ++k) {
      if (absl::Status status =
              CheckSite(absl::StrCat(path, ".sites[", k, "]"), s.sites[k], culture);
          !status.ok()) {
        return status;
      }
    }
    if (s.quantity == RecordedQuantity::kState) {
      if (absl::Status status = CheckState(absl::StrCat(path, ".state"), s, culture);
          !status.ok()) {
        return status;
      }
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSelection(absl::string_view field, const RecordingSelection& selection,
                            const sim::Culture& culture, bool has_electrodes) {
  std::set<std::string> known;
  for (const sim::CellGroup& group : culture.groups()) known.insert(group.population);
  for (size_t i = 0; i < selection.spike_populations.size(); ++i) {
    const std::string& population = selection.spike_populations[i];
    if (known.count(population) > 0) continue;
    return MakeFieldError(absl::StrCat(field, ".spike_populations[", i, "]"),
                          absl::StrCat("'", population, "'"), absl::StrJoin(known, ", "));
  }
  return CheckSeries(absl::StrCat(field, ".series"), selection.series, culture, has_electrodes);
}

SeriesRecorder::SeriesRecorder(const SeriesSelection& selection, int copy,
                               const sim::Culture& culture,
                               std::shared_ptr<const ElectrodeHearing> hearing) {
  probe_.copy = copy;
  probe_.quantity = ProbeOf(selection.quantity);
  probe_.state = selection.state;
  probe_.every_steps = static_cast<int>(std::llround(selection.sample_dt_ms / culture.dt_ms()));
  if (selection.quantity == RecordedQuantity::kElectrodePotentialUv) hearing_ = std::move(hearing);
  for (const Site& site : hearing_ != nullptr ? hearing_->sites : selection.sites) {
    probe_.sites.push_back({site.gid, site.section});
  }
  num_rows_ = hearing_ != nullptr ? static_cast<int64_t>(hearing_->gains.num_electrodes())
              : selection.quantity == RecordedQuantity::kLearnedWeight
                  ? static_cast<int64_t>(culture.plastic_connections().size())
                  : static_cast<int64_t>(selection.sites.size());
}

void SeriesRecorder::Begin() {
  probe_.steps_seen = 0;
  probe_.samples.clear();
  samples_.clear();
}

void SeriesRecorder::Keep() {
  if (hearing_ == nullptr) {
    samples_.insert(samples_.end(), probe_.samples.begin(), probe_.samples.end());
  } else {
    const size_t num_sites = hearing_->sites.size();
    size_t written = samples_.size();
    samples_.resize(written + probe_.samples.size() / num_sites * static_cast<size_t>(num_rows_));
    for (size_t first = 0; first < probe_.samples.size(); first += num_sites) {
      hearing_->gains.Potentials(probe_.samples.data() + first, samples_.data() + written);
      written += static_cast<size_t>(num_rows_);
    }
  }
  probe_.samples.clear();
}

}  // namespace livnd::env
