// Numbers that NumPy drew and computed: draw_with_numpy.py writes them, and tests/generate sees that it still does.
#ifndef LIVND_LAB_GENERATE_TESTING_NUMPY_DRAWS_FILE_H_
#define LIVND_LAB_GENERATE_TESTING_NUMPY_DRAWS_FILE_H_

#include <vector>

#include "io/json/json_file.h"

namespace livnd::lab {

inline io::Json ReadNumpyDraws() {
  return io::ReadJsonFile("lab/generate/testing/numpy_draws.json").value();
}

// All numbers of single precision are told exactly by doubles.
inline std::vector<float> Floats(const io::Json& numbers) {
  std::vector<float> out;
  for (const double x : numbers.get<std::vector<double>>()) out.push_back(static_cast<float>(x));
  return out;
}

}  // namespace livnd::lab

#endif  // LIVND_LAB_GENERATE_TESTING_NUMPY_DRAWS_FILE_H_
