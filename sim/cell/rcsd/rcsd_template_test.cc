#include "sim/cell/rcsd/rcsd_template.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace livnd::sim {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

void ExpectNear(double got, double want, double relative) {
  EXPECT_NEAR(got, want, std::fabs(want) * relative);
}

// The numbers of this file are those of livn 2.0.0's native backend (rcsd_section_get,
// rcsd_node_area and the Python that builds the sections).

TEST(RcsdTemplateTest, MotoneuronHasLivnsSections) {
  const CellTemplate cell = MakeCellTemplate(CellKind::kMotoneuron, 1.0);
  ASSERT_EQ(cell.sections.size(), 7u);
  EXPECT_EQ(cell.threshold_mv, -37.0);
  EXPECT_EQ(cell.hold_mv, -60.0);
  EXPECT_EQ(cell.num_dend_segments(), 1);
  EXPECT_EQ(cell.num_axon_sections(), 5);
  const Section& soma = cell.sections[0];
  EXPECT_EQ(soma.kind, SectionKind::kSoma);
  EXPECT_EQ(soma.num_segments, 1);
  EXPECT_EQ(soma.length_um, 12.0);
  EXPECT_EQ(soma.diam_um, 8.13117790222168);
  ExpectNear(soma.segment_area_um2(), 306.5381851518155, 1e-15);
  ExpectNear(soma.cm_uf_cm2, 10.61685109860617, 1e-15);
  ExpectNear(soma.axial_resistivity_ohm_cm, 1710.0, 1e-14);
  EXPECT_EQ(soma.g_pas_s_cm2, 0.00014519958335660783);
  EXPECT_EQ(soma.e_pas_mv, -62.0);
  EXPECT_EQ(soma.gmax_nas_s_cm2, 0.10499561578035355);
  EXPECT_EQ(soma.gmax_kdr_s_cm2, 0.04515171924361102);
  EXPECT_EQ(soma.gmax_kca_s_cm2, 0.00029591686011223015);
  EXPECT_EQ(soma.gmax_can_s_cm2, 0.001067815023922727);
  EXPECT_EQ(soma.gmax_cal_s_cm2, 0.0);
  EXPECT_EQ(soma.gmax_ka_s_cm2, 0.0);
  EXPECT_EQ(soma.vhalf_nas_mv, -35.0);
  EXPECT_EQ(soma.slope_nas_mv, 7.8);
  EXPECT_EQ(soma.f_ca, 0.0010052554136157328);
  EXPECT_EQ(soma.alpha_ca, 0.21016412395712364);
  EXPECT_EQ(soma.k_ca, 1.5283260741327587);
  const Section& dend = cell.sections[1];
  EXPECT_EQ(dend.kind, SectionKind::kDend);
  EXPECT_EQ(dend.num_segments, 1);
  EXPECT_EQ(dend.length_um, 108.0);
  EXPECT_EQ(dend.diam_um, soma.diam_um);
  ExpectNear(dend.segment_area_um2(), 2758.8436663663397, 1e-15);
  EXPECT_EQ(dend.cm_uf_cm2, 1.2959372997283936);
  ExpectNear(dend.axial_resistivity_ohm_cm, 21.11111111111111, 1e-14);
  EXPECT_EQ(dend.g_pas_s_cm2, 1.39040483614949e-05);
  EXPECT_EQ(dend.e_pas_mv, -62.0);
  EXPECT_EQ(dend.gmax_nas_s_cm2, 0.0);
  EXPECT_EQ(dend.gmax_kca_s_cm2, 0.00023696468003479583);
  EXPECT_EQ(dend.gmax_can_s_cm2, 0.00028807198690005147);
  EXPECT_EQ(dend.gmax_cal_s_cm2, 1e-05);
  EXPECT_EQ(dend.f_ca, 0.0011954806290105971);
  EXPECT_EQ(dend.alpha_ca, 0.6776084695609715);
  EXPECT_EQ(dend.k_ca, 3.3313010601193564);
  for (int i = 2; i < 7; ++i) {
    const Section& ais = cell.sections[i];
    EXPECT_EQ(ais.kind, SectionKind::kAxon);
    EXPECT_EQ(ais.num_segments, 1);
    EXPECT_EQ(ais.length_um, 30.0);
    EXPECT_EQ(ais.diam_um, 2.5669692667650583);
    ExpectNear(ais.segment_area_um2(), 241.93115371379656, 1e-15);
    EXPECT_EQ(ais.cm_uf_cm2, 0.07990137878575652);
    EXPECT_EQ(ais.axial_resistivity_ohm_cm, 70.0);
    EXPECT_EQ(ais.g_pas_s_cm2, 5.1745027014177245e-05);
    ExpectNear(ais.e_pas_mv, -54.61624758336613, 1e-14);
    EXPECT_EQ(ais.gmax_nas_s_cm2, 0.10499561578035355);
    EXPECT_EQ(ais.gmax_kdr_s_cm2, 0.3);
  }
}

