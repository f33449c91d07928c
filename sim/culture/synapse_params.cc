#include "sim/culture/synapse_params.h"

#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "sim/culture/config_fields.h"

namespace livnd::sim {
namespace {

// An error about a parameter of a receptor, with the place that its number has in a configuration:
// among the receptor_params, or below `field`, what the projection says. Where the numbers do not go
// together it is one that was set, as those of a projection alone do.
absl::Status AtReceptor(absl::string_view field, const std::map<std::string, double>& params,
                        const std::map<std::string, std::string>& own_keys,
                        const absl::Status& status) {
  std::optional<FieldError> error = FieldErrorOf(status);
  if (!error.has_value() || own_keys.empty()) return AtField(field, status);
  auto own = own_keys.find(error->field);
  const bool pair = error->field == "tau_rise" || error->field == "tau_decay";
  if (own == own_keys.end() && pair) {
    own = own_keys.find(error->field == "tau_rise" ? "tau_decay" : "tau_rise");
    if (own != own_keys.end()) {
      error->accepted = absl::StrCat("a time that goes with ", error->field, " = ", error->value);
      error->value = Exact(params.at(own->first));
    }
  }
  if (own == own_keys.end()) return AtField(field, status);
  error->field = FieldAt("receptor_params", own->second);
  return WithFieldError(*error, status);
}

}  // namespace

const std::vector<ReceptorConfig>& ProjectionConfig::ReceptorsAt(int swc_type) const {
  static const auto* const kNone = new std::vector<ReceptorConfig>();
  auto found = receptors.find(swc_type);
  if (found == receptors.end()) found = receptors.find(kDefaultReceptors);
  return found == receptors.end() ? *kNone : found->second;
}

absl::string_view SectionLabel(int swc_type) {
  return swc_type == kSwcSoma ? "soma" : swc_type == kSwcAxon ? "axon" : "dend";
}

std::string WeightName::key() const {
  return absl::StrCat(post, "_", pre, "-", section, "-", receptor, "-weight");
}

std::string ReceptorParamName::key() const {
  return absl::StrCat(post, "-", section, "-", receptor, "-", param);
}

SynapseParamNames SynapseParamNamesOf(const CultureConfig& config) {
  std::map<std::string, WeightName> weights;
  std::map<std::string, ReceptorParamName> receptor_params;
  for (const ProjectionConfig& projection : config.projections) {
    std::set<int> swc_types = projection.known_swc_types;
    if (config.model.point.has_value()) {
      // One compartment, and receptors that take no parameters by key.
      for (const ReceptorConfig& r : projection.ReceptorsAt(ProjectionConfig::kDefaultReceptors)) {
        const WeightName weight = {projection.post, projection.pre, "soma", r.receptor};
        weights.try_emplace(weight.key(), weight);
      }
      continue;
    }
    for (const Edge& edge : projection.edges) swc_types.insert(edge.swc_type);
    for (int swc_type : swc_types) {
      // A point neuron has one place for all.
      const std::string section(config.model.point.has_value() ? SectionLabel(kSwcSoma)
                                                               : SectionLabel(swc_type));
      for (const ReceptorConfig& receptor : projection.ReceptorsAt(swc_type)) {
        const WeightName weight = {projection.post, projection.pre, section, receptor.receptor};
        weights.try_emplace(weight.key(), weight);
        for (const std::string& param :
             ProcessParams(receptor.receptor, config.model.short_term_depression)) {
          const ReceptorParamName name = {projection.post, section, receptor.receptor, param};
          receptor_params.try_emplace(name.key(), name);
        }
      }
    }
  }
  SynapseParamNames names;
  for (auto& [key, name] : weights) names.weights.push_back(std::move(name));
  for (auto& [key, name] : receptor_params) names.receptor_params.push_back(std::move(name));
  return names;
}

absl::StatusOr<std::vector<PlacedReceptor>> PlaceReceptors(const CultureConfig& config,
                                                           const ProjectionConfig& projection,
                                                           int swc_type) {
  std::vector<PlacedReceptor> out;
  const bool depression = config.model.short_term_depression;
  const std::string section(SectionLabel(swc_type));
  for (ReceptorConfig receptor : projection.ReceptorsAt(swc_type)) {
    std::map<std::string, std::string> own_keys;  // by parameter
    for (const std::string& param : ProcessParams(receptor.receptor, depression)) {
      const ReceptorParamName name = {projection.post, section, receptor.receptor, param};
      const auto own = config.receptor_params.find(name.key());
      if (own == config.receptor_params.end()) continue;
      receptor.params[param] = own->second;
      own_keys[param] = own->first;
    }
    absl::StatusOr<Receptor> resolved = ResolveReceptor(receptor, depression);
    if (!resolved.ok()) {
      return AtReceptor(absl::StrCat(FieldOf(projection), ".receptors.", receptor.receptor),
                        receptor.params, own_keys, resolved.status());
    }
    const WeightName name = {projection.post, projection.pre, section, receptor.receptor};
    const auto weight = config.weights.find(name.key());
    PlacedReceptor& placed = out.emplace_back();
    placed.receptor = *std::move(resolved);
    placed.weight = weight != config.weights.end() ? weight->second : placed.receptor.weight;
  }
  return out;
}

}  // namespace livnd::sim
