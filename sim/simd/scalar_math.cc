#include "sim/simd/scalar_math.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/simd/scalar_math.cc"
#include "hwy/foreach_target.h"
// foreach_target.h comes before whatever uses instructions.
#include "sim/simd/math.h"
#include "sim/simd/vec.h"

HWY_BEFORE_NAMESPACE();
namespace livnd::sim::HWY_NAMESPACE {
namespace {

double Lane0(simd::Vec x) {
  double lanes[simd::kLanes];
  simd::Store(x, lanes);
  return lanes[0];
}
double ExpOfOne(double x) { return Lane0(simd::Exp(simd::Set(x))); }
double LogOfOne(double x) { return Lane0(simd::Log(simd::Set(x))); }

}  // namespace
}  // namespace livnd::sim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace livnd::sim {

HWY_EXPORT(ExpOfOne);
HWY_EXPORT(LogOfOne);

double ScalarExp(double x) { return HWY_DYNAMIC_DISPATCH(ExpOfOne)(x); }
double ScalarLog(double x) { return HWY_DYNAMIC_DISPATCH(LogOfOne)(x); }

}  // namespace livnd::sim
#endif  // HWY_ONCE
