#include "lab/generate/connect/float_math.h"

#include <cmath>
#include <cstdint>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lab/generate/connect/float_math.cc"
#include "hwy/foreach_target.h"
// after it
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace livnd::lab {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Hosts below AVX2 go through the same operations one by one; their multiply-add is the C library's, which is exact.
#if HWY_TARGET == HWY_SCALAR
constexpr size_t kLanes = 1;
struct V {
  float v;
};
struct I {
  int32_t v;
};
V Load(const float* p) { return {*p}; }
void Store(V a, float* p) { *p = a.v; }
V Set(float x) { return {x}; }
V Add(V a, V b) { return {a.v + b.v}; }
V Sub(V a, V b) { return {a.v - b.v}; }
V Mul(V a, V b) { return {a.v * b.v}; }
V Div(V a, V b) { return {a.v / b.v}; }
V Neg(V a) { return {-a.v}; }
V Sqrt(V a) { return {__builtin_sqrtf(a.v)}; }
V Fma(V a, V b, V c) { return {std::fma(a.v, b.v, c.v)}; }
I ToInt(V a) { return {static_cast<int32_t>(a.v)}; }
I AddInt(I a, int32_t b) { return {a.v + b}; }
I HalfOf(I a) { return {a.v >> 1}; }
I SubInts(I a, I b) { return {a.v - b.v}; }
V PowerOfTwo(I a) {
  const int32_t bits = (a.v + 127) << 23;
  V power;
  std::memcpy(&power, &bits, sizeof(bits));
  return power;
}
V IfBit(I a, int32_t bit, V yes, V no) { return (a.v & bit) != 0 ? yes : no; }
V ZeroIfAtMost(V x, V limit, V value) { return {x.v <= limit.v ? 0.0f : value.v}; }
V Clamp(V x, V low) { return {x.v < low.v ? low.v : x.v}; }
#else
using D = hn::ScalableTag<float>;
using DI = hn::RebindToSigned<D>;
constexpr size_t kLanes = HWY_TARGET == HWY_AVX2 ? 8 : 16;
struct V {
  hn::Vec<D> v;
};
struct I {
  hn::Vec<DI> v;
};
HWY_INLINE V Load(const float* p) { return {hn::LoadU(D(), p)}; }
HWY_INLINE void Store(V a, float* p) { hn::StoreU(a.v, D(), p); }
HWY_INLINE V Set(float x) { return {hn::Set(D(), x)}; }
HWY_INLINE V Add(V a, V b) { return {hn::Add(a.v, b.v)}; }
HWY_INLINE V Sub(V a, V b) { return {hn::Sub(a.v, b.v)}; }
HWY_INLINE V Mul(V a, V b) { return {hn::Mul(a.v, b.v)}; }
HWY_INLINE V Div(V a, V b) { return {hn::Div(a.v, b.v)}; }
HWY_INLINE V Neg(V a) { return {hn::Neg(a.v)}; }
HWY_INLINE V Sqrt(V a) { return {hn::Sqrt(a.v)}; }
HWY_INLINE V Fma(V a, V b, V c) { return {hn::MulAdd(a.v, b.v, c.v)}; }
HWY_INLINE I ToInt(V a) { return {hn::ConvertTo(DI(), a.v)}; }
HWY_INLINE I AddInt(I a, int32_t b) { return {hn::Add(a.v, hn::Set(DI(), b))}; }
HWY_INLINE I HalfOf(I a) { return {hn::ShiftRight<1>(a.v)}; }
HWY_INLINE I SubInts(I a, I b) { return {hn::Sub(a.v, b.v)}; }
HWY_INLINE V PowerOfTwo(I a) { return {hn::BitCast(D(), hn::ShiftLeft<23>(AddInt(a, 127).v))}; }
HWY_INLINE V IfBit(I a, int32_t bit, V yes, V no) {
  const auto is_set = hn::RebindMask(D(), hn::TestBit(a.v, hn::Set(DI(), bit)));
  return {hn::IfThenElse(is_set, yes.v, no.v)};
}
HWY_INLINE V ZeroIfAtMost(V x, V limit, V value) {
  return {hn::IfThenZeroElse(hn::Le(x.v, limit.v), value.v)};
}
HWY_INLINE V Clamp(V x, V low) { return {hn::IfThenElse(hn::Lt(x.v, low.v), low.v, x.v)}; }
#endif

// The nearest integer, ties to even, of |x| < 2^22.
HWY_INLINE V Round(V x) { return Sub(Add(x, Set(0x1.8p23f)), Set(0x1.8p23f)); }

// x <= 0.
HWY_INLINE V ExpV(V x) {
  const V smallest = Set(-103.97208404541015625f);
  const V clamped = Clamp(x, smallest);
  const V n = Round(Mul(clamped, Set(0x1.715476p+0f)));  // / log 2
  const V r = Fma(n, Set(-1.42860677e-6f), Fma(n, Set(-6.93145752e-1f), clamped));
  V p = Fma(Set(5.082762527590693718096e-04f), r, Set(6.757896990527504603057e-03f));
  p = Fma(p, r, Set(5.114512081637298353406e-02f));
  p = Fma(p, r, Set(2.473615434895520810817e-01f));
  p = Fma(p, r, Set(7.257664613233124478488e-01f));
  p = Fma(p, r, Set(9.999999999980870924916e-01f));
  V q = Fma(Set(2.159509375685829852307e-02f), r, Set(-2.742335390411667452936e-01f));
  q = Fma(q, r, Set(1.0f));
  // In two steps, of which only the last one may round.
  const I power = ToInt(n), half = HalfOf(power);
  const V scaled = Mul(Mul(Div(p, q), PowerOfTwo(half)), PowerOfTwo(SubInts(power, half)));
  return ZeroIfAtMost(x, smallest, scaled);
}

HWY_INLINE void SinCosV(V x, V* sine, V* cosine) {
  const V n = Round(Mul(x, Set(0x1.45f306p-1f)));  // / (pi / 2)
  V r = Fma(n, Set(-1.57079601287841796875f), x);
  r = Fma(n, Set(-3.1391647326017846353352069854736328125e-07f), r);
  r = Fma(n, Set(-5.390302529957764765544681040410068817436695098876953125e-15f), r);
  const V r2 = Mul(r, r);
  V c = Fma(Set(0x1.98e616p-16f), r2, Set(-0x1.6c06dcp-10f));
  c = Fma(c, r2, Set(0x1.55553cp-05f));
  c = Fma(c, r2, Set(-0x1.0p-01f));
  c = Fma(c, r2, Set(1.0f));
  V s = Fma(Set(0x1.7d3bbcp-19f), r2, Set(-0x1.a06bbap-13f));
  s = Fma(s, r2, Set(0x1.11119ap-07f));
  s = Fma(s, r2, Set(-0x1.555556p-03f));
  s = Fma(Mul(s, r2), r, r);
  const I quadrant = ToInt(n), next = AddInt(quadrant, 1);
  const V of_sine = IfBit(quadrant, 1, c, s), of_cosine = IfBit(next, 1, c, s);
  *sine = IfBit(quadrant, 2, Neg(of_sine), of_sine);
  *cosine = IfBit(next, 2, Neg(of_cosine), of_cosine);
}

// The kernel as two numbers in single precision.
struct Shape {
  bool gaussian;
  float divisor;
};

HWY_INLINE V WeightV(const Shape& shape, V d) {
  const V x = shape.gaussian ? Mul(d, d) : d;
  return ExpV(Div(Neg(x), Set(shape.divisor)));
}

// Whole vectors, then the rest through a buffer of one.
void Exps(const float* x, float* out, size_t size) {
  size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) Store(ExpV(Load(x + i)), out + i);
  if (i == size) return;
  float rest[kLanes] = {};
  std::memcpy(rest, x + i, (size - i) * sizeof(float));
  Store(ExpV(Load(rest)), rest);
  std::memcpy(out + i, rest, (size - i) * sizeof(float));
}

