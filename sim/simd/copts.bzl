"""Compiler options of everything that includes sim/simd/vec.h."""

# AVX2 with FMA, whole: Highway's static target. All files that see the vector type must agree on it.
# --compilation_mode=dbg compiles the kernels, too, without optimization: the same bits
# (tests/golden), and a debugger that shows them.
KERNEL_COPTS = select({
    "//sim/simd:dbg": ["-O0"],
    "//conditions:default": ["-O3"],
}) + [
    "-mavx2",
    "-mfma",
    "-mbmi",
    "-mbmi2",
    "-mf16c",
    "-maes",
    "-mpclmul",
]
