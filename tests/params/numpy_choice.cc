// Prints NumpyRandom(SEED).Choice(POPULATION, SIZE) twice in a row, a line each. For test_params.py.
#include <cstdint>
#include <iostream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "io/culture/numpy_random.h"

int main(int argc, char** argv) {
  uint64_t seed;
  int64_t population, size;
  if (argc != 4 || !absl::SimpleAtoi(argv[1], &seed) || !absl::SimpleAtoi(argv[2], &population) ||
      !absl::SimpleAtoi(argv[3], &size)) {
    std::cerr << "usage: numpy_choice SEED POPULATION SIZE\n";
    return 2;
  }
  livnd::io::NumpyRandom random(seed);
  for (int i = 0; i < 2; ++i) {
    std::cout << "[" << absl::StrJoin(random.Choice(population, size), ",") << "]\n";
  }
  return 0;
}
