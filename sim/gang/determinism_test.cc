// A copy's bits are a function of its own state, stimuli and inputs, and of nothing else.
#include <xmmintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "sim/gang/gang.h"
#include "sim/testing/busy_culture.h"

namespace livnd::sim {
namespace {

using SpikeList = std::vector<std::pair<int64_t, int64_t>>;

const std::shared_ptr<const Culture>& Busy() {
  static const auto* const kCulture = new std::shared_ptr<const Culture>(MustCreate(BusyConfig()));
  return *kCulture;
}

// Bit for bit: == takes 0 and -0 for the same and NaN for different from itself.
testing::AssertionResult SameBits(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return testing::AssertionFailure() << "sizes differ";
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::memcmp(&a[i], &b[i], sizeof(double)) != 0) {
      return testing::AssertionFailure()
             << "element " << i << " of " << a.size() << ": " << a[i] << " and " << b[i];
    }
  }
  return testing::AssertionSuccess();
}

// What a copy with a seed and the busy stimuli does alone.
struct Alone {
  std::vector<double> state;
  SpikeList spikes;
};

class GangDeterminismTest : public testing::TestWithParam<SampleTiming> {
 protected:
  static void Stimulate(Gang& gang, int copy, double strength = 1.0) {
    InstallBusyStimuli(gang, copy, strength, GetParam());
  }

  static Alone RunAlone(const std::shared_ptr<const Culture>& culture, uint64_t seed,
                        int64_t num_steps, double strength = 1.0) {
    Gang gang(culture, 1);
    PrepareBusyGang(gang);
    gang.SetSeed(0, seed);
    Stimulate(gang, 0, strength);
    std::vector<Spike> spikes;
    gang.Advance(num_steps, &spikes);
    return {Save(gang, 0), SpikesOf(spikes, 0)};
  }
};

INSTANTIATE_TEST_SUITE_P(Timing, GangDeterminismTest,
                         testing::Values(SampleTiming::kExactTicks, SampleTiming::kLivn));

TEST_P(GangDeterminismTest, TheCultureIsAsBusyAsTheTestsNeed) {
  // Three shapes: motoneurons with one and with three dendritic segments, Renshaw cells.
  EXPECT_EQ(Busy()->groups().size(), 3u);
  EXPECT_GT(Busy()->connectivity().num_stateful_rows, 50);
  EXPECT_TRUE(std::any_of(Busy()->connectivity().rows.begin(), Busy()->connectivity().rows.end(),
                          [](const ConnectionRow& r) { return r.delay_steps < 0; }));
  const Alone run = RunAlone(Busy(), 1, 800);
  std::map<int64_t, int> of_cell;
  for (const auto& [tick, gid] : run.spikes) ++of_cell[gid];
  EXPECT_GT(run.spikes.size(), 20u);
  EXPECT_GT(of_cell.size(), 8u);
  EXPECT_TRUE(std::any_of(of_cell.begin(), of_cell.end(), [](auto& n) { return n.first >= 11; }));
}

TEST_P(GangDeterminismTest, ACopyIsTheSameAloneAndAmongOthers) {
  constexpr int64_t kSteps = 600;
  for (const int num_copies : {1, 3, 16}) {
    Gang gang(Busy(), num_copies);
    PrepareBusyGang(gang);
    for (int c = 0; c < num_copies; ++c) {
      gang.SetSeed(c, 100 + c % 4);
      Stimulate(gang, c, c % 4);
    }
    std::vector<Spike> spikes;
    gang.Advance(kSteps, &spikes);
    for (int c = 0; c < num_copies; ++c) {
      const Alone alone = RunAlone(Busy(), 100 + c % 4, kSteps, c % 4);
      EXPECT_TRUE(SameBits(Save(gang, c), alone.state)) << "copy " << c << " of " << num_copies;
      EXPECT_EQ(SpikesOf(spikes, c), alone.spikes) << "copy " << c << " of " << num_copies;
    }
  }
}

TEST_P(GangDeterminismTest, CallsOfAdvanceMayBeCutAnyhow) {
  constexpr int64_t kSteps = 400;
  const Alone straight = RunAlone(Busy(), 7, kSteps);
  for (const std::vector<int64_t>& pattern : std::vector<std::vector<int64_t>>{
           {1}, {1, 7, 92}, {16}, {15, 17}, {0, 33, 0, 67}, {399, 1}, {3, 1, 4, 1, 5, 9, 2, 6}}) {
    Gang gang(Busy(), 1);
    PrepareBusyGang(gang);
    gang.SetSeed(0, 7);
    Stimulate(gang, 0);
    std::vector<Spike> spikes;
    int64_t done = 0;
    for (size_t i = 0; done < kSteps; ++i) {
      const int64_t n = std::min(pattern[i % pattern.size()], kSteps - done);
      gang.Advance(n, &spikes);
      done += n;
    }
    EXPECT_EQ(gang.tick(0), kSteps);
    EXPECT_TRUE(SameBits(Save(gang, 0), straight.state)) << pattern[0];
    EXPECT_EQ(SpikesOf(spikes, 0), straight.spikes) << pattern[0];
  }
}

