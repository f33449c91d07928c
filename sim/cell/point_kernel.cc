#include "sim/cell/point_kernel.h"

#include <array>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/cell/point_kernel.cc"
#include "hwy/foreach_target.h"
// foreach_target.h comes before whatever uses instructions.
#include "sim/cell/glif_model.h"
#include "sim/cell/izhikevich_model.h"
#include "sim/simd/vec.h"

HWY_BEFORE_NAMESPACE();
namespace livnd::sim::HWY_NAMESPACE {
namespace {

using simd::Fma;
using simd::Mask;
using simd::Max;
using simd::Select;
using simd::Set;
using simd::Vec;

// The lanes that one vector holds of a tile.
struct Lanes {
  const double* params;
  double* state;
  const double* normals;  // null: none
  const double* drive;    // null: none

  HWY_INLINE Vec P(int param) const { return simd::Load(params + param * kTileLanes); }
  HWY_INLINE Vec S(int variable) const { return simd::Load(state + variable * kTileLanes); }
  HWY_INLINE void Put(int variable, Vec x) const { simd::Store(x, state + variable * kTileLanes); }
};

// Vectors of a tile. They take each part of a step together.
constexpr int kVectors = kTileLanes / simd::kLanes;
using Tile = std::array<Vec, kVectors>;

HWY_INLINE Lanes LanesOf(const TileStep& tile, int h) {
  const int lane = h * simd::kLanes;
  return {tile.params + lane, tile.state + lane,
          tile.normals != nullptr ? tile.normals + lane : nullptr,
          tile.drive != nullptr ? tile.drive + lane : nullptr};
}

// The currents into the cells at t_k, pA: stimulus, noise (drawn anew where a normal number is given)
// and synapses, which decay to t_{k+1}.
HWY_INLINE Tile InputCurrents(const TileStep& tile, const PointSlot* slots, size_t num_slots,
                              const Tile& v) {
  Tile current;
  for (int h = 0; h < kVectors; ++h) {
    const Lanes cell = LanesOf(tile, h);
    Vec noise = cell.S(PointState::kNoise);
    if (cell.normals != nullptr) {
      const Vec z = simd::Load(cell.normals);
      noise = Select(z <= z, cell.P(PointParam::kNoiseAmplitude) * z, noise);
      cell.Put(PointState::kNoise, noise);
    }
    current[h] = cell.drive != nullptr ? noise + simd::Load(cell.drive) : noise;
  }
  for (size_t i = 0; i < num_slots; ++i) {
    const PointSlot& slot = slots[i];
    for (int h = 0; h < kVectors; ++h) {
      const Lanes cell = LanesOf(tile, h);
      const Vec x = cell.S(slot.state);
      current[h] = slot.conductance ? Fma(x, slot.reversal_mv - v[h], current[h]) : current[h] + x;
      cell.Put(slot.state, x * slot.keep);
    }
  }
  return current;
}

HWY_INLINE Tile Voltages(const TileStep& tile) {
  Tile v;
  for (int h = 0; h < kVectors; ++h) v[h] = LanesOf(tile, h).S(PointState::kV);
  return v;
}

constexpr double kPeakMv = 30.0;

void StepIzhikevich(double dt_ms, const PointSlot* slots, size_t num_slots, const TileBatch& batch,
                    uint32_t* crossed) {
  for (int t = 0; t < batch.num_tiles; ++t) {
    const TileStep tile = TileOf(batch, t, IzhikevichParam::kSize, 0, 1);
    const Tile voltages = Voltages(tile);
    const Tile inputs = InputCurrents(tile, slots, num_slots, voltages);
    crossed[t] = 0;
    for (int h = 0; h < kVectors; ++h) {
      const Lanes cell = LanesOf(tile, h);
      const Vec v = voltages[h];
      const Vec u = cell.S(IzhikevichState::kU);
      const Vec slope = Fma(Fma(Set(0.04), v, Set(5.0)), v, 140.0 - u + inputs[h]);
      const Vec new_v = Fma(Set(dt_ms), slope, v);
      const Vec new_u =
          Fma(cell.P(IzhikevichParam::kADt), Fma(cell.P(IzhikevichParam::kB), v, -u), u);
      const Mask spike = new_v > Set(kPeakMv);
      cell.Put(PointState::kV, Select(spike, cell.P(IzhikevichParam::kC), new_v));
      cell.Put(IzhikevichState::kU, Select(spike, new_u + cell.P(IzhikevichParam::kD), new_u));
      crossed[t] |= simd::Bits(spike) << (h * simd::kLanes);
    }
  }
}

// What a spike leaves of the voltage, and for how long it stands still.
HWY_INLINE void Reset(const Lanes& cell, Mask spike, Vec v, Vec cut_left) {
  const Vec rest = cell.P(GlifParam::kRest);
  const Vec reset =
      Fma(cell.P(GlifParam::kResetFactor), v - rest, rest) - cell.P(GlifParam::kResetOffset);
  cell.Put(PointState::kV, Select(spike, reset, v));
  cell.Put(GlifState::kCutLeft, Select(spike, cell.P(GlifParam::kCutSteps), cut_left));
}

// What GLIF 2 to 5 add to the leak.
struct Adaptation {
  Vec theta_s, theta_v, asc_1, asc_2;  // at t_{k+1} without a spike
};

// kAdapts: false where all of Adaptation is 0 and stays so.
template <bool kAdapts>
HWY_INLINE uint32_t StepGlifTile(const TileStep& tile, const PointSlot* slots, size_t num_slots) {
  const Tile voltages = Voltages(tile);
  Tile currents = InputCurrents(tile, slots, num_slots, voltages);
  Tile new_voltages, cuts;
  Mask spikes[kVectors];
  Adaptation next[kVectors];
  uint32_t crossed = 0;
  for (int h = 0; h < kVectors; ++h) {
    const Lanes cell = LanesOf(tile, h);
    const Vec v = voltages[h];
    const Vec cut_left = cell.S(GlifState::kCutLeft);
    const Mask moves = cut_left < Set(0.5);
    const Vec above_rest = v - cell.P(GlifParam::kRest);
    Vec current = currents[h];
    Vec threshold = cell.P(GlifParam::kThreshold);
    if constexpr (kAdapts) {
      const Vec asc_1 = cell.S(GlifState::kAsc1);
      const Vec asc_2 = cell.S(GlifState::kAsc2);
      const Vec theta_v = cell.S(GlifState::kThetaV);
      current = current + asc_1 + asc_2;
      next[h].theta_v = Select(
          moves,
          Fma(cell.P(GlifParam::kGainThetaV), above_rest, theta_v * cell.P(GlifParam::kKeepThetaV)),
          theta_v);
      next[h].theta_s = cell.S(GlifState::kThetaS) * cell.P(GlifParam::kKeepThetaS);
      next[h].asc_1 = asc_1 * cell.P(GlifParam::kKeepAsc1);
      next[h].asc_2 = asc_2 * cell.P(GlifParam::kKeepAsc2);
      threshold = threshold + next[h].theta_s + next[h].theta_v;
    }
    const Vec slope = Fma(current, cell.P(GlifParam::kPerLeak), -above_rest);
    new_voltages[h] = Select(moves, Fma(cell.P(GlifParam::kLeak), slope, v), v);
    cuts[h] = Max(Set(0.0), cut_left - 1.0);
    spikes[h] = moves & (new_voltages[h] > threshold);
    crossed |= simd::Bits(spikes[h]) << (h * simd::kLanes);
    cell.Put(PointState::kV, new_voltages[h]);
    cell.Put(GlifState::kCutLeft, cuts[h]);
    if constexpr (kAdapts) {
      cell.Put(GlifState::kThetaV, next[h].theta_v);
      cell.Put(GlifState::kThetaS, next[h].theta_s);
      cell.Put(GlifState::kAsc1, next[h].asc_1);
      cell.Put(GlifState::kAsc2, next[h].asc_2);
    }
  }
  if (crossed == 0) return 0;  // as most tiles do in most steps
  for (int h = 0; h < kVectors; ++h) {
    const Lanes cell = LanesOf(tile, h);
    const Mask spike = spikes[h];
    Reset(cell, spike, new_voltages[h], cuts[h]);
    if constexpr (kAdapts) {
      const Vec factor = cell.P(GlifParam::kAscFactor);
      const Adaptation& n = next[h];
      cell.Put(GlifState::kThetaS,
               Select(spike, n.theta_s + cell.P(GlifParam::kJumpThetaS), n.theta_s));
      cell.Put(GlifState::kAsc1,
               Select(spike, Fma(n.asc_1, factor, cell.P(GlifParam::kJumpAsc1)), n.asc_1));
      cell.Put(GlifState::kAsc2,
               Select(spike, Fma(n.asc_2, factor, cell.P(GlifParam::kJumpAsc2)), n.asc_2));
    }
  }
  return crossed;
}

TileStep GlifTileOf(const TileBatch& batch, int t) {
  return TileOf(batch, t, GlifParam::kSize, 1, 1);
}

void StepGlif(const PointSlot* slots, size_t num_slots, const TileBatch& batch, uint32_t* crossed) {
  for (int t = 0; t < batch.num_tiles; ++t) {
    const TileStep tile = GlifTileOf(batch, t);
    crossed[t] = tile.scratch[0] != 0.0 ? StepGlifTile<false>(tile, slots, num_slots)
                                        : StepGlifTile<true>(tile, slots, num_slots);
  }
}

}  // namespace
}  // namespace livnd::sim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace livnd::sim {

