// What livn 2.0.0's electrode array computes, with its numbers.

#include "io/device/electrode_array.h"

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/field_error.h"
#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/device/electrode_array_json.h"

namespace livnd::io {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pointwise;

// Relative tolerance of the conformance cases.
MATCHER(IsClose, "") {
  const double expected = std::get<1>(arg);
  return std::abs(std::get<0>(arg) - expected) <= 1e-6 * std::abs(expected) + 1e-12;
}

ElectrodeArray MakeArray(const std::vector<Point>& places, double output_radius_um = 250,
                         std::vector<int32_t> ids = {}) {
  ElectrodeArrayConfig config;
  for (size_t i = 0; i < places.size(); ++i) {
    config.electrodes.push_back({ids.empty() ? static_cast<int32_t>(i) : ids[i], places[i]});
  }
  config.output_radius_um = output_radius_um;
  return *ElectrodeArray::Create(std::move(config));
}

// The device and the cells of the tests of reach; the cells' gids are 10, 11 and 12.
ElectrodeArray TwoElectrodes(double output_radius_um = 250) {
  return MakeArray({{0, 0, 0}, {100, 0, 0}}, output_radius_um);
}
const std::vector<Point> kCells = {{0, 0, 0}, {50, 0, 0}, {300, 400, 0}};

TEST(ElectrodeArrayTest, Distances) {
  const ElectrodeArray array = MakeArray({{0, 0, 0}, {1, 0, 0}, {0, 1, 0}});
  const std::vector<Point> cells = {{0, 0, 0}, {1, 1, 1}};
  EXPECT_THAT(array.Distances(cells),
              Pointwise(IsClose(), {0.0, 1.7320508075688772, 1.0, 1.4142135623730951, 1.0,
                                    1.4142135623730951}));
}

TEST(ElectrodeArrayTest, ReachIncludesItsBoundary) {
  const ElectrodeArray array =
      MakeArray({{100, 0, 0}, {0, 200, 0}, {0, 0, 500}}, /*output_radius_um=*/500);
  const std::vector<Point> cells = {{0, 0, 0}, {0, 600, 0}};
  EXPECT_THAT(array.CellsInReach(cells),
              ElementsAre(ElementsAre(0), ElementsAre(0, 1), ElementsAre(0)));
}

TEST(ElectrodeArrayTest, StimulusSumsCommandsTimesGains) {
  const std::vector<double> gains = {.5, 0, 0, .6, .7, 0};  // 3 electrodes, 2 points
  const auto first = CellStimulus({.1, .2, .3, .4, .5, .6}, gains, 3);
  ASSERT_TRUE(first.ok());
  EXPECT_THAT(*first, Pointwise(IsClose(), {.26, .12, .62, .30}));
  const auto second = CellStimulus({.7, .8, .9, 1, 1.1, 1.2}, gains, 3);
  ASSERT_TRUE(second.ok());
  EXPECT_THAT(*second, Pointwise(IsClose(), {.98, .48, 1.34, .66}));
}

TEST(ElectrodeArrayTest, SizesMustFit) {
  EXPECT_FALSE(CellStimulus({1, 2, 3}, {1, 2}, 2).ok());
  EXPECT_FALSE(CellStimulus({1, 2}, {1, 2, 3}, 2).ok());
  EXPECT_FALSE(ElectrodePotentials({1, 2, 3}, {1, 2}, 2).ok());
  EXPECT_FALSE(ElectrodePotentials({1, 2}, {1, 2, 3}, 2).ok());
  EXPECT_FALSE(AssignSpikes({{1}}, {1, 1}, {0.5}).ok());
}

TEST(ElectrodeArrayTest, SpikesGoToEveryElectrodeOfTheirCell) {
  const std::vector<std::vector<uint32_t>> cells = {{1}, {0, 2}, {3}};
  const auto spikes = AssignSpikes(cells, {0, 0, 1, 2}, {.1, .2, .3, .4});
  ASSERT_TRUE(spikes.ok());
  ASSERT_EQ(spikes->size(), 3u);
  EXPECT_THAT((*spikes)[0].gids, ElementsAre(1));
  EXPECT_THAT((*spikes)[0].times_ms, ElementsAre(.3));
  EXPECT_THAT((*spikes)[1].gids, ElementsAre(0, 0, 2));
  EXPECT_THAT((*spikes)[1].times_ms, ElementsAre(.1, .2, .4));
  EXPECT_THAT((*spikes)[2].gids, IsEmpty());
}

TEST(ElectrodeArrayTest, PotentialsSumOverCells) {
  const ElectrodeArray array = MakeArray({{0, 0, 0}}, /*output_radius_um=*/2000);
  const auto gains = array.RecordingGains({{0, 0, 0}, {1000, 0, 0}});
  const auto potentials = ElectrodePotentials(gains, {1, 2, 1, 2}, 2);
  ASSERT_TRUE(potentials.ok());
  EXPECT_THAT(*potentials, Pointwise(IsClose(), {53315.58624305, 106631.1724861}));
}

TEST(ElectrodeArrayTest, PotentialsStopAtTheOutputRadius) {
  const ElectrodeArray array = MakeArray({{0, 0, 0}}, /*output_radius_um=*/10);
  const auto gains = array.RecordingGains({{0, 0, 0}, {1000, 0, 0}});
  const auto potentials = ElectrodePotentials(gains, {1, 1}, 2);
  ASSERT_TRUE(potentials.ok());
  EXPECT_THAT(*potentials, Pointwise(IsClose(), {53051.64769729845}));
}

TEST(ElectrodeArrayTest, StimulationReach) {
  EXPECT_THAT(TwoElectrodes().StimulationGains(kCells),
              Pointwise(IsClose(), {5.335497577070286, 3.85314216463561, 0.5540310153016464,
                                    2.4690465890765685, 3.85314216463561, 0.618592323}));
}

TEST(ElectrodeArrayTest, StimulusInMillivolts) {
  const auto gains = TwoElectrodes().StimulationGains(kCells);
  const auto stimulus = CellStimulus({1, 0, 0, -2, 1, 1}, gains, 2);
  ASSERT_TRUE(stimulus.ok());
  EXPECT_THAT(*stimulus,
              Pointwise(IsClose(), {5.335497577070286, 3.85314216463561, .5540310153016464,
                                    -4.938093178153137, -7.70628432927122, -1.237184646,
                                    7.804544166146855, 7.70628432927122, 1.172623338}));
}

TEST(ElectrodeArrayTest, PotentialsInMicrovolts) {
  const auto gains = TwoElectrodes(60).RecordingGains(kCells);
  const auto potentials = ElectrodePotentials(gains, {1e-3, 2e-3, 1e-3, 0, 5, 5}, 3);
  ASSERT_TRUE(potentials.ok());
  EXPECT_THAT(*potentials,
              Pointwise(IsClose(), {57.87452476, 106.1032954, 4.822877063390769, 0.0}));
}

TEST(ElectrodeArrayTest, SpikesByReach) {
  std::vector<std::vector<uint32_t>> cells = TwoElectrodes(60).CellsInReach(kCells);
  for (auto& list : cells) {
    for (uint32_t& gid : list) gid += 10;
  }
  const auto spikes = AssignSpikes(cells, {10, 11, 11, 12}, {1, 2, 3, 4});
  ASSERT_TRUE(spikes.ok());
  EXPECT_THAT((*spikes)[0].gids, ElementsAre(10, 11, 11));
  EXPECT_THAT((*spikes)[0].times_ms, ElementsAre(1, 2, 3));
  EXPECT_THAT((*spikes)[1].gids, ElementsAre(11, 11));
  EXPECT_THAT((*spikes)[1].times_ms, ElementsAre(2, 3));
}

TEST(ElectrodeArrayTest, TwoCompartmentsPerCell) {
  const ElectrodeArray array = MakeArray({{0, 0, 0}});
  const auto gains = array.StimulationGains({{0, 0, 0}, {108, 0, 0}, {50, 0, 0}, {158, 0, 0}});
  const auto stimulus = CellStimulus({1.5}, gains, 1);
  ASSERT_TRUE(stimulus.ok());
  EXPECT_THAT(*stimulus,
              Pointwise(IsClose(), {8.003246366, 3.482844888, 5.779713247, 2.510705672}));
}

TEST(ElectrodeArrayTest, CommandsFollowTheDeclaredOrder) {
  // livn maps commands by sorted id and so drives the wrong electrode.
  const ElectrodeArray array = MakeArray({{0, 0, 0}, {100, 0, 0}}, 250, {5, 2});
  EXPECT_THAT(array.ids(), ElementsAre(5, 2));
  EXPECT_EQ(array.Find(2), 1);
  EXPECT_EQ(array.Find(3), -1);
  const auto stimulus = CellStimulus({1, 0}, array.StimulationGains({{0, 0, 0}}), 2);
  ASSERT_TRUE(stimulus.ok());
  EXPECT_THAT(*stimulus, ElementsAre(DoubleNear(5.335497577070286, 1e-12)));
}

TEST(ElectrodeArrayTest, GainTable) {
  const ElectrodeArray array = MakeArray({{0, 0, 0}}, 1000);
  const std::vector<Point> points = {{0, 0, 0},   {5, 0, 0},   {10, 0, 0},  {50, 0, 0},
                                     {100, 0, 0}, {250, 0, 0}, {500, 0, 0}, {1000, 0, 0}};
  EXPECT_THAT(array.RecordingGains(points),
              Pointwise(IsClose(), {53051.64769729845, 26525.823848649226, 17683.88256576615,
                                    4822.877063390769, 2526.268937966593, 1040.2283862215384,
                                    525.2638385871134, 263.93854575770376}));
  EXPECT_THAT(array.StimulationGains(points),
              Pointwise(IsClose(), {5.335497577070286, 5.311189944607171, 5.240213169553244,
                                    3.85314216463561, 2.4690465890765685, 1.090563947536671,
                                    0.5540310153016464, 0.2781424391589816}));
}

TEST(ElectrodeArrayTest, ConductorParametersByName) {
  const ElectrodeArray array = TwoElectrodes();
  const auto changed = array.WithConductorParameter("stimulation_gain", 2);
  ASSERT_TRUE(changed.ok());
  EXPECT_DOUBLE_EQ(changed->StimulationGains({{0, 0, 0}})[0], 2);
  EXPECT_DOUBLE_EQ(array.StimulationGains({{0, 0, 0}})[0], 5.335497577070286);
  const absl::Status unknown = array.WithConductorParameter("nope", 1).status();
  EXPECT_THAT(unknown, IsFieldError("nope", kUnknownName,
                                    "stimulation_gain, recording_gain, min_distance_um, "
                                    "electrode_radius_um, culture_height_um"));
  EXPECT_THAT(array.WithConductorParameter("min_distance_um", 0).status(),
              IsFieldError("min_distance_um", "0", "a number > 0"));
  EXPECT_THAT(array.WithConductorParameter("recording_gain", -1).status(),
              IsFieldError("recording_gain", "-1", "a finite number >= 0"));
}

TEST(ElectrodeArrayTest, RefusesWhatIsNoArray) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  ElectrodeArrayConfig good;
  good.electrodes = {{0, {0, 0, 0}}, {1, {1, 0, 0}}};
  EXPECT_TRUE(ElectrodeArray::Create(good).ok());

