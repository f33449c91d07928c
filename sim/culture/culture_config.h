// What a culture is made of, as its user states it. Validated once, by Culture::Create.
#ifndef LIVND_SIM_CULTURE_CULTURE_CONFIG_H_
#define LIVND_SIM_CULTURE_CULTURE_CONFIG_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/cell/rcsd/opsin.h"
#include "sim/synapse/kinetics.h"
#include "sim/synapse/plasticity.h"

namespace livnd::sim {

// Cells first_gid .. first_gid + num_cells - 1. Neurons are built; a population of any
// other name is a set of event sources whose spike times the user gives.
struct PopulationConfig {
  std::string name;
  int64_t first_gid = 0;
  int64_t num_cells = 0;
  // Of a population that is built: the gids that exist, ascending; absent: all. None: the whole
  // population is a set of event sources (livn 2.0.0 native/synapses.py, is_input).
  std::optional<std::vector<int64_t>> selected_gids = std::nullopt;

  bool is_event_source() const { return selected_gids.has_value() && selected_gids->empty(); }
  // Number of cells, or of event sources, that exist; and the gid of one of them.
  int64_t num_present() const {
    return selected_gids.has_value() && !selected_gids->empty()
               ? static_cast<int64_t>(selected_gids->size())
               : num_cells;
  }
  int64_t gid(int64_t i) const {
    return selected_gids.has_value() && !selected_gids->empty() ? (*selected_gids)[i]
                                                                : first_gid + i;
  }
};

// SWC codes of a synapse site that decide where it lies; all others are "dend".
inline constexpr int kSwcSoma = 1;
inline constexpr int kSwcAxon = 2;

struct Edge {
  int64_t source_gid = 0;
  int64_t target_gid = 0;
  int swc_type = 4;
  double location = 0.5;  // along the section, clipped to [0, 1]
  double distance_um = 0.0;
  int64_t syn_id = -1;  // the site's number in the system's files; for reports only
  double weight = 1.0;  // multiplies those of its receptors
};

// All edges from one population to another, and the receptors that each of them carries: those
// listed under the edge's SWC type, else those under kDefaultReceptors.
struct ProjectionConfig {
  static constexpr int kDefaultReceptors = -1;
  std::string post;
  std::string pre;
  std::map<int, std::vector<ReceptorConfig>> receptors;
  std::vector<Edge> edges;
  // SWC types whose parameters are accepted though no edge has them: those of edges that a
  // selection left out.
  std::set<int> known_swc_types = {};

  // Receptors of an edge; empty if it carries none.
  const std::vector<ReceptorConfig>& ReceptorsAt(int swc_type) const;
};

using ParamValues = std::map<std::string, double>;

// Point neurons (livn 2.0.0 models/izhikevich.py, models/glif.py). They take currents as stimuli and
// have the receptors
//   I_syn  a current that decays: weight (pA), sign (1 or -1, multiplies any weight), tau (ms)
//   g_syn  a conductance that decays: weight (nS), tau (ms), e (mV)
// tau is tau_syn if absent, infinity for no decay. Delays are rounded to whole steps.
struct PointModelConfig {
  enum class Kind { kIzhikevich, kGlif };
  Kind kind = Kind::kGlif;
  int level = 5;  // of GLIF, 1 to 5: what it lacks is set to 0 in `params`
  // Of all cells, by livn's names (sim/cell/point/point_params.h); also tau_syn (ms).
  ParamValues params;
  // Izhikevich cells differ by random numbers that this seed keys, as livn's environment seed does.
  uint32_t seed = 123;
};
// livn's GLIF.leaky_integrate_and_fire().
PointModelConfig LeakyIntegrateAndFire();

struct ModelConfig {
  // Absent: RCSD, with all that follows here.
  std::optional<PointModelConfig> point;
  double refractory_period_ms = 2.0;      // 0: no filter
  bool short_term_depression = true;      // AMPA depresses
  std::map<std::string, double> size_cv;  // by population; absent = 0
  uint64_t size_seed = 20260827;
  // Parameter sets by population (sim/cell/rcsd/rcsd_template.h); absent: livn's for EXC and INH.
  std::map<std::string, std::string> parameter_sets;
};

struct CultureConfig {
  double dt_ms = 0.025;
  double v_init_mv = -75.0;
  ModelConfig model;
  std::vector<PopulationConfig> populations;
  std::vector<ProjectionConfig> projections;
  // Parameters of all cells of a population, and of single cells by gid, which win. A name with a
  // section ("soma.g_pas") is set on a built cell; one without ("global_diam") is a template
  // parameter, from which the cell is built. A point neuron's names are those of its model.
  std::map<std::string, ParamValues> population_params;
  std::map<int64_t, ParamValues> cell_params;
  // Absolute weights by "POST_PRE-SECTION-RECEPTOR-weight", SECTION soma, dend or axon. Point neurons
  // have soma alone, and "POST_PRE" where the projection has one receptor.
  std::map<std::string, double> weights;
  // Numbers of receptors by "POST-SECTION-RECEPTOR-PARAM", in place of those of the projections
  // from any source (sim/culture/synapse_params.h).
  std::map<std::string, double> receptor_params;
  // Absent: no noise. Present: livn's defaults, overridden by std_e, std_i, g_e0, g_i0 (uS), tau_e,
  // tau_i (ms), E_e, E_i (mV), each also as "POP-name" for one population. Point neurons have
  // level, which is 1: a noise current of so many pA in GLIF, of 5 (EXC) or 2 (INH) in Izhikevich.
  std::optional<std::map<std::string, double>> noise;
  // Absent: nothing learns, and learned weights take no memory. Present: NMDA, GABA_A and
  // non-depressing AMPA follow these rules in every copy whose plasticity is on.
  std::optional<PlasticityConfig> plasticity;
  // Absent: no opsin. Present: one on the soma of every built cell.
  std::optional<OpsinParams> opsin;
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_CULTURE_CULTURE_CONFIG_H_