TEST_P(GangDeterminismTest, ASavedCopyGoesOnInAFreshGangAndInAnotherSlot) {
  constexpr int64_t kSteps = 600;
  const Alone straight = RunAlone(Busy(), 5, kSteps);
  // Three copies at different times and with other seeds, into which the saved one is loaded.
  Gang other(Busy(), 3);
  PrepareBusyGang(other);
  for (int c = 0; c < 3; ++c) other.SetSeed(c, 50 + c);
  other.Advance(77, nullptr);

  Gang source(Busy(), 1);
  PrepareBusyGang(source);
  source.SetSeed(0, 5);
  Stimulate(source, 0);
  std::vector<Spike> before;
  int with_events = 0, with_field = 0;
  for (int64_t at = 0; at < kSteps; at += 10) {
    const std::vector<double> saved = Save(source, 0);
    with_field += saved[CopyHeader::kFieldActive] != 0.0;
    with_events += !before.empty() && at - before.back().tick < 20;
    SpikeList early = SpikesOf(before, 0);

    Gang fresh(Busy(), 1);
    PrepareBusyGang(fresh);
    fresh.LoadCopy(0, saved);
    EXPECT_TRUE(SameBits(Save(fresh, 0), saved));
    EXPECT_EQ(fresh.tick(0), at);
    Stimulate(fresh, 0);
    std::vector<Spike> spikes;
    fresh.Advance(kSteps - at, &spikes);
    SpikeList all = early;
    for (const auto& s : SpikesOf(spikes, 0)) all.push_back(s);
    ASSERT_TRUE(SameBits(Save(fresh, 0), straight.state)) << "saved at step " << at;
    ASSERT_EQ(all, straight.spikes) << "saved at step " << at;

    const int slot = static_cast<int>(at / 10 % 3);
    other.LoadCopy(slot, saved);
    Stimulate(other, slot);
    spikes.clear();
    other.Advance(kSteps - at, &spikes);
    all = early;
    for (const auto& s : SpikesOf(spikes, slot)) all.push_back(s);
    ASSERT_TRUE(SameBits(Save(other, slot), straight.state)) << "saved at step " << at;
    ASSERT_EQ(all, straight.spikes) << "saved at step " << at;

    source.Advance(10, &before);
  }
  // Events were on their way and the field was on at some of these moments.
  EXPECT_GT(with_events, 10);
  EXPECT_GT(with_field, 10);
}

TEST_P(GangDeterminismTest, SavingChangesNothing) {
  const Alone straight = RunAlone(Busy(), 9, 200);
  Gang gang(Busy(), 2);
  PrepareBusyGang(gang);
  gang.SetSeed(0, 9);
  Stimulate(gang, 0);
  for (int i = 0; i < 200; ++i) {
    gang.Advance(1, nullptr);
    const std::vector<double> once = Save(gang, 0);
    EXPECT_TRUE(SameBits(once, Save(gang, 0)));
  }
  EXPECT_TRUE(SameBits(Save(gang, 0), straight.state));
}

TEST_P(GangDeterminismTest, LoadingTheInitialStateStartsOver) {
  const Alone straight = RunAlone(Busy(), 9, 300);
  Gang gang(Busy(), 1);
  PrepareBusyGang(gang);
  gang.SetSeed(0, 1234567);
  Stimulate(gang, 0, -1.0);
  gang.Advance(451, nullptr);
  gang.LoadCopy(0, Busy()->initial_state());
  gang.SetSeed(0, 9);
  Stimulate(gang, 0);
  std::vector<Spike> spikes;
  gang.Advance(300, &spikes);
  EXPECT_TRUE(SameBits(Save(gang, 0), straight.state));
  EXPECT_EQ(SpikesOf(spikes, 0), straight.spikes);
}

// With dt 12.5 us only every second step updates the noise: copies may differ in which.
TEST_P(GangDeterminismTest, CopiesMayBeAtDifferentPhasesOfTheNoise) {
  CultureConfig config = BusyConfig();
  config.dt_ms = 0.0125;
  const std::shared_ptr<const Culture> culture = MustCreate(config);
  const Alone straight = RunAlone(culture, 5, 300);
  Gang source(culture, 1);
  PrepareBusyGang(source);
  source.SetSeed(0, 5);
  Stimulate(source, 0);
  Gang gang(culture, 3);
  PrepareBusyGang(gang);
  std::vector<std::vector<double>> expected;
  for (int c = 0; c < 3; ++c) {
    gang.LoadCopy(c, Save(source, 0));
    Stimulate(gang, c);
    source.Advance(c == 0 ? 7 : 6, nullptr);
  }
  EXPECT_EQ(gang.tick(1) - gang.tick(0), 7);
  EXPECT_EQ(gang.tick(2) - gang.tick(1), 6);
  // Each copy reaches step 300 at another moment.
  gang.Advance(300 - gang.tick(2), nullptr);
  EXPECT_TRUE(SameBits(Save(gang, 2), straight.state));
  gang.Advance(6, nullptr);
  EXPECT_TRUE(SameBits(Save(gang, 1), straight.state));
  gang.Advance(7, nullptr);
  EXPECT_TRUE(SameBits(Save(gang, 0), straight.state));
}

