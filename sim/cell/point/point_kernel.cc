#include "sim/cell/point/point_kernel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/cell/point/point_kernel.cc"
#include "hwy/foreach_target.h"
// foreach_target.h comes before whatever uses instructions.
#include "sim/cell/point/glif_model.h"
#include "sim/cell/point/izhikevich_model.h"
#include "sim/simd/vec.h"

HWY_BEFORE_NAMESPACE();
namespace livnd::sim::HWY_NAMESPACE {
namespace {

using simd::Fma;
using simd::FmaMinus;
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
  HWY_INLINE Vec S(int64_t variable) const { return simd::Load(state + variable * kTileLanes); }
  HWY_INLINE void Put(int64_t variable, Vec x) const {
    simd::Store(x, state + variable * kTileLanes);
  }
};

constexpr int kVectors = kTileLanes / simd::kLanes;  // of a tile

// One tile of a batch, in the same way.
struct Tile {
  const double* params;
  double* state;
  const double* normals;
  const double* drive;
};

HWY_INLINE Tile TileOf(const TileBatch& batch, int t, int num_params) {
  const auto at = [t](auto* rows, int num_rows) {
    return rows == nullptr ? rows : rows + int64_t{t} * num_rows * kTileLanes;
  };
  return {batch.params + int64_t{batch.param_tile[t]} * num_params * kTileLanes,
          at(batch.state, batch.num_variables), at(batch.normals, 2), at(batch.drive, 1)};
}

HWY_INLINE Lanes LanesOf(const Tile& tile, int h) {
  const int lane = h * simd::kLanes;
  return {tile.params + lane, tile.state + lane,
          tile.normals != nullptr ? tile.normals + lane : nullptr,
          tile.drive != nullptr ? tile.drive + lane : nullptr};
}

// The currents into the cells at t_k, pA. kNumSlots: of current synapses, of which there are no others;
// kAny: whatever there is, and stimuli and noise with it.
constexpr int kAny = -1;
template <int kNumSlots>
class Inputs {
 public:
  HWY_INLINE Inputs(const PointSlot* slots, size_t num_slots) : slots_(slots), num_(num_slots) {
    for (int i = 0; i < kNumSlots; ++i) {
      state_[i] = slots[i].state;
      keep_[i] = Set(slots[i].keep);
    }
  }

  // Noise, drawn anew where a normal number is given, stimuli, and synapses, which decay to t_{k+1}.
  HWY_INLINE Vec Take(const Lanes& cell, Vec v) const {
    if constexpr (kNumSlots == kAny) {
      Vec current = cell.S(PointState::kNoise);
      if (cell.normals != nullptr) {
        const Vec z = simd::Load(cell.normals);
        current = Select(z <= z, cell.P(PointParam::kNoiseAmplitude) * z, current);
        cell.Put(PointState::kNoise, current);
      }
      if (cell.drive != nullptr) current = current + simd::Load(cell.drive);
      for (size_t i = 0; i < num_; ++i) {
        const PointSlot& slot = slots_[i];
        const Vec x = cell.S(slot.state);
        current = slot.conductance ? Fma(x, slot.reversal_mv - v, current) : current + x;
        cell.Put(slot.state, x * slot.keep);
      }
      return current;
    } else {
      Vec current = Set(0.0);
      for (int i = 0; i < kNumSlots; ++i) {
        const Vec x = cell.S(state_[i]);
        current = current + x;
        cell.Put(state_[i], x * keep_[i]);
      }
      return current;
    }
  }

