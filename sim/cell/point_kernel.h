// The part of a step that all point neurons share. Included by their kernels alone.
#ifndef LIVND_SIM_CELL_POINT_KERNEL_H_
#define LIVND_SIM_CELL_POINT_KERNEL_H_

#include <vector>

#include "sim/cell/cell_model.h"
#include "sim/cell/point_model.h"
#include "sim/simd/vec.h"

namespace livnd::sim::point {

// The lanes of a tile from `lane` on that one vector holds.
struct Lanes {
  const double* params;
  double* state;

  simd::Vec P(int param) const { return simd::Load(params + param * kTileLanes); }
  simd::Vec S(int variable) const { return simd::Load(state + variable * kTileLanes); }
  void Put(int variable, simd::Vec x) const { simd::Store(x, state + variable * kTileLanes); }
};

// The current into the cell at t_k, pA: stimulus, noise (drawn anew where a normal number is given)
// and synapses, which decay to t_{k+1}.
inline simd::Vec InputCurrent(const Lanes& cell, const std::vector<PointSlot>& slots,
                              const double* normals, const double* drive, simd::Vec v) {
  using simd::Vec;
  Vec noise = cell.S(PointState::kNoise);
  if (normals != nullptr) {
    const Vec z = simd::Load(normals);
    noise = simd::Select(z <= z, cell.P(PointParam::kNoiseAmplitude) * z, noise);
    cell.Put(PointState::kNoise, noise);
  }
  Vec current = drive != nullptr ? noise + simd::Load(drive) : noise;
  for (const PointSlot& slot : slots) {
    const Vec x = cell.S(slot.state);
    current = slot.conductance ? simd::Fma(x, slot.reversal_mv - v, current) : current + x;
    cell.Put(slot.state, x * slot.keep);
  }
  return current;
}

// Calls step(lanes, normals, drive) for every vector of a tile; it returns the bits of its spikes.
template <typename Step>
uint32_t ForLanes(const TileStep& tile, Step step) {
  uint32_t spikes = 0;
  for (int lane = 0; lane < kTileLanes; lane += simd::kLanes) {
    spikes |= step(Lanes{tile.params + lane, tile.state + lane},
                   tile.normals != nullptr ? tile.normals + lane : nullptr,
                   tile.drive != nullptr ? tile.drive + lane : nullptr)
              << lane;
  }
  return spikes;
}

}  // namespace livnd::sim::point

#endif  // LIVND_SIM_CELL_POINT_KERNEL_H_
