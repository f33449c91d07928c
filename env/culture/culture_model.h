// What all sessions on one system's culture share.
#ifndef LIVND_ENV_CULTURE_CULTURE_MODEL_H_
#define LIVND_ENV_CULTURE_CULTURE_MODEL_H_

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "env/spec.h"
#include "io/culture/culture_setup.h"
#include "io/device/light_array_config.h"
#include "io/device/preset/stimulation_limits.h"
#include "io/system/system.h"
#include "sim/culture/culture.h"

namespace livnd::env {

// The environment "Culture-<system>-v0": no task, no action space, no fixed step.
EnvironmentSpec CultureSpec(const io::System& system);

// Memory that building a culture of a system takes at its height, about, from how many cells and
// connections it has.
int64_t BytesToBuild(const io::System& system);

// A culture with its parameters, ready to be copied.
struct PreparedCulture {
  io::SetupOptions options;
  io::CultureSetup graph;  // before any parameter
  io::ParamList params;    // what was applied to it, in order
  io::CultureSetup setup;  // with them
  // Of the electrodes of both.
  io::StimulationLimits limits;
  std::optional<io::LightArrayConfig> light_array;
  bool owns_electrodes = false;  // other ones than the system's
  bool owns_fibers = false;
  std::shared_ptr<const sim::Culture> culture;
};

// A culture as livn.make gives it: with the default parameters of the system or of the model. If
// its model can learn and be lit, it can at any time: until it does, that costs memory alone.
// InvalidArgument names what is wrong with the options, or the system's file and the place in it.
absl::StatusOr<PreparedCulture> PrepareCulture(const io::System& system,
                                               const io::SetupOptions& options);

// The same of a culture that was set up in another way than from a system's files; no parameters are
// applied. InvalidArgument is sim::Culture::Create's.
absl::StatusOr<PreparedCulture> PrepareCulture(io::CultureSetup graph);

// A system's culture as each of its sessions begins: made once, and shared by them all. A session
// that changes parameters builds one of its own. Immutable and thread-safe after Create.
class CultureModel {
 public:
  static absl::StatusOr<std::shared_ptr<const CultureModel>> Create(
      std::shared_ptr<const io::System> system);
  // A culture on the system's cells and electrodes that was set up in another way than from its files.
  static absl::StatusOr<std::shared_ptr<const CultureModel>> Create(
      std::shared_ptr<const io::System> system, io::CultureSetup graph);

  const EnvironmentSpec& spec() const { return spec_; }
  const io::System& system() const { return *system_; }
  const PreparedCulture& prepared() const { return prepared_; }

 private:
  CultureModel(std::shared_ptr<const io::System> system, PreparedCulture prepared);

  const std::shared_ptr<const io::System> system_;
  const EnvironmentSpec spec_;
  const PreparedCulture prepared_;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_CULTURE_CULTURE_MODEL_H_