HWY_EXPORT(StepIzhikevich);
HWY_EXPORT(StepGlif);

void StepIzhikevichTiles(double dt_ms, const std::vector<PointSlot>& slots, const TileBatch& batch,
                         uint32_t* crossed) {
  HWY_DYNAMIC_DISPATCH(StepIzhikevich)(dt_ms, slots.data(), slots.size(), batch, crossed);
}

void StepGlifTiles(const std::vector<PointSlot>& slots, const TileBatch& batch, uint32_t* crossed) {
  HWY_DYNAMIC_DISPATCH(StepGlif)(slots.data(), slots.size(), batch, crossed);
}

void PrepareGlifTiles(const TileBatch& batch) {
  for (int t = 0; t < batch.num_tiles; ++t) {
    const TileStep tile = HWY_NAMESPACE::GlifTileOf(batch, t);
    bool leaks_only = true;
    for (int lane = 0; lane < kTileLanes; ++lane) {
      for (int p : {GlifParam::kJumpThetaS, GlifParam::kGainThetaV, GlifParam::kJumpAsc1,
                    GlifParam::kJumpAsc2}) {
        leaks_only = leaks_only && tile.params[p * kTileLanes + lane] == 0.0;
      }
      for (int s : {GlifState::kThetaS, GlifState::kThetaV, GlifState::kAsc1, GlifState::kAsc2}) {
        leaks_only = leaks_only && tile.state[s * kTileLanes + lane] == 0.0;
      }
    }
    tile.scratch[0] = leaks_only ? 1.0 : 0.0;
  }
}

}  // namespace livnd::sim
#endif  // HWY_ONCE
