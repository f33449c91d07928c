// What a live culture refuses, and that nothing is lost by it.
#include <limits>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "env/culture/culture_model.h"
#include "env/culture/live_culture.h"
#include "env/culture/testing/cultures.h"
#include "gtest/gtest.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

class LiveCultureRefusalsTest : public ::testing::Test {
 protected:
  sim::ThreadsExecutor executor_{2};
};

TEST_F(LiveCultureRefusalsTest, WhatIsWrongIsNamed) {
  auto culture = BusyCulture(executor_, 2);
  const auto field_of = [&](const absl::Status& status) {
    const auto error = FieldErrorOf(status);
    return error.has_value() ? error->field : "no field: " + std::string(status.message());
  };
  const auto run_with = [&](auto change) {
    CultureRun run = For(10);
    run.stimuli = {Current()};
    change(run);
    return field_of(culture->Run(run));
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(run_with([&](CultureRun& r) { r.duration_ms = -1; }), "duration_ms");
  EXPECT_EQ(run_with([&](CultureRun& r) { r.duration_ms = nan; }), "duration_ms");
  EXPECT_EQ(run_with([&](CultureRun& r) { r.duration_ms = 1e7; }), "duration_ms");
  EXPECT_EQ(run_with([&](CultureRun& r) { r.stimuli[0].sample_dt_ms = 0; }),
            "stimuli[0].sample_dt_ms");
  EXPECT_EQ(run_with([&](CultureRun& r) { r.stimuli[0].samples[3] = nan; }), "stimuli[0].samples");
  EXPECT_EQ(run_with([&](CultureRun& r) { r.stimuli[0].samples.pop_back(); }),
            "stimuli[0].samples");
  EXPECT_EQ(run_with([&](CultureRun& r) { r.stimuli[0].sites[0].gid = 10; }),
            "stimuli[0].sites[0].gid");
  EXPECT_EQ(run_with([&](CultureRun& r) { r.stimuli[0].sites[0].section = 7; }),
            "stimuli[0].sites[0].section");
  EXPECT_EQ(run_with([&](CultureRun& r) {
              r.stimuli[0].quantity = StimulusQuantity::kIrradianceMwMm2;
              r.stimuli[0].sites[0].section = 1;
            }),
            "stimuli[0].sites[0].section");
  EXPECT_EQ(run_with([&](CultureRun& r) {
              r.stimuli[0].timing = sim::SampleTiming::kLivn;
              r.stimuli.push_back(r.stimuli[0]);
              r.stimuli[1].sample_dt_ms = 0.5;
            }),
            "stimuli[1].sample_dt_ms");
  EXPECT_EQ(run_with([&](CultureRun& r) {
              r.stimuli.push_back(r.stimuli[0]);
              r.stimuli[1].timing = sim::SampleTiming::kLivn;
            }),
            "stimuli[1].timing");
  EXPECT_EQ(run_with([&](CultureRun& r) { r.stimuli[0].sample_dt_ms = 0.11; }),
            "stimuli[0].sample_dt_ms");
  EXPECT_EQ(run_with([&](CultureRun& r) {
              r.stimuli[0].quantity = StimulusQuantity::kElectrodeUa;
              r.stimuli[0].electrodes = {99};
            }),
            "stimuli[0].electrodes[0]");

  const auto change_with = [&](auto edit) {
    CultureChange change;
    edit(change);
    return field_of(culture->Change(change));
  };
  EXPECT_EQ(change_with([](CultureChange& c) { c.dt_ms = 0.0; }), "dt_ms");
  EXPECT_EQ(change_with([&](CultureChange& c) { c.v_init_mv = nan; }), "v_init_mv");
  EXPECT_EQ(change_with([](CultureChange& c) { c.learned_weights = {1.0}; }), "learned_weights");
  EXPECT_EQ(change_with([](CultureChange& c) { c.normalize_target = 1.0; }), "normalize_target");
  EXPECT_EQ(change_with([](CultureChange& c) { c.params_group = "x"; }), "params_group");
  EXPECT_EQ(change_with([](CultureChange& c) {
              c.params = {{"noise-std_e", {0.1}}, {"weight-EXC", {-1.0}}};
            }),
            "params[weight-EXC].value");
  EXPECT_EQ(change_with([](CultureChange& c) {
              c.params = {{"weight-PYR", {1.0}}};
            }),
            "params[weight-PYR].key");
  EXPECT_EQ(change_with([](CultureChange& c) { c.opsin = {{"g0", -1.0}}; }), "opsin[g0]");
  EXPECT_EQ(change_with([](CultureChange& c) { c.opsin = {{"g1", 1.0}}; }), "opsin[g1]");
  EXPECT_EQ(change_with([](CultureChange& c) {
              c.plasticity = {{"INH", {{"w_min", 9.0}}}};
            }),
            "plasticity[INH][w_min]");
  EXPECT_EQ(change_with([&](CultureChange& c) {
              c.input_spikes_ms = {{0, {1.0}}};
            }),
            "input_spikes[0]");
  EXPECT_EQ(change_with([&](CultureChange& c) {
              c.setup.emplace().selection.emplace().cells = int64_t{1000};
            }),
            "selection.cells");
  EXPECT_EQ(
      change_with([&](CultureChange& c) {
        c.setup.emplace().model = io::ModelDocument{"livn.models.glif.GLIF", {{"level", 9.0}}};
      }),
      "model.kwargs.level");
  EXPECT_EQ(change_with([&](CultureChange& c) {
              c.setup.emplace().model =
                  io::ModelDocument{"livn.models.glif.GLIF",
                                    {{"params", std::map<std::string, double>{{"tau_m", -9.0}}}}};
            }),
            "model.kwargs.params.tau_m");
  EXPECT_EQ(change_with([&](CultureChange& c) {
              c.learned_weights = culture->LearnedWeights();
              c.learned_weights.back() = -1.0;
            }),
            absl::StrCat("learned_weights[1][", culture->culture().plastic_connections().size() - 1,
                         "]"));
  EXPECT_EQ(change_with([](CultureChange& c) {
              c.recording.emplace();
              c.recording->series.resize(1);
              c.recording->series[0].quantity = RecordedQuantity::kState;
              c.recording->series[0].sites = {{0, 0}};
            }),
            "recording.series[0].state");
  EXPECT_EQ(change_with([](CultureChange& c) {
              c.recording.emplace();
              c.recording->series.resize(1);
              c.recording->series[0].sample_dt_ms = 0.03;
            }),
            "recording.series[0].sample_dt_ms");
  EXPECT_EQ(change_with([](CultureChange& c) {
              c.recording.emplace();
              c.recording->series.resize(65);
            }),
            "recording.series");
  CultureRun no_room = For(0);
  no_room.max_recording_bytes = 100;
  EXPECT_EQ(field_of(culture->Run(no_room)), "duration_ms");
  EXPECT_EQ(culture->tick(), 0);
  EXPECT_EQ(LiveCulture::Create(EiMini(), 0, 1, executor_).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(LiveCultureRefusalsTest, ManyKeysAreReadOnceAndRefusedWhole) {
  auto culture = BusyCulture(executor_, 1);
  CultureChange change;
  for (int i = 0; i < 200'000; ++i) {
    change.params.push_back({absl::StrCat("noise-none", i), {1.0}});
  }
  const size_t num_params = culture->params().size();
  EXPECT_EQ(culture->Change(change).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(culture->params().size(), num_params);
  change.params.clear();
  for (int i = 0; i < 200'000; ++i) change.params.push_back({"noise-std_e", {1e-8 * i}});
  ASSERT_TRUE(culture->Change(change).ok());
  EXPECT_EQ(culture->params().size(), num_params);
  EXPECT_EQ(culture->params().back().key, "noise-std_e");
  EXPECT_EQ(culture->params().back().values[0], 1e-8 * 199'999);
}

TEST_F(LiveCultureRefusalsTest, OnlyAtTheStart) {
  auto culture = BusyCulture(executor_, 1);
  ASSERT_TRUE(culture->Run(For(1)).ok());
  CultureChange change;
  change.dt_ms = 0.05;
  EXPECT_EQ(culture->Change(change).code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(culture->Clear({}).ok());
  ASSERT_TRUE(culture->Change(change).ok());
  ASSERT_TRUE(culture->Run(For(1)).ok());
  EXPECT_EQ(culture->tick(), 20);
}

TEST_F(LiveCultureRefusalsTest, NeverCleared) {
  auto culture = LiveCulture::Create(EiMini(), 1, 1, executor_);
  ASSERT_TRUE(culture.ok());
  EXPECT_EQ((*culture)->Run(For(1)).code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace livnd::env
