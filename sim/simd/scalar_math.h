// exp and log of one number by the kernels' own arithmetic, for what becomes part of a result's bits
// outside of a kernel: constants, and what a single event changes.
#ifndef LIVND_SIM_SIMD_SCALAR_MATH_H_
#define LIVND_SIM_SIMD_SCALAR_MATH_H_

namespace livnd::sim {

// As simd::Exp and simd::Log of sim/simd/math.h.
double ScalarExp(double x);
double ScalarLog(double x);

}  // namespace livnd::sim

#endif  // LIVND_SIM_SIMD_SCALAR_MATH_H_
