// The part of Gang that keys and draws the noise.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "sim/gang.h"
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
      for (int i = 0; i < num_lanes; ++i, ++n) {
        const int lane = t * kTileLanes + i;
        *Variable(g, lane, stream.position_state) = static_cast<double>(draws[n].position);
        SpreadNormals(tiles, stream, lane, num_steps, drawn[n]);
      }
    }
  }
}

// Gives the steps of a chunk a lane's normals of a stream.
void Gang::SpreadNormals(GroupTiles& tiles, const NoiseStream& stream, int lane, int num_steps,
                         const double* drawn) {
  const double not_due = std::numeric_limits<double>::quiet_NaN();
  const int copy = lane / tiles.num_cells;
  const uint8_t* is_due = &due_[static_cast<size_t>(copy) * kNoiseChunk];
  const size_t step_stride = static_cast<size_t>(tiles.num_tiles) * 2 * kTileLanes;
  double* at = tiles.normals.data() +
               (size_t{2} * (lane / kTileLanes) + stream.normals_row) * kTileLanes +
               lane % kTileLanes;
  const double* z = drawn;
  if (num_due_[copy] == num_steps) {
    if (stream.num_used == 1) {
      for (int s = 0; s < num_steps; ++s, at += step_stride) at[0] = z[s];
    } else {
      for (int s = 0; s < num_steps; ++s, at += step_stride) {
        at[0] = z[2 * s];
        at[kTileLanes] = z[2 * s + 1];
      }
    }
    return;
  }
  for (int s = 0; s < num_steps; ++s, at += step_stride) {
    for (int i = 0; i < stream.num_used; ++i) at[i * kTileLanes] = is_due[s] ? *z++ : not_due;
  }
}

}  // namespace livnd::sim