  ElectrodeArrayConfig config;
  EXPECT_FALSE(ElectrodeArray::Create(config).ok());
  config = good;
  config.electrodes[1].id = 0;
  EXPECT_THAT(ElectrodeArray::Create(config).status(),
              IsFieldError("electrode_coordinates[1][0]", "0 for the second time", "each id once"));
  config = good;
  config.electrodes[1].position_um[2] = nan;
  EXPECT_FALSE(ElectrodeArray::Create(config).ok());
  config = good;
  config.output_radius_um = -1;
  EXPECT_THAT(ElectrodeArray::Create(config).status(),
              IsFieldError("output_radius", "-1", HasSubstr(">= 0")));
  config = good;
  config.input_radius_um = nan;
  EXPECT_FALSE(ElectrodeArray::Create(config).ok());
  config = good;
  config.conductor.culture_height_um = config.conductor.electrode_radius_um = 0;
  EXPECT_FALSE(ElectrodeArray::Create(config).ok());
}

constexpr char kMeaJson[] = R"({
    "electrode_coordinates": [[5.0, 0.5, 0, 175], [2, 100, 0, 175]],
    "input_radius": 50, "output_radius": 80,
    "volume_conductor": {"stimulation_gain": 2.0, "culture_height_um": 40}})";

absl::StatusOr<ElectrodeArrayConfig> Parse(absl::string_view text) {
  const absl::StatusOr<Json> json = ParseJson("mea.json", text);
  if (!json.ok()) return json.status();
  return ParseElectrodeArray(JsonView(*json, "mea.json"));
}