void SinCoses(const float* x, float* sine, float* cosine, size_t size) {
  for (size_t i = 0; i < size; i += kLanes) {
    const size_t count = size - i < kLanes ? size - i : kLanes;
    float in[kLanes] = {}, s[kLanes], c[kLanes];
    std::memcpy(in, x + i, count * sizeof(float));
    V sv, cv;
    SinCosV(Load(in), &sv, &cv);
    Store(sv, s);
    Store(cv, c);
    std::memcpy(sine + i, s, count * sizeof(float));
    std::memcpy(cosine + i, c, count * sizeof(float));
  }
}

void Weights(bool gaussian, float divisor, const float* d, float* weight, size_t size) {
  const Shape shape = {gaussian, divisor};
  size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) Store(WeightV(shape, Load(d + i)), weight + i);
  if (i == size) return;
  float rest[kLanes] = {};
  std::memcpy(rest, d + i, (size - i) * sizeof(float));
  Store(WeightV(shape, Load(rest)), rest);
  std::memcpy(weight + i, rest, (size - i) * sizeof(float));
}

void WeightsFrom(bool gaussian, float divisor, float x, float y, const float* xs, const float* ys,
                 float* distance, float* weight, size_t size) {
  const Shape shape = {gaussian, divisor};
  const V from_x = Set(x), from_y = Set(y);
  const auto distance_of = [&](const float* px, const float* py) HWY_ATTR {
    const V dx = Sub(Load(px), from_x), dy = Sub(Load(py), from_y);
    return Sqrt(Add(Mul(dx, dx), Mul(dy, dy)));
  };
  size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    const V d = distance_of(xs + i, ys + i);
    if (distance != nullptr) Store(d, distance + i);
    Store(WeightV(shape, d), weight + i);
  }
  if (i == size) return;
  float px[kLanes] = {}, py[kLanes] = {};
  std::memcpy(px, xs + i, (size - i) * sizeof(float));
  std::memcpy(py, ys + i, (size - i) * sizeof(float));
  const V d = distance_of(px, py);
  Store(WeightV(shape, d), px);
  std::memcpy(weight + i, px, (size - i) * sizeof(float));
  if (distance == nullptr) return;
  Store(d, py);
  std::memcpy(distance + i, py, (size - i) * sizeof(float));
}

