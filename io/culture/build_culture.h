// From a system's setup and its stored parameters to a culture that can run.
#ifndef LIVND_IO_CULTURE_BUILD_CULTURE_H_
#define LIVND_IO_CULTURE_BUILD_CULTURE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "io/culture/culture_setup.h"
#include "io/system/system.h"
#include "sim/culture/culture.h"

namespace livnd::io {

// Applies `params`, which DefaultParams gave for this setup of the options, and builds the culture.
// Errors name the options' field or the system's file and the place in it.
absl::StatusOr<std::shared_ptr<const sim::Culture>> BuildWithDefaults(const System& system,
                                                                      const SetupOptions& options,
                                                                      const ParamList& params,
                                                                      CultureSetup& setup);

}  // namespace livnd::io

#endif  // LIVND_IO_CULTURE_BUILD_CULTURE_H_
