#include "io/device/light_array.h"

#include <cmath>
#include <string>
#include <vector>

#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/device/composed_device.h"
#include "io/device/light_array_json.h"

namespace livnd::io {
namespace {

using testing::_;
using testing::DoubleNear;
using testing::ElementsAre;
using testing::Pointwise;

MATCHER(IsClose, "") {
  const double expected = std::get<1>(arg);
  return std::abs(std::get<0>(arg) - expected) <= 1e-14 * std::abs(expected);
}

const std::vector<Point> kCells = {{0, 0, 0}, {200, 0, 0}, {100, 100, 50}, {0, 0, -100}};

LightArrayConfig TwoFibers() {
  LightArrayConfig config;
  config.fibers = {{7, {0, 0, -100}}, {3, {200, 0, -100}}};
  return config;
}

TEST(LightArrayTest, IrradianceIsLivns) {
  const LightArray array = *LightArray::Create(TwoFibers());
  EXPECT_THAT(array.IrradianceGains(kCells),
              Pointwise(IsClose(), {0.008790573095152713, 0.00220181885994269, 0.002184852519598834,
                                    0.04359547347713519, 0.00220181885994269, 0.008790573095152713,
                                    0.002184852519598834, 0.004641108904081198}));
  EXPECT_THAT(array.ids(), ElementsAre(7, 3));
}

TEST(LightArrayTest, PhotonsAreThoseOfTheArraysWavelength) {
  EXPECT_DOUBLE_EQ(PhotonFluxPerIrradiance(473.0), 2379515041754703.5);
  EXPECT_DOUBLE_EQ(5.0 * PhotonFluxPerIrradiance(561.0), 1.4111077573196498e16);
  LightArrayConfig config = TwoFibers();
  config.wavelength_nm = 561.0;
  const LightArray array = *LightArray::Create(config);
  EXPECT_DOUBLE_EQ(array.PhotonFluxGains(kCells)[0],
                   array.IrradianceGains(kCells)[0] * PhotonFluxPerIrradiance(561.0));
}

TEST(LightArrayTest, JsonIsLivnsAndReadBack) {
  const Json json = LightArrayToJson(TwoFibers());
  EXPECT_EQ(json.dump(),
            R"({"fiber_coordinates":[[7.0,0.0,0.0,-100.0],[3.0,200.0,0.0,-100.0]],)"
            R"("numerical_aperture":0.37,"fiber_radius_um":100.0,"wavelength_nm":473.0,)"
            R"("scattering_coefficient":11.2})");
  const auto config = ParseLightArray(JsonView(json, "lightarray.json"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(LightArrayToJson(*config), json);
}

TEST(LightArrayTest, ErrorsNameThePlace) {
  const auto error = [](const std::string& text) {
    const Json json = Json::parse(text);
    return ParseLightArray(JsonView(json, "l.json")).status();
  };
  EXPECT_THAT(error("{}"), IsFileError("l.json", "fiber_coordinates", "absent", _));
  EXPECT_THAT(error(R"({"fiber_coordinates": []})"),
              IsFileError("l.json", "fiber_coordinates", "0 fibres", "1 to 65536"));
  EXPECT_THAT(error(R"({"fiber_coordinates": [[0, 1, 2]]})"),
              IsFileError("l.json", "fiber_coordinates[0]", _, _));
  EXPECT_THAT(error(R"({"fiber_coordinates": [[0, 1, 2, 3], [0, 1, 2, 3]]})"),
              IsFileError("l.json", "fiber_coordinates[1][0]", "0 for the second time", _));
  EXPECT_THAT(error(R"({"fiber_coordinates": [[0, 1, 2, 3]], "numerical_aperture": 0})"),
              IsFileError("l.json", "numerical_aperture", "0", "a number > 0 up to 1.36"));
  EXPECT_THAT(error(R"({"fiber_coordinates": [[0, 1, 2, 3]], "scattering_coefficient": -1})"),
              IsFileError("l.json", "scattering_coefficient", "-1", _));
  EXPECT_THAT(error(R"({"fiber_coordinates": [[0, 1, 2, 3]], "wavelength": 473})"),
              IsFileError("l.json", "wavelength", "an unknown name", _));
  LightArrayConfig config = TwoFibers();
  config.fibers[1].position_um[2] = std::nan("");
  EXPECT_THAT(LightArray::Create(config).status(),
              IsFieldError("fiber_coordinates[1][3]", "nan", "-1e+09 .. 1e+09 (um)"));
  config.fibers[1].position_um[2] = 1e300;
  EXPECT_THAT(config.Validate(),
              IsFieldError("fiber_coordinates[1][3]", "1e+300", "-1e+09 .. 1e+09 (um)"));
}

TEST(ComposedDeviceTest, EachSideHasItsOwnChannels) {
  ElectrodeArrayConfig electrodes;
  electrodes.electrodes = {{0, {0, 0, 0}}, {1, {100, 0, 0}}, {2, {200, 0, 0}}};
  const ElectrodeArray array = *ElectrodeArray::Create(electrodes);
  const ComposedDevice light(*LightArray::Create(TwoFibers()), array);
  EXPECT_THAT(light.input_ids(), ElementsAre(7, 3));
  EXPECT_EQ(light.input_unit(), "mW");
  EXPECT_EQ(light.InputGains(kCells), LightArray::Create(TwoFibers())->IrradianceGains(kCells));
  EXPECT_EQ(light.output().num_electrodes(), 3u);

  const ComposedDevice current(array, array);
  EXPECT_EQ(current.input_unit(), "uA");
  EXPECT_EQ(current.InputGains(kCells), array.StimulationGains(kCells));
}

}  // namespace
}  // namespace livnd::io
