#include "io/device/preset/device_presets.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/field_error.h"
#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/device/preset/device_text.h"
#include "io/testing/num_draws.h"

namespace livnd::io {
namespace {

using testing::_;
using testing::ElementsAre;
using testing::HasSubstr;

std::map<int32_t, PlanePoint> PlacesOf(const Device& device) {
  std::map<int32_t, PlanePoint> places;
  for (const Electrode& electrode : device.array.electrodes) {
    places[electrode.id] = electrode.position_um;
  }
  return places;
}

TEST(DevicePresetsTest, Mcs60HasNoCorners) {
  const Device device = Mcs60({1000.0, 2000.0, 5.0});
  EXPECT_TRUE(device.Validate().ok());
  const auto places = PlacesOf(device);
  ASSERT_EQ(places.size(), 60u);
  for (const int32_t id : {11, 18, 81, 88, 10, 19, 90}) EXPECT_EQ(places.count(id), 0u) << id;
  EXPECT_THAT(places.at(12), ElementsAre(300.0, 1500.0, 5.0));
  EXPECT_THAT(places.at(21), ElementsAre(500.0, 1300.0, 5.0));
  EXPECT_THAT(places.at(87), ElementsAre(1700.0, 2500.0, 5.0));
  // The third row of the second column.
  EXPECT_THAT(places.at(23), ElementsAre(500.0, 1700.0, 5.0));
  EXPECT_EQ(device.limits.max_amplitude_ua, std::nullopt);
  // 23 mC/cm2 on a disc of 30 um.
  EXPECT_NEAR(*device.limits.max_phase_charge_nc, 23e6 * std::acos(-1.0) * 15e-4 * 15e-4, 0.5);
}

TEST(DevicePresetsTest, MaxOneRoutesASubset) {
  const auto ids = MaxOneIds({/*first_column=*/10, /*first_row=*/20, /*num_columns=*/4,
                              /*num_rows=*/2, /*stride=*/3});
  ASSERT_TRUE(ids.ok()) << ids.status();
  EXPECT_THAT(*ids, ElementsAre(4410, 4413, 4416, 4419, 5070, 5073, 5076, 5079));
  const auto device = MaxOne({0.0, 0.0, 0.0}, *ids);
  ASSERT_TRUE(device.ok()) << device.status();
  ASSERT_EQ(device->array.electrodes.size(), 8u);
  const auto places = PlacesOf(*device);
  EXPECT_DOUBLE_EQ(places.at(4413)[0] - places.at(4410)[0], 3 * 17.5);
  EXPECT_DOUBLE_EQ(places.at(5070)[1] - places.at(4410)[1], 3 * 17.5);
  // The whole array: 3.85 x 2.10 mm with half a pitch around.
  const std::vector<int32_t> corners = {0, kMaxOneColumns * kMaxOneRows - 1};
  const auto extent = PlacesOf(*MaxOne({0.0, 0.0, 0.0}, corners));
  EXPECT_DOUBLE_EQ(extent.at(corners[1])[0] - extent.at(0)[0] + 17.5, 3850.0);
  EXPECT_DOUBLE_EQ(extent.at(corners[1])[1] - extent.at(0)[1] + 17.5, 2100.0);
}

TEST(DevicePresetsTest, MaxOneRefusesWhatItCannotRoute) {
  EXPECT_THAT(MaxOne({}, std::vector<int32_t>{}).status(),
              IsFieldError("routed", "0 electrodes", _));
  EXPECT_THAT(MaxOne({}, std::vector<int32_t>(1025, 1)).status(), IsFieldError("routed", _, _));
  EXPECT_THAT(MaxOne({}, {3, 3}).status(), IsFieldError("routed[1]", "3", _));
  EXPECT_THAT(MaxOne({}, {26400}).status(), IsFieldError("routed[0]", "26400", _));
  EXPECT_THAT(MaxOneIds({0, 0, 33, 32, 1}).status(), IsFieldError("num_rows", "32", "1 .. 31"));
  EXPECT_THAT(MaxOneIds({219, 0, 2, 1, 1}).status(), IsFieldError("num_columns", "2", "1 .. 1"));
  EXPECT_THAT(MaxOneIds({0, 0, 1, 1, 0}).status(), IsFieldError("stride", "0", _));
  EXPECT_THAT(MaxOneIds({0, -1, 1, 1, 1}).status(), IsFieldError("first_row", "-1", _));
}

TEST(DevicePresetsTest, Cl1CountsDownItsColumns) {
  const Device device = Cl1({0.0, 0.0, 0.0}, 100.0);
  EXPECT_TRUE(device.Validate().ok());
  const auto places = PlacesOf(device);
  ASSERT_EQ(places.size(), 64u);
  EXPECT_THAT(places.at(0), ElementsAre(-350.0, -350.0, 0.0));
  EXPECT_THAT(places.at(1), ElementsAre(-350.0, -250.0, 0.0));
  EXPECT_THAT(places.at(8), ElementsAre(-250.0, -350.0, 0.0));
  EXPECT_THAT(device.limits.record_only, ElementsAre(0, 4, 7, 56, 63));
  EXPECT_EQ(device.limits.max_amplitude_ua, 3.0);
}

TEST(DeviceTextTest, PresetsAndArraysOfOnesOwn) {
  const auto device = ParseDeviceText("device", R"(
preset: cl1
center_um: [800, 1600, 0]
pitch_um: 150
limits:
  max_amplitude_ua: 2.5
  max_pulse_rate_hz: null
  max_active_electrodes: 8
  only_balanced: true
  record_only: [0, 63]
)");
  ASSERT_TRUE(device.ok()) << device.status();
  EXPECT_DOUBLE_EQ(PlacesOf(*device).at(0)[0], 800.0 - 3.5 * 150.0);
  EXPECT_EQ(device->limits.max_amplitude_ua, 2.5);
  EXPECT_EQ(device->limits.max_phase_charge_nc, 3.0);
  EXPECT_EQ(device->limits.max_pulse_rate_hz, std::nullopt);
  EXPECT_EQ(device->limits.max_active_electrodes, 8);
  EXPECT_TRUE(device->limits.only_balanced);
  EXPECT_THAT(device->limits.record_only, ElementsAre(0, 63));

  const auto own = ParseDeviceText("device", R"(
array: {electrode_coordinates: [[7, 0, 0, 0], [3, 50, 0, 0]], output_radius: 80}
limits: {max_electrode_charge_nc: 10, time_grid_us: 25, max_phase_charge_nc: 1}
)");
  ASSERT_TRUE(own.ok()) << own.status();
  EXPECT_EQ(own->array.electrodes[1].id, 3);
  EXPECT_EQ(own->limits.max_electrode_charge_nc, 10.0);
  EXPECT_EQ(own->limits.time_grid_us, 25.0);

  EXPECT_TRUE(ParseDeviceText("device", "{preset: mcs_60}").ok());
  EXPECT_EQ(
      ParseDeviceText("device", "{preset: max_one, block: {stride: 3}}")->array.electrodes.size(),
      1024u);
  EXPECT_EQ(ParseDeviceText("device", "{preset: max_one, routed: [5, 6]}")->array.electrodes.size(),
            2u);
}

TEST(DeviceTextTest, ErrorsNameThePlace) {
  const auto error = [](absl::string_view text) { return ParseDeviceText("d", text).status(); };
  EXPECT_THAT(error("preset: mcs_61"),
              IsFileError("d", "preset", "\"mcs_61\"", "mcs_60, max_one, cl1"));
  EXPECT_THAT(error("{preset: mcs_60, pitch_um: 3}"),
              IsFileError("d", "pitch_um", "an unknown name", _));
  EXPECT_THAT(error("{preset: cl1, pitch_um: -3}"), IsFileError("d", "pitch_um", "-3", _));
  EXPECT_THAT(error("{preset: max_one}"), IsFileError("d", "routed", "absent", _));
  EXPECT_THAT(error("{preset: max_one, routed: [1], block: {}}"),
              IsFileError("d", "routed", "beside block", _));
  EXPECT_THAT(error("{preset: max_one, block: {num_columns: 100}}"),
              IsFileError("d", "block.num_rows", "32", "1 .. 10"));
  EXPECT_THAT(error("{preset: max_one, routed: [1, 1]}"), IsFileError("d", "routed[1]", "1", _));
  EXPECT_THAT(error("{preset: mcs_60, limits: {max_amplitude_ua: 0}}"),
              IsFileError("d", "limits.max_amplitude_ua", "0", _));
  EXPECT_THAT(error("{preset: mcs_60, limits: {max_amplitude_ma: 1}}"),
              IsFileError("d", "limits.max_amplitude_ma", "an unknown name", _));
  EXPECT_THAT(error("{preset: mcs_60, limits: {record_only: [11]}}"),
              IsFileError("d", "limits.record_only[0]", "11", "an id of the array"));
  EXPECT_THAT(error("{array: {electrode_coordinates: []}}"),
              IsFileError("d", HasSubstr("array"), _, _));
  EXPECT_THAT(error("{}"), IsFileError("d", "array", "absent", _));
}

// An array is no place further out than electrodes that are given one by one.
TEST(DeviceTextTest, ElectrodesAreWithinAKilometre) {
  const auto error = [](absl::string_view text) { return ParseDeviceText("d", text).status(); };
  const std::string takes = "what has each electrode at -1e+09 .. 1e+09 (um)";
  EXPECT_THAT(error("{preset: mcs_60, center_um: [0, 1e300, 0]}"),
              IsFileError("d", "center_um[1]", "1e+300", takes));
  EXPECT_THAT(error("{preset: max_one, block: {}, center_um: [0, 0, -1.1e9]}"),
              IsFileError("d", "center_um[2]", "-1.1e+09", takes));
  // The middle is there, and half of the electrodes are not.
  EXPECT_THAT(error("{preset: cl1, center_um: [1e9, 0, 0]}"),
              IsFileError("d", "center_um[0]", "1e+09", takes));
  EXPECT_TRUE(error("{preset: cl1, center_um: [9.9e8, -9.9e8, 1e9]}").ok());
  EXPECT_THAT(
      error("{array: {electrode_coordinates: [[0, 5, 1e300, 0]]}}"),
      IsFileError("d", "array.electrode_coordinates[0][2]", "1e+300", "-1e+09 .. 1e+09 (um)"));
  EXPECT_TRUE(error("{array: {electrode_coordinates: [[0, -1e9, 1e9, 0]]}}").ok());
}

TEST(DeviceTextTest, AnyTextIsRefusedOrValid) {
  const std::string kDevice =
      "preset: max_one\ncenter_um: [800, 1600, 0]\nrouted: [110, 111, 9000]\n"
      "limits: {max_amplitude_ua: 50, record_only: [110], only_balanced: true, "
      "max_active_electrodes: 3}\n";
  const std::vector<std::string> pieces = {"-3",
                                           "1e300",
                                           ".nan",
                                           "null",
                                           "[]",
                                           "{}",
                                           "'x'",
                                           "\n",
                                           ": ",
                                           "max_one",
                                           "cl1",
                                           "mcs_60",
                                           "[",
                                           "}",
                                           "true",
                                           "\"",
                                           "99999999999999",
                                           "block: {stride: 2}"};
  std::mt19937_64 random(9);
  int num_valid = 0;
  const int num_draws = NumDraws("LIVND_PLAN_DRAWS", 10'000);
  for (int i = 0; i < num_draws; ++i) {
    std::string text = kDevice;
    for (uint64_t k = 0, n = 1 + random() % 2; k < n; ++k) {
      const size_t at = random() % text.size();
      const size_t length = std::min<size_t>(random() % 10, text.size() - at);
      text.replace(at, length, random() % 4 == 0 ? "" : pieces[random() % pieces.size()]);
    }
    const auto device = ParseDeviceText("d", text);
    if (device.ok()) {
      ++num_valid;
      ASSERT_TRUE(device->Validate().ok()) << text;
    } else {
      ASSERT_TRUE(FieldErrorOf(device.status()).has_value()) << device.status() << "\n" << text;
    }
  }
  EXPECT_GT(num_valid, 100);
}

}  // namespace
}  // namespace livnd::io
