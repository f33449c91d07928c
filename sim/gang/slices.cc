// The part of Gang that takes slices of tiles through epochs (docs/decisions/0007-slices-and-epochs.md).
#include <xmmintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <tuple>
#include <vector>

#include "sim/gang/gang.h"
#include "sim/simd/tile_lanes.h"

namespace livnd::sim {
namespace {

// A slice has at least so many tiles: a step of fewer is not worth a meeting with other threads.
constexpr int kMinSliceTiles = 8;
// Threads meet the executor anew after so many epochs: those that left come back.
constexpr int64_t kEpochsARound = 256;
// A tile's step takes some hundred nanoseconds, a pause some ten. A worker leaves when it has waited
// for about as long as an epoch takes, and for at least some hundred microseconds.
constexpr int64_t kMinPauses = 20000;
constexpr int64_t kPausesATileStep = 64;

// Denormal numbers are zero while the kernel runs: the same on every host, and no slow steps.
class FlushDenormals {
 public:
  FlushDenormals() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | 0x8040); }
  ~FlushDenormals() { _mm_setcsr(saved_); }

 private:
  unsigned saved_;
};

// visit(i) for the i < num with crossed[i] != 0, in order: few of many.
template <class Visit>
void ForEachCrossed(const uint8_t* crossed, int num, Visit visit) {
  int i = 0;
  for (uint64_t eight; i + 8 <= num; i += 8) {
    std::memcpy(&eight, crossed + i, sizeof(eight));
    // Bytes are in the order of their addresses: sim is for x86-64.
    for (; eight != 0; eight &= ~(uint64_t{0xFF} << (__builtin_ctzll(eight) / 8 * 8))) {
      visit(i + __builtin_ctzll(eight) / 8);
    }
  }
  for (; i < num; ++i) {
    if (crossed[i] != 0) visit(i);
  }
}

}  // namespace

void Gang::ArrangeSlices(int concurrency) {
  const int num_slices = std::max(1, std::min(concurrency, num_tiles_ / kMinSliceTiles));
  if (static_cast<int>(slices_.size()) == num_slices) return;
  epochs_ = num_slices > 1 ? std::make_unique<Epochs>(num_slices) : nullptr;
  slices_.clear();
  sent_.clear();
  int64_t cost = 0;
  for (size_t g = 0; g < groups_.size(); ++g) {
    cost += int64_t{groups_[g].num_tiles} * culture_->groups()[g].num_variables;
  }
  const int longest_delay = std::max(culture_->connectivity().max_delay_steps, kNoiseChunk);
  int64_t done = 0;
  size_t group = 0;
  int tile = 0;
  for (int s = 0; s < num_slices; ++s) {
    GangSlice& slice = slices_.emplace_back(longest_delay);
    slice.first_tile.assign(groups_.size(), 0);
    slice.end_tile.assign(groups_.size(), 0);
    slice.first_copy = num_copies_;
    for (const int64_t end = cost * (s + 1) / num_slices; done < end; tile = 0, ++group) {
      const GroupTiles& tiles = groups_[group];
      const int64_t of_tile = culture_->groups()[group].num_variables;
      const int n = static_cast<int>(
          std::min<int64_t>(tiles.num_tiles - tile, (end - done + of_tile - 1) / of_tile));
      slice.ranges.push_back({static_cast<int>(group), tile, n});
      slice.first_tile[group] = tile;
      slice.end_tile[group] = tile + n;
      const int end_lane = std::min((tile + n) * kTileLanes, tiles.num_lanes);
      slice.first_copy = std::min(slice.first_copy, tile * kTileLanes / tiles.num_cells);
      slice.end_copy = std::max(slice.end_copy, (end_lane - 1) / tiles.num_cells + 1);
      done += n * of_tile;
      tile += n;
      if (tile < tiles.num_tiles) break;
    }
    const int num_copies = std::max(0, slice.end_copy - slice.first_copy);
    slice.next_input.assign(num_copies, 0);
    slice.stimuli.resize(num_copies);
    for (int c = 0; c < num_copies; ++c) slice.stimuli[c].copy = slice.first_copy + c;
    slice.row_values.assign(culture_->num_section_rows(), 0.0);
  }
  for (GroupTiles& tiles : groups_) std::fill(tiles.drive.begin(), tiles.drive.end(), 0.0);
  std::fill(events_stale_.begin(), events_stale_.end(), uint8_t{1});
  std::fill(stimuli_stale_.begin(), stimuli_stale_.end(), uint8_t{1});
  stale_ = true;
}

