// The two RCSD cells as livn 2.0.0 builds them: parameter sets, sections, geometry.
//
// Sources: livn 2.0.0 models/rcsd/__init__.py (parameter sets) and backend/native/cells.py (how
// sections follow from them). Every cell is one unbranched chain of cylinders,
// ais4-ais3-ais2-ais1-ais0-soma-dend; a Renshaw cell has no dendrite, older sets have no axon.
#ifndef LIVND_SIM_CELL_RCSD_RCSD_TEMPLATE_H_
#define LIVND_SIM_CELL_RCSD_RCSD_TEMPLATE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace livnd::sim {

enum class CellKind {
  kMotoneuron,  // population "EXC": Booth-Rinzel-Kiehn, soma + dendrite + axon
  kRenshaw,     // population "INH": V1 Renshaw in vitro, soma + axon
};

// A shell of a section that an ion fills and leaves: concentrations at rest, and how it relaxes.
struct PoolConstants {
  double in_mm = 0.0, out_mm = 0.0;
  double shell_depth_um = 0.2;  // d
  double rate_per_ms = 0.075;   // beta

  friend bool operator==(const PoolConstants& a, const PoolConstants& b) {
    return a.in_mm == b.in_mm && a.out_mm == b.out_mm && a.shell_depth_um == b.shell_depth_um &&
           a.rate_per_ms == b.rate_per_ms;
  }
};

enum class SectionKind { kSoma, kDend, kAxon };

// One section's geometry and densities. A mechanism that the section lacks has density 0.
struct Section {
  SectionKind kind = SectionKind::kSoma;
  int num_segments = 1;
  double length_um = 0.0;
  double diam_um = 0.0;
  double axial_resistivity_ohm_cm = 0.0;  // Ra
  double cm_uf_cm2 = 0.0;
  double g_pas_s_cm2 = 0.0;
  double e_pas_mv = 0.0;
  double gmax_nas_s_cm2 = 0.0;
  double vhalf_nas_mv = -35.0;
  double slope_nas_mv = 7.8;
  double gmax_kdr_s_cm2 = 0.0;
  double gmax_kca_s_cm2 = 0.0;
  double gmax_can_s_cm2 = 0.0;
  double gmax_cal_s_cm2 = 0.0;
  double gmax_ka_s_cm2 = 0.0;         // A-type potassium of the Renshaw soma
  double f_ca = 0.0;                  // calcium pool: free fraction (1/ms)
  double alpha_ca = 0.0;              //   current to concentration
  double k_ca = 0.0;                  //   removal
  PoolConstants sodium{15.0, 145.0};  // the dendrite has none
  PoolConstants potassium{145.0, 5.0};

  // Membrane area of one segment, um2.
  double segment_area_um2() const;
  // Axial resistance from a segment's middle to its end, MOhm.
  double half_segment_resistance_mohm() const;
};

// One cell, sections in livn's order: soma, dend (motoneuron), ais0..ais4.
struct CellTemplate {
  CellKind kind = CellKind::kMotoneuron;
  std::vector<Section> sections;
  double threshold_mv = 0.0;
  double hold_mv = -60.0;  // the pin current makes the cell rest here
  double axon_section_um = 30.0;

  int num_dend_segments() const;
  int num_axon_sections() const;
};

// livn's numbers of a cell type by livn's names ("global_diam", "soma_gmax_Na", "axon_segments").
struct RcsdParameterSet {
  CellKind kind = CellKind::kMotoneuron;
  std::map<std::string, double> values;
};

// A parameter set of livn 2.0.0 by its name: "BoothRinzelKiehn-MN" (with axon), its older versions
// "-v1" (without) and "-v2", "V1In-Renshaw-InVitro" (with axon), "V1In-Renshaw-Perry" (without).
// InvalidArgument lists them. "PinskyRinzel-PVBC" has no cell in livn's engines and none here.
absl::StatusOr<RcsdParameterSet> FindParameterSet(absl::string_view name);
// The set that livn uses for a kind.
const RcsdParameterSet& DefaultParameterSet(CellKind kind);

// Multiplies the set's diameters, as a cell's own size does.
void ScaleDiameters(double size_scale, RcsdParameterSet& set);

// Changes one of livn's template parameters, e.g. "global_diam" or "axon_gmax_K". A cell is built
// from all of them, so "global_diam" also changes its couplings. InvalidArgument lists the accepted
// names, or the accepted range.
absl::Status SetTemplateParam(RcsdParameterSet& set, absl::string_view name, double value);

// Builds a cell. A thin motoneuron's dendrite gets three segments by NEURON's d_lambda rule.
CellTemplate MakeCellTemplate(const RcsdParameterSet& set);
// The default cell of a kind with its diameters multiplied by `size_scale` (> 0).
CellTemplate MakeCellTemplate(CellKind kind, double size_scale);

// Sets "<section type>.<name>" (section type soma, dend or axon; names as in NEURON: g_pas, cm,
// gmax_Nas ...) on every section of the type. InvalidArgument lists the accepted keys, or the
// accepted range: all finite, conductances and calcium constants >= 0; cm, Ra, slope_Nas, pool
// depths, rates and concentrations > 0. "ic_constant" is measured, not set.
absl::Status SetCellParam(CellTemplate& cell, absl::string_view key, double value);

// What SetCellParam sets, by its keys. The sections of a type have the same values.
std::map<std::string, double> CellParamsOf(const CellTemplate& cell);

// Diameter factor of a cell: log-normal of mean 1 and the given coefficient of variation, a
// function of (gid, seed) alone; exactly 1 for size_cv = 0.
double SizeScale(double size_cv, int64_t gid, uint64_t seed);

// livn's stable_uniform: a number in [0, 1) that depends on (key, seed) alone (SplitMix64
// finaliser).
double StableUniform(int64_t key, uint64_t seed);

}  // namespace livnd::sim

#endif  // LIVND_SIM_CELL_RCSD_RCSD_TEMPLATE_H_