TEST_P(GangDeterminismTest, DifferentSeedsDiffer) {
  const std::vector<uint64_t> seeds = {123, 124, uint64_t{123} | uint64_t{1} << 32,
                                       uint64_t{123} | uint64_t{1} << 63, uint64_t{123} << 32};
  std::vector<std::vector<double>> states;
  for (uint64_t seed : seeds) {
    std::vector<double> state = RunAlone(Busy(), seed, 100).state;
    // The seed itself is part of the state.
    state.erase(state.begin(), state.begin() + CopyHeader::kSize);
    for (const std::vector<double>& other : states) EXPECT_FALSE(SameBits(state, other));
    states.push_back(std::move(state));
  }
}

TEST_P(GangDeterminismTest, StreamsOfOneSeedDiffer) {
  std::vector<std::vector<double>> states;
  for (uint32_t stream : {0u, 1u, 2u}) {
    Gang gang(Busy(), 1);
    gang.SetSeed(0, 123, stream);
    gang.Advance(100, nullptr);
    states.push_back(Save(gang, 0));
    states.back().erase(states.back().begin(), states.back().begin() + CopyHeader::kSize);
  }
  EXPECT_FALSE(SameBits(states[0], states[1]));
  EXPECT_FALSE(SameBits(states[1], states[2]));
}

TEST_P(GangDeterminismTest, TheCallersFloatingPointModeIsRestored) {
  Gang gang(Busy(), 1);
  const unsigned before = _mm_getcsr();
  gang.Advance(3, nullptr);
  // Exception flags (the low six bits) may be raised.
  EXPECT_EQ(_mm_getcsr() & ~0x3Fu, before & ~0x3Fu);
}

TEST_P(GangDeterminismTest, TheCallersFloatingPointModeDoesNotMatter) {
  const Alone straight = RunAlone(Busy(), 3, 200);
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040);
  const Alone flushing = RunAlone(Busy(), 3, 200);
  _mm_setcsr(before);
  EXPECT_TRUE(SameBits(straight.state, flushing.state));
}

TEST_P(GangDeterminismTest, CopiesThatRestLeaveTheOthersAlone) {
  constexpr int kCopies = 5;
  // One with cells of several copies in a tile, one with tiles of its own for each copy.
  for (const auto& culture : {Busy(), MustCreate(BusyBlocks(4))}) {
    Gang all(culture, kCopies), some(culture, kCopies);
    for (Gang* gang : {&all, &some}) {
      PrepareBusyGang(*gang);
      for (int c = 0; c < kCopies; ++c) {
        gang->SetSeed(c, 100 + c);
        Stimulate(*gang, c, c);
      }
      gang->Advance(200, nullptr);
    }
    const std::vector<double> before = Save(some, 1);
    const int64_t inner_gid = culture->gids()[culture->gids().size() / 3];
    const double of_inner_cell = some.VoltageMv(1, inner_gid, 0);
    std::vector<Spike> of_all, of_some;
    all.Advance(100, &of_all);
    const uint8_t rests[kCopies] = {0, 1, 0, 1, 0};
    some.Advance(100, &of_some, {}, nullptr, rests);
    for (int c = 0; c < kCopies; ++c) {
      if (rests[c] != 0) {
        EXPECT_EQ(some.tick(c), 200);
        EXPECT_TRUE(SpikesOf(of_some, c).empty());
      } else {
        EXPECT_TRUE(SameBits(Save(all, c), Save(some, c))) << c;
        EXPECT_EQ(SpikesOf(of_all, c), SpikesOf(of_some, c));
      }
    }
    if (culture != Busy()) {
      EXPECT_EQ(some.VoltageMv(1, inner_gid, 0), of_inner_cell);
    }
    // Once loaded it goes on as if nothing had been.
    Gang alone(culture, 1);
    PrepareBusyGang(alone);
    alone.LoadCopy(0, before);
    some.LoadCopy(1, before);
    alone.Advance(200, nullptr);
    some.Advance(200, nullptr);
    EXPECT_TRUE(SameBits(Save(alone, 0), Save(some, 1)));
  }
}

}  // namespace
}  // namespace livnd::sim
