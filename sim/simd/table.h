// Functions of one variable from a table of polynomials, four functions side by side.
//
// A row holds the coefficients of four functions on one interval: [degree 0 .. 4][4 functions]. For a
// cell, one vector of four functions runs through Horner's scheme with the cell's x in every lane;
// four cells are then transposed, so that a vector holds one function of four cells. The operations
// on a number do not depend on the width of the register, nor on its neighbours.
#ifndef LIVND_SIM_SIMD_TABLE_H_
#define LIVND_SIM_SIMD_TABLE_H_

#include <cstdint>
#include <vector>

#include "sim/simd/vec.h"

namespace livnd::sim::simd {

inline constexpr int kTableDegree = 4;
inline constexpr int kTableFunctions = 4;
inline constexpr int kTableRow = (kTableDegree + 1) * kTableFunctions;

// The intervals of all tables: 1/8 mV wide, centred on the multiples of 1/8 mV.
inline constexpr double kIntervalsPerMv = 8.0;
inline constexpr double kTableMinMv = -128.0;
inline constexpr double kTableMaxMv = 128.0;
inline constexpr int kTableRows =
    static_cast<int>((kTableMaxMv - kTableMinMv) * kIntervalsPerMv) + 1;

// Where voltages lie in the tables.
struct TableIndex {
  alignas(64) int64_t row[kLanes];  // in bytes from the table's start
  alignas(64) double x[kLanes];     // -1/2 .. 1/2 in the interval
};

HWY_INLINE Mask InsideTable(Vec v) { return Abs(v) < Set(kTableMaxMv); }

// v must lie inside the tables.
HWY_INLINE TableIndex IndexOf(Vec v) {
  static_assert(kTableRow * sizeof(double) == 128 + 32 && kTableMinMv == -kTableMaxMv);
  constexpr hn::RebindToSigned<U64Tag> tag;
  // 1.5 * 2^52 and the number of rows below 0 mV: the sum's low bits are the row.
  constexpr double kFirst = kTableMaxMv * kIntervalsPerMv;
  const Vec kMagic = Set(6755399441055744.0 + kFirst);
  TableIndex index;
  const Vec shifted = Fma(v, Set(kIntervalsPerMv), kMagic);
  Store(Fma(v, Set(kIntervalsPerMv), -(shifted - kMagic)), index.x);
  const auto row = hn::Sub(hn::BitCast(tag, shifted.v), hn::Set(tag, int64_t{0x4338000000000000}));
  hn::Store(hn::Add(hn::ShiftLeft<7>(row), hn::ShiftLeft<5>(row)), tag, index.row);
  return index;
}

HWY_INLINE const double* RowAt(const double* table, int64_t offset_bytes) {
  return reinterpret_cast<const double*>(reinterpret_cast<const char*>(table) + offset_bytes);
}

// All four functions of a table.
HWY_INLINE void Evaluate(const double* table, const TableIndex& index, Vec out[kTableFunctions]) {
  const hn::FixedTag<double, 4> tag;
  using Four = hn::Vec<hn::FixedTag<double, 4>>;
  alignas(64) double lanes[kTableFunctions][kLanes];
  for (int first = 0; first < kLanes; first += 4) {
    Four f[4];
    for (int i = 0; i < 4; ++i) {
      const double* row = RowAt(table, index.row[first + i]);
      const Four x = hn::Set(tag, index.x[first + i]);
      Four y = hn::LoadU(tag, row + 4 * kTableFunctions);
      y = hn::MulAdd(y, x, hn::LoadU(tag, row + 3 * kTableFunctions));
      y = hn::MulAdd(y, x, hn::LoadU(tag, row + 2 * kTableFunctions));
      y = hn::MulAdd(y, x, hn::LoadU(tag, row + 1 * kTableFunctions));
      f[i] = hn::MulAdd(y, x, hn::LoadU(tag, row));
    }
    // Transposes 4 x 4.
    const Four ab_low = hn::InterleaveLower(tag, f[0], f[1]);
    const Four ab_high = hn::InterleaveUpper(tag, f[0], f[1]);
    const Four cd_low = hn::InterleaveLower(tag, f[2], f[3]);
    const Four cd_high = hn::InterleaveUpper(tag, f[2], f[3]);
    const Four columns[4] = {
        hn::ConcatLowerLower(tag, cd_low, ab_low), hn::ConcatLowerLower(tag, cd_high, ab_high),
        hn::ConcatUpperUpper(tag, cd_low, ab_low), hn::ConcatUpperUpper(tag, cd_high, ab_high)};
    if constexpr (kLanes == 4) {
      for (int k = 0; k < 4; ++k) out[k] = {columns[k]};
    } else {
      for (int k = 0; k < 4; ++k) hn::Store(columns[k], tag, lanes[k] + first);
    }
  }
  if constexpr (kLanes != 4) {
    for (int k = 0; k < 4; ++k) out[k] = Load(lanes[k]);
  }
}

// One function of a table.
HWY_INLINE Vec EvaluateOne(const double* table, int function, const TableIndex& index) {
  alignas(64) double lanes[kLanes];
  for (int i = 0; i < kLanes; ++i) {
    const double* row = RowAt(table, index.row[i]) + function;
    const double x = index.x[i];
    double y = row[4 * kTableFunctions];
    for (int d = kTableDegree - 1; d >= 0; --d) {
      y = __builtin_fma(y, x, row[d * kTableFunctions]);
    }
    lanes[i] = y;
  }
  return Load(lanes);
}

}  // namespace livnd::sim::simd

#endif  // LIVND_SIM_SIMD_TABLE_H_
