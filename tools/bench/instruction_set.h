// The instruction set that the engine's kernels use here.
#ifndef LIVND_TOOLS_BENCH_INSTRUCTION_SET_H_
#define LIVND_TOOLS_BENCH_INSTRUCTION_SET_H_

#include <string>

namespace livnd::bench {

// "avx2", "avx3" (AVX-512), ...: Highway's name in small letters.
std::string InstructionSet();

}  // namespace livnd::bench

#endif  // LIVND_TOOLS_BENCH_INSTRUCTION_SET_H_
