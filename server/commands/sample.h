// livnd sample: a data set of many simulations of a culture.
#ifndef LIVND_SERVER_COMMANDS_SAMPLE_H_
#define LIVND_SERVER_COMMANDS_SAMPLE_H_

#include <string>

#include "absl/types/span.h"

namespace livnd::server {

// Arguments without the command's name; returns the exit status.
int SampleCommand(absl::Span<const std::string> args);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_SAMPLE_H_
