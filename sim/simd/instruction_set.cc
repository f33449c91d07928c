#include "sim/simd/instruction_set.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hwy/targets.h"

namespace livnd::sim {
namespace {

struct Named {
  const char* name;
  int64_t target;
};
constexpr Named kCompiled[] = {{"avx512", HWY_AVX3}, {"avx2", HWY_AVX2}, {"portable", HWY_SCALAR}};

// What the processor has; the portable one always.
int64_t OfHost() {
  static const int64_t host = hwy::SupportedTargets() | HWY_SCALAR;
  return host;
}

// 0 until a set was chosen.
int64_t& Chosen() {
  static int64_t chosen = 0;
  return chosen;
}

}  // namespace

std::vector<std::string> InstructionSets() {
  std::vector<std::string> names;
  for (const Named& set : kCompiled) {
    if ((OfHost() & set.target) != 0) names.emplace_back(set.name);
  }
  return names;
}

std::string InstructionSetInUse() {
  for (const Named& set : kCompiled) {
    if (Chosen() == set.target) return set.name;
  }
  return InstructionSets().front();
}

absl::Status UseInstructionSet(const std::string& name) {
  for (const Named& set : kCompiled) {
    if (name != set.name || (OfHost() & set.target) == 0) continue;
    Chosen() = set.target;
    hwy::GetChosenTarget().Update(set.target);
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("instruction set '", name, "'; this host takes ",
                                                 absl::StrJoin(InstructionSets(), ", ")));
}

}  // namespace livnd::sim