bool Gang::TileRuns(const GroupTiles& tiles, int tile) const {
  const int end_lane = std::min((tile + 1) * kTileLanes, tiles.num_lanes);
  for (int c = tile * kTileLanes / tiles.num_cells; c * tiles.num_cells < end_lane; ++c) {
    if (rests_[c] == 0) return true;
  }
  return false;
}

void Gang::FindRunningTiles(absl::Span<const uint8_t> rests) {
  const bool all_run = std::all_of(rests.begin(), rests.end(), [](uint8_t r) { return r == 0; });
  for (int c = 0; c < num_copies_; ++c) rests_[c] = !all_run && rests[c] != 0;
  for (GangSlice& slice : slices_) {
    slice.running.clear();
    for (const TileRange& r : slice.ranges) {
      if (all_run) {
        slice.running.push_back(r);
        continue;
      }
      for (int t = r.first; t < r.first + r.num_tiles; ++t) {
        if (!TileRuns(groups_[r.group], t)) continue;
        TileRange* last = slice.running.empty() ? nullptr : &slice.running.back();
        if (last != nullptr && last->group == r.group && last->first + last->num_tiles == t) {
          ++last->num_tiles;
        } else {
          slice.running.push_back({r.group, t, 1});
        }
      }
    }
  }
}

void Gang::OpenEpoch() {
  const int min_delay = culture_->connectivity().min_delay_steps;
  // What is sent in an epoch arrives in a later one. The normals of a chunk are drawn with its first
  // epoch, so a chunk is made of whole epochs.
  const int epoch = min_delay == 0 ? kNoiseChunk : std::min(min_delay, kNoiseChunk);
  if (run_.chunk_at == run_.chunk_steps) {
    run_.chunk_at = 0;
    run_.chunk_steps =
        static_cast<int>(std::min<int64_t>(kNoiseChunk / epoch * epoch, run_.steps_left));
    if (culture_->has_noise()) DecideNoise(run_.chunk_steps);
  }
  run_.epoch_steps = std::min(epoch, run_.chunk_steps - run_.chunk_at);
}

void Gang::RunEpoch(GangSlice& slice) {
  for (const Emission& e : sent_) {
    const int64_t tick = TickAt(e.copy, e.step);
    PushRows(slice, e.copy, culture_->groups()[e.group].source[e.cell], tick, tick);
  }
  if (!inputs_.empty()) PushInputs(slice);
  if (run_.chunk_at == 0) {
    for (const TileRange& r : slice.running) {
      if (groups_[r.group].normals.empty()) continue;
      DrawNoise(r.group, r.first, r.num_tiles, run_.chunk_steps);
    }
  }
  for (int s = 0; s < run_.epoch_steps; ++s) StepSlice(slice, step_ + s, run_.chunk_at + s);
}

