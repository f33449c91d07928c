#include "env/recording/run_rows.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "env/culture/culture_types.h"
#include "env/culture/live_culture.h"
#include "env/culture/testing/cultures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/recording/stream.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

using testing::ElementsAre;

std::vector<int64_t> NumRows(const CultureRecording& recording) {
  std::vector<int64_t> num_rows;
  for (const RecordedSeries& series : recording.series) num_rows.push_back(series.num_rows);
  return num_rows;
}

// Rows of a stream, sorted: runs come one after the other, copies within each.
std::vector<std::string> Sorted(const io::StreamSpec& stream, const std::string& bytes) {
  std::vector<std::string> rows;
  for (size_t at = 0; at < bytes.size(); at += stream.row_bytes()) {
    rows.push_back(bytes.substr(at, stream.row_bytes()));
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

TEST(RunRowsTest, HowARunIsCutChangesNoRow) {
  sim::InlineExecutor executor;
  const auto cut = BusyCulture(executor, 2);
  const auto whole = BusyCulture(executor, 2);
  ASSERT_TRUE(whole->Run(For(40.0)).ok());
  const RunRows rows({whole->selection()}, NumRows(whole->recording()), whole->culture().dt_ms());
  std::vector<std::string> of_whole(rows.streams().size()), of_cut(rows.streams().size());
  rows.AddRun(whole->recording(), whole->num_clears(), absl::MakeSpan(of_whole));
  for (const double duration_ms : {7.0, 20.0, 13.0}) {
    ASSERT_TRUE(cut->Run(For(duration_ms)).ok());
    rows.AddRun(cut->recording(), cut->num_clears(), absl::MakeSpan(of_cut));
  }
  for (size_t i = 0; i < rows.streams().size(); ++i) {
    const io::StreamSpec& stream = rows.streams()[i];
    if (!stream.is_keyed()) continue;
    EXPECT_FALSE(of_whole[i].empty()) << stream.name;
    EXPECT_TRUE(Sorted(stream, of_whole[i]) == Sorted(stream, of_cut[i])) << stream.name;
  }
}

TEST(RunRowsTest, TellWhatTheRecordingTells) {
  sim::InlineExecutor executor;
  const auto culture = BusyCulture(executor, 2);
  ASSERT_TRUE(culture->Run(For(15.0)).ok());
  ASSERT_TRUE(culture->Run(For(10.0)).ok());
  const CultureRecording& recording = culture->recording();
  const RunRows rows({culture->selection()}, NumRows(recording), culture->culture().dt_ms());
  std::vector<std::string> bytes(rows.streams().size());
  rows.AddRun(recording, 4, absl::MakeSpan(bytes));
  std::string spikes, voltages;
  for (int copy = 0; copy < 2; ++copy) {
    for (int64_t i = recording.spike_offsets[copy]; i < recording.spike_offsets[copy + 1]; ++i) {
      io::AppendKey({copy, 4, recording.spike_ticks[i]}, &spikes);
      io::AppendValue(static_cast<int32_t>(recording.spike_gids[i]), &spikes);
    }
    for (int64_t sample = 0; sample < 100; ++sample) {  // every 0.1 ms of 10
      io::AppendKey({copy, 4, 600 + 4 * sample}, &voltages);
      for (int64_t site = 0; site < 3; ++site) {
        io::AppendValue(recording.series[0].values[(copy * 3 + site) * 100 + sample], &voltages);
      }
    }
  }
  EXPECT_FALSE(spikes.empty());
  EXPECT_TRUE(bytes[0] == spikes);
  EXPECT_TRUE(bytes[1] == voltages);
}

TEST(RunRowsTest, HaveAStreamForEverythingThatIsRecorded) {
  RecordingSelection selection;
  selection.series.resize(5);
  selection.series[0].sites = {{3, 1}, {8, 0}};
  selection.series[1].quantity = RecordedQuantity::kElectrodePotentialUv;
  selection.series[1].single_precision = true;
  selection.series[2].sites = {{4, 0}};
  selection.series[3].quantity = RecordedQuantity::kState;
  selection.series[3].state = "theta_s";
  selection.series[3].sites = {{4, 0}};
  selection.series[4].quantity = RecordedQuantity::kMembraneCurrentUa;
  selection.series[4].sites = {{4, 0}};
  const RunRows rows({selection}, {2, 60, 1, 1, 1}, 0.025);
  std::vector<std::string> names;
  for (const io::StreamSpec& stream : rows.streams()) names.push_back(stream.name);
  EXPECT_THAT(names,
              ElementsAre("spikes", "voltages", "voltages.labels", "potentials", "voltages.2",
                          "voltages.2.labels", "states.theta_s", "states.theta_s.labels",
                          "membrane_currents", "membrane_currents.labels"));
  EXPECT_TRUE(io::CheckStreams(rows.streams()).ok());
  EXPECT_EQ(rows.streams()[3].columns[3].type, io::ElementType::kFloat32);
  EXPECT_EQ(rows.streams()[3].columns[3].length, 60);
  EXPECT_EQ(rows.streams()[3].columns[3].unit, "uV");
  std::vector<std::string> bytes(rows.streams().size());
  rows.AddLabels(absl::MakeSpan(bytes));
  std::string labels;
  for (const int64_t value : {3, 1, 8, 0}) io::AppendValue(value, &labels);
  EXPECT_EQ(bytes[2], labels);
  EXPECT_TRUE(bytes[0].empty() && bytes[1].empty());
}

TEST(RunRowsTest, TellsWhoseThePotentialsAndTheLearnedWeightsAre) {
  RecordingSelection selection;
  selection.series.resize(3);
  selection.series[0].quantity = RecordedQuantity::kElectrodePotentialUv;
  selection.series[1].quantity = RecordedQuantity::kLearnedWeight;
  selection.series[2].quantity = RecordedQuantity::kElectrodePotentialUv;
  std::vector<sim::PlasticConnection> connections(2);
  connections[0] = {5, 1, 40, "NMDA", 0.0, 2.0};
  connections[1] = {6, 2, 41, "AMPA", 0.0, 2.0};
  RunChannels channels;
  channels.electrode_ids = {23, 87, 12};
  channels.connections = connections;
  const RunRows rows({selection}, {3, 2, 3}, 0.025, channels);
  std::vector<std::string> names;
  for (const io::StreamSpec& stream : rows.streams()) names.push_back(stream.name);
  EXPECT_THAT(names, ElementsAre("spikes", "potentials", "potentials.labels", "learned_weights",
                                 "learned_weights.labels", "potentials.2", "potentials.2.labels"));
  std::vector<std::string> columns;
  for (const io::Column& column : rows.streams()[4].columns) columns.push_back(column.name);
  EXPECT_THAT(columns, ElementsAre("source_gid", "target_gid", "syn_id"));
  std::vector<std::string> bytes(rows.streams().size());
  rows.AddLabels(absl::MakeSpan(bytes));
  std::string electrodes, learned;
  for (const int64_t value : {23, 87, 12}) io::AppendValue(value, &electrodes);
  for (const int64_t value : {5, 1, 40, 6, 2, 41}) io::AppendValue(value, &learned);
  EXPECT_EQ(bytes[2], electrodes);
  EXPECT_EQ(bytes[4], learned);
  EXPECT_EQ(bytes[6], electrodes);
}

TEST(RunRowsTest, TellsWhereElectrodesAndFibresAre) {
  RunChannels channels;
  channels.electrode_ids = {23, -5};
  channels.electrode_array.emplace();
  channels.electrode_array->electrodes = {{23, {1.5, 2.0, -3.0}}, {-5, {4.0, 5.0, 6.0}}};
  channels.electrode_array->output_radius_um = 40.0;
  channels.light_array.emplace();
  channels.light_array->fibers = {{7, {7.0, 8.0, 9.0}}};
  const RunRows rows({}, {}, 0.025, channels);
  ASSERT_EQ(rows.streams().size(), 3u);
  EXPECT_EQ(rows.streams()[1].name, "electrodes");
  EXPECT_EQ(rows.streams()[1].attributes.at("output_radius_um"), io::Attribute(40.0));
  EXPECT_EQ(rows.streams()[2].name, "fibers");
  std::vector<std::string> bytes(rows.streams().size());
  rows.AddLabels(absl::MakeSpan(bytes));
  const auto row = [](int32_t id, double x, double y, double z) {
    std::string out;
    io::AppendValue(id, &out);
    for (const double um : {x, y, z}) io::AppendValue(um, &out);
    return out;
  };
  EXPECT_EQ(bytes[1], row(23, 1.5, 2.0, -3.0) + row(-5, 4.0, 5.0, 6.0));
  EXPECT_EQ(bytes[2], row(7, 7.0, 8.0, 9.0));
}

TEST(RunRowsTest, WithoutSpikesThereIsNoStreamOfThem) {
  RecordingSelection selection;
  selection.spikes = false;
  selection.series.resize(1);
  selection.series[0].quantity = RecordedQuantity::kLearnedWeight;
  const RunRows rows({selection}, {5}, 0.025);
  ASSERT_EQ(rows.streams().size(), 1u);
  EXPECT_EQ(rows.streams()[0].name, "learned_weights");
}

// A copy that failed has rows up to then; the others have all of theirs.
TEST(RunRowsTest, WhatACopyDidNotLiveThroughHasNoRows) {
  RecordingSelection selection;
  selection.series.resize(1);
  selection.series[0].sites = {{0, 0}};
  selection.series[0].sample_dt_ms = 1.0;
  CultureRecording recording;
  recording.start_tick = 400;  // 10 ms
  recording.num_ticks = 160;
  recording.spike_offsets = {0, 0, 0};
  recording.failed_at_ms = {12.0, std::numeric_limits<double>::quiet_NaN()};
  recording.series.resize(1);
  recording.series[0].num_rows = 1;
  recording.series[0].num_samples = 4;
  recording.series[0].values = {1, 2, NAN, NAN, 5, 6, 7, 8};
  const RunRows rows({selection}, {1}, 0.025);
  std::vector<std::string> bytes(rows.streams().size());
  rows.AddRun(recording, 1, absl::MakeSpan(bytes));
  std::string wanted;
  const auto add = [&](int32_t copy, int64_t tick, double value) {
    io::AppendKey({copy, 1, tick}, &wanted);
    io::AppendValue(value, &wanted);
  };
  add(0, 400, 1), add(0, 440, 2);
  add(1, 400, 5), add(1, 440, 6), add(1, 480, 7), add(1, 520, 8);
  EXPECT_TRUE(bytes[1] == wanted);
}

}  // namespace
}  // namespace livnd::env