TEST(RcsdTemplateTest, RenshawCellHasLivnsSections) {
  const CellTemplate cell = MakeCellTemplate(CellKind::kRenshaw, 1.0);
  ASSERT_EQ(cell.sections.size(), 6u);
  EXPECT_EQ(cell.threshold_mv, -50.0);
  EXPECT_EQ(cell.hold_mv, -60.0);
  EXPECT_EQ(cell.num_dend_segments(), 0);
  const Section& soma = cell.sections[0];
  EXPECT_EQ(soma.length_um, 24.801532745361328);
  EXPECT_EQ(soma.diam_um, 24.801532745361328);
  ExpectNear(soma.segment_area_um2(), 1932.443990018158, 1e-15);
  EXPECT_EQ(soma.axial_resistivity_ohm_cm, 35.4);
  EXPECT_EQ(soma.cm_uf_cm2, 1.0757436752319336);
  EXPECT_EQ(soma.g_pas_s_cm2, 0.00011933463247260079);
  EXPECT_EQ(soma.e_pas_mv, -69.2257080078125);
  EXPECT_EQ(soma.gmax_nas_s_cm2, 0.13920024037361145);
  EXPECT_EQ(soma.gmax_kdr_s_cm2, 0.14060243964195251);
  EXPECT_EQ(soma.gmax_kca_s_cm2, 0.00033676564130083654);
  EXPECT_EQ(soma.gmax_can_s_cm2, 0.007877439260482788);
  EXPECT_EQ(soma.gmax_ka_s_cm2, 0.0);
  EXPECT_EQ(soma.f_ca, 0.008864013430715868);
  EXPECT_EQ(soma.alpha_ca, 5.0000001782354415);
  EXPECT_EQ(soma.k_ca, 6.199637067638542);
  const Section& ais = cell.sections[1];
  EXPECT_EQ(ais.diam_um, 1.5779502391815186);
  ExpectNear(ais.segment_area_um2(), 148.7183063742875, 1e-15);
  EXPECT_EQ(ais.cm_uf_cm2, 1.0);
  EXPECT_EQ(ais.g_pas_s_cm2, 8.444644718803868e-06);
  ExpectNear(ais.e_pas_mv, -61.84024601344176, 1e-14);
  ExpectNear(ais.gmax_nas_s_cm2, 0.08591984969561241, 1e-15);
  EXPECT_EQ(ais.gmax_kdr_s_cm2, 0.3);
}

// A junction's resistance is that of its two halves.
double JunctionMohm(const CellTemplate& cell, int a, int b) {
  return cell.sections[a].half_segment_resistance_mohm() +
         cell.sections[b].half_segment_resistance_mohm();
}

