// What all sessions on one system's culture share.
#ifndef LIVND_ENV_CULTURE_CULTURE_MODEL_H_
#define LIVND_ENV_CULTURE_CULTURE_MODEL_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "env/spec.h"
#include "io/neuroh5/system.h"
#include "sim/culture.h"
#include "sim/culture_config.h"

namespace livnd::env {

// Order of EnvironmentSpec.infos of a culture.
enum CultureInfo { kTimeMs, kNoiseStream, kFailedAtMs, kNumCultureInfos };

// The environment "Culture-<system>-v0": no task, no action space, no fixed step.
EnvironmentSpec CultureSpec(const io::System& system);

// Immutable and thread-safe after Create.
class CultureModel {
 public:
  // InvalidArgument: the system's files contradict each other, or its default parameters do not
  // fit.
  static absl::StatusOr<std::shared_ptr<const CultureModel>> Create(
      std::shared_ptr<const io::System> system);

  const EnvironmentSpec& spec() const { return spec_; }
  const io::System& system() const { return *system_; }
  // The culture as the graph alone says it: no noise.
  const sim::CultureConfig& graph_config() const { return graph_config_; }
  // Parameters that a live culture starts with: the system's default document, or none.
  const std::map<std::string, double>& default_params() const { return default_params_; }
  // With the default parameters.
  const sim::CultureConfig& default_config() const { return default_config_; }
  const std::shared_ptr<const sim::Culture>& default_culture() const { return default_culture_; }

 private:
  CultureModel() = default;

  std::shared_ptr<const io::System> system_;
  EnvironmentSpec spec_;
  sim::CultureConfig graph_config_;
  std::map<std::string, double> default_params_;
  sim::CultureConfig default_config_;
  std::shared_ptr<const sim::Culture> default_culture_;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_CULTURE_CULTURE_MODEL_H_
