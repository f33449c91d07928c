// Functions of one variable from a table of polynomials, four functions side by side.
//
// A row holds what belongs to one interval. A part of it holds the coefficients of four functions:
// [degree 0 .. 5][4 functions]. For a cell, one vector of four functions runs through Horner's scheme
// with the cell's x in every lane; four cells are then transposed, so that a vector holds one function
// of four cells. The operations on a number do not depend on the width of the register, nor on its
// neighbours.
#if defined(LIVND_SIM_SIMD_TABLE_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LIVND_SIM_SIMD_TABLE_H_
#undef LIVND_SIM_SIMD_TABLE_H_
#else
#define LIVND_SIM_SIMD_TABLE_H_
#endif

#include <cstdint>

#include "sim/simd/vec.h"

HWY_BEFORE_NAMESPACE();
namespace livnd::sim::simd {
namespace HWY_NAMESPACE {

inline constexpr int kTableDegree = 5;
inline constexpr int kTableFunctions = 4;
inline constexpr int kTablePart = (kTableDegree + 1) * kTableFunctions;

// A function that is needed alone has a part that is one line of the cache: the coefficients
// [degree 0 .. 4], then zeros.
inline constexpr int kLineDegree = 4;
inline constexpr int kTableLine = 8;

// The intervals of all tables: 0.4 mV wide, centred on the multiples of 0.4 mV. Wide ones keep what
// spiking cells read in the first-level cache; the degree pays for the width.
inline constexpr double kIntervalsPerMv = 2.5;
inline constexpr double kTableMinMv = -128.0;
inline constexpr double kTableMaxMv = 128.0;
inline constexpr int kTableRows =
    static_cast<int>((kTableMaxMv - kTableMinMv) * kIntervalsPerMv) + 1;

// Where voltages lie in a table.
struct TableIndex {
  alignas(kLanes * 8) const double* row[kLanes];
  alignas(kLanes * 8) double x[kLanes];  // -1/2 .. 1/2 in the interval
};

HWY_INLINE Mask InsideTable(Vec v) { return Abs(v) < Set(kTableMaxMv); }

// v must lie inside the tables. kRow: numbers of a row. The lanes are wanted as scalars, so the index
// goes to memory; who computes it well ahead of its use does not wait for it.
template <int kRow>
HWY_INLINE void IndexOf(const double* table, Vec v, TableIndex& index) {
  static_assert(kTableMinMv == -kTableMaxMv);
  // 1.5 * 2^52 and the number of rows below 0 mV: the sum's low bits are the row.
  constexpr double kFirst = kTableMaxMv * kIntervalsPerMv;
  const Vec kMagic = Set(6755399441055744.0 + kFirst);
  const Vec shifted = Fma(v, Set(kIntervalsPerMv), kMagic);
  Store(Fma(v, Set(kIntervalsPerMv), -(shifted - kMagic)), index.x);
  static_assert(sizeof(index.row[0]) == sizeof(uint64_t));
  const Words offset = MultiplyLow32(BitsOf(shifted), SetWords(kRow * sizeof(double)));
  StoreWords(offset + SetWords(reinterpret_cast<uint64_t>(table)), index.row);
}

#if HWY_TARGET == HWY_SCALAR

// All four functions of the part that begins `first` numbers behind the start of a row.
HWY_INLINE void Evaluate(int first, const TableIndex& index, Vec out[kTableFunctions]) {
  const double* row = index.row[0] + first;
  const Vec x = Load(index.x);
  for (int k = 0; k < kTableFunctions; ++k) {
    Vec y = Load(row + kTableDegree * kTableFunctions + k);
    for (int d = kTableDegree - 1; d >= 0; --d) y = Fma(y, x, Load(row + d * kTableFunctions + k));
    out[k] = y;
  }
}

// The function of a line that begins there.
HWY_INLINE Vec EvaluateLine(int first, const TableIndex& index) {
  const double* row = index.row[0] + first;
  const Vec x = Load(index.x);
  Vec y = Load(row + kLineDegree);
  for (int d = kLineDegree - 1; d >= 0; --d) y = Fma(y, x, Load(row + d));
  return y;
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

// All four functions of the part that begins `first` numbers behind the start of a row.
HWY_INLINE void Evaluate(int first, const TableIndex& index, Vec out[kTableFunctions]) {
  const FourTag tag;
  Four columns[kLanes / 4][4];
  for (int part = 0; part < kLanes / 4; ++part) {
    // Loads are what this waits for: one brings the x of four cells, shuffled in otherwise idle ports.
    const __m256d x_of_four = _mm256_loadu_pd(index.x + 4 * part);
    const Four x[4] = {
        Four{_mm256_permute4x64_pd(x_of_four, 0x00)}, Four{_mm256_permute4x64_pd(x_of_four, 0x55)},
        Four{_mm256_permute4x64_pd(x_of_four, 0xAA)}, Four{_mm256_permute4x64_pd(x_of_four, 0xFF)}};
    Four f[4];
    for (int i = 0; i < 4; ++i) {
      const double* row = index.row[4 * part + i] + first;
      Four y = hn::LoadU(tag, row + kTableDegree * kTableFunctions);
      for (int d = kTableDegree - 1; d >= 0; --d) {
        y = hn::MulAdd(y, x[i], hn::LoadU(tag, row + d * kTableFunctions));
      }
      f[i] = y;
    }
    Transpose(f, columns[part]);
  }
  for (int k = 0; k < kTableFunctions; ++k) out[k] = Joined(columns, k);
}

// The function of a line. Here a lane is a cell throughout: its coefficients are transposed.
HWY_INLINE Vec EvaluateLine(int first, const TableIndex& index) {
  static_assert(kLineDegree == 4);
  const FourTag tag;
  Four columns[kLanes / 4][4], last[kLanes / 4][4];
  for (int part = 0; part < kLanes / 4; ++part) {
    Four rows[4];
    const double* row[4];
    for (int i = 0; i < 4; ++i) {
      row[i] = index.row[4 * part + i] + first;
      rows[i] = hn::LoadU(tag, row[i]);
    }
    Transpose(rows, columns[part]);
    last[part][0] = Four{_mm256_set_pd(row[3][4], row[2][4], row[1][4], row[0][4])};
  }
  const Vec x = Load(index.x);
  Vec y = Joined(last, 0);
  for (int d = kLineDegree - 1; d >= 0; --d) y = Fma(y, x, Joined(columns, d));
  return y;
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace livnd::sim::simd
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
