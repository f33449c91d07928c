#include "sim/culture/culture.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "sim/cell/point/point_params.h"
#include "sim/culture/culture_parts.h"
#include "sim/culture/point_builder.h"
#include "sim/culture/rcsd_builder.h"
#include "sim/network/spike_history.h"

namespace livnd::sim {
namespace {

absl::Status ValidatePopulations(const CultureConfig& config) {
  int64_t next = 0;
  std::set<std::string> names;
  for (const PopulationConfig& p : config.populations) {
    if (p.num_cells < 0 || p.first_gid < next) {
      return MakeFieldError(absl::StrCat("populations[", p.name, "]"),
                            absl::StrCat("gids ", p.first_gid, " .. + ", p.num_cells),
                            "ranges in ascending order that do not overlap");
    }
    if (!names.insert(p.name).second) {
      return MakeFieldError(absl::StrCat("populations[", p.name, "]"), "given twice",
                            "each population once");
    }
    next = p.first_gid + p.num_cells;
    if (!p.selected_gids.has_value()) continue;
    int64_t lowest = p.first_gid;
    for (int64_t gid : *p.selected_gids) {
      if (gid < lowest || gid >= next) {
        return MakeFieldError(absl::StrCat("populations[", p.name, "].selected_gids"),
                              absl::StrCat(gid),
                              absl::StrCat(p.first_gid, " .. ", next - 1, " in ascending order"));
      }
      lowest = gid + 1;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Culture>> Culture::Create(const CultureConfig& config) {
  if (!(config.dt_ms >= 1e-4 && config.dt_ms <= 1.0)) {
    return MakeFieldError("dt_ms", Exact(config.dt_ms), "a number from 1e-4 to 1 (ms)");
  }
  if (!(std::fabs(config.v_init_mv) <= 200.0)) {
    return MakeFieldError("v_init_mv", Exact(config.v_init_mv), "a number from -200 to 200 (mV)");
  }
  const double refractory = config.model.refractory_period_ms;
  if (!(refractory >= 0.0 && refractory <= 1e6)) {
    return MakeFieldError("model.refractory_period_ms", Exact(refractory),
                          "a number from 0 to 1e6 (ms)");
  }
  if (absl::Status s = ValidatePopulations(config); !s.ok()) return s;
  absl::StatusOr<CultureParts> parts =
      config.model.point.has_value() ? PointBuilder(config).Build() : RcsdBuilder(config).Build();
  if (!parts.ok()) return parts.status();
  return std::shared_ptr<const Culture>(new Culture(config.dt_ms, *std::move(parts)));
}

Culture::Culture(double dt_ms, CultureParts parts)
    : dt_ms_(dt_ms),
      refractory_steps_(parts.refractory_steps),
      has_noise_(parts.has_noise),
      has_plasticity_(parts.has_plasticity),
      has_opsin_(parts.has_opsin),
      noise_interval_ms_(parts.noise_interval_ms),
      time_rules_(parts.time_rules),
      groups_(std::move(parts.groups)),
      gids_(std::move(parts.gids)),
      cells_(std::move(parts.cells)),
      source_index_(std::move(parts.source_index)),
      weight_keys_(std::move(parts.weight_keys)) {
  for (int64_t gid : gids_) {
    cell_order_.push_back(cells_[gid]);
    first_section_row_[gid] = num_section_rows_;
    num_section_rows_ += groups_[cells_[gid].group].model->num_sections();
  }
  connectivity_.receptors = std::move(parts.receptors);
  connectivity_.max_delay_steps = parts.max_delay_steps;
  SetConnections(std::move(parts.rows));
  BuildInitialState();
}

void Culture::SetConnections(std::vector<PendingRow> rows) {
  std::stable_sort(rows.begin(), rows.end(),
                   [](const PendingRow& a, const PendingRow& b) { return a.source < b.source; });
  connectivity_.first_row.assign(source_index_.size() + 1, 0);
  connectivity_.rows.reserve(rows.size());
  absl::flat_hash_map<std::tuple<uint16_t, uint16_t, uint32_t>, uint32_t> terminals;
  for (PendingRow& p : rows) {
    ++connectivity_.first_row[p.source + 1];
    const Terminal& t = p.terminal;
    p.row.terminal = static_cast<uint32_t>(connectivity_.terminals.size());
    const auto [known, fresh] =
        terminals.try_emplace({t.group, t.slot, t.receptor}, p.row.terminal);
    if (fresh) connectivity_.terminals.push_back(t);
    p.row.terminal = known->second;
    const int steps =
        p.row.delay_steps >= 0
            ? p.row.delay_steps
            : static_cast<int>(std::lround((p.row.delay_ms + kEmissionOffsetMs) / dt_ms_ - 0.5));
    if (connectivity_.rows.empty() || steps < connectivity_.min_delay_steps) {
      connectivity_.min_delay_steps = steps;
    }
    const ReceptorConstants& receptor = connectivity_.receptors[t.receptor];
    if (receptor.depressing || receptor.plastic) {
      p.row.state = static_cast<int32_t>(connectivity_.num_stateful_rows++);
    }
    if (receptor.plastic) {
      plastic_.push_back(std::move(p.plastic));
      plastic_rows_.push_back(static_cast<uint32_t>(connectivity_.rows.size()));
    }
    connectivity_.rows.push_back(p.row);
  }
  for (size_t i = 1; i < connectivity_.first_row.size(); ++i) {
    connectivity_.first_row[i] += connectivity_.first_row[i - 1];
  }
  FindRuns(connectivity_);
}

void Culture::BuildInitialState() {
  initial_state_.assign(CopyHeader::kSize, 0.0);
  // The first step draws noise where livn draws it at the start of an interval.
  if (time_rules_ == TimeRules::kWholeSteps) initial_state_[CopyHeader::kNoiseLast] = -1e9;
  const int num_history = SpikeHistory<double>::NumVariables(connectivity_.max_delay_steps);
  for (CellGroup& group : groups_) {
    CellModel& model = *group.model;
    group.num_variables = model.PlaceSlots(model.spikes_state() + num_history);
    for (int i = 0; i < model.num_slots(); ++i) group.slots.push_back(model.slot(i));
    group.state_offset = static_cast<int64_t>(initial_state_.size());
    for (uint32_t cell_class : group.cell_class) {
      const std::vector<double>& start = group.classes[cell_class].initial_state;
      const size_t end = initial_state_.size() + static_cast<size_t>(group.num_variables);
      initial_state_.insert(initial_state_.end(), start.begin(), start.end());
      initial_state_.push_back(SpikeHistory<double>::kNever);
      initial_state_.resize(end, 0.0);
    }
  }
  connection_state_offset_ = static_cast<int64_t>(initial_state_.size());
  for (const ConnectionRow& row : connectivity_.rows) {
    if (row.state < 0) continue;
    const bool plastic = connectivity_.receptor_of(row).plastic;
    initial_state_.push_back(1.0);                   // resources; learned weight
    initial_state_.push_back(plastic ? 0.0 : -1e9);  // integral; ms, at the last event
  }
}

size_t Culture::state_size_with_currents() const {
  size_t size = state_size();
  for (const CellGroup& group : groups_) {
    size += static_cast<size_t>(group.num_cells()) *
            static_cast<size_t>(group.model->num_compartments());
  }
  return size;
}

bool Culture::HasLayoutOf(const Culture& other) const {
  auto same_group = [](const CellGroup& a, const CellGroup& b) {
    auto same_slot = [](const SynapseSlotStates& x, const SynapseSlotStates& y) {
      return x.state == y.state && x.num_states == y.num_states &&
             x.learning_state == y.learning_state;
    };
    return a.gids == b.gids && a.num_variables == b.num_variables &&
           a.model->spikes_state() == b.model->spikes_state() &&
           a.model->num_compartments() == b.model->num_compartments() &&
           std::equal(a.slots.begin(), a.slots.end(), b.slots.begin(), b.slots.end(), same_slot);
  };
  auto same_row = [](const ConnectionRow& a, const ConnectionRow& b) { return a.state == b.state; };
  return dt_ms_ == other.dt_ms_ && initial_state_.size() == other.initial_state_.size() &&
         std::equal(groups_.begin(), groups_.end(), other.groups_.begin(), other.groups_.end(),
                    same_group) &&
         std::equal(connectivity_.rows.begin(), connectivity_.rows.end(),
                    other.connectivity_.rows.begin(), other.connectivity_.rows.end(), same_row);
}

absl::Status Culture::CheckLearnedWeights(absl::Span<const double> weights) const {
  if (weights.size() != plastic_.size()) {
    return MakeFieldError("learned_weights", absl::StrCat(weights.size(), " numbers"),
                          absl::StrCat(plastic_.size(), ", one a plastic connection"));
  }
  for (size_t i = 0; i < weights.size(); ++i) {
    const PlasticConnection& c = plastic_[i];
    if (weights[i] >= c.w_min && weights[i] <= c.w_max) continue;  // false for NaN
    return MakeFieldError(absl::StrCat("learned_weights[", i, "]"), Exact(weights[i]),
                          absl::StrCat(Exact(c.w_min), " .. ", Exact(c.w_max), " (from gid ",
                                       c.source_gid, " to ", c.target_gid, ", ", c.receptor, ")"));
  }
  return absl::OkStatus();
}

int64_t Culture::InputStep(double spike_ms, const ConnectionRow& row) const {
  if (time_rules_ == TimeRules::kContinuous) return DeliveryStep(spike_ms + row.delay_ms, dt_ms_);
  // Brian2's timestep().
  return static_cast<int64_t>(std::floor(spike_ms / dt_ms_ + 1e-3)) + row.delay_steps;
}

Culture::CellRef Culture::Find(int64_t gid) const {
  const auto it = cells_.find(gid);
  return it == cells_.end() ? CellRef{} : it->second;
}

int64_t Culture::SourceIndex(int64_t gid) const {
  const auto it = source_index_.find(gid);
  return it == source_index_.end() ? -1 : it->second;
}

int64_t Culture::SectionRow(int64_t gid, int section) const {
  const CellRef cell = Find(gid);
  if (cell.group < 0 || section < 0 || section >= groups_[cell.group].model->num_sections()) {
    return -1;
  }
  return first_section_row_.find(gid)->second + section;
}

}  // namespace livnd::sim
