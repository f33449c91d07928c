// The part of Gang that learns, and the probes.
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/gang.h"
#include "sim/simd/tile_lanes.h"

namespace livnd::sim {

absl::Status Gang::SetPlasticity(int copy, bool on) {
  if (!culture_->has_plasticity()) {
    return absl::FailedPreconditionError("the culture was built without plasticity");
  }
  header(copy, CopyHeader::kPlasticityOn) = on ? 1.0 : 0.0;
  if (on) header(copy, CopyHeader::kHasLearned) = 1.0;
  stale_ = true;
  return absl::OkStatus();
}

void Gang::UpdateSwitches() {
  learning_ = light_ = false;
  for (int c = 0; c < num_copies_; ++c) {
    learning_ = learning_ || header(c, CopyHeader::kHasLearned) != 0.0;
    light_ = light_ || header(c, CopyHeader::kLightActive) != 0.0;
  }
  if (!learning_) return;
  for (size_t g = 0; g < groups_.size(); ++g) {
    GroupTiles& tiles = groups_[g];
    tiles.learning.assign(static_cast<size_t>(tiles.num_tiles) * kTileLanes, 0.0);
    for (int lane = 0; lane < tiles.num_lanes; ++lane) {
      tiles.learning[lane] =
          header(lane / culture_->groups()[g].num_cells(), CopyHeader::kPlasticityOn);
    }
  }
}

std::vector<double> Gang::LearnedWeights(int copy) const {
  const Connectivity& net = culture_->connectivity();
  const double* connections = connection_state_.data() + copy * 2 * net.num_stateful_rows;
  std::vector<double> weights;
  weights.reserve(culture_->plastic_rows().size());
  for (uint32_t row : culture_->plastic_rows()) {
    weights.push_back(connections[2 * net.rows[row].state]);
  }
  return weights;
}

absl::Status Gang::SetLearnedWeights(int copy, absl::Span<const double> weights) {
  const std::vector<PlasticConnection>& plastic = culture_->plastic_connections();
  if (weights.size() != plastic.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("learned weights: found ", weights.size(), "; takes ", plastic.size()));
  }
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] >= plastic[i].w_min && weights[i] <= plastic[i].w_max) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("learned weight ", i, " (", plastic[i].source_gid, " -> ",
                     plastic[i].target_gid, " ", plastic[i].receptor, ") = ", weights[i],
                     "; takes ", plastic[i].w_min, " to ", plastic[i].w_max));
  }
  const Connectivity& net = culture_->connectivity();
  double* connections = connection_state_.data() + copy * 2 * net.num_stateful_rows;
  for (size_t i = 0; i < weights.size(); ++i) {
    connections[2 * net.rows[culture_->plastic_rows()[i]].state] = weights[i];
  }
  return absl::OkStatus();
}

void Gang::Sample(Probe& probe) const {
  if (probe.quantity == Probe::Quantity::kLearnedWeights) {
    const std::vector<double> weights = LearnedWeights(probe.copy);
    probe.samples.insert(probe.samples.end(), weights.begin(), weights.end());
    return;
  }
  for (const Probe::Site& site : probe.sites) {
    const Culture::CellRef cell = culture_->Find(site.gid);
    const CellGroup& group = culture_->groups()[cell.group];
    const CellModel& model = *group.model;
    const int64_t lane = int64_t{probe.copy} * group.num_cells() + cell.index;
    const int c = model.middle_compartment(site.section);
    double x = 0.0;
    switch (probe.quantity) {
      case Probe::Quantity::kVoltageMv:
        x = *Variable(cell.group, lane, model.voltage_state(c));
        break;
      case Probe::Quantity::kMembraneCurrentUa: {
        const std::vector<double>& membrane = groups_[cell.group].membrane;
        // mA/cm2 um2 = 1e-2 nA.
        if (!membrane.empty()) {
          x = membrane[((lane / kTileLanes) * model.num_compartments() + c) * kTileLanes +
                       lane % kTileLanes] *
              model.area_um2(group.params(cell.index), c) * 1e-2 * 1e-3;
        }
        break;
      }
      case Probe::Quantity::kState:
        x = model.NamedState(probe.state, site.section, group.params(cell.index),
                             Variable(cell.group, lane, 0));
        break;
      case Probe::Quantity::kLearnedWeights:
        break;
    }
    probe.samples.push_back(x);
  }
}

}  // namespace livnd::sim
