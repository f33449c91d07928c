#include "server/metrics/metrics.h"

#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "livnd/v1/environment_service.pb.h"
#include "livnd/v1/error_reason.pb.h"
#include "livnd/v1/session_service.pb.h"
#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"
#include "sim/testing/allocations.h"

namespace livnd::server {
namespace {

class MetricsTest : public ::testing::Test {
 protected:
  // The numbers of a family by the value of one of their labels; a histogram's number is its count.
  std::map<std::string, double> Read(const std::string& name, const std::string& label = "") {
    std::map<std::string, double> found;
    for (const prometheus::MetricFamily& family : metrics_.collectable()->Collect()) {
      if (family.name != name) continue;
      for (const prometheus::ClientMetric& metric : family.metric) {
        std::string value;
        for (const auto& pair : metric.label) {
          if (pair.name == label) value = pair.value;
        }
        found[value] += metric.counter.value + metric.gauge.value +
                        static_cast<double>(metric.histogram.sample_count);
      }
    }
    EXPECT_FALSE(found.empty()) << name;
    return found;
  }

  const int step_ = Metrics::MethodOf<v1::StepRequest>();
  const int reset_ = Metrics::MethodOf<v1::ResetRequest>();
  Metrics metrics_{"1.2", "p"};
};

TEST_F(MetricsTest, CallsAreCountedByMethodAndCode) {
  metrics_.CountCall(step_, absl::StatusCode::kOk, "");
  metrics_.CountCall(step_, absl::StatusCode::kOk, "");
  metrics_.CountCall(step_, absl::StatusCode::kUnavailable, "SHUTTING_DOWN");
  metrics_.CountCall(reset_, static_cast<absl::StatusCode>(99), "");
  metrics_.CountUnknownMethod(absl::StatusCode::kUnimplemented, "UNKNOWN_METHOD");
  using Numbers = std::map<std::string, double>;
  EXPECT_EQ(Read("livnd_calls_total", "method"),
            (Numbers{{"Step", 3}, {"Reset", 1}, {"unknown", 1}}));
  EXPECT_EQ(Read("livnd_calls_total", "code"),
            (Numbers{{"OK", 2}, {"UNAVAILABLE", 1}, {"UNIMPLEMENTED", 1}, {"UNKNOWN", 1}}));
  const Numbers denials = Read("livnd_denials_total", "reason");
  EXPECT_EQ(denials.at("SHUTTING_DOWN"), 1);
  EXPECT_EQ(denials.at("UNKNOWN_METHOD"), 1);
  EXPECT_EQ(denials.at("TOO_MANY_SESSIONS"), 0);
  EXPECT_EQ(denials.size(), static_cast<size_t>(v1::ErrorReason_descriptor()->value_count() - 1));
}

TEST_F(MetricsTest, TimesGoToTheirStageAndMethod) {
  metrics_.Observe(Stage::kQueue, step_, absl::Milliseconds(2));
  metrics_.Observe(Stage::kCompute, step_, absl::Milliseconds(2));
  metrics_.Observe(Stage::kCompute, reset_, absl::Milliseconds(2));
  // Of a method without stages.
  metrics_.Observe(Stage::kCompute, Metrics::MethodOf<v1::DeleteSessionRequest>(),
                   absl::Milliseconds(2));
  EXPECT_EQ(Read("livnd_call_queue_seconds", "method").at("Step"), 1);
  EXPECT_EQ(Read("livnd_call_compute_seconds", "method").at("Step"), 1);
  EXPECT_EQ(Read("livnd_call_compute_seconds", "method").at("Reset"), 1);
  EXPECT_EQ(Read("livnd_call_compute_seconds").at(""), 2);
  EXPECT_EQ(Read("livnd_call_serialize_seconds").at(""), 0);
}

TEST_F(MetricsTest, WorkAddsUp) {
  Work work{5, 2, 0.25, 1};
  metrics_.Count(work);
  const Work before = work;
  work += {1, 0, 0.5, 0};
  metrics_.Count(work - before);
  metrics_.Count(Work());
  EXPECT_EQ(Read("livnd_steps_total").at(""), 6);
  EXPECT_EQ(Read("livnd_episodes_total").at(""), 2);
  EXPECT_EQ(Read("livnd_simulated_seconds_total").at(""), 0.75);
  EXPECT_EQ(Read("livnd_numerical_failures_total").at(""), 1);
}

TEST_F(MetricsTest, LevelsAreReadWhenTheyAreCollected) {
  EXPECT_EQ(Read("livnd_sessions").at(""), 0);
  int sessions = 1;
  metrics_.ReadLevelsFrom([&] {
    Levels levels;
    levels.sessions = sessions;
    levels.sessions_on_disk = 7;
    levels.sessions_lost = 8;
    levels.environments = 20;
    levels.queued_tasks = 3;
    levels.workers = 4;
    levels.recovery_s = 0.5;
    return levels;
  });
  EXPECT_EQ(Read("livnd_sessions").at(""), 1);
  sessions = 2;
  EXPECT_EQ(Read("livnd_sessions").at(""), 2);
  EXPECT_EQ(Read("livnd_sessions_on_disk").at(""), 7);
  EXPECT_EQ(Read("livnd_sessions_lost").at(""), 8);
  EXPECT_EQ(Read("livnd_recovery_seconds").at(""), 0.5);
  EXPECT_EQ(Read("livnd_environments").at(""), 20);
  EXPECT_EQ(Read("livnd_queued_tasks").at(""), 3);
  EXPECT_EQ(Read("livnd_workers").at(""), 4);
  metrics_.ReadLevelsFrom(nullptr);
  EXPECT_EQ(Read("livnd_sessions").at(""), 0);
}

TEST(MetricsLifeTest, ACollectionMayOutliveTheMetrics) {
  std::shared_ptr<prometheus::Collectable> collectable;
  {
    Levels levels;
    Metrics metrics("1", "p");
    metrics.ReadLevelsFrom([&] { return levels; });
    collectable = metrics.collectable();
  }
  EXPECT_FALSE(collectable->Collect().empty());
}

TEST_F(MetricsTest, CountingAllocatesNothingOnceWarm) {
  const auto count = [&] {
    metrics_.CountCall(step_, absl::StatusCode::kOk, "");
    metrics_.CountCall(step_, absl::StatusCode::kNotFound, "UNKNOWN_SESSION");
    metrics_.Observe(Stage::kQueue, step_, absl::Microseconds(20));
    metrics_.Observe(Stage::kCompute, step_, absl::Seconds(1000));
    metrics_.Observe(Stage::kSerialize, step_, absl::ZeroDuration());
    metrics_.Count({1, 1, 0.5, 1});
  };
  count();
  const int64_t before = sim::NumAllocations();
  ASSERT_GT(before, 0) << "nothing is counted";
  for (int i = 0; i < 100; ++i) count();
  EXPECT_EQ(sim::NumAllocations() - before, 0);
}

TEST_F(MetricsTest, ThreadsMayCountAtOnce) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        metrics_.CountCall(step_, static_cast<absl::StatusCode>(i % 17), "NOT_RESET");
        metrics_.Observe(Stage::kQueue, step_, absl::Microseconds(i));
        metrics_.Count({1, 0, 0.0, 0});
        if (i % 500 == 0) metrics_.collectable()->Collect();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Read("livnd_calls_total").at(""), 8000);
  EXPECT_EQ(Read("livnd_call_queue_seconds").at(""), 8000);
  EXPECT_EQ(Read("livnd_steps_total").at(""), 8000);
}

}  // namespace
}  // namespace livnd::server
