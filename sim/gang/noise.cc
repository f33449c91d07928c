// The part of Gang that keys and draws the noise.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "sim/gang/gang.h"
#include "sim/noise/noise_stream.h"
#include "sim/simd/tile_lanes.h"

namespace livnd::sim {

void Gang::SetSeed(int copy, uint64_t seed, uint32_t noise_stream) {
  header(copy, CopyHeader::kSeedLow) = static_cast<double>(seed & 0xFFFFFFFFu);
  header(copy, CopyHeader::kSeedHigh) = static_cast<double>(seed >> 32);
  header(copy, CopyHeader::kNoiseStream) = noise_stream;
  for (size_t g = 0; g < groups_.size(); ++g) {
    const CellGroup& group = culture_->groups()[g];
    for (int i = 0; i < group.num_cells(); ++i) {
      for (const NoiseStream& stream : group.model->noise_streams()) {
        *Variable(g, int64_t{copy} * group.num_cells() + i, stream.position_state) = 0.0;
      }
    }
  }
}

void Gang::DecideNoise(int num_steps) {
  const double dt = culture_->dt_ms();
  for (int c = 0; c < num_copies_; ++c) {
    const auto tick = static_cast<double>(TickAt(c, step_));
    num_due_[c] = 0;
    if (rests_[c] != 0) {
      std::fill_n(due_.begin() + c * kNoiseChunk, num_steps, uint8_t{0});
      continue;
    }
    double last = header(c, CopyHeader::kNoiseLast);
    for (int s = 0; s < num_steps; ++s) {
      // Time of step k's update: t_k + dt/2, in half steps 2 k + 1.
      const double half_steps = 2.0 * (tick + s) + 1.0;
      const bool due = (half_steps - last) * (dt / 2.0) >= culture_->noise_interval_ms() - 1e-9;
      due_[c * kNoiseChunk + s] = due ? 1 : 0;
      if (!due) continue;
      ++num_due_[c];
      last = half_steps;
    }
    header(c, CopyHeader::kNoiseLast) = last;
  }
}

void Gang::DrawNoise(int g, int first_tile, int num_tiles, int num_steps) {
  GroupTiles& tiles = groups_[g];
  const CellGroup& group = culture_->groups()[g];
  const std::vector<NoiseStream>& streams = group.model->noise_streams();
  // Of a tile: a stream of each lane after the other.
  constexpr int kDraws = kMaxNoiseStreams * kTileLanes;
  double drawn[kDraws][2 * kNoiseChunk];
  static_assert(2 * kNoiseChunk % kTileLanes == 0);
  NoiseDraw draws[kDraws];
  for (int t = first_tile; t < first_tile + num_tiles; ++t) {
    const int num_lanes = std::min(kTileLanes, tiles.num_lanes - t * kTileLanes);
    int n = 0;
    for (const NoiseStream& stream : streams) {
      for (int i = 0; i < num_lanes; ++i, ++n) {
        const int lane = t * kTileLanes + i;
        const int copy = lane / group.num_cells();
        NoiseDraw& draw = draws[n];
        draw.key.key0 = static_cast<uint32_t>(header(copy, CopyHeader::kSeedHigh));
        draw.key.id1 = static_cast<uint32_t>(group.gids[lane % group.num_cells()] + 1);
        draw.key.id2 = stream.section_id;
        draw.key.id3 = static_cast<uint32_t>(header(copy, CopyHeader::kSeedLow)) +
                       static_cast<uint32_t>(header(copy, CopyHeader::kNoiseStream)) * 1000003u;
        draw.position = static_cast<int64_t>(*Variable(g, lane, stream.position_state));
        draw.count = stream.draws_per_update * num_due_[copy];
        // All draws of an update are used, or one of them.
        draw.first = stream.first;
        draw.every = stream.num_used == stream.draws_per_update ? 1 : stream.draws_per_update;
        draw.out = drawn[n];
      }
    }
    DrawNormals(draws, n);
    n = 0;
    for (const NoiseStream& stream : streams) {
      for (int i = 0; i < num_lanes; ++i) {
        *Variable(g, t * kTileLanes + i, stream.position_state) =
            static_cast<double>(draws[n + i].position);
      }
      SpreadNormals(tiles, stream, t, num_steps, &drawn[n]);
      n += num_lanes;
    }
  }
}

// Gives the steps of a chunk a tile's normals of a stream.
void Gang::SpreadNormals(GroupTiles& tiles, const NoiseStream& stream, int tile, int num_steps,
                         const double (*drawn)[2 * kNoiseChunk]) {
  const double not_due = std::numeric_limits<double>::quiet_NaN();
  const size_t step_stride = static_cast<size_t>(tiles.num_tiles) * 2 * kTileLanes;
  double* at = tiles.normals.data() + (size_t{2} * tile + stream.normals_row) * size_t{kTileLanes};
  const int num_lanes = std::min(kTileLanes, tiles.num_lanes - tile * kTileLanes);
  bool all_due = true;
  int num_taken[kTileLanes] = {};
  const uint8_t* due[kTileLanes] = {};
  for (int i = 0; i < num_lanes; ++i) {
    const int copy = (tile * kTileLanes + i) / tiles.num_cells;
    due[i] = &due_[static_cast<size_t>(copy) * kNoiseChunk];
    all_due = all_due && num_due_[copy] == num_steps;
  }
  // Step by step: a line of the cache is written once.
  for (int s = 0; s < num_steps; ++s, at += step_stride) {
    for (int used = 0; used < stream.num_used; ++used) {
      double* row = at + used * kTileLanes;
      if (all_due) {
        const int z = s * stream.num_used + used;
        for (int i = 0; i < num_lanes; ++i) row[i] = drawn[i][z];
      } else {
        for (int i = 0; i < num_lanes; ++i) {
          row[i] = due[i][s] != 0 ? drawn[i][num_taken[i]++] : not_due;
        }
      }
    }
  }
}

}  // namespace livnd::sim
