#include "env/passage.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "env/copies.h"
#include "env/culture/culture_model.h"
#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

std::shared_ptr<const sim::Culture> MakeCulture() {
  auto system = io::ReadSystem("systems/EI-mini");
  EXPECT_TRUE(system.ok()) << system.status();
  auto prepared = PrepareCulture(*system, {});
  EXPECT_TRUE(prepared.ok()) << prepared.status();
  return prepared->culture;
}

class PassageTest : public ::testing::Test {
 protected:
  // [group]: the spans that it was given, in order.
  using Spans = std::vector<std::vector<std::pair<int64_t, int64_t>>>;

  // Says that it runs four pieces at once.
  sim::BusyExecutor executor_{4};
  const std::shared_ptr<const sim::Culture> culture_ = MakeCulture();
};

TEST_F(PassageTest, EveryGroupGoesFromEndToEndInOrder) {
  sim::ThreadsExecutor threads(3);
  for (const int num_copies : {1, 3, 200}) {
    Copies copies(culture_, num_copies, threads);
    for (const int64_t num_ticks : {1, 9, 10, 11}) {
      Passage passage(copies, num_ticks);
      Spans spans(static_cast<size_t>(copies.num_groups()));
      std::mutex mu;
      for (Progress progress; !progress.over;) {
        progress = passage.Continue(5, [&](Copies::Group& group, int64_t from, int64_t to) {
          const std::lock_guard<std::mutex> lock(mu);
          spans[static_cast<size_t>(group.index())].emplace_back(from, to);
        });
        EXPECT_GE(progress.ticks, 1);
        EXPECT_LE(progress.ticks, 5);
      }
      for (const auto& of_group : spans) {
        int64_t at = 0;
        for (const auto& [from, to] : of_group) {
          EXPECT_EQ(from, at);
          at = to;
        }
        EXPECT_EQ(at, num_ticks);
        EXPECT_EQ(static_cast<int64_t>(of_group.size()), (num_ticks + 4) / 5);
      }
    }
  }
}

TEST_F(PassageTest, AsManyGroupsAsThreadsGoTogether) {
  Copies copies(culture_, 400, executor_);
  const int num_groups = copies.num_groups();
  ASSERT_GT(num_groups, 4);
  Passage passage(copies, 10);
  std::vector<int> order;
  for (Progress progress; !progress.over;) {
    progress = passage.Continue(
        6, [&](Copies::Group& group, int64_t, int64_t) { order.push_back(group.index()); });
  }
  std::vector<int> expected;
  for (int first = 0; first < num_groups; first += 4) {
    for (int piece = 0; piece < 2; ++piece) {
      for (int g = first; g < std::min(num_groups, first + 4); ++g) expected.push_back(g);
    }
  }
  EXPECT_EQ(order, expected);
}

TEST_F(PassageTest, NoTimeAtAllIsOneCallForEachGroup) {
  Copies copies(culture_, 400, executor_);
  Passage passage(copies, 0);
  int calls = 0;
  for (Progress progress; !progress.over;) {
    progress = passage.Continue(6, [&](Copies::Group&, int64_t from, int64_t to) {
      EXPECT_EQ(from, 0);
      EXPECT_EQ(to, 0);
      ++calls;
    });
    EXPECT_EQ(progress.ticks, 0);
  }
  EXPECT_EQ(calls, copies.num_groups());
}

}  // namespace
}  // namespace livnd::env
