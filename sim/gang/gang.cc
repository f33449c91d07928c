#include "sim/gang/gang.h"

#include <emmintrin.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/simd/tile_lanes.h"

namespace livnd::sim {
namespace {

// Calls visit(tile, first lane, end lane, first cell) for the tiles in which a copy's cells lie.
template <typename Visit>
void ForTiles(int copy, int num_cells, Visit visit) {
  int64_t lane = int64_t{copy} * num_cells;
  for (int cell = 0; cell < num_cells;) {
    const int begin = static_cast<int>(lane % kTileLanes);
    const int end = std::min(int{kTileLanes}, begin + num_cells - cell);
    visit(lane / kTileLanes, begin, end, cell);
    lane += end - begin;
    cell += end - begin;
  }
}

// Two cells, cell after cell, from or to neighbouring lanes of a tile; two variables at a time.
void CellsToLanes(const double* cells, int num_variables, double* lanes) {
  const double* a = cells;
  const double* b = cells + num_variables;
  int v = 0;
  for (; v + 1 < num_variables; v += 2) {
    const __m128d x = _mm_loadu_pd(a + v), y = _mm_loadu_pd(b + v);
    _mm_storeu_pd(lanes + v * kTileLanes, _mm_unpacklo_pd(x, y));
    _mm_storeu_pd(lanes + (v + 1) * kTileLanes, _mm_unpackhi_pd(x, y));
  }
  if (v < num_variables) {
    lanes[v * kTileLanes] = a[v];
    lanes[v * kTileLanes + 1] = b[v];
  }
}

void LanesToCells(const double* lanes, int num_variables, double* cells) {
  double* a = cells;
  double* b = cells + num_variables;
  int v = 0;
  for (; v + 1 < num_variables; v += 2) {
    const __m128d x = _mm_loadu_pd(lanes + v * kTileLanes);
    const __m128d y = _mm_loadu_pd(lanes + (v + 1) * kTileLanes);
    _mm_storeu_pd(a + v, _mm_unpacklo_pd(x, y));
    _mm_storeu_pd(b + v, _mm_unpackhi_pd(x, y));
  }
  if (v < num_variables) {
    a[v] = lanes[v * kTileLanes];
    b[v] = lanes[v * kTileLanes + 1];
  }
}

}  // namespace

Gang::Gang(std::shared_ptr<const Culture> culture, int num_copies)
    : culture_(std::move(culture)), num_copies_(num_copies) {
  const Connectivity& net = culture_->connectivity();
  headers_.assign(static_cast<size_t>(num_copies) * CopyHeader::kSize, 0.0);
  connection_state_.assign(static_cast<size_t>(num_copies) * 2 * net.num_stateful_rows, 0.0);
  step_offset_.assign(num_copies, 0);
  rests_.assign(num_copies, 0);
  due_.assign(static_cast<size_t>(num_copies) * kNoiseChunk, 0);
  num_due_.assign(num_copies, 0);
  events_stale_.assign(num_copies, 1);
  stimuli_stale_.assign(num_copies, 1);
  for (int m = 0; m < kNumStimulusModes; ++m) {
    StimulusSlot& s = stimuli_[m];
    s.timelines.assign(num_copies, StimulusTimeline(RuleOf(static_cast<StimulusMode>(m))));
    s.row_present.assign(culture_->num_section_rows(), 0);
  }
  BuildTiles();
  for (const Terminal& t : net.terminals) {
    const CellGroup& group = culture_->groups()[t.group];
    const SynapseSlotStates& slot = group.slots[t.slot];
    targets_.push_back({t.group, group.num_cells(), slot.num_states, slot.learning_state,
                        Variable(t.group, 0, slot.state), int64_t{group.num_variables} * kTileLanes,
                        net.receptors[t.receptor]});
  }
  for (int c = 0; c < num_copies; ++c) LoadCopy(c, culture_->initial_state());
}

void Gang::BuildTiles() {
  for (const CellGroup& group : culture_->groups()) {
    GroupTiles& tiles = groups_.emplace_back();
    tiles.num_cells = group.num_cells();
    tiles.num_lanes = num_copies_ * group.num_cells();
    tiles.num_tiles = (tiles.num_lanes + kTileLanes - 1) / kTileLanes;
    num_tiles_ += tiles.num_tiles;
    tiles.state.assign(static_cast<size_t>(tiles.num_tiles) * group.num_variables * kTileLanes,
                       0.0);
    tiles.marks.assign(tiles.num_tiles, 0);
    tiles.scratch.assign(
        static_cast<size_t>(tiles.num_tiles) * group.model->num_scratch() * kTileLanes, 0.0);
    tiles.stale.assign(tiles.num_tiles, 1);
    tiles.crossed.assign(tiles.num_tiles, 0);
    const int num_params = group.model->num_params();
    std::map<std::vector<uint32_t>, int> known;
    for (int t = 0; t < tiles.num_tiles; ++t) {
      std::vector<uint32_t> classes(kTileLanes);
      uint32_t mask = 0;
      for (int i = 0; i < kTileLanes; ++i) {
        const int lane = t * kTileLanes + i;
        const bool alive = lane < tiles.num_lanes;
        if (alive) mask |= 1u << i;
        // Lanes beyond the last cell repeat it; whatever they do is masked.
        const int from = alive ? lane : tiles.num_lanes - 1;
        classes[i] = group.cell_class[from % group.num_cells()];
        const std::vector<double>& start = group.classes[classes[i]].initial_state;
        for (size_t v = 0; v < start.size(); ++v) {
          tiles.state[(static_cast<size_t>(t) * group.num_variables + v) * kTileLanes + i] =
              start[v];
        }
      }
      tiles.lane_mask.push_back(mask);
      const auto [at, fresh] = known.try_emplace(classes, static_cast<int>(known.size()));
      tiles.param_tile.push_back(at->second);
      if (!fresh) continue;
      for (int p = 0; p < num_params; ++p) {
        for (int i = 0; i < kTileLanes; ++i) {
          tiles.params.push_back(group.classes[classes[i]].params[p]);
        }
      }
    }
    if (group.model->noise_on()) {
      tiles.normals.assign(static_cast<size_t>(kNoiseChunk) * tiles.num_tiles * 2 * kTileLanes,
                           0.0);
    }
    tiles.run_end.assign(group.num_cells(), group.num_cells());
    for (int64_t gid : group.gids) tiles.first_row.push_back(culture_->SectionRow(gid, 0));
    for (int i = group.num_cells() - 2; i >= 0; --i) {
      const bool follows =
          tiles.first_row[i + 1] == tiles.first_row[i] + group.model->num_sections();
      tiles.run_end[i] = follows ? tiles.run_end[i + 1] : i + 1;
    }
  }
}

double* Gang::Variable(int group, int64_t lane, int variable) {
  return const_cast<double*>(std::as_const(*this).Variable(group, lane, variable));
}

const double* Gang::Variable(int group, int64_t lane, int variable) const {
  const int num_variables = culture_->groups()[group].num_variables;
  return groups_[group].state.data() +
         ((lane / kTileLanes) * num_variables + variable) * kTileLanes + lane % kTileLanes;
}

void Gang::SaveCopy(int copy, absl::Span<double> state) const {
  double* out = state.data();
  out = std::copy_n(&headers_[copy * CopyHeader::kSize], size_t{CopyHeader::kSize}, out);
  for (size_t g = 0; g < groups_.size(); ++g) {
    const int n = culture_->groups()[g].num_variables;
    ForTiles(copy, groups_[g].num_cells, [&](int64_t tile, int begin, int end, int) {
      const double* lanes = groups_[g].state.data() + tile * n * kTileLanes;
      int i = begin;
      for (; i + 1 < end; i += 2, out += 2 * n) LanesToCells(lanes + i, n, out);
      if (i == end) return;
      for (int v = 0; v < n; ++v) *out++ = lanes[v * kTileLanes + i];
    });
  }
  const int64_t n = 2 * culture_->connectivity().num_stateful_rows;
  out = std::copy_n(connection_state_.data() + copy * n, n, out);
  if (state.size() == culture_->state_size_with_currents()) SaveCurrents(copy, out);
}

void Gang::LoadCopy(int copy, absl::Span<const double> state) {
  const double* in = state.data();
  std::copy_n(in, size_t{CopyHeader::kSize}, &headers_[copy * CopyHeader::kSize]);
  in += CopyHeader::kSize;
  for (size_t g = 0; g < groups_.size(); ++g) {
    const int n = culture_->groups()[g].num_variables;
    GroupTiles& tiles = groups_[g];
    ForTiles(copy, tiles.num_cells, [&](int64_t tile, int begin, int end, int) {
      double* lanes = tiles.state.data() + tile * n * kTileLanes;
      int i = begin;
      for (; i + 1 < end; i += 2, in += 2 * n) CellsToLanes(in, n, lanes + i);
      if (i < end) {
        for (int v = 0; v < n; ++v) lanes[v * kTileLanes + i] = *in++;
      }
      tiles.stale[tile] = 1;
    });
  }
  const int64_t n = 2 * culture_->connectivity().num_stateful_rows;
  std::copy_n(in, n, connection_state_.data() + copy * n);
  const bool with_currents = state.size() == culture_->state_size_with_currents();
  if (with_currents) KeepMembrane();
  if (keep_membrane_) LoadCurrents(copy, with_currents ? in + n : nullptr);
  for (StimulusSlot& s : stimuli_) s.timelines[copy].Clear();
  events_stale_[copy] = stimuli_stale_[copy] = 1;
  stale_ = true;
}

void Gang::SaveCurrents(int copy, double* out) const {
  for (size_t g = 0; g < groups_.size(); ++g) {
    const int num_compartments = culture_->groups()[g].model->num_compartments();
    ForTiles(copy, groups_[g].num_cells, [&](int64_t tile, int begin, int end, int) {
      const int64_t at = tile * num_compartments * kTileLanes;
      for (int i = begin; i < end; ++i) {
        for (int c = 0; c < num_compartments; ++c) {
          *out++ = keep_membrane_ ? groups_[g].membrane[at + c * kTileLanes + i] : 0.0;
        }
      }
    });
  }
}

void Gang::LoadCurrents(int copy, const double* in) {
  for (size_t g = 0; g < groups_.size(); ++g) {
    const int num_compartments = culture_->groups()[g].model->num_compartments();
    ForTiles(copy, groups_[g].num_cells, [&](int64_t tile, int begin, int end, int) {
      const int64_t at = tile * num_compartments * kTileLanes;
      for (int i = begin; i < end; ++i) {
        for (int c = 0; c < num_compartments; ++c) {
          groups_[g].membrane[at + c * kTileLanes + i] = in == nullptr ? 0.0 : *in++;
        }
      }
    });
  }
}

TileBatch Gang::TilesAt(int g, int first, int num_tiles) {
  GroupTiles& tiles = groups_[g];
  const CellGroup& group = culture_->groups()[g];
  TileBatch batch;
  batch.num_tiles = num_tiles;
  batch.lanes_of_last =
      std::min(kTileLanes, tiles.num_lanes - (first + num_tiles - 1) * kTileLanes);
  batch.params = tiles.params.data();
  batch.param_tile = tiles.param_tile.data() + first;
  batch.num_variables = group.num_variables;
  batch.state = tiles.state.data() + static_cast<size_t>(first) * group.num_variables * kTileLanes;
  batch.marks = tiles.marks.data() + first;
  batch.scratch =
      tiles.scratch.data() + static_cast<size_t>(first) * group.model->num_scratch() * kTileLanes;
  return batch;
}

void Gang::PrepareTiles() {
  for (size_t g = 0; g < groups_.size(); ++g) {
    for (int t = 0; t < groups_[g].num_tiles; ++t) {
      if (groups_[g].stale[t] == 0) continue;
      culture_->groups()[g].model->Prepare(TilesAt(static_cast<int>(g), t, 1));
      groups_[g].stale[t] = 0;
    }
  }
}

void Gang::CatchUp() {
  if (!stale_) return;
  UpdateSwitches();
  PrepareTiles();
  RebuildEvents();
  stale_ = false;
}

bool Gang::IsFinite(int copy) const {
  bool finite = true;
  for (size_t g = 0; g < groups_.size(); ++g) {
    const CellGroup& group = culture_->groups()[g];
    const double* soma = groups_[g].state.data() + group.model->voltage_state(0) * kTileLanes;
    ForTiles(copy, group.num_cells(), [&](int64_t tile, int begin, int end, int) {
      const double* v = soma + tile * group.num_variables * kTileLanes;
      // Written so that NaN fails.
      for (int i = begin; i < end; ++i) finite = finite && std::fabs(v[i]) < 1e4;
    });
  }
  return finite;
}

double Gang::VoltageMv(int copy, int64_t gid, int section) const {
  const Culture::CellRef cell = culture_->Find(gid);
  const CellGroup& group = culture_->groups()[cell.group];
  return *Variable(cell.group, int64_t{copy} * group.num_cells() + cell.index,
                   group.model->voltage_state(group.model->middle_compartment(section)));
}

}  // namespace livnd::sim
