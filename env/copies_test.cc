#include "env/copies.h"

#include <memory>
#include <vector>

#include "env/culture/culture_model.h"
#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

const std::shared_ptr<const sim::Culture>& Culture() {
  static const auto* culture = [] {
    auto system = io::ReadSystem("systems/EI-mini");
    EXPECT_TRUE(system.ok()) << system.status();
    auto prepared = PrepareCulture(*system, {});
    EXPECT_TRUE(prepared.ok()) << prepared.status();
    return new std::shared_ptr<const sim::Culture>(prepared->culture);
  }();
  return *culture;
}

std::vector<double> StateOf(const Copies& copies, int copy) {
  std::vector<double> state(copies.culture().initial_state().size());
  copies.Save(copy, absl::MakeSpan(state));
  return state;
}

void AdvanceAll(Copies& copies, int64_t num_steps) {
  copies.ParallelFor([&](Copies::Group& group) { group.Advance(num_steps, nullptr); });
}

TEST(CopiesTest, GroupsHoldEveryCopyOnce) {
  sim::ThreadsExecutor executor(2);
  for (const int n : {1, 2, 5, 64}) {
    Copies copies(Culture(), n, executor);
    std::vector<int> seen(static_cast<size_t>(n), 0);
    for (int& s : seen) s = 0;
    copies.ParallelFor([&](Copies::Group& group) {
      for (int c = group.first(); c < group.first() + group.size(); ++c) {
        ++seen[static_cast<size_t>(c)];
      }
    });
    EXPECT_EQ(seen, std::vector<int>(static_cast<size_t>(n), 1));
    if (n > 1) {
      EXPECT_GE(copies.num_groups(), 2);
    }
  }
}

TEST(CopiesTest, EachCopyIsItsOwnWhereverItLies) {
  sim::ThreadsExecutor two(2);
  sim::InlineExecutor one;
  Copies many(Culture(), 5, two);
  for (int c = 0; c < 5; ++c) many.Seed(c, 100 + static_cast<uint64_t>(c));
  AdvanceAll(many, 2000);
  for (int c = 0; c < 5; ++c) {
    Copies alone(Culture(), 1, one);
    alone.Seed(0, 100 + static_cast<uint64_t>(c));
    AdvanceAll(alone, 2000);
    EXPECT_EQ(StateOf(alone, 0), StateOf(many, c)) << c;
    EXPECT_EQ(many.tick(c), 2000);
    EXPECT_TRUE(many.IsFinite(c));
  }
}

TEST(CopiesTest, CopiesThatRestStayWhereTheyAre) {
  sim::InlineExecutor executor;
  Copies copies(Culture(), 3, executor);
  for (int c = 0; c < 3; ++c) copies.Seed(c, static_cast<uint64_t>(c));
  std::vector<sim::Spike> spikes;
  copies.ParallelFor([&](Copies::Group& group) {
    group.Advance(4000, &spikes, {}, {uint8_t{0}, uint8_t{1}, uint8_t{0}});
  });
  EXPECT_EQ(copies.tick(0), 4000);
  EXPECT_EQ(copies.tick(1), 0);
  EXPECT_EQ(copies.tick(2), 4000);
  EXPECT_FALSE(spikes.empty());
  for (const sim::Spike& spike : spikes) EXPECT_NE(spike.copy, 1);
}

TEST(CopiesTest, SavedCopiesGoOnAsTheyWouldHave) {
  sim::ThreadsExecutor executor(2);
  Copies copies(Culture(), 3, executor);
  for (int c = 0; c < 3; ++c) copies.Seed(c, static_cast<uint64_t>(c));
  AdvanceAll(copies, 1000);
  const std::vector<std::vector<double>> states = copies.SaveAll();
  AdvanceAll(copies, 1000);
  Copies others(Culture(), 3, executor);
  others.LoadAll(states);
  AdvanceAll(others, 1000);
  EXPECT_EQ(copies.SaveAll(), others.SaveAll());
}

}  // namespace
}  // namespace livnd::env
