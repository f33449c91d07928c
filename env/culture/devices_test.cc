// Other electrodes and fibres than a system's, their limits, and light out of fibres.
#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/field_error_matchers.h"
#include "env/culture/live_culture.h"
#include "env/culture/testing/cultures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/device/light_array.h"
#include "io/device/preset/device_presets.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

using testing::_;
using testing::HasSubstr;

void ExpectSame(const CultureRecording& a, const CultureRecording& b) {
  EXPECT_EQ(a.spike_gids, b.spike_gids);
  EXPECT_EQ(a.spike_ticks, b.spike_ticks);
  ASSERT_EQ(a.series.size(), b.series.size());
  for (size_t i = 0; i < a.series.size(); ++i) EXPECT_EQ(a.series[i].values, b.series[i].values);
}

// Two fibres over the first two cells.
io::LightArrayConfig Fibers() {
  const io::System& system = EiMini()->system();
  io::LightArrayConfig array;
  for (int32_t i = 0; i < 2; ++i) {
    array.fibers.push_back({10 + i, system.position_um[static_cast<size_t>(i)]});
  }
  return array;
}

// The electrodes of EI-mini with other ids, and limits.
io::Device Limited() {
  io::Device device;
  device.array = *EiMini()->prepared().setup.electrode_array;
  for (io::Electrode& electrode : device.array.electrodes) electrode.id += 100;
  device.limits.max_amplitude_ua = 20.0;
  device.limits.record_only = {101};
  return device;
}

io::PulsePlan Light(double power_mw) {
  io::PulsePlan plan;
  plan.light.resize(1);
  plan.light[0].fibers = {10, 11};
  plan.light[0].power_mw = power_mw;
  plan.light[0].width_us = 2000.0;
  plan.light[0].train.num_pulses = 2;
  plan.light[0].train.rate_hz = 200.0;
  return plan;
}

io::PulsePlan Pulses(int32_t electrode, double amplitude_ua) {
  io::PulsePlan plan;
  plan.pulses.resize(1);
  plan.pulses[0].electrodes = {electrode};
  plan.pulses[0].amplitude_ua = amplitude_ua;
  return plan;
}

CultureRun With(io::PulsePlan plan) {
  CultureRun run = For(20.0);
  run.pulse_plan = std::move(plan);
  return run;
}

class DevicesTest : public testing::Test {
 protected:
  // A busy culture with a change at time 0.
  std::unique_ptr<LiveCulture> Changed(const CultureChange& change, int num_copies = 2) {
    auto culture = BusyCulture(executor_, num_copies);
    EXPECT_TRUE(culture->Change(change).ok());
    EXPECT_TRUE(culture->Clear(Seeded(num_copies)).ok());
    return culture;
  }
  std::unique_ptr<LiveCulture> Lit() {
    CultureChange change;
    change.light_array = Fibers();
    return Changed(change);
  }
  std::unique_ptr<LiveCulture> Held() {
    CultureChange change;
    change.device = Limited();
    return Changed(change);
  }

  sim::ThreadsExecutor executor_{2};
};

// A plan of light is the photon flux that the array makes at each soma.
TEST_F(DevicesTest, LightIsTheFluxThatFibresMakeAtSomata) {
  auto planned = Lit(), sampled = Lit(), dark = Lit();
  ASSERT_TRUE(planned->Run(With(Light(8.0))).ok());

  CultureStimulus flux;
  flux.quantity = StimulusQuantity::kPhotonFlux;
  flux.sample_dt_ms = 1.0;
  flux.num_samples = 8;
  std::vector<std::array<double, 3>> somata;
  for (const int64_t gid : sampled->culture().gids()) {
    flux.sites.push_back({gid, 0});
    somata.push_back(EiMini()->system().position_um[static_cast<size_t>(gid)]);
  }
  const std::vector<double> gains = io::LightArray::Create(Fibers())->PhotonFluxGains(somata);
  const size_t n = somata.size();
  flux.samples.assign(8 * n, 0.0);
  for (const size_t sample : {0, 1, 5, 6}) {
    // Fibre by fibre, as the engine adds them.
    for (size_t i = 0; i < n; ++i) {
      flux.samples[sample * n + i] = 8.0 * gains[i] + 8.0 * gains[n + i];
    }
  }
  CultureRun run = For(20.0);
  run.stimuli = {flux};
  ASSERT_TRUE(sampled->Run(run).ok());
  ASSERT_TRUE(dark->Run(For(20.0)).ok());
  ExpectSame(planned->recording(), sampled->recording());
  EXPECT_NE(planned->recording().series[0].values, dark->recording().series[0].values);

  // As samples of powers, too.
  auto powered = Lit();
  CultureStimulus power = flux;
  power.quantity = StimulusQuantity::kFiberMw;
  power.sites.clear();
  power.electrodes = {11, 10};
  power.samples.assign(16, 0.0);
  for (const size_t sample : {0, 1, 5, 6})
    power.samples[2 * sample] = power.samples[2 * sample + 1] = 8.0;
  run.stimuli = {power};
  ASSERT_TRUE(powered->Run(run).ok());
  ExpectSame(powered->recording(), planned->recording());
}

