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

void Gang::DrawNoise(int num_steps) {
  const double dt = culture_->dt_ms();
  const double not_due = std::numeric_limits<double>::quiet_NaN();
  std::vector<uint8_t> due(static_cast<size_t>(num_copies_) * num_steps);
  std::vector<int> num_due(num_copies_, 0);
  for (int c = 0; c < num_copies_; ++c) {
    double last = header(c, CopyHeader::kNoiseLast);
    for (int s = 0; s < num_steps; ++s) {
      // Time of step k's update: t_k + dt/2, in half steps 2 k + 1.
      const double half_steps = 2.0 * (header(c, CopyHeader::kTick) + s) + 1.0;
      if ((half_steps - last) * (dt / 2.0) >= culture_->noise_interval_ms() - 1e-9) {
        due[c * num_steps + s] = 1;
        ++num_due[c];
        last = half_steps;
      }
    }
    header(c, CopyHeader::kNoiseLast) = last;
  }
  double drawn[2 * kNoiseChunk];
  for (size_t g = 0; g < groups_.size(); ++g) {
    GroupTiles& tiles = groups_[g];
    if (tiles.normals.empty()) continue;
    const CellGroup& group = culture_->groups()[g];
    const size_t step_stride = static_cast<size_t>(tiles.num_tiles) * 2 * kTileLanes;
    for (int lane = 0; lane < tiles.num_lanes; ++lane) {
      const int copy = lane / group.num_cells();
      NoiseStreamKey key;
      key.key0 = static_cast<uint32_t>(header(copy, CopyHeader::kSeedHigh));
      key.id1 = static_cast<uint32_t>(group.gids[lane % group.num_cells()] + 1);
      key.id3 = static_cast<uint32_t>(header(copy, CopyHeader::kSeedLow)) +
                static_cast<uint32_t>(header(copy, CopyHeader::kNoiseStream)) * 1000003u;
      double* out = tiles.normals.data() + (lane / kTileLanes) * 2 * kTileLanes + lane % kTileLanes;
      const uint8_t* is_due = &due[static_cast<size_t>(copy) * num_steps];
      for (const NoiseStream& stream : group.model->noise_streams()) {
        key.id2 = stream.section_id;
        double* position = Variable(g, lane, stream.position_state);
        // All draws of an update are used, or one of them.
        const int every = stream.num_used == stream.draws_per_update ? 1 : stream.draws_per_update;
        *position = static_cast<double>(DrawNormals(key, static_cast<int64_t>(*position),
                                                    stream.draws_per_update * num_due[copy],
                                                    stream.first, every, drawn));
        const double* z = drawn;
        for (int s = 0; s < num_steps; ++s) {
          double* at = out + s * step_stride + stream.normals_row * kTileLanes;
          for (int i = 0; i < stream.num_used; ++i) at[i * kTileLanes] = is_due[s] ? *z++ : not_due;
        }
      }
    }
  }
}

}  // namespace livnd::sim
