#include "sim/synapse/kinetics.h"

#include <algorithm>
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

using testing::HasSubstr;
using testing::Not;

Receptor Resolve(const ReceptorConfig& config, bool depression = true) {
  const absl::StatusOr<Receptor> r = ResolveReceptor(config, depression);
  EXPECT_TRUE(r.ok()) << r.status();
  return r.value_or(Receptor());
}

// What livn 2.0.0's processes hold as `factor`.
TEST(KineticsTest, FactorsAreLivns) {
  struct Want {
    double rise, decay, factor;
  };
  for (const Want& w : std::vector<Want>{{0.5, 3, 1.7171628973263064},
                                         {0.5, 80, 1.038927514685999},
                                         {0.5, 7, 1.3193146300844893},
                                         {0.3, 6, 1.2323999091818731}}) {
    const Receptor r = Resolve({"AMPA", {{"tau_rise", w.rise}, {"tau_decay", w.decay}}});
    EXPECT_NEAR(r.factor, w.factor, 1e-15 * w.factor * 2);
  }
}

TEST(KineticsTest, AnEventOfWeightOnePeaksAtTheUnit) {
  for (const char* name : {"AMPA", "NMDA", "GABA_A", "GABA_B"}) {
    const Receptor r = Resolve({name, {}});
    double peak = 0.0;
    for (double t = 0.0; t < 100.0; t += 0.001) {
      peak = std::max(peak, r.factor * (std::exp(-t / r.kinetics.tau_decay_ms) -
                                        std::exp(-t / r.kinetics.tau_rise_ms)));
    }
    EXPECT_NEAR(peak, 1.0, 1e-6) << name;
  }
}

TEST(KineticsTest, ReceptorsDefaultToLivnsProcesses) {
  const Receptor ampa = Resolve({"AMPA", {}});
  EXPECT_EQ(ampa.kind, SynapseKind::kDepressing);
  EXPECT_EQ(ampa.kinetics.tau_rise_ms, 1.0);
  EXPECT_EQ(ampa.kinetics.tau_decay_ms, 5.0);
  EXPECT_EQ(ampa.kinetics.reversal_mv, 0.0);
  EXPECT_FALSE(ampa.kinetics.magnesium_block);
  EXPECT_EQ(ampa.release_fraction, 0.25);
  EXPECT_EQ(ampa.recovery_tau_ms, 400.0);
  EXPECT_EQ(ampa.weight, 1.0);
  EXPECT_EQ(Resolve({"AMPA", {}}, false).kind, SynapseKind::kPlastic);
  const Receptor nmda = Resolve({"NMDA", {}});
  EXPECT_EQ(nmda.kind, SynapseKind::kPlasticNmda);
  EXPECT_EQ(nmda.kinetics.tau_rise_ms, 10.0);
  EXPECT_EQ(nmda.kinetics.tau_decay_ms, 35.0);
  EXPECT_TRUE(nmda.kinetics.magnesium_block);
  EXPECT_EQ(nmda.kinetics.mg_mm, 1.0);
  EXPECT_EQ(nmda.kinetics.kd_mm, 3.57);
  EXPECT_EQ(nmda.kinetics.gamma_per_mv, 0.062);
  EXPECT_EQ(nmda.kinetics.vshift_mv, 0.0);
  const Receptor gaba_a = Resolve({"GABA_A", {}});
  EXPECT_EQ(gaba_a.kind, SynapseKind::kPlasticInhibitory);
  EXPECT_EQ(gaba_a.kinetics.reversal_mv, -90.0);
  EXPECT_EQ(Resolve({"GABA_B", {}}).kind, SynapseKind::kPlain);
}

TEST(KineticsTest, GivenParametersReplaceDefaults) {
  const Receptor r = Resolve({"NMDA",
                              {{"weight", 2.5},
                               {"g_unit", 0.0005},
                               {"tau_rise", 0.5},
                               {"tau_decay", 80.0},
                               {"e", 5.0},
                               {"mg", 2.0},
                               {"Kd", 3.0},
                               {"gamma", 0.07},
                               {"vshift", -10.0}}});
  EXPECT_EQ(r.name, "NMDA");
  EXPECT_EQ(r.weight, 2.5);
  EXPECT_EQ(r.g_unit_us, 0.0005);
  EXPECT_EQ(r.kinetics.tau_rise_ms, 0.5);
  EXPECT_EQ(r.kinetics.tau_decay_ms, 80.0);
  EXPECT_EQ(r.kinetics.reversal_mv, 5.0);
  EXPECT_EQ(r.kinetics.mg_mm, 2.0);
  EXPECT_EQ(r.kinetics.kd_mm, 3.0);
  EXPECT_EQ(r.kinetics.gamma_per_mv, 0.07);
  EXPECT_EQ(r.kinetics.vshift_mv, -10.0);
  const Receptor ampa = Resolve({"AMPA", {{"U", 0.5}, {"tau_rec", 100.0}}});
  EXPECT_EQ(ampa.release_fraction, 0.5);
  EXPECT_EQ(ampa.recovery_tau_ms, 100.0);
}

