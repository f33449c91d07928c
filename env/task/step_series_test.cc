// Voltages, currents and potentials of the culture of a task, recorded while it is stepped.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "base/field_error_matchers.h"
#include "env/task/target_rate.h"
#include "env/task/task_model.h"
#include "env/task/testing/short_target_rate.h"
#include "env/task/vector_environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

using testing::_;
using testing::HasSubstr;

constexpr int kNumCopies = 3;

SeriesSelection Of(RecordedQuantity quantity, double sample_dt_ms, std::vector<Site> sites = {}) {
  SeriesSelection series;
  series.quantity = quantity;
  series.sample_dt_ms = sample_dt_ms;
  series.sites = std::move(sites);
  return series;
}

// What electrodes hear, the currents that they hear it of, and voltages at two rates.
std::vector<SeriesSelection> All() {
  const std::vector<Site> somata = {{3, 0}, {5, 0}};
  return {
      Of(RecordedQuantity::kElectrodePotentialUv, 1.0),
      Of(RecordedQuantity::kMembraneCurrentUa, 1.0, ShortTargetRate()->model()->Hearing().sites),
      Of(RecordedQuantity::kVoltageMv, 0.1, somata), Of(RecordedQuantity::kVoltageMv, 1.0, somata)};
}

std::unique_ptr<VectorEnvironment> Make(sim::Executor& executor, std::vector<uint64_t> seeds) {
  auto made = VectorEnvironment::Create(ShortTargetRate(), static_cast<int>(seeds.size()),
                                        AutoresetMode::kNextStep, 99, executor);
  EXPECT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE((*made)->Reset(Seeds({seeds.begin(), seeds.end()})).ok());
  return *std::move(made);
}

// [step][series] samples of a copy over some steps, episodes' ends among them.
std::vector<std::vector<std::vector<double>>> Record(VectorEnvironment& env, int copy, uint64_t of,
                                                     int64_t max_ticks) {
  std::vector<std::vector<std::vector<double>>> out;
  const std::vector<uint64_t> numbers(static_cast<size_t>(env.num_envs()), of);
  for (int step = 0; step < 6; ++step) {
    const TensorBatch actions = Actions(numbers, step);
    EXPECT_TRUE(env.BeginStep(actions).ok());
    while (!env.ContinueStep(max_ticks).over) {
    }
    std::vector<std::vector<double>>& samples = out.emplace_back();
    for (const SeriesRecorder& recorder : env.activity(copy).series) {
      samples.push_back(recorder.samples());
    }
  }
  return out;
}

TEST(StepSeriesTest, PotentialsAreOfTheCurrents) {
  sim::InlineExecutor executor;
  const auto env = Make(executor, {1});
  ASSERT_EQ(env->RecordSeries(All()), absl::OkStatus());
  const auto steps = Record(*env, 0, 1, 100'000);
  const ElectrodeHearing hearing = ShortTargetRate()->model()->Hearing();
  const size_t num_sites = hearing.sites.size(), num_electrodes = hearing.gains.num_electrodes();
  EXPECT_EQ(env->num_series_rows(), (std::vector<int64_t>{static_cast<int64_t>(num_electrodes),
                                                          static_cast<int64_t>(num_sites), 2, 2}));
  double largest_uv = 0.0;
  for (size_t step = 0; step < 4; ++step) {
    ASSERT_EQ(steps[step].size(), 4u);
    ASSERT_EQ(steps[step][0].size(), 50 * num_electrodes);
    ASSERT_EQ(steps[step][1].size(), 50 * num_sites);
    ASSERT_EQ(steps[step][2].size(), 500u * 2);
    std::vector<double> wanted(num_electrodes);
    for (size_t sample = 0; sample < 50; ++sample) {
      hearing.gains.Potentials(steps[step][1].data() + sample * num_sites, wanted.data());
      for (size_t e = 0; e < num_electrodes; ++e) {
        EXPECT_EQ(steps[step][0][sample * num_electrodes + e], wanted[e]);
        largest_uv = std::max(largest_uv, std::fabs(wanted[e]));
      }
      for (size_t site = 0; site < 2; ++site) {
        const double voltage_mv = steps[step][3][sample * 2 + site];
        EXPECT_EQ(voltage_mv, steps[step][2][sample * 20 + site]);
        EXPECT_GT(voltage_mv, -120.0);
        EXPECT_LT(voltage_mv, 80.0);
      }
    }
  }
  EXPECT_GT(largest_uv, 0.1);
  // The step that only begins an episode simulates nothing.
  EXPECT_TRUE(steps[4].empty());
  EXPECT_EQ(steps[5].size(), 4u);
}

TEST(StepSeriesTest, NothingDependsOnWhereAndHowACopyIsStepped) {
  sim::InlineExecutor executor;
  sim::ThreadsExecutor two(2);
  const auto alone = Make(executor, {7});
  const auto third = Make(two, {1, 2, 7});
  ASSERT_EQ(alone->RecordSeries(All()), absl::OkStatus());
  ASSERT_EQ(third->RecordSeries(All()), absl::OkStatus());
  EXPECT_EQ(Record(*alone, 0, 3, 100'000), Record(*third, 2, 3, 37));
}

TEST(StepSeriesTest, NothingThatIsAnsweredDependsOnThem) {
  sim::InlineExecutor executor;
  const auto recorded = Make(executor, {1, 2, 3});
  const auto other = Make(executor, {1, 2, 3});
  for (int step = 0; step < 12; ++step) {
    if (step == 2) {
      ASSERT_EQ(recorded->RecordSeries(All()), absl::OkStatus());
    }
    if (step == 9) {
      ASSERT_EQ(recorded->RecordSeries({}), absl::OkStatus());
    }
    const TensorBatch actions = Actions({1, 2, 3}, step);
    ASSERT_TRUE(recorded->Step(actions).ok());
    ASSERT_TRUE(other->Step(actions).ok());
    EXPECT_EQ(recorded->outcome().rewards, other->outcome().rewards);
    for (int copy = 0; copy < kNumCopies; ++copy) {
      EXPECT_EQ(recorded->outcome().observations.SaveCopy(copy),
                other->outcome().observations.SaveCopy(copy));
      EXPECT_EQ(recorded->Save(copy).task, other->Save(copy).task);
    }
  }
  EXPECT_TRUE(recorded->activity(0).series.empty());
}

TEST(StepSeriesTest, WhatCannotBeRecordedIsRefused) {
  sim::InlineExecutor executor;
  const auto env = Make(executor, {1});
  const auto with = [&](SeriesSelection series) {
    return env->RecordSeries({Of(RecordedQuantity::kVoltageMv, 1.0, {{0, 0}}), std::move(series)});
  };
  EXPECT_THAT(with(Of(RecordedQuantity::kVoltageMv, 0.03, {{0, 0}})),
              IsFieldError("series[1].sample_dt_ms", "0.03", HasSubstr("0.025")));
  EXPECT_THAT(with(Of(RecordedQuantity::kVoltageMv, 1.0)),
              IsFieldError("series[1].sites", "empty", _));
  EXPECT_THAT(with(Of(RecordedQuantity::kVoltageMv, 1.0, {{1 << 20, 0}})),
              IsFieldError("series[1].sites[0].gid", "1048576", _));
  EXPECT_TRUE(env->series().empty());
  EXPECT_TRUE(env->num_series_rows().empty());
}

}  // namespace
}  // namespace livnd::env