TEST(RcsdTemplateTest, JunctionsHaveLivnsResistances) {
  const CellTemplate exc = MakeCellTemplate(CellKind::kMotoneuron, 1.0);
  ExpectNear(JunctionMohm(exc, 0, 1), 2.195371610191614, 1e-14);
  ExpectNear(JunctionMohm(exc, 0, 2), 4.004722477476357, 1e-14);
  ExpectNear(JunctionMohm(exc, 2, 3), 4.05777605660781, 1e-14);
  const CellTemplate inh = MakeCellTemplate(CellKind::kRenshaw, 1.0);
  ExpectNear(JunctionMohm(inh, 0, 1), 5.3783265932657045, 1e-14);
  ExpectNear(JunctionMohm(inh, 1, 2), 10.738479842026297, 1e-14);
}

TEST(RcsdTemplateTest, SizeScalesDiametersAndOfASphericalSomaTheLength) {
  const CellTemplate exc = MakeCellTemplate(CellKind::kMotoneuron, 1.5);
  EXPECT_EQ(exc.sections[0].diam_um, 8.13117790222168 * 1.5);
  EXPECT_EQ(exc.sections[0].length_um, 12.0);
  EXPECT_EQ(exc.sections[1].diam_um, 8.13117790222168 * 1.5);
  EXPECT_EQ(exc.sections[1].length_um, 108.0);
  EXPECT_EQ(exc.sections[2].diam_um, 2.5669692667650583 * 1.5);
  EXPECT_EQ(exc.sections[2].length_um, 30.0);
  const CellTemplate inh = MakeCellTemplate(CellKind::kRenshaw, 1.5);
  EXPECT_EQ(inh.sections[0].diam_um, 24.801532745361328 * 1.5);
  EXPECT_EQ(inh.sections[0].length_um, 24.801532745361328 * 1.5);
  EXPECT_EQ(inh.sections[1].diam_um, 1.5779502391815186 * 1.5);
  EXPECT_EQ(inh.sections[1].length_um, 30.0);
}

TEST(RcsdTemplateTest, CouplingPerAreaDoesNotDependOnTheDiameter) {
  // 1e2 / (R area), S/cm2, of soma and dendrite through their own halves.
  auto density = [](const Section& s) {
    return 1e2 / (s.half_segment_resistance_mohm() * s.segment_area_um2());
  };
  const double want = 2.0 * 8.255338188577891e-3 / 0.1;
  for (const double scale : {0.6, 1.0, 1.7}) {
    const CellTemplate cell = MakeCellTemplate(CellKind::kMotoneuron, scale);
    ExpectNear(density(cell.sections[0]), want, 1e-13);
    ExpectNear(density(cell.sections[1]), want, 1e-13);
  }
}

TEST(RcsdTemplateTest, ThinDendriteHasThreeSegments) {
  // NEURON's rule turns at 108 um = 1.1 * 0.1 lambda, lambda = 1e5 sqrt(diam / (4 pi 100 35.4)).
  const double lambda_um = 108.0 / 0.11;
  const double turn = std::pow(lambda_um / 1e5, 2) * 4 * M_PI * 100 * 35.4 / 8.13117790222168;
  EXPECT_NEAR(turn, 0.527, 1e-3);
  EXPECT_EQ(MakeCellTemplate(CellKind::kMotoneuron, turn * (1 + 1e-9)).num_dend_segments(), 1);
  const CellTemplate thin = MakeCellTemplate(CellKind::kMotoneuron, turn * (1 - 1e-9));
  EXPECT_EQ(thin.num_dend_segments(), 3);
  EXPECT_EQ(thin.sections[0].num_segments, 1);
  const Section& dend = thin.sections[1];
  ExpectNear(dend.segment_area_um2(), M_PI * dend.diam_um * 36.0, 1e-15);
  // With three segments the resistance at the middle is two halves: Ra follows from that.
  const double half_of_unit_ra = 1e-2 * 18.0 / (M_PI * dend.diam_um * dend.diam_um / 4.0);
  const double g = 8.255338188577891 / 0.1 * dend.segment_area_um2() * 1e-8 * 1e-3;
  ExpectNear(dend.axial_resistivity_ohm_cm, 1e-6 / g / (2.0 * 2.0 * half_of_unit_ra), 1e-13);
  // The rule asks for five segments far below.
  EXPECT_EQ(MakeCellTemplate(CellKind::kMotoneuron, 0.067).num_dend_segments(), 3);
  EXPECT_EQ(MakeCellTemplate(CellKind::kMotoneuron, 0.066).num_dend_segments(), 5);
}