 private:
  const PointSlot* slots_;
  size_t num_;
  int64_t state_[kNumSlots < 1 ? 1 : kNumSlots];
  Vec keep_[kNumSlots < 1 ? 1 : kNumSlots];
};

// fn(Inputs) with what fits the batch.
template <class Fn>
HWY_INLINE void WithInputs(const PointSlot* slots, size_t num_slots, const TileBatch& batch,
                           Fn fn) {
  bool currents = batch.normals == nullptr && batch.drive == nullptr;
  for (size_t i = 0; i < num_slots; ++i) currents = currents && !slots[i].conductance;
  if (currents && num_slots == 0) return fn(Inputs<0>(slots, num_slots));
  if (currents && num_slots == 1) return fn(Inputs<1>(slots, num_slots));
  if (currents && num_slots == 2) return fn(Inputs<2>(slots, num_slots));
  fn(Inputs<kAny>(slots, num_slots));
}

constexpr double kPeakMv = 30.0;

// batch: a copy, which no store can change behind the compiler's back.
void StepIzhikevich(double dt_ms, const PointSlot* slots, size_t num_slots, TileBatch batch,
                    uint8_t* crossed) {
  WithInputs(slots, num_slots, batch, [&](const auto& inputs) HWY_ATTR {
    for (int t = 0; t < batch.num_tiles; ++t) {
      const Tile tile = TileOf(batch, t, IzhikevichParam::kSize);
      uint32_t spikes = 0;
      for (int h = 0; h < kVectors; ++h) {
        const Lanes cell = LanesOf(tile, h);
        const Vec v = cell.S(PointState::kV);
        const Vec u = cell.S(IzhikevichState::kU);
        const Vec current = inputs.Take(cell, v);
        const Vec slope = Fma(Fma(Set(0.04), v, Set(5.0)), v, 140.0 - u + current);
        const Vec new_v = Fma(Set(dt_ms), slope, v);
        const Vec new_u =
            Fma(cell.P(IzhikevichParam::kADt), FmaMinus(cell.P(IzhikevichParam::kB), v, u), u);
        const Mask spike = new_v > Set(kPeakMv);
        cell.Put(PointState::kV, Select(spike, cell.P(IzhikevichParam::kC), new_v));
        cell.Put(IzhikevichState::kU, Select(spike, new_u + cell.P(IzhikevichParam::kD), new_u));
        spikes |= simd::Bits(spike) << (h * simd::kLanes);
      }
      crossed[t] = static_cast<uint8_t>(spikes);
    }
  });
}

// What GLIF 2 to 5 add to the leak.
struct Adaptation {
  Vec theta_s, theta_v, asc_1, asc_2;  // at t_{k+1} without a spike
};

// One vector of cells, without what their spikes change. kAdapts: false where all of Adaptation is 0 and
// stays so.
template <bool kAdapts>
struct GlifCells {
  Lanes cell;
  Mask spike;
  Vec v, cut;
  Adaptation next;

  template <class Inputs>
  HWY_INLINE uint32_t Step(const Inputs& inputs) {
    const Vec v_before = cell.S(PointState::kV);
    const Vec cut_left = cell.S(GlifState::kCutLeft);
    const Mask moves = cut_left < Set(0.5);
    const Vec above_rest = v_before - cell.P(GlifParam::kRest);
    Vec current = inputs.Take(cell, v_before);
    Vec threshold = cell.P(GlifParam::kThreshold);
    if constexpr (kAdapts) {
      const Vec asc_1 = cell.S(GlifState::kAsc1);
      const Vec asc_2 = cell.S(GlifState::kAsc2);
      const Vec theta_v = cell.S(GlifState::kThetaV);
      current = current + asc_1 + asc_2;
      next.theta_v = Select(
          moves,
          Fma(cell.P(GlifParam::kGainThetaV), above_rest, theta_v * cell.P(GlifParam::kKeepThetaV)),
          theta_v);
      next.theta_s = cell.S(GlifState::kThetaS) * cell.P(GlifParam::kKeepThetaS);
      next.asc_1 = asc_1 * cell.P(GlifParam::kKeepAsc1);
      next.asc_2 = asc_2 * cell.P(GlifParam::kKeepAsc2);
      threshold = threshold + next.theta_s + next.theta_v;
    }
    const Vec slope = FmaMinus(current, cell.P(GlifParam::kPerLeak), above_rest);
    v = Select(moves, Fma(cell.P(GlifParam::kLeak), slope, v_before), v_before);
    cut = Max(Set(0.0), cut_left - 1.0);
    spike = moves & (v > threshold);
    cell.Put(PointState::kV, v);
    cell.Put(GlifState::kCutLeft, cut);
    if constexpr (kAdapts) {
      cell.Put(GlifState::kThetaV, next.theta_v);
      cell.Put(GlifState::kThetaS, next.theta_s);
      cell.Put(GlifState::kAsc1, next.asc_1);
      cell.Put(GlifState::kAsc2, next.asc_2);
    }
    return simd::Bits(spike);
  }

