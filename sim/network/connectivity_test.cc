#include "sim/network/connectivity.h"

#include <cmath>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace livnd::sim {
namespace {

// The rule as it reads: the first step k with te <= t_k + dt / 2, t_k = k * dt.
int64_t FirstStep(double event_time_ms, double dt_ms) {
  for (int64_t k = 0;; ++k) {
    if (event_time_ms <= static_cast<double>(k) * dt_ms + dt_ms / 2) return k;
  }
}

TEST(DeliveryStepTest, IsTheFirstStepWhoseMiddleIsNotBeforeTheEvent) {
  EXPECT_EQ(DeliveryStep(0.0, 0.025), 0);
  EXPECT_EQ(DeliveryStep(0.0125, 0.025), 0);
  EXPECT_EQ(DeliveryStep(0.0126, 0.025), 1);
  EXPECT_EQ(DeliveryStep(0.025, 0.025), 1);
  EXPECT_EQ(DeliveryStep(1.0, 0.025), 40);
  EXPECT_EQ(DeliveryStep(1.0, 1.0), 1);
}

TEST(DeliveryStepTest, IsTheRuleInDoublesForAnyTime) {
  std::mt19937_64 random(3);
  for (const double dt : {0.025, 0.0125, 0.05, 0.1}) {
    std::uniform_real_distribution<double> time(0.0, 20000 * dt);
    int64_t previous = 0;
    double last = 0.0;
    for (int i = 0; i < 300; ++i) {
      const double te = time(random);
      const int64_t k = DeliveryStep(te, dt);
      EXPECT_EQ(k, FirstStep(te, dt)) << te << " " << dt;
      EXPECT_TRUE(te < last || k >= previous);
      previous = k;
      last = te;
    }
  }
}

// At a tie the rounding of k * dt + dt / 2 decides; livn 2.0.0 does the same.
TEST(DeliveryStepTest, TiesAreDecidedByRoundingInDoubles) {
  for (const double dt : {0.025, 0.0125, 0.05}) {
    int late = 0;
    for (int64_t k = 0; k < 4000; ++k) {
      // Several ways of writing the middle of step k.
      const double middle = static_cast<double>(k) * dt + dt / 2;
      for (const double te :
           {middle, (static_cast<double>(k) + 0.5) * dt, static_cast<double>(2 * k + 1) * (dt / 2),
            std::nextafter(middle, 0.0), std::nextafter(middle, 1e9)}) {
        const int64_t got = DeliveryStep(te, dt);
        EXPECT_EQ(got, te <= middle ? k : k + 1) << te << " step " << k << " dt " << dt;
        late += got == k + 1;
      }
    }
    // Not all ties of the other ways fall on the same side.
    EXPECT_GT(late, 4000);
  }
}

TEST(DeliveryStepTest, HoldsFarOutAndBeforeTheStart) {
  EXPECT_EQ(DeliveryStep(-5.0, 0.025), 0);
  for (const int64_t k : {int64_t{1} << 31, int64_t{1} << 40}) {
    const double middle = static_cast<double>(k) * 0.025 + 0.0125;
    EXPECT_EQ(DeliveryStep(middle, 0.025), k);
    EXPECT_EQ(DeliveryStep(middle + 0.001, 0.025), k + 1);
  }
}

}  // namespace
}  // namespace livnd::sim
