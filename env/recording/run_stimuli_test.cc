// What of the stimuli of runs, and of what electrodes hear, is in a recording.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "env/culture/live_culture.h"
#include "env/culture/testing/cultures.h"
#include "env/recording/run_rows.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/device/electrode_array.h"
#include "io/recording/stream.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int kNumCopies = 2;

// A row of "stimuli": its key, its channel, and what that was given.
using Row = std::tuple<int32_t, int64_t, int64_t, int32_t, double, int64_t>;

// A culture of EI-mini, and what its runs leave.
class RunStimuliTest : public testing::Test {
 protected:
  RunStimuliTest()
      : culture_(BusyCulture(executor_, kNumCopies)), channels_(ChannelsOf(*culture_)) {}

  // The rows of a run, [stream's name].
  std::map<std::string, std::string> Run(CultureRun run) {
    const RunRows rows({culture_->selection(), true, true}, culture_->num_rows(),
                       culture_->culture().dt_ms(), channels_);
    run.keep_stimuli = rows.has_stimuli();
    EXPECT_TRUE(culture_->Run(run).ok());
    EXPECT_TRUE(io::CheckStreams(rows.streams()).ok());
    std::vector<std::string> bytes(rows.streams().size());
    rows.AddRun(culture_->recording(), culture_->num_clears(), absl::MakeSpan(bytes));
    std::map<std::string, std::string> out;
    for (size_t i = 0; i < bytes.size(); ++i) {
      EXPECT_EQ(bytes[i].size() % static_cast<size_t>(rows.streams()[i].row_bytes()), 0u);
      out[rows.streams()[i].name] = bytes[i];
    }
    return out;
  }

  static std::vector<Row> OfElectrodes(const std::string& bytes) {
    std::vector<Row> out;
    for (size_t at = 0; at < bytes.size(); at += 40) {
      const char* const row = bytes.data() + at;
      const io::RowKey key = io::KeyOf(row);
      out.emplace_back(key.copy, key.episode, key.tick, io::ValueAt<int32_t>(row, 20),
                       io::ValueAt<double>(row, 24), io::ValueAt<int64_t>(row, 32));
    }
    return out;
  }

  CultureStimulus Currents(std::vector<double> samples) const {
    CultureStimulus stimulus;
    stimulus.quantity = StimulusQuantity::kElectrodeUa;
    stimulus.sample_dt_ms = 0.5;
    stimulus.electrodes = {channels_.electrode_ids[3], channels_.electrode_ids[1]};
    stimulus.per_copy = samples.size() > 8;
    stimulus.num_samples = 4;
    stimulus.samples = std::move(samples);
    return stimulus;
  }

  sim::InlineExecutor executor_;
  const std::unique_ptr<LiveCulture> culture_;
  const RunChannels channels_;
};

TEST_F(RunStimuliTest, EachStretchIsARow) {
  ASSERT_TRUE(culture_->Run(For(10.0)).ok());
  CultureRun run = For(1.0);  // shorter than the stimulus
  run.stimuli = {Currents({0, 7, 5, 7, 5, 0, -5, 0})};
  const std::vector<Row> rows = OfElectrodes(Run(run)["stimuli"]);
  const int32_t first = channels_.electrode_ids[3], second = channels_.electrode_ids[1];
  EXPECT_THAT(rows, ElementsAre(Row(0, 1, 400, second, 7.0, 40), Row(0, 1, 420, first, 5.0, 40),
                                Row(0, 1, 460, first, -5.0, 20), Row(1, 1, 400, second, 7.0, 40),
                                Row(1, 1, 420, first, 5.0, 40), Row(1, 1, 460, first, -5.0, 20)));
  // It is told in the run that was given it alone.
  EXPECT_THAT(Run(For(1.0))["stimuli"], IsEmpty());
}

TEST_F(RunStimuliTest, CopiesHaveTheirOwn) {
  CultureRun run = For(3.0);
  run.stimuli = {Currents({0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, -3})};
  EXPECT_THAT(OfElectrodes(Run(run)["stimuli"]),
              ElementsAre(Row(0, 1, 60, channels_.electrode_ids[3], 9.0, 20),
                          Row(1, 1, 60, channels_.electrode_ids[1], -3.0, 20)));
}

TEST_F(RunStimuliTest, SitesHaveStreamsOfTheirOwn) {
  CultureRun run = For(8.0);
  run.stimuli = {Current()};
  std::map<std::string, std::string> rows = Run(run);
  std::string wanted;
  for (const int32_t copy : {0, 1}) {
    io::AppendKey({copy, 1, 80}, &wanted);
    io::AppendValue(int32_t{0}, &wanted);  // gid
    io::AppendValue(int32_t{0}, &wanted);  // soma
    io::AppendValue(0.5, &wanted);
    io::AppendValue(int64_t{160}, &wanted);
  }
  EXPECT_TRUE(rows["stimuli.current"] == wanted);
  EXPECT_THAT(rows["stimuli"], IsEmpty());
  EXPECT_THAT(rows["stimuli.extracellular"], IsEmpty());
}