// livn 2.0.0 models/rcsd, params().
TEST(ParameterSetTest, OlderSetsHaveTheirSectionsAndNumbers) {
  const CellTemplate v1 = MakeCellTemplate(*FindParameterSet("BoothRinzelKiehn-MN-v1"));
  EXPECT_EQ(v1.sections.size(), 2u);
  EXPECT_EQ(v1.sections[0].gmax_nas_s_cm2, 0.16667339205741882);
  EXPECT_EQ(v1.sections[1].k_ca, 15.900063160386765);
  EXPECT_EQ(v1.threshold_mv, -37.0);
  const CellTemplate v2 = MakeCellTemplate(*FindParameterSet("BoothRinzelKiehn-MN-v2"));
  EXPECT_EQ(v2.sections.size(), 7u);
  EXPECT_EQ(v2.sections[2].gmax_nas_s_cm2, 0.22069636509544605 * 0.2678287625312805);
  const CellTemplate perry = MakeCellTemplate(*FindParameterSet("V1In-Renshaw-Perry"));
  EXPECT_EQ(perry.sections.size(), 1u);
  EXPECT_EQ(perry.sections[0].gmax_ka_s_cm2, 0.019093167036771774);
  EXPECT_EQ(perry.threshold_mv, -30.8);
  EXPECT_THAT(FindParameterSet("PinskyRinzel-PVBC").status(),
              IsFieldError("", "PinskyRinzel-PVBC",
                           HasSubstr("BoothRinzelKiehn-MN, BoothRinzelKiehn-MN-v1")));
}

TEST(ParameterSetTest, ATemplateParameterRebuildsTheCell) {
  RcsdParameterSet set = DefaultParameterSet(CellKind::kMotoneuron);
  ASSERT_TRUE(SetTemplateParam(set, "global_diam", 9.0).ok());
  ASSERT_TRUE(SetTemplateParam(set, "soma_gmax_Na", 0.2).ok());
  const CellTemplate cell = MakeCellTemplate(set);
  EXPECT_EQ(cell.sections[0].diam_um, 9.0);
  EXPECT_EQ(cell.sections[1].diam_um, 9.0);
  // The axon's sodium is a multiple of the soma's, and its leak balances it.
  EXPECT_EQ(cell.sections[2].gmax_nas_s_cm2, 0.2);
  EXPECT_NE(cell.sections[2].e_pas_mv,
            MakeCellTemplate(CellKind::kMotoneuron, 1.0).sections[2].e_pas_mv);
  ASSERT_TRUE(SetTemplateParam(set, "axon_gmax_Na", 0.05).ok());
  ASSERT_TRUE(SetTemplateParam(set, "axon_e_pas", -61.0).ok());
  ASSERT_TRUE(SetTemplateParam(set, "axon_segments", 0.0).ok());
  EXPECT_EQ(MakeCellTemplate(set).sections.size(), 2u);
  ASSERT_TRUE(SetTemplateParam(set, "axon_segments", 5.0).ok());
  EXPECT_EQ(MakeCellTemplate(set).sections[3].gmax_nas_s_cm2, 0.05);
  EXPECT_EQ(MakeCellTemplate(set).sections[3].e_pas_mv, -61.0);
}