TEST_F(DevicesTest, LightIsRefusedWhole) {
  auto refused = Lit(), plain = Lit();
  const auto error = [&](io::PulsePlan plan) { return refused->Run(With(std::move(plan))); };
  io::PulsePlan plan = Light(5.0);
  plan.light[0].fibers = {10, 12};
  EXPECT_THAT(error(plan), IsFieldError("pulse_plan.light[0].fibers[1]", "12", _));
  plan = Light(5.0);
  plan.light[0].train.start_us = 30'000.0;
  EXPECT_THAT(error(plan), IsFieldError("pulse_plan", HasSubstr("ms"), HasSubstr("over within")));
  EXPECT_THAT(error(Light(-1.0)), IsFieldError("pulse_plan.light[0].power_mw", "-1", _));
  ASSERT_TRUE(refused->Run(For(20.0)).ok());
  ASSERT_TRUE(plain->Run(For(20.0)).ok());
  ExpectSame(refused->recording(), plain->recording());
  // Light comes from fibres or is said of sites.
  CultureStimulus at_site;
  at_site.quantity = StimulusQuantity::kIrradianceMwMm2;
  at_site.sites = {{0, 0}};
  at_site.num_samples = 100;
  at_site.samples.assign(100, 1.0);
  CultureRun run = For(20.0);
  run.stimuli = {at_site};
  ASSERT_TRUE(refused->Run(run).ok());
  EXPECT_THAT(error(Light(5.0)), IsFieldError("pulse_plan", HasSubstr("stimuli of light"), _));
  ASSERT_TRUE(refused->Run(For(100.0)).ok());
  EXPECT_THAT(error(Light(5.0)), IsFieldError("pulse_plan.light", "power of fibres", _));
  auto blind = BusyCulture(executor_, 1);
  EXPECT_THAT(blind->Run(With(Light(5.0))),
              IsFieldError("pulse_plan.light", _, HasSubstr("no fibres")));
}

// Pulses and light of one plan are what they are alone; where they act together, both do.
TEST_F(DevicesTest, PulsesGoWithLight) {
  auto both = Lit(), sampled = Lit();
  io::PulsePlan plan = Light(8.0);
  plan.pulses = Pulses(0, 20.0).pulses;
  ASSERT_TRUE(both->Run(With(plan)).ok());
  CultureRun run = With(Pulses(0, 20.0));
  CultureStimulus power;
  power.quantity = StimulusQuantity::kFiberMw;
  power.sample_dt_ms = 1.0;
  power.electrodes = {10, 11};
  power.num_samples = 8;
  power.samples.assign(16, 0.0);
  for (const size_t sample : {0, 1, 5, 6})
    power.samples[2 * sample] = power.samples[2 * sample + 1] = 8.0;
  run.stimuli = {power};
  ASSERT_TRUE(sampled->Run(run).ok());
  ExpectSame(both->recording(), sampled->recording());
}

TEST_F(DevicesTest, ADeviceTakesThePlaceOfTheSystems) {
  auto other = Held(), same = BusyCulture(executor_, 2);
  EXPECT_EQ(other->setup().electrode_array->electrodes[0].id, 100);
  EXPECT_EQ(other->limits().max_amplitude_ua, 20.0);
  // The same places: the same bits.
  ASSERT_TRUE(other->Run(With(Pulses(103, 15.0))).ok());
  ASSERT_TRUE(same->Run(With(Pulses(3, 15.0))).ok());
  ExpectSame(other->recording(), same->recording());
  CultureChange change;
  change.device = Limited();
  EXPECT_EQ(other->Change(change).code(), absl::StatusCode::kFailedPrecondition);
  // It stays when other cells are built.
  ASSERT_TRUE(other->Clear({}).ok());
  change = {};
  change.setup.emplace();
  change.setup->selection.emplace();
  change.setup->selection->cells = int64_t{5};
  ASSERT_TRUE(other->Change(change).ok());
  EXPECT_EQ(other->setup().electrode_array->electrodes[0].id, 100);
  EXPECT_EQ(other->limits().max_amplitude_ua, 20.0);
  EXPECT_EQ(other->culture().gids().size(), 5u);
}

