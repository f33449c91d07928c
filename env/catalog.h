// The environments that a set of systems offers, by id.
#ifndef LIVND_ENV_CATALOG_H_
#define LIVND_ENV_CATALOG_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "env/spec.h"
#include "io/neuroh5/system.h"

namespace livnd::env {

class EnvironmentModel;

// Immutable after Create; thread-safe.
class Catalog {
 public:
  // One "TargetRate-<system>-v0" for every system with electrodes and a default params document.
  // InvalidArgument names a system whose files contradict each other.
  static absl::StatusOr<Catalog> Create(std::vector<std::shared_ptr<const io::System>> systems);

  // Ordered by id.
  const std::vector<EnvironmentSpec>& specs() const { return specs_; }
  // Null if there is none. The pointer lives as long as the catalog.
  const EnvironmentSpec* Find(absl::string_view id) const;

  // Builds the culture of an environment and settles it: milliseconds to minutes, so keep the
  // result and share it between all sessions. NotFound for an unknown id.
  absl::StatusOr<std::shared_ptr<const EnvironmentModel>> Build(absl::string_view id) const;

 private:
  std::vector<std::shared_ptr<const io::System>> systems_;
  std::vector<EnvironmentSpec> specs_;
  std::vector<int> system_of_spec_;  // index into systems_
};

}  // namespace livnd::env

#endif  // LIVND_ENV_CATALOG_H_
