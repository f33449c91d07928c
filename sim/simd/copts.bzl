"""Compiler options of everything that includes sim/simd/vec.h."""

# Kernels are optimised whatever the rest is. --compilation_mode=dbg compiles them, too, without
# optimization: the same bits (tests/golden), and a debugger that shows them. Instructions beyond
# x86-64 are asked for by Highway, function by function.
KERNEL_COPTS = select({
    "//sim/simd:dbg": ["-O0"],
    "//conditions:default": [
        "-O3",
        "-fno-stack-protector",
        "-fomit-frame-pointer",
    ],
})
