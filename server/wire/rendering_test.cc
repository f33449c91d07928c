#include "server/wire/rendering.h"

#include <vector>

#include "env/task/vector_environment.h"
#include "gtest/gtest.h"
#include "server/wire/tensor.h"
#include "sim/gang/probe.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::server {
namespace {

constexpr double kTickMs = 0.025;

using Int64s = std::vector<int64_t>;

// Three channels of four samples of 0.2 ms (8 ticks), from tick 100 on.
sim::Waveform ThreeChannels() {
  sim::Waveform currents;
  currents.sample_dt_ms = 0.2;
  currents.first_tick = 100;
  currents.num_channels = 3;
  currents.samples = {0, 1,  0,    //
                      0, -1, 0,    //
                      0, 0,  0.5,  //
                      0, 2,  -3};
  return currents;
}

TEST(RenderingTest, SpikesAndPulsesAreRowsOfTheirCopies) {
  const std::vector<sim::Spike> first = {{0, 7, 101}, {0, 3, 120}}, third = {{2, 9, 50}};
  const sim::Waveform currents = ThreeChannels(), silence;
  v1::RenderResponse response;
  EncodeRendering({{100, first, &currents, {}}, {}, {40, third, &silence, {}}}, kTickMs, &response);
  EXPECT_EQ(Values<uint8_t>(response.simulated()), (std::vector<uint8_t>{1, 0, 1}));
  EXPECT_EQ(Values<int64_t>(response.spike_offsets()), (Int64s{0, 2, 2, 3}));
  EXPECT_EQ(Values<int64_t>(response.spike_gids()), (Int64s{7, 3, 9}));
  EXPECT_EQ(Values<int64_t>(response.spike_ticks()), (Int64s{1, 20, 10}));
  EXPECT_EQ(Values<int64_t>(response.pulse_offsets()), (Int64s{0, 3, 3, 3}));
  EXPECT_EQ(Values<int64_t>(response.pulse_electrodes()), (Int64s{1, 1, 2}));
  EXPECT_EQ(Values<int64_t>(response.pulse_ticks()), (Int64s{0, 24, 16}));
  EXPECT_EQ(Values<double>(response.pulse_ua()), (std::vector<double>{1, 2, -3}));
  EXPECT_EQ(response.simulated().dtype(), v1::DATA_TYPE_BOOL);
  EXPECT_EQ(response.spike_gids().shape(0), 3);
}

TEST(RenderingTest, APulseBeginsWhereItDoesInTheStepAndOnItsOwnChannel) {
  sim::Waveform currents = ThreeChannels();
  currents.channels = {5, 2, 8};
  v1::RenderResponse response;
  EncodeRendering({{90, {}, &currents, {}}}, kTickMs, &response);
  EXPECT_EQ(Values<int64_t>(response.pulse_electrodes()), (Int64s{2, 2, 8}));
  EXPECT_EQ(Values<int64_t>(response.pulse_ticks()), (Int64s{10, 34, 26}));
}

TEST(RenderingTest, NoCopiesAreNoRows) {
  v1::RenderResponse response;
  EncodeRendering({}, kTickMs, &response);
  EXPECT_EQ(Values<int64_t>(response.spike_offsets()), (Int64s{0}));
  EXPECT_EQ(Values<int64_t>(response.pulse_offsets()), (Int64s{0}));
  EXPECT_EQ(response.pulse_ua().shape(0), 0);
}

TEST(RenderingTest, WhatAnAnswerTakesIsKnownBeforeItIsMade) {
  const std::vector<sim::Spike> spikes(1000, {0, 1, 101});
  const sim::Waveform currents = ThreeChannels();
  const std::vector<env::StepActivity> copies = {{100, spikes, &currents, {}}, {}};
  v1::RenderResponse response;
  EncodeRendering(copies, kTickMs, &response);
  const auto bytes = static_cast<int64_t>(response.ByteSizeLong());
  EXPECT_GT(RenderingBytes(copies), 2 * bytes);
  EXPECT_LT(RenderingBytes(copies), 8 * bytes);
}

}  // namespace
}  // namespace livnd::server