void Gang::StepSlice(GangSlice& slice, int64_t step, int chunk_step) {
  if (!slice.probes.empty()) Sample(slice, step);
  Deliver(slice, step);
  const bool currents = UpdateCurrents(slice, step);
  bool field = false;
  for (int i : slice.stimulated) {
    UpdateLight(slice, slice.stimuli[i], TickAt(slice.stimuli[i].copy, step));
    field = field || slice.stimuli[i].field_active != 0.0;
  }
  for (const TileRange& r : slice.running) {
    GroupTiles& tiles = groups_[r.group];
    const CellModel& model = *culture_->groups()[r.group].model;
    const auto at = [&](AlignedVector& rows, int num_rows) {
      return rows.data() + static_cast<size_t>(r.first) * num_rows * kTileLanes;
    };
    TileBatch batch = TilesAt(r.group, r.first, r.num_tiles);
    batch.field = field;
    batch.light = slice.light;
    if (!tiles.normals.empty()) {
      batch.normals =
          at(tiles.normals, 2) + static_cast<size_t>(chunk_step) * tiles.num_tiles * 2 * kTileLanes;
    }
    if (currents) batch.drive = at(tiles.drive, model.num_compartments());
    if (learning_) batch.learning = at(tiles.learning, 1);
    if (keep_membrane_) batch.membrane_current = at(tiles.membrane, model.num_compartments());
    model.StepTiles(batch, tiles.crossed.data() + r.first);
    ForEachCrossed(tiles.crossed.data() + r.first, r.num_tiles, [&](int i) {
      const int tile = r.first + i;
      const uint32_t crossed = tiles.crossed[tile] & tiles.lane_mask[tile];
      if (crossed != 0) EmitSpikes(slice, r.group, tile, crossed, step);
    });
  }
  for (int i : slice.stimulated) {
    UpdateField(slice, slice.stimuli[i], TickAt(slice.stimuli[i].copy, step));
  }
}

bool Gang::CloseEpoch() {
  sent_.clear();
  for (GangSlice& slice : slices_) {
    sent_.insert(sent_.end(), slice.emitted.begin(), slice.emitted.end());
    slice.emitted.clear();
  }
  if (sent_.size() > 1) {
    const auto key = [](const Emission& e) { return std::tie(e.step, e.copy, e.group, e.cell); };
    std::sort(sent_.begin(), sent_.end(),
              [&](const Emission& a, const Emission& b) { return key(a) < key(b); });
  }
  if (run_.spikes != nullptr) {
    for (const Emission& e : sent_) {
      run_.spikes->push_back(
          {e.copy, culture_->groups()[e.group].gids[e.cell], TickAt(e.copy, e.step)});
    }
  }
  step_ += run_.epoch_steps;
  run_.chunk_at += run_.epoch_steps;
  run_.steps_left -= run_.epoch_steps;
  if (run_.steps_left == 0) return false;
  OpenEpoch();
  return true;
}

void Gang::Advance(int64_t num_steps, std::vector<Spike>* spikes, absl::Span<Probe* const> probes,
                   Executor* executor, absl::Span<const uint8_t> rests) {
  if (num_steps <= 0) return;
  const FlushDenormals flush;
  ArrangeSlices(executor == nullptr ? 1 : executor->concurrency());
  FindRunningTiles(rests);
  for (const Probe* probe : probes) {
    if (probe->quantity == Probe::Quantity::kMembraneCurrentUa) KeepMembrane();
  }
  CatchUp();
  BeginStimuli();
  BeginProbes(num_steps, probes);
  run_ = Run();
  run_.steps_left = num_steps;
  run_.spikes = spikes;
  OpenEpoch();
  if (slices_.size() == 1) {
    do {
      RunEpoch(slices_[0]);
    } while (CloseEpoch());
  } else {
    const int64_t tile_steps = int64_t{num_tiles_} * run_.epoch_steps;
    const int64_t pauses = kMinPauses + kPausesATileStep * tile_steps / epochs_->num_slices();
    bool more = true;
    while (more) {
      run_.epochs_left = kEpochsARound;
      epochs_->Start(pauses);
      executor->ParallelFor(epochs_->num_slices(), [&](int worker) {
        const FlushDenormals flush_here;
        epochs_->Work(
            worker, [this](int s) { RunEpoch(slices_[s]); },
            [this, &more] {
              more = CloseEpoch();
              return more && --run_.epochs_left > 0;
            });
      });
    }
  }
  EndStimuli();
  for (int c = 0; c < num_copies_; ++c) {
    if (rests_[c] == 0) {
      header(c, CopyHeader::kTick) += num_steps;
    } else {
      events_stale_[c] = stimuli_stale_[c] = 1;
      stale_ = true;
    }
  }
}

}  // namespace livnd::sim
