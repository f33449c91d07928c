// Prints the golden file; renew.sh calls it.
#include <iostream>

#include "sim/culture/culture.h"
#include "tests/golden/scenarios.h"

int main() {
  livnd::io::Json golden;
  golden["physics_version"] = livnd::sim::kPhysicsVersion;
  golden["scenarios"] = livnd::sim::RunScenarios();
  std::cout << golden.dump(2) << std::endl;
  return 0;
}
