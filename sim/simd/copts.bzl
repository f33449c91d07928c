"""Compiler options of everything that includes sim/simd/vec.h."""

# AVX2 with FMA, whole: Highway's static target. All files that see the vector type must agree on it.
KERNEL_COPTS = [
    "-O3",
    "-mavx2",
    "-mfma",
    "-mbmi",
    "-mbmi2",
    "-mf16c",
    "-maes",
    "-mpclmul",
]
