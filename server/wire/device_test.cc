#include "server/wire/device.h"

#include <string>
#include <vector>

#include "base/field_error.h"
#include "gtest/gtest.h"
#include "io/device/preset/device_text.h"
#include "server/testing/tensors.h"
#include "server/wire/errors.h"
#include "server/wire/tensor.h"

namespace livnd::server {
namespace {

v1::Tensor Rows(const std::vector<double>& numbers) {
  return MakeTensor<double>(v1::DATA_TYPE_FLOAT64, {static_cast<int64_t>(numbers.size() / 4), 4},
                            numbers);
}

void ExpectSame(const io::Device& a, const io::Device& b) {
  v1::Device one, other;
  EncodeDevice(a, &one);
  EncodeDevice(b, &other);
  EXPECT_EQ(one.SerializeAsString(), other.SerializeAsString());
}

TEST(DeviceTest, PresetsAreThoseOfText) {
  v1::Device message;
  message.set_preset("max_one");
  *message.mutable_center_um() = MakeTensor<double>(v1::DATA_TYPE_FLOAT64, {3}, {800, 1600, 0});
  message.mutable_block()->set_first_column(90);
  message.mutable_block()->set_num_columns(4);
  message.mutable_block()->set_stride(2);
  message.mutable_limits()->set_max_amplitude_ua(50);
  message.mutable_limits()->add_lifted("time_grid_us");
  const auto parsed = ParseDevice("device", message);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const auto text = io::ParseDeviceText("device", R"(
preset: max_one
center_um: [800, 1600, 0]
block: {first_column: 90, num_columns: 4, stride: 2}
limits: {max_amplitude_ua: 50, time_grid_us: null}
)");
  ASSERT_TRUE(text.ok()) << text.status();
  ExpectSame(*parsed, *text);
  EXPECT_EQ(parsed->limits.time_grid_us, std::nullopt);
  EXPECT_EQ(parsed->limits.max_active_electrodes, 32);
}

TEST(DeviceTest, IsTheSameThereAndBack) {
  for (const char* preset : {"mcs_60", "cl1"}) {
    v1::Device message, encoded;
    message.set_preset(preset);
    const auto device = ParseDevice("device", message);
    ASSERT_TRUE(device.ok()) << device.status();
    EncodeDevice(*device, &encoded);
    const auto again = ParseDevice("device", encoded);
    ASSERT_TRUE(again.ok()) << again.status();
    ExpectSame(*again, *device);
    EXPECT_TRUE(again->limits.any());
  }
}

TEST(DeviceTest, BadOnesNameTheirField) {
  const auto field_of = [](auto change) {
    v1::Device bad;
    *bad.mutable_array()->mutable_electrode_coordinates() = Rows({1, 0, 0, 0, 2, 10, 0, 0});
    change(&bad);
    // Of the wire, or of the field error that becomes one.
    const absl::Status status = ParseDevice("device", bad).status();
    EXPECT_FALSE(status.ok());
    const std::string field = MetadataOf(status, "field");
    const auto error = FieldErrorOf(status);
    return error.has_value() ? error->field : field;
  };
  using Message = v1::Device;
  EXPECT_EQ(field_of([](Message* m) { m->clear_array(); }), "device.preset");
  EXPECT_EQ(field_of([](Message* m) { m->set_preset("mcs_60"); }), "device.array");
  EXPECT_EQ(field_of([](Message* m) {
              m->clear_array();
              m->set_preset("mcs60");
            }),
            "device.preset");
  EXPECT_EQ(field_of([](Message* m) {
              *m->mutable_array()->mutable_electrode_coordinates() = Rows({1.5, 0, 0, 0});
            }),
            "device.array.electrode_coordinates[0][0]");
  EXPECT_EQ(
      field_of([](Message* m) {
        *m->mutable_array()->mutable_electrode_coordinates() = Rows({1, 0, 0, 0, 1, 10, 0, 0});
      }),
      "device.array.electrode_coordinates[1][0]");
  EXPECT_EQ(field_of([](Message* m) { m->mutable_array()->set_output_radius(-1); }),
            "device.array.output_radius");
  EXPECT_EQ(field_of([](Message* m) { m->add_routed(3); }), "device.routed");
  EXPECT_EQ(field_of([](Message* m) { m->mutable_limits()->set_max_amplitude_ua(-1); }),
            "device.limits.max_amplitude_ua");
  EXPECT_EQ(field_of([](Message* m) { m->mutable_limits()->add_record_only(9); }),
            "device.limits.record_only[0]");
  EXPECT_EQ(field_of([](Message* m) { m->mutable_limits()->add_lifted("nonsense"); }),
            "device.limits.lifted[0]");
  EXPECT_EQ(field_of([](Message* m) {
              *m->mutable_center_um() = MakeTensor<double>(v1::DATA_TYPE_FLOAT64, {2}, {1, 2});
            }),
            "device.center_um.shape");
}

TEST(LightArrayTest, IsTheSameThereAndBack) {
  v1::LightArray message, encoded;
  *message.mutable_fiber_coordinates() = Rows({3, 10, 20, 30});
  message.set_numerical_aperture(0.22);
  auto array = ParseLightArray("light_array", message);
  ASSERT_TRUE(array.ok()) << array.status();
  EXPECT_EQ(array->fibers[0].id, 3);
  EXPECT_EQ(array->numerical_aperture, 0.22);
  EXPECT_EQ(array->wavelength_nm, 473.0);
  EncodeLightArray(*array, &encoded);
  const auto again = ParseLightArray("light_array", encoded);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->fibers[0].position_um, array->fibers[0].position_um);
  EXPECT_EQ(again->numerical_aperture, 0.22);
  message.set_numerical_aperture(2.0);
  array = ParseLightArray("light_array", message);
  EXPECT_EQ(FieldErrorOf(array.status())->field, "light_array.numerical_aperture");
}

}  // namespace
}  // namespace livnd::server
