// The environments that a set of systems offers, by id.
#ifndef LIVND_ENV_CATALOG_H_
#define LIVND_ENV_CATALOG_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "env/spec.h"
#include "io/system/system.h"

namespace livnd::env {

class CultureModel;
class EnvironmentModel;

// Immutable after Create; thread-safe.
class Catalog {
 public:
  // One "Culture-<system>-v0" for every system, and one "TargetRate-<system>-v0" for every system
  // with electrodes and a default params document.
  // InvalidArgument names a system whose files contradict each other.
  static absl::StatusOr<Catalog> Create(std::vector<std::shared_ptr<const io::System>> systems);

  // Ordered by id.
  const std::vector<EnvironmentSpec>& specs() const { return specs_; }
  // Null if there is none. The pointer lives as long as the catalog.
  const EnvironmentSpec* Find(absl::string_view id) const;

  // Builds what all sessions on an environment share, so keep the result. A task's culture is also
  // settled: milliseconds to minutes. NotFound: no environment of this kind has the id.
  absl::StatusOr<std::shared_ptr<const EnvironmentModel>> BuildTask(absl::string_view id) const;
  absl::StatusOr<std::shared_ptr<const CultureModel>> BuildCulture(absl::string_view id) const;

 private:
  absl::StatusOr<std::shared_ptr<const io::System>> SystemOf(absl::string_view id,
                                                             EnvironmentKind kind) const;

  std::vector<std::shared_ptr<const io::System>> systems_;
  std::vector<EnvironmentSpec> specs_;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_CATALOG_H_
