#include "lab/generate/synapses.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace livnd::lab {
namespace {

constexpr char kSoma[] = "soma", kDendrite[] = "dend";
constexpr uint8_t kSwcSoma = 1, kSwcApical = 4;

// Reversal potential, conductance of one site and time constants.
io::ReceptorConfig Receptor(const char* name, double e_mv, double g_unit_us, double rise_ms,
                            double decay_ms) {
  return {name,
          {{"e", e_mv}, {"g_unit", g_unit_us}, {"tau_rise", rise_ms}, {"tau_decay", decay_ms}},
          false};
}

struct Template {
  std::vector<io::ReceptorConfig> receptors;
  int num_sites;
};

Template TemplateOf(Transmitter transmitter) {
  switch (transmitter) {
    case Transmitter::kGlutamatergic:
      return {{Receptor("AMPA", 0, 5e-4, 0.5, 3), Receptor("NMDA", 0, 5e-4, 0.5, 80)}, 1};
    case Transmitter::kCholinergic:
      return {{Receptor("AMPA", 0, 5e-4, 0.5, 7)}, 7};
    case Transmitter::kGlycinergic:
      return {{Receptor("GABA_A", -70, 2.5e-4, 0.3, 5)}, 5};
    case Transmitter::kGabaergic:
      break;
  }
  return {{Receptor("GABA_A", -60, 1e-3, 0.3, 6)}, 1};
}

void Override(const std::map<std::string, std::optional<double>>& params,
              io::ReceptorConfig& receptor) {
  for (const auto& [name, value] : params) {
    if (value.has_value()) {
      receptor.params[name] = *value;
    } else {
      receptor.params.erase(name);
    }
  }
}

}  // namespace

io::ProjectionConfig SynapsesOf(const CultureConfig& config, const PopulationConfig& pre,
                                const PopulationConfig& post) {
  Template made = TemplateOf(pre.transmitter);
  const double weight = made.num_sites;
  for (io::ReceptorConfig& receptor : made.receptors) receptor.params["weight"] = weight;
  const auto overrides = config.synapse_overrides.find(ProjectionName(pre, post));
  if (overrides != config.synapse_overrides.end()) {
    for (const auto& [name, params] : overrides->second) {
      auto found = std::find_if(made.receptors.begin(), made.receptors.end(),
                                [&name = name](const auto& r) { return r.receptor == name; });
      if (found == made.receptors.end()) {
        made.receptors.push_back({name, {{"weight", weight}}, false});
        found = made.receptors.end() - 1;
      }
      Override(params, *found);
    }
  }
  for (io::ReceptorConfig& receptor : made.receptors) {
    receptor.disabled = receptor.params.count("tau_decay") == 0;
  }
  io::ProjectionConfig projection;
  projection.post = post.name;
  projection.pre = pre.name;
  projection.type = pre.inhibitory ? "inhibitory" : "excitatory";
  projection.contacts = made.num_sites;
  projection.sections = {post.soma_only || pre.inhibitory ? kSoma : kDendrite};
  projection.layers = {"2d"};
  projection.proportions = {1.0};
  projection.mechanisms["default"] = std::move(made.receptors);
  return projection;
}

SiteKind SitesOf(const io::ProjectionConfig& projection) {
  const bool on_soma = projection.sections[0] == kSoma;
  return {static_cast<uint8_t>(projection.type == "inhibitory" ? 1 : 0),
          on_soma ? kSwcSoma : kSwcApical, on_soma ? 0 : 1};
}

}  // namespace livnd::lab
