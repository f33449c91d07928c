// Functions of one variable from a table of polynomials, four functions side by side.
//
// A row holds the coefficients of four functions on one interval: [degree 0 .. 4][4 functions]. For a
// cell, one vector of four functions runs through Horner's scheme with the cell's x in every lane;
// four cells are then transposed, so that a vector holds one function of four cells. The operations
// on a number do not depend on the width of the register, nor on its neighbours.
#if defined(LIVND_SIM_SIMD_TABLE_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LIVND_SIM_SIMD_TABLE_H_
#undef LIVND_SIM_SIMD_TABLE_H_
#else
#define LIVND_SIM_SIMD_TABLE_H_
#endif

#include <cstdint>
#include <vector>

#include "sim/simd/vec.h"

HWY_BEFORE_NAMESPACE();
namespace livnd::sim::simd {
namespace HWY_NAMESPACE {

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
  // 1.5 * 2^52 and the number of rows below 0 mV: the sum's low bits are the row.
  constexpr double kFirst = kTableMaxMv * kIntervalsPerMv;
  const Vec kMagic = Set(6755399441055744.0 + kFirst);
  TableIndex index;
  const Vec shifted = Fma(v, Set(kIntervalsPerMv), kMagic);
  Store(Fma(v, Set(kIntervalsPerMv), -(shifted - kMagic)), index.x);
  const Words row = BitsOf(shifted) - SetWords(0x4338000000000000);
  StoreWords(ShiftLeft<7>(row) + ShiftLeft<5>(row), index.row);
  return index;
}

HWY_INLINE const double* RowAt(const double* table, int64_t offset_bytes) {
  return reinterpret_cast<const double*>(reinterpret_cast<const char*>(table) + offset_bytes);
}

#if HWY_TARGET == HWY_SCALAR

// All four functions of a table.
HWY_INLINE void Evaluate(const double* table, const TableIndex& index, Vec out[kTableFunctions]) {
  const double* row = RowAt(table, index.row[0]);
  const Vec x = Load(index.x);
  for (int k = 0; k < kTableFunctions; ++k) {
    Vec y = Load(row + kTableDegree * kTableFunctions + k);
    for (int d = kTableDegree - 1; d >= 0; --d) y = Fma(y, x, Load(row + d * kTableFunctions + k));
    out[k] = y;
  }
}

#else

// Rows of four numbers become columns.
using FourTag = hn::FixedTag<double, 4>;
using Four = hn::Vec<FourTag>;
HWY_INLINE void Transpose(const Four rows[4], Four columns[4]) {
  const FourTag tag;
  const Four ab_low = hn::InterleaveLower(tag, rows[0], rows[1]);
  const Four ab_high = hn::InterleaveUpper(tag, rows[0], rows[1]);
  const Four cd_low = hn::InterleaveLower(tag, rows[2], rows[3]);
  const Four cd_high = hn::InterleaveUpper(tag, rows[2], rows[3]);
  columns[0] = hn::ConcatLowerLower(tag, cd_low, ab_low);
  columns[1] = hn::ConcatLowerLower(tag, cd_high, ab_high);
  columns[2] = hn::ConcatUpperUpper(tag, cd_low, ab_low);
  columns[3] = hn::ConcatUpperUpper(tag, cd_high, ab_high);
}

// Column k of the parts of a vector.
HWY_INLINE Vec Joined(const Four columns[kLanes / 4][4], int k) {
#if HWY_TARGET == HWY_AVX2
  return {columns[0][k]};
#else
  return {hn::Combine(F64Tag(), columns[1][k], columns[0][k])};
#endif
}

// All four functions of a table.
HWY_INLINE void Evaluate(const double* table, const TableIndex& index, Vec out[kTableFunctions]) {
  const FourTag tag;
  Four columns[kLanes / 4][4];
  for (int part = 0; part < kLanes / 4; ++part) {
    Four f[4];
    for (int i = 0; i < 4; ++i) {
      const double* row = RowAt(table, index.row[4 * part + i]);
      const Four x = hn::Set(tag, index.x[4 * part + i]);
      Four y = hn::LoadU(tag, row + 4 * kTableFunctions);
      y = hn::MulAdd(y, x, hn::LoadU(tag, row + 3 * kTableFunctions));
      y = hn::MulAdd(y, x, hn::LoadU(tag, row + 2 * kTableFunctions));
      y = hn::MulAdd(y, x, hn::LoadU(tag, row + 1 * kTableFunctions));
      f[i] = hn::MulAdd(y, x, hn::LoadU(tag, row));
    }
    Transpose(f, columns[part]);
  }
  for (int k = 0; k < kTableFunctions; ++k) out[k] = Joined(columns, k);
}

#endif

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

}  // namespace HWY_NAMESPACE
}  // namespace livnd::sim::simd
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
