// Which of the compiled instruction sets the kernels use.
#ifndef LIVND_SIM_SIMD_INSTRUCTION_SET_H_
#define LIVND_SIM_SIMD_INSTRUCTION_SET_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace livnd::sim {

// Every kernel is compiled for each of "avx512" (AVX-512 F, BW, CD, DQ, VL), "avx2" (AVX2 with FMA) and
// "portable" (any x86-64; fused multiply-adds by the C library). The best that the host has is used
// unless UseInstructionSet chose another. All give the same bits.

// Those that this host can run, best first.
std::vector<std::string> InstructionSets();
std::string InstructionSetInUse();

// For the whole process, from now on; not while anything is simulated. InvalidArgument lists what the
// host takes.
absl::Status UseInstructionSet(const std::string& name);

}  // namespace livnd::sim

#endif  // LIVND_SIM_SIMD_INSTRUCTION_SET_H_
