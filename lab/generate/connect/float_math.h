// exp, sin and cos in single precision with the bits that NumPy gives: livn's cultures are made of them.
//
// NumPy 2 (loops_exponent_log, loops_trigonometric): reduction by a constant in two or three parts (Cody and Waite
// 1980), then a rational or Taylor-like approximation, each multiply-add fused. Within 2.6 ulp of the exact value.
#ifndef LIVND_LAB_GENERATE_CONNECT_FLOAT_MATH_H_
#define LIVND_LAB_GENERATE_CONNECT_FLOAT_MATH_H_

#include <cstddef>

namespace livnd::lab {

// Elementwise; |x| below 1e4 for the last two.
void ExpOf(const float* x, float* out, size_t size);
void SinCosOf(const float* x, float* sine, float* cosine, size_t size);

// How the chance of a connection falls with the distance d in um: exp(-d / sigma), or exp(-d^2 / (2 sigma^2)).
struct DistanceKernel {
  bool gaussian = false;
  double sigma_um = 0.0;
};

// Of one cell at (x, y) and others: the distances, um, and the kernel's values there. `distance_um` may be null.
void KernelFrom(const DistanceKernel& kernel, float x, float y, const float* xs, const float* ys,
                float* distance_um, float* weight, size_t size);

// The same at given distances.
void KernelAt(const DistanceKernel& kernel, const float* distance_um, float* weight, size_t size);

// Sums of every eighth number, added to sums[8], and the largest of them, beside largest[8]: numbers i, i + 8, i + 16 and
// so on go to element i, one after the other.
void AddEighths(const float* x, size_t size, double* sums, float* largest);

}  // namespace livnd::lab

#endif  // LIVND_LAB_GENERATE_CONNECT_FLOAT_MATH_H_