  // What a spike leaves of the voltage, and for how long it stands still.
  HWY_INLINE void Reset() const {
    const Vec rest = cell.P(GlifParam::kRest);
    const Vec reset =
        Fma(cell.P(GlifParam::kResetFactor), v - rest, rest) - cell.P(GlifParam::kResetOffset);
    cell.Put(PointState::kV, Select(spike, reset, v));
    cell.Put(GlifState::kCutLeft, Select(spike, cell.P(GlifParam::kCutSteps), cut));
    if constexpr (kAdapts) {
      const Vec factor = cell.P(GlifParam::kAscFactor);
      cell.Put(GlifState::kThetaS,
               Select(spike, next.theta_s + cell.P(GlifParam::kJumpThetaS), next.theta_s));
      cell.Put(GlifState::kAsc1,
               Select(spike, Fma(next.asc_1, factor, cell.P(GlifParam::kJumpAsc1)), next.asc_1));
      cell.Put(GlifState::kAsc2,
               Select(spike, Fma(next.asc_2, factor, cell.P(GlifParam::kJumpAsc2)), next.asc_2));
    }
  }
};

template <bool kAdapts, class Inputs>
HWY_INLINE uint32_t StepGlifTile(const Tile& tile, const Inputs& inputs) {
  GlifCells<kAdapts> cells[kVectors];
  uint32_t spikes = 0;
  for (int h = 0; h < kVectors; ++h) {
    cells[h].cell = LanesOf(tile, h);
    spikes |= cells[h].Step(inputs) << (h * simd::kLanes);
  }
  if (HWY_UNLIKELY(spikes != 0)) {
    for (int h = 0; h < kVectors; ++h) cells[h].Reset();
  }
  return spikes;
}

void StepGlif(const PointSlot* slots, size_t num_slots, TileBatch batch, uint8_t* crossed) {
  WithInputs(slots, num_slots, batch, [&](const auto& inputs) HWY_ATTR {
    for (int t = 0; t < batch.num_tiles; ++t) {
      const Tile tile = TileOf(batch, t, GlifParam::kSize);
      crossed[t] =
          static_cast<uint8_t>(HWY_LIKELY(batch.marks[t] != 0) ? StepGlifTile<false>(tile, inputs)
                                                               : StepGlifTile<true>(tile, inputs));
    }
  });
}

}  // namespace
}  // namespace livnd::sim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace livnd::sim {

HWY_EXPORT(StepIzhikevich);
HWY_EXPORT(StepGlif);

void StepIzhikevichTiles(double dt_ms, const std::vector<PointSlot>& slots, const TileBatch& batch,
                         uint8_t* crossed) {
  HWY_DYNAMIC_DISPATCH(StepIzhikevich)(dt_ms, slots.data(), slots.size(), batch, crossed);
}

void StepGlifTiles(const std::vector<PointSlot>& slots, const TileBatch& batch, uint8_t* crossed) {
  HWY_DYNAMIC_DISPATCH(StepGlif)(slots.data(), slots.size(), batch, crossed);
}

void PrepareGlifTiles(const TileBatch& batch) {
  for (int t = 0; t < batch.num_tiles; ++t) {
    const HWY_NAMESPACE::Tile tile = HWY_NAMESPACE::TileOf(batch, t, GlifParam::kSize);
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
    batch.marks[t] = leaks_only ? 1 : 0;
  }
}

}  // namespace livnd::sim
#endif  // HWY_ONCE
