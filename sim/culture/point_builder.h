// Builds a culture of point neurons: cells, noise and synapses. Internal to sim/culture.
#ifndef LIVND_SIM_CULTURE_POINT_BUILDER_H_
#define LIVND_SIM_CULTURE_POINT_BUILDER_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sim/cell/point/glif_model.h"
#include "sim/cell/point/izhikevich_model.h"
#include "sim/culture/culture.h"
#include "sim/culture/culture_config.h"
#include "sim/culture/culture_parts.h"

namespace livnd::sim {

// Populations of neurons (sim/network/populations.h) are built; any other is a set of event sources.
// Errors as Culture::Create.
class PointBuilder {
 public:
  // The configuration must outlive the builder; its model.point is present.
  explicit PointBuilder(const CultureConfig& config)
      : config_(config), point_(*config.model.point) {}

  // Once.
  absl::StatusOr<CultureParts> Build();
  // sim/culture/cell_params.h
  static absl::StatusOr<ParamValues> ParamsOfCell(const CultureConfig& config, int64_t gid);

 private:
  struct Receptor {
    std::string name;
    bool conductance = false;
    double weight = 1.0, sign = 1.0, tau_ms = 0.0, reversal_mv = 0.0;
  };

  bool is_glif() const { return point_.kind == PointModelConfig::Kind::kGlif; }
  // Whether there is a population of this name whose cells are neurons, selected or not.
  bool HasNeurons(const std::string& population) const;
  // What point neurons lack is refused by its name.
  absl::Status RefuseOthersFields() const;
  absl::Status ReadModelParams();
  absl::Status BuildPopulation(const PopulationConfig& population, const double* draws);
  // What the configuration says of a cell beside its model, the more special last, and where.
  struct Layer {
    std::string field;
    const ParamValues* params;
  };
  std::vector<Layer> LayersOf(const PopulationConfig& population, int64_t gid) const;
  absl::StatusOr<GlifParams> GlifCell(const PopulationConfig& population, int64_t gid) const;
  absl::StatusOr<IzhikevichParams> IzhikevichCell(const PopulationConfig& population, int64_t gid,
                                                  double draw) const;
  // Pico-amperes of a population's noise current; 0 for none.
  absl::StatusOr<double> NoiseAmplitude(const std::string& population) const;
  absl::Status ValidateNoise();
  absl::StatusOr<Receptor> ResolveReceptor(const ReceptorConfig& config) const;
  absl::Status BuildConnections();
  absl::Status AddProjection(const ProjectionConfig& projection);

  const CultureConfig& config_;
  const PointModelConfig& point_;
  CultureParts parts_;
  GlifParams glif_;
  double tau_syn_ms_ = 5.0;                          // livn's default
  std::vector<std::shared_ptr<PointModel>> models_;  // [group]
  std::set<std::string> weight_keys_;
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_CULTURE_POINT_BUILDER_H_
