#include "io/culture/build_culture.h"

#include <optional>
#include <utility>

#include "io/culture/params.h"

namespace livnd::io {

absl::StatusOr<std::shared_ptr<const sim::Culture>> BuildWithDefaults(const System& system,
                                                                      const SetupOptions& options,
                                                                      const ParamList& params,
                                                                      CultureSetup& setup) {
  if (const absl::Status s = ApplyParams(params, setup); !s.ok()) {
    return InDefaultParams(system, setup, "default", s);
  }
  absl::StatusOr<std::shared_ptr<const sim::Culture>> culture = sim::Culture::Create(setup.culture);
  if (culture.ok()) return culture;
  const std::optional<absl::Status> fault = FaultOfParams(params, setup, culture.status());
  return fault.has_value() ? InDefaultParams(system, setup, "default", *fault)
                           : FaultOfSetup(system, options, culture.status());
}

}  // namespace livnd::io