TEST_F(DevicesTest, LimitsAreHeldBeforeAnythingRuns) {
  auto refused = Held(), plain = Held();
  EXPECT_THAT(
      refused->Run(With(Pulses(103, 21.0))),
      IsFieldError("pulse_plan.pulses[0].amplitude_ua", "21 uA", "at most 20 on this device"));
  EXPECT_THAT(refused->Run(With(Pulses(101, 1.0))),
              IsFieldError("pulse_plan.pulses[0].electrodes[0]", HasSubstr("takes no current"), _));
  CultureRun run = For(20.0);
  run.stimuli.resize(1);
  run.stimuli[0].quantity = StimulusQuantity::kElectrodeUa;
  run.stimuli[0].electrodes = {103};
  EXPECT_THAT(refused->Run(run), IsFieldError("stimuli[0].quantity", "samples of currents", _));
  ASSERT_TRUE(refused->Run(With(Pulses(103, 20.0))).ok());
  ASSERT_TRUE(plain->Run(With(Pulses(103, 20.0))).ok());
  ExpectSame(refused->recording(), plain->recording());
}

TEST_F(DevicesTest, ABadDeviceChangesNothing) {
  auto culture = BusyCulture(executor_, 1);
  CultureChange change;
  change.device = Limited();
  change.device->limits.record_only = {5};
  EXPECT_THAT(culture->Change(change), IsFieldError("device.limits.record_only[0]", "5", _));
  change = {};
  change.light_array = Fibers();
  change.light_array->fibers[1].id = 10;
  EXPECT_THAT(culture->Change(change), IsFieldError("light_array.fiber_coordinates[1][0]", _, _));
  EXPECT_EQ(culture->setup().electrode_array->electrodes[0].id, 0);
  EXPECT_FALSE(culture->light_array().has_value());
  // Stimuli of the array that there is are still to come.
  CultureStimulus currents;
  currents.quantity = StimulusQuantity::kElectrodeUa;
  currents.electrodes = {0};
  currents.num_samples = 5;
  currents.samples.assign(5, 1.0);
  CultureRun run = For(0.0);
  run.stimuli = {currents};
  ASSERT_TRUE(culture->Clear(Seeded(1)).ok());
  ASSERT_TRUE(culture->Run(run).ok());
  change = {};
  change.device = Limited();
  EXPECT_THAT(culture->Change(change), IsFieldError("device", "present", _));
}

// What was set of an array was said of the one before; what is set after holds.
TEST_F(DevicesTest, ParametersOfAnArrayAreOfTheOneThatThereIs) {
  CultureChange change;
  change.params = {{"io-output_radius", {33.0}}};
  auto culture = Changed(change);
  EXPECT_EQ(culture->setup().electrode_array->output_radius_um, 33.0);
  change = {};
  change.device = Limited();
  ASSERT_TRUE(culture->Change(change).ok());
  EXPECT_EQ(culture->setup().electrode_array->output_radius_um,
            EiMini()->prepared().setup.electrode_array->output_radius_um);
  for (const io::Param& param : culture->params()) EXPECT_NE(param.key, "io-output_radius");
}

TEST_F(DevicesTest, ASnapshotHoldsDevices) {
  CultureChange change;
  change.device = Limited();
  change.light_array = Fibers();
  change.params = {{"io-output_radius", {33.0}}};
  auto culture = Changed(change);
  io::PulsePlan plan = Light(8.0);
  plan.pulses = Pulses(103, 15.0).pulses;
  ASSERT_TRUE(culture->Run(With(plan)).ok());
  const SavedCulture saved = culture->Save();
  auto restored = LiveCulture::Restore(EiMini(), saved, {0, 1}, executor_);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ((*restored)->limits().record_only, (std::vector<int32_t>{101}));
  EXPECT_EQ((*restored)->setup().electrode_array->output_radius_um, 33.0);
  ASSERT_TRUE(culture->Run(With(plan)).ok());
  ASSERT_TRUE((*restored)->Run(With(plan)).ok());
  ExpectSame((*restored)->recording(), culture->recording());
}

}  // namespace
}  // namespace livnd::env
