#include "io/testing/num_draws.h"

#include <cstdlib>

#include "absl/strings/numbers.h"

namespace livnd::io {

int NumDraws(const char* variable, int usual) {
  const char* asked = std::getenv(variable);
  int num = 0;
  return asked != nullptr && absl::SimpleAtoi(asked, &num) && num > 0 ? num : usual;
}

}  // namespace livnd::io
