// Builds a culture of cells with compartments: cells, noise and synapses. Internal to sim/culture.
#ifndef LIVND_SIM_CULTURE_RCSD_BUILDER_H_
#define LIVND_SIM_CULTURE_RCSD_BUILDER_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sim/cell/rcsd/rcsd_model.h"
#include "sim/culture/culture.h"
#include "sim/culture/culture_config.h"
#include "sim/culture/culture_parts.h"

namespace livnd::sim {

// Populations of neurons (sim/network/populations.h) are built; any other is a set of event sources.
// Errors as Culture::Create.
class RcsdBuilder {
 public:
  // The configuration must outlive the builder.
  explicit RcsdBuilder(const CultureConfig& config) : config_(config) {}

  // Once.
  absl::StatusOr<CultureParts> Build();
  // sim/culture/cell_params.h
  static absl::StatusOr<ParamValues> ParamsOfCell(const CultureConfig& config, int64_t gid);

 private:
  struct Population;
  // Whether cells of a population of this name can be built here.
  bool IsBuilt(const std::string& population) const;
  absl::Status BuildPopulation(const PopulationConfig& population);
  absl::StatusOr<Population> ResolvePopulation(const PopulationConfig& config) const;
  double ScaleOf(const Population& population, int64_t gid) const;
  absl::StatusOr<CellTemplate> MakeCell(const Population& population, int64_t gid,
                                        double scale) const;
  int GroupOf(const Population& population, const CellTemplate& cell, const RcsdShape& shape);
  absl::Status BuildNoise();
  absl::Status BuildConnections();
  absl::Status AddProjection(const ProjectionConfig& projection);
  // Slot of a receptor on a compartment of a group.
  int SlotOf(int group, int compartment, const Receptor& receptor);
  // Gives the models their tables; those with the same magnesium block share them.
  void ShareTables();

  const CultureConfig& config_;
  CultureParts parts_;
  OpsinParams opsin_;
  std::vector<PlasticityRule> rules_;               // by PlasticityGroup
  std::vector<std::shared_ptr<RcsdModel>> models_;  // [group]
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_CULTURE_RCSD_BUILDER_H_
