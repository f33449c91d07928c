// The bits of a large culture do not depend on who advances it: how many threads, in which order, in
// how many slices.
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "sim/executor.h"
#include "sim/gang/gang.h"
#include "sim/testing/busy_culture.h"
#include "sim/testing/busy_points.h"
#include "sim/testing/executors.h"

namespace livnd::sim {
namespace {

constexpr int kNumBlocks = 24;
constexpr int64_t kSteps = 500;

const std::shared_ptr<const Culture>& Large() {
  static const auto* const kCulture =
      new std::shared_ptr<const Culture>(MustCreate(BusyBlocks(kNumBlocks)));
  return *kCulture;
}

// All pieces on one thread, the last one first.
class Backwards final : public Executor {
 public:
  explicit Backwards(int concurrency) : concurrency_(concurrency) {}
  int concurrency() const override { return concurrency_; }
  void ParallelFor(int num_pieces, absl::FunctionRef<void(int)> fn) override {
    for (int i = num_pieces - 1; i >= 0; --i) fn(i);
  }

 private:
  const int concurrency_;
};

struct Result {
  std::vector<std::vector<double>> states;
  std::vector<Spike> spikes;
  std::vector<std::vector<double>> samples;
};

void ExpectSame(const Result& a, const Result& b) {
  ASSERT_EQ(a.states.size(), b.states.size());
  for (size_t c = 0; c < a.states.size(); ++c) {
    ASSERT_EQ(a.states[c].size(), b.states[c].size());
    EXPECT_EQ(
        std::memcmp(a.states[c].data(), b.states[c].data(), a.states[c].size() * sizeof(double)), 0)
        << "copy " << c;
  }
  ASSERT_EQ(a.spikes.size(), b.spikes.size());
  for (size_t i = 0; i < a.spikes.size(); ++i) {
    ASSERT_EQ(a.spikes[i].copy, b.spikes[i].copy) << i;
    ASSERT_EQ(a.spikes[i].gid, b.spikes[i].gid) << i;
    ASSERT_EQ(a.spikes[i].tick, b.spikes[i].tick) << i;
  }
  EXPECT_EQ(a.samples, b.samples);
}

std::vector<Probe> MakeProbes(int copy) {
  std::vector<Probe> probes(4);
  for (Probe& p : probes) p.copy = copy;
  probes[0].every_steps = 3;
  probes[1].quantity = Probe::Quantity::kMembraneCurrentUa;
  probes[1].every_steps = 7;
  probes[2].quantity = Probe::Quantity::kState;
  probes[2].state = "h_Nas";
  probes[2].every_steps = 10;
  probes[3].quantity = Probe::Quantity::kLearnedWeights;
  probes[3].every_steps = 50;
  for (int64_t gid = 0; gid < 16 * kNumBlocks; gid += 5) {
    for (int p = 0; p < 3; ++p) probes[p].sites.push_back({gid, p == 2 ? 5 : 1});
  }
  return probes;
}

// Copies at different ticks, with everything on. cuts: steps of the calls, again and again.
Result RunLarge(int num_copies, Executor* executor, const std::vector<int64_t>& cuts = {kSteps}) {
  Gang gang(Large(), num_copies);
  PrepareBusyGang(gang);
  gang.SetSeed(0, 17);
  gang.Advance(31, nullptr);
  for (int c = 1; c < num_copies; ++c) {
    gang.LoadCopy(c, Large()->initial_state());
    gang.SetSeed(c, 100 + c);
    if (c == 3) gang.Advance(23, nullptr);
  }
  std::vector<Probe> probes = MakeProbes(num_copies - 1);
  std::vector<Probe*> asked;
  for (Probe& p : probes) asked.push_back(&p);
  for (int c = 0; c < num_copies; ++c) {
    InstallBusyStimuli(gang, c, c == 2 ? 0.0 : 1.0,
                       c % 2 == 0 ? SampleTiming::kExactTicks : SampleTiming::kLivn);
  }
  Result out;
  int64_t done = 0;
  for (size_t i = 0; done < kSteps; ++i) {
    const int64_t n = std::min(cuts[i % cuts.size()], kSteps - done);
    gang.Advance(n, &out.spikes, asked, executor);
    done += n;
  }
  for (int c = 0; c < num_copies; ++c) out.states.push_back(Save(gang, c));
  for (const Probe& p : probes) out.samples.push_back(p.samples);
  return out;
}

const Result& Alone(int num_copies) {
  static const auto* const kOne = new Result(RunLarge(1, nullptr));
  static const auto* const kFive = new Result(RunLarge(5, nullptr));
  return num_copies == 1 ? *kOne : *kFive;
}

TEST(GangSlicesTest, TheCultureIsLargeAndBusyEnough) {
  Gang gang(Large(), 1);
  EXPECT_GE(gang.num_tiles(), 48);
  EXPECT_EQ(Large()->connectivity().min_delay_steps, 2);
  EXPECT_GT(Alone(1).spikes.size(), 500u);
  EXPECT_GT(Alone(5).spikes.size(), 2000u);
  for (const std::vector<double>& samples : Alone(1).samples) EXPECT_FALSE(samples.empty());
  bool learned = false;
  for (double w : Alone(1).samples[3]) learned = learned || (w != 1.0 && w > 0.0);
  EXPECT_TRUE(learned);
}

TEST(GangSlicesTest, ThreadsChangeNoBit) {
  for (const int num_copies : {1, 5}) {
    for (const int num_threads : {1, 2, 3, 5}) {
      SCOPED_TRACE(std::to_string(num_copies) + " copies, " + std::to_string(num_threads) +
                   " threads");
      ThreadsExecutor threads(num_threads);
      ExpectSame(RunLarge(num_copies, &threads), Alone(num_copies));
      EXPECT_EQ(threads.num_loops() > 0, num_threads > 1);
    }
  }
}

TEST(GangSlicesTest, OneThreadMayRunThePiecesInAnyOrder) {
  for (const int num_copies : {1, 5}) {
    InlineExecutor inline_executor;
    ExpectSame(RunLarge(num_copies, &inline_executor), Alone(num_copies));
    for (const int concurrency : {2, 5, 64}) {
      Backwards backwards(concurrency);
      ExpectSame(RunLarge(num_copies, &backwards), Alone(num_copies));
    }
  }
}

TEST(GangSlicesTest, CallsMayBeCutAnyhow) {
  for (const int num_copies : {1, 5}) {
    for (const std::vector<int64_t>& cuts :
         std::vector<std::vector<int64_t>>{{1}, {1, 7, 92}, {33}, {3, 1, 4, 1, 5, 9, 2, 6}}) {
      Backwards backwards(3);
      ExpectSame(RunLarge(num_copies, &backwards, cuts), Alone(num_copies));
      ExpectSame(RunLarge(num_copies, nullptr, cuts), Alone(num_copies));
    }
  }
}

// Events on their way move to the calendars of other slices.
TEST(GangSlicesTest, TheExecutorMayChangeBetweenCalls) {
  class Changing final : public Executor {
   public:
    int concurrency() const override { return 1 + static_cast<int>(++calls_ % 5); }
    void ParallelFor(int num_pieces, absl::FunctionRef<void(int)> fn) override {
      for (int i = 0; i < num_pieces; ++i) fn(i);
    }

   private:
    mutable int64_t calls_ = 0;
  };
  for (const int num_copies : {1, 5}) {
    Changing changing;
    ExpectSame(RunLarge(num_copies, &changing, {1, 2, 30, 5}), Alone(num_copies));
  }
}

TEST(GangSlicesTest, SavedCopiesGoOnInSlices) {
  ThreadsExecutor threads(2);
  const auto run = [](Executor* executor, bool reload) {
    Gang gang(Large(), 3);
    PrepareBusyGang(gang);
    Result out;
    for (int i = 0; i < 12; ++i) {
      gang.Advance(17, &out.spikes, {}, executor);
      if (!reload) continue;
      const std::vector<double> saved = Save(gang, i % 3);
      gang.LoadCopy(i % 3, saved);
      gang.LoadCopy(i % 3, Large()->initial_state());
      gang.LoadCopy(i % 3, saved);
    }
    for (int c = 0; c < 3; ++c) out.states.push_back(Save(gang, c));
    return out;
  };
  const Result straight = run(nullptr, false);
  EXPECT_GT(straight.spikes.size(), 100u);
  ExpectSame(run(nullptr, true), straight);
  ExpectSame(run(&threads, true), straight);
}

TEST(GangSlicesTest, PointNeuronsToo) {
  const std::shared_ptr<const Culture> culture = MustCreate(BusyPoints(PointModels().at("glif5")));
  const auto run = [&](Executor* executor) {
    Gang gang(culture, 30);
    PrepareBusyPoints(gang);
    for (int c = 0; c < 30; ++c) {
      gang.SetSeed(c, c);
      InstallPointCurrents(gang, c, c % 3,
                           c % 2 == 0 ? SampleTiming::kExactTicks : SampleTiming::kLivn);
    }
    Result out;
    gang.Advance(1000, &out.spikes, {}, executor);
    gang.Advance(1001, &out.spikes, {}, executor);
    for (int c = 0; c < 30; ++c) out.states.push_back(Save(gang, c));
    return out;
  };
  const Result straight = run(nullptr);
  EXPECT_GT(straight.spikes.size(), 100u);
  ThreadsExecutor threads(3);
  ExpectSame(run(&threads), straight);
  EXPECT_GT(threads.num_loops(), 0);
}

// 200 LIF cells that reach the next 40 each with one weight and delay. also_none: by a second receptor of
// weight 0 as well, which adds nothing and parts the connections that would be alike.
std::shared_ptr<const Culture> Ring(bool also_none) {
  constexpr int64_t kNumCells = 200, kReach = 40;
  CultureConfig config;
  config.model.point = LeakyIntegrateAndFire();
  config.model.point->params["E_L"] = -49.0;
  config.populations = {{"EXC", 0, kNumCells / 2}, {"INH", kNumCells / 2, kNumCells / 2}};
  for (const std::string pre : {"EXC", "INH"}) {
    for (const std::string post : {"EXC", "INH"}) {
      ProjectionConfig p;
      p.pre = pre;
      p.post = post;
      std::vector<ReceptorConfig>& receptors = p.receptors[ProjectionConfig::kDefaultReceptors];
      const double sign = pre == "EXC" ? 1.0 : -1.0;
      receptors = {{"I_syn", {{"weight", 3.0}, {"sign", sign}, {"tau", 5.0}}}};
      if (also_none) {
        receptors.push_back({"I_syn", {{"weight", 0.0}, {"sign", sign}, {"tau", 5.0}}});
      }
      const int64_t first = pre == "EXC" ? 0 : kNumCells / 2;
      for (int64_t source = first; source < first + kNumCells / 2; ++source) {
        for (int64_t i = 1; i <= kReach; ++i) {
          Edge e;
          e.source_gid = source;
          e.target_gid = (source + i) % kNumCells;
          if ((e.target_gid < kNumCells / 2) == (post == "EXC")) p.edges.push_back(e);
        }
      }
      config.projections.push_back(std::move(p));
    }
  }
  return MustCreate(config);
}

TEST(GangSlicesTest, ConnectionsThatAreAlikeArriveAsOthersDo) {
  const std::shared_ptr<const Culture> alike = Ring(false), others = Ring(true);
  ASSERT_FALSE(alike->connectivity().alike_end.empty());
  ASSERT_TRUE(others->connectivity().alike_end.empty());
  const auto run = [](const std::shared_ptr<const Culture>& culture, int num_slices) {
    constexpr int kCopies = 3;  // whose cells share tiles
    Gang gang(culture, kCopies);
    for (int c = 0; c < kCopies; ++c) {
      std::vector<double> state = culture->initial_state();
      for (size_t g = 0; g < culture->groups().size(); ++g) {
        const CellGroup& group = culture->groups()[g];
        for (int64_t i = 0; i < group.num_cells(); ++i) {
          // Cells that started alike would fire together for long.
          state[group.state_offset + i * group.num_variables + group.model->voltage_state(0)] =
              -60.0 +
              10.0 * static_cast<double>((i * 37 + c * 11 + static_cast<int64_t>(g) * 5) % 97) /
                  97.0;
        }
      }
      gang.LoadCopy(c, state);
    }
    Backwards backwards(num_slices);
    std::vector<Spike> spikes;
    gang.Advance(3000, &spikes, {}, &backwards);
    Result out;
    out.spikes = spikes;
    for (int c = 0; c < kCopies; ++c) out.states.push_back(Save(gang, c));
    return out;
  };
  const Result want = run(others, 1);
  EXPECT_GT(want.spikes.size(), 500u);
  for (const int num_slices : {1, 2, 5}) ExpectSame(run(alike, num_slices), want);
}

}  // namespace
}  // namespace livnd::sim