TEST(ParameterSetTest, RefusesUnknownNamesAndNumbersOutOfRange) {
  const RcsdParameterSet before = DefaultParameterSet(CellKind::kRenshaw);
  RcsdParameterSet set = before;
  const struct {
    const char* name;
    double value;
    const char *found, *accepted;
  } kCases[] = {
      {"gc", 1.0, "an unknown name", "V_hold, V_threshold, axon_Ra"},
      {"global_diam", 0.0, "0", "a number > 0 and <= 1e12"},
      {"soma_gmax_Na", -1.0, "-1", "a number from 0 to 1e12"},
      {"global_e_pas", std::nan(""), "nan", "a number from -1e12 to 1e12"},
      {"axon_segments", 3.0, "3", "0 or 5"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(SetTemplateParam(set, c.name, c.value),
                IsFieldError(c.name, c.found, HasSubstr(c.accepted)));
  }
  EXPECT_EQ(set.values, before.values);
  RcsdParameterSet motoneuron = DefaultParameterSet(CellKind::kMotoneuron);
  EXPECT_THAT(SetTemplateParam(motoneuron, "pp", 1.0),
              IsFieldError("pp", "1", "a number between 0 and 1"));
}

TEST(SetCellParamTest, SetsEverySectionOfTheType) {
  CellTemplate cell = MakeCellTemplate(CellKind::kMotoneuron, 1.0);
  ASSERT_TRUE(SetCellParam(cell, "axon.gmax_Nas", 0.5).ok());
  for (const Section& s : cell.sections) {
    EXPECT_EQ(s.gmax_nas_s_cm2 == 0.5, s.kind == SectionKind::kAxon);
  }
  ASSERT_TRUE(SetCellParam(cell, "soma.e_pas", -80.0).ok());
  EXPECT_EQ(cell.sections[0].e_pas_mv, -80.0);
  EXPECT_EQ(cell.sections[1].e_pas_mv, -62.0);
}

TEST(SetCellParamTest, TakesEveryKeyItLists) {
  for (const CellKind kind : {CellKind::kMotoneuron, CellKind::kRenshaw}) {
    CellTemplate cell = MakeCellTemplate(kind, 1.0);
    std::string list = FieldErrorOf(SetCellParam(cell, "no.key", 1.0))->accepted;
    int num_keys = 0;
    while (!list.empty()) {
      const size_t end = std::min(list.find(", "), list.size());
      EXPECT_TRUE(SetCellParam(cell, list.substr(0, end), 0.25).ok()) << list.substr(0, end);
      list.erase(0, std::min(end + 2, list.size()));
      ++num_keys;
    }
    EXPECT_EQ(num_keys, kind == CellKind::kMotoneuron ? 21 + 14 + 16 : 22 + 16);
  }
}

TEST(SetCellParamTest, RefusesKeysOfOtherSectionsAndCells) {
  CellTemplate exc = MakeCellTemplate(CellKind::kMotoneuron, 1.0);
  CellTemplate inh = MakeCellTemplate(CellKind::kRenshaw, 1.0);
  for (const char* key : {"dend.gmax_Nas", "axon.gmax_CaN", "soma.gmax_CaL", "soma.gmax_Ka_v1in",
                          "soma", "soma.", ".g_pas", "g_pas", "", "hillock.g_pas", "soma.L"}) {
    const absl::Status status = SetCellParam(exc, key, 0.1);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << key;
    EXPECT_THAT(status, IsFieldError(key, kUnknownName,
                                     AllOf(HasSubstr("soma.g_pas"), HasSubstr("dend.gmax_CaL"))));
  }
  EXPECT_TRUE(SetCellParam(inh, "soma.gmax_Ka_v1in", 0.1).ok());
  const absl::Status status = SetCellParam(inh, "dend.g_pas", 0.1);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status, IsFieldError("dend.g_pas", kUnknownName, Not(HasSubstr("dend."))));
}