// The rows of a plan's pulses hold what the account of its charges says.
TEST_F(RunStimuliTest, PulsesHaveTheirCharge) {
  io::PulsePlan plan;
  plan.pulses.resize(2);
  plan.pulses[0].electrodes = {channels_.electrode_ids[0], channels_.electrode_ids[2]};
  plan.pulses[0].amplitude_ua = 12.0;
  plan.pulses[0].width_us = 175.0;
  plan.pulses[0].gap_us = 50.0;
  plan.pulses[0].recovery_width_us = 400.0;
  plan.pulses[0].train.num_pulses = 40;
  plan.pulses[0].train.rate_hz = 150.0;
  plan.pulses[0].last_amplitude_ua = 30.0;
  plan.pulses[1].electrodes = {channels_.electrode_ids[1]};
  plan.pulses[1].amplitude_ua = 25.0;
  plan.pulses[1].train.start_us = 1225.0;
  plan.pulses[1].train.num_pulses = 9;
  plan.pulses[1].train.rate_hz = 50.0;
  CultureRun run = For(300.0);
  run.pulse_plan = plan;
  run.account_charges = true;
  const std::vector<Row> rows = OfElectrodes(Run(run)["stimuli"]);
  EXPECT_EQ(rows.size(), kNumCopies * 2u * (2 * 40 + 9));
  std::map<std::pair<int32_t, int32_t>, double> net_nc, absolute_nc;
  for (const auto& [copy, episode, tick, channel, value_ua, num_ticks] : rows) {
    EXPECT_EQ(episode, 1);
    EXPECT_GE(tick, 0);
    EXPECT_LE(tick + num_ticks, 12000);
    const double charge_nc = value_ua * static_cast<double>(num_ticks) * 0.025;
    net_nc[{copy, channel}] += charge_nc;
    absolute_nc[{copy, channel}] += std::fabs(charge_nc);
  }
  for (const int32_t copy : {0, 1}) {
    for (size_t e = 0; e < channels_.electrode_ids.size(); ++e) {
      const std::pair<int32_t, int32_t> at = {copy, channels_.electrode_ids[e]};
      const io::ElectrodeCharge& charge = culture_->recording().charges[e];
      EXPECT_NEAR(net_nc[at], charge.net_nc, 1e-9);
      EXPECT_NEAR(absolute_nc[at], charge.absolute_nc, 1e-9);
      if (e >= 3) continue;
      EXPECT_GT(absolute_nc[at], 10.0);
    }
  }
}

// Whose electrodes hear a spike is livn's channel_recording.
TEST_F(RunStimuliTest, ElectrodesHearTheCellsInReach) {
  const std::string events = Run(For(60.0))["channel_events"];
  const auto array = *io::ElectrodeArray::Create(*culture_->setup().electrode_array);
  const CultureRecording& recording = culture_->recording();
  std::map<int32_t, std::vector<int64_t>> wanted, heard;  // [id] ticks of copy 1
  std::vector<uint32_t> gids;
  std::vector<double> ticks;
  for (int64_t i = recording.spike_offsets[1]; i < recording.spike_offsets[2]; ++i) {
    gids.push_back(static_cast<uint32_t>(recording.spike_gids[i]));
    ticks.push_back(static_cast<double>(recording.spike_ticks[i]));
  }
  const auto assigned =
      *io::AssignSpikes(array.CellsInReach(culture_->model().system().position_um), gids, ticks);
  for (size_t e = 0; e < assigned.size(); ++e) {
    for (const double tick : assigned[e].times_ms) {
      wanted[array.ids()[e]].push_back(static_cast<int64_t>(tick));
    }
  }
  for (size_t at = 0; at < events.size(); at += 24) {
    const io::RowKey key = io::KeyOf(events.data() + at);
    if (key.copy == 1) heard[io::ValueAt<int32_t>(events.data() + at, 20)].push_back(key.tick);
  }
  EXPECT_FALSE(wanted.empty());
  EXPECT_EQ(heard, wanted);
}

// A copy that has failed is given nothing, and what was to come then did not.
TEST_F(RunStimuliTest, ACopyThatFailedHasNoMore) {
  CultureRun run = For(3.0);
  run.stimuli = {Currents({0, 7, 0, 0, 0, 7, 0, 0})};
  run.keep_stimuli = true;
  ASSERT_TRUE(culture_->Run(run).ok());
  CultureRecording recording = culture_->TakeRecording();
  recording.failed_at_ms[0] = 0.5;
  const RunRows rows({culture_->selection(), false, true}, culture_->num_rows(), 0.025, channels_);
  std::vector<std::string> bytes(rows.streams().size());
  rows.AddRun(recording, 1, absl::MakeSpan(bytes));
  EXPECT_THAT(OfElectrodes(bytes[1]),
              ElementsAre(Row(0, 1, 0, channels_.electrode_ids[1], 7.0, 20),
                          Row(1, 1, 0, channels_.electrode_ids[1], 7.0, 20),
                          Row(1, 1, 40, channels_.electrode_ids[1], 7.0, 20)));
}

}  // namespace
}  // namespace livnd::env