void Eighths(const float* x, size_t size, double* sums, float* largest) {
  size_t i = 0;
#if HWY_TARGET == HWY_SCALAR
  for (; i + 8 <= size; i += 8) {
    for (size_t k = 0; k < 8; ++k) {
      sums[k] += static_cast<double>(x[i + k]);
      if (x[i + k] > largest[k]) largest[k] = x[i + k];
    }
  }
#else
  const hn::CappedTag<double, 8> wide;
  const hn::Rebind<float, decltype(wide)> narrow;
  constexpr size_t kWide = HWY_TARGET == HWY_AVX2 ? 4 : 8;
  const hn::CappedTag<float, 8> eight;
  auto sum = hn::LoadU(wide, sums), other = hn::LoadU(wide, sums + 8 - kWide);
  auto most = hn::LoadU(eight, largest);
  for (; i + 8 <= size; i += 8) {
    sum = hn::Add(sum, hn::PromoteTo(wide, hn::LoadU(narrow, x + i)));
    if (kWide == 4) other = hn::Add(other, hn::PromoteTo(wide, hn::LoadU(narrow, x + i + 4)));
    most = hn::Max(most, hn::LoadU(eight, x + i));
  }
  if (kWide == 4) hn::StoreU(other, wide, sums + 4);
  hn::StoreU(sum, wide, sums);
  hn::StoreU(most, eight, largest);
#endif
  for (size_t k = 0; i < size; ++i, ++k) {
    sums[k] += static_cast<double>(x[i]);
    if (x[i] > largest[k]) largest[k] = x[i];
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace livnd::lab
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace livnd::lab {
namespace {

HWY_EXPORT(Exps);
HWY_EXPORT(SinCoses);
HWY_EXPORT(Weights);
HWY_EXPORT(WeightsFrom);
HWY_EXPORT(Eighths);

float DivisorOf(const DistanceKernel& kernel) {
  const double sigma = kernel.sigma_um;
  return static_cast<float>(kernel.gaussian ? 2.0 * (sigma * sigma) : sigma);
}

}  // namespace

void ExpOf(const float* x, float* out, size_t size) { HWY_DYNAMIC_DISPATCH(Exps)(x, out, size); }

void SinCosOf(const float* x, float* sine, float* cosine, size_t size) {
  HWY_DYNAMIC_DISPATCH(SinCoses)(x, sine, cosine, size);
}

void KernelFrom(const DistanceKernel& kernel, float x, float y, const float* xs, const float* ys,
                float* distance_um, float* weight, size_t size) {
  HWY_DYNAMIC_DISPATCH(WeightsFrom)
  (kernel.gaussian, DivisorOf(kernel), x, y, xs, ys, distance_um, weight, size);
}

void KernelAt(const DistanceKernel& kernel, const float* distance_um, float* weight, size_t size) {
  HWY_DYNAMIC_DISPATCH(Weights)(kernel.gaussian, DivisorOf(kernel), distance_um, weight, size);
}

void AddEighths(const float* x, size_t size, double* sums, float* largest) {
  HWY_DYNAMIC_DISPATCH(Eighths)(x, size, sums, largest);
}

}  // namespace livnd::lab
#endif
