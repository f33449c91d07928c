// What an encoding takes, or a decoding gives, as it is told before there is a window.
#ifndef LIVND_IO_CODING_CODING_TENSOR_H_
#define LIVND_IO_CODING_CODING_TENSOR_H_

#include <string>
#include <vector>

namespace livnd::io {

struct CodingTensor {
  std::string name;
  std::string unit;         // "1" for pure numbers
  std::string description;  // of decodings
  // "units", "groups" or "electrodes"; "*" for what follows from the fields and the window. None: a single number.
  std::vector<std::string> axes;
  double low = 0.0, high = 0.0;  // of encodings: inclusive bounds
};

}  // namespace livnd::io

#endif  // LIVND_IO_CODING_CODING_TENSOR_H_