TEST(SetCellParamTest, RefusesNumbersOutOfRangeAndLeavesTheCell) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  struct Bad {
    const char* key;
    double value;
    const char* accepted;
  };
  for (const Bad& bad : std::vector<Bad>{{"soma.g_pas", -1e-9, "from 0 to 1e12"},
                                         {"soma.g_pas", nan, "from 0 to 1e12"},
                                         {"soma.cm", 0.0, "> 0 and <= 1e12"},
                                         {"axon.slope_Nas", 0.0, "> 0 and <= 1e12"},
                                         {"dend.kCa_Ca_conc", 0.0, "> 0 and <= 1e12"},
                                         {"dend.f_Ca_conc", -0.1, "from 0 to 1e12"},
                                         {"soma.e_pas", nan, "from -1e12 to 1e12"},
                                         {"soma.e_pas", infinity, "from -1e12 to 1e12"},
                                         {"axon.vhalf_Nas", -infinity, "from -1e12 to 1e12"}}) {
    CellTemplate cell = MakeCellTemplate(CellKind::kMotoneuron, 1.0);
    const absl::Status status = SetCellParam(cell, bad.key, bad.value);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad.key;
    EXPECT_THAT(status, IsFieldError(bad.key, absl::StrCat(bad.value), HasSubstr(bad.accepted)));
    EXPECT_EQ(cell.sections[0].g_pas_s_cm2, 0.00014519958335660783);
    EXPECT_EQ(cell.sections[0].e_pas_mv, -62.0);
  }
  CellTemplate cell = MakeCellTemplate(CellKind::kMotoneuron, 1.0);
  EXPECT_TRUE(SetCellParam(cell, "soma.g_pas", 0.0).ok());
  EXPECT_TRUE(SetCellParam(cell, "soma.e_pas", 10.0).ok());
}

TEST(StableUniformTest, IsLivns) {
  EXPECT_EQ(StableUniform(0, 20260827), 0.9605323651338159);
  EXPECT_EQ(StableUniform(1, 20260827), 0.7809396325083102);
  EXPECT_EQ(StableUniform(2, 20260827), 0.43350646222125977);
}

TEST(StableUniformTest, WrapsAroundSixtyFourBits) {
  EXPECT_EQ(StableUniform(-1, 20260827), 0.6420846259901432);
  EXPECT_EQ(StableUniform(0, ~uint64_t{0}), 0.8939429202831846);
}

// Source of the numbers: Python 3.11, exp(s * NormalDist().inv_cdf(u) - s * s / 2) with
// s = sqrt(log(1 + cv * cv)) and u = stable_uniform(gid, seed) of livn 2.0.0.
TEST(SizeScaleTest, IsPythonsLogNormal) {
  ExpectNear(SizeScale(0.2, 0, 20260827), 1.3886464619549064, 1e-14);
  ExpectNear(SizeScale(0.2, 1, 20260827), 1.1433307720352017, 1e-14);
  ExpectNear(SizeScale(0.2, 2, 20260827), 0.9485950405581567, 1e-14);
  ExpectNear(SizeScale(0.5, 3, 20260828), 0.32225678407016767, 1e-14);
  ExpectNear(SizeScale(1.5, 12345, 7), 4.499575699186162, 1e-14);
  // Far out on either side: u is 2.9e-8 and 1 - 1.1e-8.
  ExpectNear(SizeScale(0.4, 21579333, 20260827), 0.11488403471439114, 1e-14);
  ExpectNear(SizeScale(0.4, 43172635, 20260827), 8.02907792454307, 1e-14);
}

TEST(SizeScaleTest, IsOneWithoutVariation) {
  for (int gid = 0; gid < 10; ++gid) EXPECT_EQ(SizeScale(0.0, gid, 20260827), 1.0);
}

TEST(SizeScaleTest, HasMeanOneAndTheVariationAskedFor) {
  const int n = 100000;
  double sum = 0.0, squares = 0.0;
  for (int gid = 0; gid < n; ++gid) {
    const double x = SizeScale(0.3, gid, 1);
    sum += x;
    squares += x * x;
  }
  const double mean = sum / n;
  EXPECT_NEAR(mean, 1.0, 0.005);
  EXPECT_NEAR(std::sqrt(squares / n - mean * mean) / mean, 0.3, 0.005);
}

}  // namespace
}  // namespace livnd::sim
