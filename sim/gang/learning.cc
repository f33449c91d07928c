// The part of Gang that learns.
#include <algorithm>
#include <vector>

#include "sim/gang/gang.h"
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
  learning_ = false;
  for (int c = 0; c < num_copies_; ++c) {
    learning_ = learning_ || header(c, CopyHeader::kHasLearned) != 0.0;
  }
  if (!learning_) return;
  for (GroupTiles& tiles : groups_) {
    tiles.learning.resize(static_cast<size_t>(tiles.num_tiles) * kTileLanes);
    double* of_copy = tiles.learning.data();
    for (int c = 0; c < num_copies_; ++c, of_copy += tiles.num_cells) {
      std::fill(of_copy, of_copy + tiles.num_cells, header(c, CopyHeader::kPlasticityOn));
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
  if (absl::Status s = culture_->CheckLearnedWeights(weights); !s.ok()) return s;
  const Connectivity& net = culture_->connectivity();
  double* connections = connection_state_.data() + copy * 2 * net.num_stateful_rows;
  for (size_t i = 0; i < weights.size(); ++i) {
    connections[2 * net.rows[culture_->plastic_rows()[i]].state] = weights[i];
  }
  return absl::OkStatus();
}

}  // namespace livnd::sim