TEST(ElectrodeArrayJsonTest, RoundTrips) {
  const auto config = Parse(kMeaJson);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->electrodes[0].id, 5);
  EXPECT_EQ(config->electrodes[1].position_um[0], 100);
  EXPECT_EQ(config->conductor.stimulation_gain, 2);
  EXPECT_EQ(config->conductor.min_distance_um, 5);
  const Json json = ElectrodeArrayToJson(*config);
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  EXPECT_THAT(keys, ElementsAre("electrode_coordinates", "input_radius", "output_radius",
                                "volume_conductor"));
  EXPECT_EQ(json["volume_conductor"].size(), 5u);
  const auto again = Parse(json.dump());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(ElectrodeArrayToJson(*again), json);
}

TEST(ElectrodeArrayJsonTest, OnlyTheElectrodesAreRequired) {
  const auto config = Parse(R"({"electrode_coordinates": [[0, 1, 2, 3]]})");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->input_radius_um, 250);
  EXPECT_EQ(config->output_radius_um, 250);
  EXPECT_FALSE(Parse(R"({"input_radius": 1})").ok());
}

TEST(ElectrodeArrayJsonTest, ErrorsSayWhere) {
  const struct {
    const char *text, *field, *value, *accepted;
  } kCases[] = {
      {R"({"electrode_coordinates": [[0, 1, 2, "x"]]})", "electrode_coordinates[0][3]", "\"x\"",
       "a number"},
      {R"({"electrode_coordinates": [[0.5, 1, 2, 3]]})", "electrode_coordinates[0][0]", "0.5",
       "an integer"},
      {R"({"electrode_coordinates": [[0, 1, 2]]})", "electrode_coordinates[0]",
       "an array of 3 elements", "an array of 4 elements"},
      {R"({"electrode_coordinates": [[0, 1, 2, 3]], "radius": 3})", "radius", kUnknownName,
       "input_radius"},
      {R"({"electrode_coordinates": [[0, 1, 2, 3]], "volume_conductor": {"gain": 3}})",
       "volume_conductor.gain", kUnknownName, "stimulation_gain"},
      {R"({"electrode_coordinates": [[0, 1, 2, 3]], "volume_conductor": {"recording_gain": -3}})",
       "volume_conductor.recording_gain", "-3", ">= 0"},
      {R"({"electrode_coordinates": [[0, 1, 2, 3], [0, 1, 2, 4]]})", "electrode_coordinates[1][0]",
       "0 for the second time", "once"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(Parse(c.text).status(),
                IsFileError("mea.json", c.field, c.value, HasSubstr(c.accepted)));
  }
}

}  // namespace
}  // namespace livnd::io
