// The part of Gang that reads what probes ask for.
#include <cstdint>
#include <vector>

#include "sim/gang/gang.h"
#include "sim/simd/tile_lanes.h"

namespace livnd::sim {

void Gang::KeepMembrane() {
  if (keep_membrane_) return;
  keep_membrane_ = true;
  for (size_t g = 0; g < groups_.size(); ++g) {
    const int num_compartments = culture_->groups()[g].model->num_compartments();
    groups_[g].membrane.assign(
        static_cast<size_t>(groups_[g].num_tiles) * num_compartments * kTileLanes, 0.0);
  }
}

ProbeSite Gang::SiteOf(const Probe& probe, const Probe::Site& site) const {
  const Culture::CellRef cell = culture_->Find(site.gid);
  const CellGroup& group = culture_->groups()[cell.group];
  const CellModel& model = *group.model;
  const int64_t lane = int64_t{probe.copy} * group.num_cells() + cell.index;
  const int c = model.middle_compartment(site.section);
  ProbeSite out;
  out.group = cell.group;
  out.cell = cell.index;
  out.section = site.section;
  switch (probe.quantity) {
    case Probe::Quantity::kVoltageMv:
      out.at = Variable(cell.group, lane, model.voltage_state(c));
      break;
    case Probe::Quantity::kMembraneCurrentUa:
      out.at = groups_[cell.group].membrane.data() +
               ((lane / kTileLanes) * model.num_compartments() + c) * kTileLanes +
               lane % kTileLanes;
      out.area_um2 = model.area_um2(group.params(cell.index), c);
      break;
    case Probe::Quantity::kState:
    case Probe::Quantity::kLearnedWeights:
      out.at = Variable(cell.group, lane, 0);
      break;
  }
  return out;
}

void Gang::BeginProbes(int64_t num_steps, absl::Span<Probe* const> probes) {
  for (GangSlice& slice : slices_) {
    slice.probes.clear();
    slice.sites.clear();
  }
  const Connectivity& net = culture_->connectivity();
  const std::vector<uint32_t>& plastic = culture_->plastic_rows();
  for (Probe* probe : probes) {
    const bool weights = probe->quantity == Probe::Quantity::kLearnedWeights;
    const size_t num_columns = weights ? plastic.size() : probe->sites.size();
    const int64_t phase = probe->steps_seen % probe->every_steps;
    const int64_t skipped = phase == 0 ? 0 : probe->every_steps - phase;
    probe->steps_seen += num_steps;
    if (skipped >= num_steps) continue;
    const int64_t num_samples = (num_steps - skipped - 1) / probe->every_steps + 1;
    const size_t before = probe->samples.size();
    probe->samples.resize(before + static_cast<size_t>(num_samples) * num_columns);
    for (GangSlice& slice : slices_) {
      slice.probes.push_back({probe, step_ + skipped, probe->samples.data() + before,
                              static_cast<int64_t>(num_columns), slice.sites.size(), 0});
    }
    for (size_t i = 0; i < num_columns; ++i) {
      ProbeSite site;
      if (weights) {
        const ConnectionRow& row = net.rows[plastic[i]];
        site.group = targets_[row.terminal].group;
        site.cell = static_cast<int32_t>(row.target_index);
        site.at = connection_state_.data() + 2 * (probe->copy * net.num_stateful_rows + row.state);
      } else {
        site = SiteOf(*probe, probe->sites[i]);
      }
      site.column = static_cast<int64_t>(i);
      const int64_t lane = int64_t{probe->copy} * groups_[site.group].num_cells + site.cell;
      for (GangSlice& slice : slices_) {
        if (slice.Owns(site.group, lane / kTileLanes)) slice.sites.push_back(site);
      }
    }
    for (GangSlice& slice : slices_) slice.probes.back().end_site = slice.sites.size();
  }
}

void Gang::Sample(GangSlice& slice, int64_t step) {
  for (SliceProbe& p : slice.probes) {
    if (p.next_step != step) continue;
    p.next_step += p.probe->every_steps;
    for (size_t i = p.first_site; i < p.end_site; ++i) {
      const ProbeSite& site = slice.sites[i];
      double x = *site.at;
      if (p.probe->quantity == Probe::Quantity::kMembraneCurrentUa) {
        // mA/cm2 um2 = 1e-2 nA.
        x = x * site.area_um2 * 1e-2 * 1e-3;
      } else if (p.probe->quantity == Probe::Quantity::kState) {
        const CellGroup& group = culture_->groups()[site.group];
        x = group.model->NamedState(p.probe->state, site.section, group.params(site.cell), site.at);
      }
      p.out[site.column] = x;
    }
    p.out += p.num_columns;
  }
}

}  // namespace livnd::sim
