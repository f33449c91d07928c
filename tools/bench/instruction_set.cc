#include "tools/bench/instruction_set.h"

#include "absl/strings/ascii.h"
#include "hwy/targets.h"

namespace livnd::bench {

// This file is compiled with the kernels' options, and like them for one target.
std::string InstructionSet() { return absl::AsciiStrToLower(hwy::TargetName(HWY_STATIC_TARGET)); }

}  // namespace livnd::bench
