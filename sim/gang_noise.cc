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
  const double not_due = std::numeric_limits<double>::quiet_NaN();
  double drawn[2 * kNoiseChunk];
  GroupTiles& tiles = groups_[g];
  const CellGroup& group = culture_->groups()[g];
  const size_t step_stride = static_cast<size_t>(tiles.num_tiles) * 2 * kTileLanes;
  const int end_lane = std::min(tiles.num_lanes, (first_tile + num_tiles) * kTileLanes);
  for (int lane = first_tile * kTileLanes; lane < end_lane; ++lane) {
    const int copy = lane / group.num_cells();
    NoiseStreamKey key;
    key.key0 = static_cast<uint32_t>(header(copy, CopyHeader::kSeedHigh));
    key.id1 = static_cast<uint32_t>(group.gids[lane % group.num_cells()] + 1);
    key.id3 = static_cast<uint32_t>(header(copy, CopyHeader::kSeedLow)) +
              static_cast<uint32_t>(header(copy, CopyHeader::kNoiseStream)) * 1000003u;
    double* out = tiles.normals.data() + (lane / kTileLanes) * 2 * kTileLanes + lane % kTileLanes;
    const uint8_t* is_due = &due_[static_cast<size_t>(copy) * kNoiseChunk];
    for (const NoiseStream& stream : group.model->noise_streams()) {
      key.id2 = stream.section_id;
      double* position = Variable(g, lane, stream.position_state);
      // All draws of an update are used, or one of them.
      const int every = stream.num_used == stream.draws_per_update ? 1 : stream.draws_per_update;
      *position = static_cast<double>(DrawNormals(key, static_cast<int64_t>(*position),
                                                  stream.draws_per_update * num_due_[copy],
                                                  stream.first, every, drawn));
      const double* z = drawn;
      for (int s = 0; s < num_steps; ++s) {
        double* at = out + s * step_stride + stream.normals_row * kTileLanes;
        for (int i = 0; i < stream.num_used; ++i) at[i * kTileLanes] = is_due[s] ? *z++ : not_due;
      }
    }
  }
}

}  // namespace livnd::sim
