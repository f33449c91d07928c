#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/field_error.h"
#include "sim/cell/rcsd/rcsd_template.h"

namespace livnd::sim {
namespace {

// livn 2.0.0 models/rcsd/__init__.py, ReducedCalciumSomaDendrite.params. "Ra" (which no cell reads)
// and "V_rest" (which its two engines do not read) are left out.
const std::map<std::string, RcsdParameterSet>& ParameterSets() {
  static const auto* const kSets = new std::map<std::string, RcsdParameterSet>{
      {"BoothRinzelKiehn-MN",
       {CellKind::kMotoneuron,
        {
            {"Ltotal", 120.0},
            {"global_e_pas", -62.0},
            {"pp", 0.1},
            {"gc", 8.255338188577891},
            {"cm_ratio", 8.192411084109766},
            {"global_cm", 1.2959372997283936},
            {"global_diam", 8.13117790222168},
            {"soma_g_pas", 0.00014519958335660783},
            {"soma_gmax_Na", 0.10499561578035355},
            {"soma_gmax_K", 0.04515171924361102},
            {"soma_gmax_KCa", 0.00029591686011223015},
            {"soma_gmax_CaN", 0.001067815023922727},
            {"soma_f_Caconc", 0.0010052554136157328},
            {"soma_alpha_Caconc", 0.21016412395712364},
            {"soma_kCa_Caconc", 1.5283260741327587},
            {"dend_g_pas", 1.39040483614949e-05},
            {"dend_gmax_CaL", 1e-05},
            {"dend_gmax_CaN", 0.00028807198690005147},
            {"dend_gmax_KCa", 0.00023696468003479583},
            {"dend_f_Caconc", 0.0011954806290105971},
            {"dend_alpha_Caconc", 0.6776084695609715},
            {"dend_kCa_Caconc", 3.3313010601193564},
            {"axon_segments", 5.0},
            {"axon_segment_um", 30.0},
            {"axon_diam", 2.5669692667650583},
            {"axon_Ra", 70.0},
            {"axon_cm", 0.07990137878575652},
            {"axon_gmax_Na_ratio", 1.0},
            {"axon_gmax_K", 0.3},
            {"axon_g_pas", 5.1745027014177245e-05},
            {"V_hold", -60.0},
            {"V_threshold", -37.0},
        }}},
      {"BoothRinzelKiehn-MN-v1",
       {CellKind::kMotoneuron,
        {
            {"Ltotal", 120.0},
            {"global_e_pas", -62.0},
            {"pp", 0.1},
            {"cm_ratio", 1.777068615934255},
            {"dend_alpha_Caconc", 4.127872667411456},
            {"dend_f_Caconc", 0.001348028244331323},
            {"dend_g_pas", 4.429519140261562e-05},
            {"dend_gmax_CaL", 1.3888775426905302e-05},
            {"dend_gmax_CaN", 0.001},
            {"dend_gmax_KCa", 0.0004750438852334796},
            {"dend_kCa_Caconc", 15.900063160386765},
            {"gc", 7.206964498910834},
            {"global_cm", 1.0312566757202148},
            {"global_diam", 7.0965752601623535},
            {"soma_alpha_Caconc", 3.2002168327027687},
            {"soma_f_Caconc", 0.013447929809072348},
            {"soma_g_pas", 9.302226751616419e-05},
            {"soma_gmax_CaN", 0.0003060516904561799},
            {"soma_gmax_K", 0.06444230715646704},
            {"soma_gmax_KCa", 0.001865702157561832},
            {"soma_gmax_Na", 0.16667339205741882},
            {"soma_kCa_Caconc", 1.0},
            {"V_hold", -60.0},
            {"V_threshold", -37.0},
        }}},
      {"BoothRinzelKiehn-MN-v2",
       {CellKind::kMotoneuron,
        {
            {"Ltotal", 120.0},
            {"global_e_pas", -62.0},
            {"pp", 0.1},
            {"gc", 5.977336484321611},
            {"cm_ratio", 8.629566159318266},
            {"global_cm", 0.8999999761581421},
            {"global_diam", 5.887437343597412},
            {"soma_g_pas", 7.584103831794137e-05},
            {"soma_gmax_Na", 0.2678287625312805},
            {"soma_gmax_K", 0.0184348523149869},
            {"soma_gmax_KCa", 0.005346261924514746},
            {"soma_gmax_CaN", 3.99317953058386e-05},
            {"soma_f_Caconc", 0.0010460265169067887},
            {"soma_alpha_Caconc", 0.1999999928705826},
            {"soma_kCa_Caconc", 1.0},
            {"dend_g_pas", 1e-05},
            {"dend_gmax_CaL", 1.4611178597834319e-05},
            {"dend_gmax_CaN", 0.00017915970839678846},
            {"dend_gmax_KCa", 0.002108731761656938},
            {"dend_f_Caconc", 0.00642172580623691},
            {"dend_alpha_Caconc", 0.29306756876935247},
            {"dend_kCa_Caconc", 5.118716103286291},
            {"axon_segments", 5.0},
            {"axon_segment_um", 30.0},
            {"axon_diam", 2.8238298892974854},
            {"axon_Ra", 70.0},
            {"axon_cm", 0.13383914666265867},
            {"axon_gmax_Na_ratio", 0.22069636509544605},
            {"axon_gmax_K", 0.3},
            {"axon_g_pas", 1.9995308811205503e-05},
            {"V_hold", -60.0},
            {"V_threshold", -37.0},
        }}},
      {"V1In-Renshaw-InVitro",
       {CellKind::kRenshaw,
        {
            {"global_diam", 24.801532745361328},
            {"global_cm", 1.0757436752319336},
            {"global_e_pas", -69.2257080078125},
            {"soma_g_pas", 0.00011933463247260079},
            {"soma_gmax_Na", 0.13920024037361145},
            {"soma_gmax_K", 0.14060243964195251},
            {"soma_gmax_Ka", 0.0},
            {"soma_gmax_KCa", 0.00033676564130083654},
            {"soma_gmax_CaN", 0.007877439260482788},
            {"soma_f_Caconc", 0.008864013430715868},
            {"soma_alpha_Caconc", 5.0000001782354415},
            {"soma_kCa_Caconc", 6.199637067638542},
            {"axon_segments", 5.0},
            {"axon_segment_um", 30.0},
            {"axon_diam", 1.5779502391815186},
            {"axon_Ra", 70.0},
            {"axon_cm", 1.0},
            {"axon_gmax_Na_ratio", 0.6172392336752061},
            {"axon_gmax_K", 0.3},
            {"axon_g_pas", 8.444644718803868e-06},
            {"V_hold", -60.0},
            {"V_threshold", -50.0},
        }}},
      {"V1In-Renshaw-Perry",
       {CellKind::kRenshaw,
        {
            {"global_diam", 15.670801162719727},
            {"global_cm", 1.0314580202102661},
            {"global_e_pas", -74.01708221435547},
            {"soma_g_pas", 2.9999999242136255e-05},
            {"soma_gmax_Na", 0.050526563078165054},
            {"soma_gmax_K", 0.10332200676202774},
            {"soma_gmax_Ka", 0.019093167036771774},
            {"soma_gmax_KCa", 0.002753025765930022},
            {"soma_gmax_CaN", 0.009249742142856121},
            {"soma_f_Caconc", 0.012550535520847662},
            {"soma_alpha_Caconc", 1.0873581573352384},
            {"soma_kCa_Caconc", 5.057104716106808},
            {"V_hold", -60.0},
            {"V_threshold", -30.8},
        }}},
  };
  return *kSets;
}

// What a template has that a set may leave out.
const std::map<std::string, double>& CommonDefaults() {
  static const auto* const kDefaults = new std::map<std::string, double>{
      {"soma_vhalf_Na", -35.0},  {"soma_slope_Na", 7.8},      {"axon_segments", 0.0},
      {"axon_segment_um", 30.0}, {"axon_diam", 2.0},          {"axon_cm", 0.2},
      {"axon_Ra", 70.0},         {"axon_gmax_Na_ratio", 0.4}, {"axon_gmax_K", 0.3},
      {"axon_g_pas", 1e-5},      {"V_hold", -60.0},
  };
  return *kDefaults;
}

}  // namespace

absl::StatusOr<RcsdParameterSet> FindParameterSet(absl::string_view name) {
  const auto at = ParameterSets().find(std::string(name));
  if (at == ParameterSets().end()) {
    return MakeFieldError(
        "", name, absl::StrJoin(ParameterSets(), ", ", [](std::string* out, const auto& set) {
          out->append(set.first);
        }));
  }
  RcsdParameterSet set = at->second;
  set.values.insert(CommonDefaults().begin(), CommonDefaults().end());
  return set;
}

const RcsdParameterSet& DefaultParameterSet(CellKind kind) {
  static const auto* const kMotoneuron =
      new RcsdParameterSet(FindParameterSet("BoothRinzelKiehn-MN").value());
  static const auto* const kRenshaw =
      new RcsdParameterSet(FindParameterSet("V1In-Renshaw-InVitro").value());
  return kind == CellKind::kMotoneuron ? *kMotoneuron : *kRenshaw;
}

}  // namespace livnd::sim