TEST(KineticsTest, AnAmpaThatDoesNotDepressIgnoresDepression) {
  const Receptor r = Resolve({"AMPA", {{"U", 0.5}, {"tau_rec", 100.0}}}, false);
  EXPECT_EQ(r.kind, SynapseKind::kPlastic);
}

TEST(KineticsTest, RiseIsKeptBelowDecay) {
  Receptor r = Resolve({"GABA_A", {{"tau_rise", 6.0}, {"tau_decay", 6.0}}});
  EXPECT_EQ(r.kinetics.tau_rise_ms, 0.9999 * 6.0);
  EXPECT_TRUE(std::isfinite(r.factor));
  r = Resolve({"NMDA", {{"tau_rise", 100.0}, {"tau_decay", 6.0}}});
  EXPECT_EQ(r.kinetics.tau_rise_ms, 0.9999 * 6.0);
  r = Resolve({"AMPA", {{"tau_rise", 1e-12}, {"tau_decay", 6.0}}});
  EXPECT_EQ(r.kinetics.tau_rise_ms, 1e-9 * 6.0);
  // livn leaves a fast NMDA alone.
  r = Resolve({"NMDA", {{"tau_rise", 1e-12}, {"tau_decay", 6.0}}});
  EXPECT_EQ(r.kinetics.tau_rise_ms, 1e-12);
  EXPECT_NEAR(r.factor, 1.0, 1e-9);
}

TEST(KineticsTest, EqualKineticsCompareEqual) {
  const Kinetics a = Resolve({"NMDA", {{"weight", 1.0}}}).kinetics;
  EXPECT_TRUE(a == Resolve({"NMDA", {{"weight", 7.0}, {"g_unit", 1.0}}}).kinetics);
  EXPECT_FALSE(a == Resolve({"NMDA", {{"mg", 0.5}}}).kinetics);
  EXPECT_FALSE(a == Resolve({"NMDA", {{"e", 1.0}}}).kinetics);
}

TEST(KineticsTest, UnknownNamesAreRefusedWithWhatIsAccepted) {
  absl::Status status = ResolveReceptor({"GABA", {}}, true).status();
  EXPECT_THAT(status, IsFieldError("", kUnknownName, "AMPA, NMDA, GABA_A, GABA_B"));
  status = ResolveReceptor({"AMPA", {{"mg", 1.0}}}, true).status();
  EXPECT_THAT(status, IsFieldError("mg", kUnknownName,
                                   "weight, g_unit, tau_rise, tau_decay, e, U, tau_rec"));
  status = ResolveReceptor({"GABA_A", {{"U", 0.5}}}, true).status();
  EXPECT_THAT(status, IsFieldError("U", kUnknownName, Not(HasSubstr("tau_rec"))));
}

TEST(KineticsTest, NumbersOutOfRangeAreRefusedByName) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  struct Bad {
    const char* receptor;
    const char* name;
    double value;
  };
  for (const Bad& bad :
       std::vector<Bad>{{"AMPA", "tau_rise", 0.0},
                        {"AMPA", "tau_rise", -1.0},
                        {"AMPA", "tau_decay", 0.0},
                        {"AMPA", "tau_decay", nan},
                        {"AMPA", "weight", -1.0},
                        {"AMPA", "g_unit", -1e-9},
                        {"AMPA", "g_unit", std::numeric_limits<double>::infinity()},
                        {"AMPA", "U", -0.1},
                        {"AMPA", "U", 1.1},
                        {"AMPA", "tau_rec", 0.0},
                        {"AMPA", "e", nan},
                        {"NMDA", "Kd", 0.0},
                        {"NMDA", "mg", -1.0},
                        {"NMDA", "gamma", nan}}) {
    const absl::Status status =
        ResolveReceptor({bad.receptor, {{bad.name, bad.value}}}, true).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad.name << " " << bad.value;
    EXPECT_THAT(status, IsFieldError(bad.name, absl::StrCat(bad.value), HasSubstr("number")));
  }
}

// The normalisation of time constants too far apart leaves the range of doubles: the first event
// would put infinity into the state.
TEST(KineticsTest, TimeConstantsThatCannotBeNormalisedAreRefused) {
  struct Taus {
    double rise, decay;
  };
  for (const Taus& t : std::vector<Taus>{{5e-324, 1e300}, {1e-300, 1e300}, {0.5, 1e308}}) {
    for (const char* name : {"AMPA", "NMDA"}) {
      const absl::Status status =
          ResolveReceptor({name, {{"tau_rise", t.rise}, {"tau_decay", t.decay}}}, true).status();
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << t.rise << " " << t.decay;
      EXPECT_THAT(status, IsFieldError("tau_rise", Not(""), HasSubstr("tau_decay")));
    }
  }
  EXPECT_TRUE(ResolveReceptor({"AMPA", {{"tau_rise", 1e-6}, {"tau_decay", 1e6}}}, true).ok());
}

}  // namespace
}  // namespace livnd::sim
