#include "lab/tune/target.h"

namespace livnd::lab {

int FindFeature(absl::string_view name) {
  for (size_t i = 0; i < kFeatures.size(); ++i) {
    if (name == kFeatures[i].name) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace livnd::lab
