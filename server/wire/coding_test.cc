#include "server/wire/coding.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "io/decoding/catalog.h"
#include "io/encoding/catalog.h"
#include "server/testing/tensors.h"
#include "server/wire/errors.h"
#include "server/wire/tensor.h"

namespace livnd::server {
namespace {

v1::CodingField* Add(v1::DecodingSelection* message, const char* name) {
  v1::CodingField* field = message->add_fields();
  field->set_name(name);
  return field;
}

TEST(CodingTest, FieldsOfEveryKindAreTheSameThereAndBack) {
  v1::DecodingSelection message;
  message.set_name("van_rossum");
  message.set_units(v1::DECODING_UNITS_CELLS);
  message.set_sample_dt_ms(0.2);
  Add(&message, "tau_ms")->set_number(12.5);
  Add(&message, "matrix")->set_flag(true);
  Add(&message, "count")->set_word("runs");
  *Add(&message, "onsets_ms")->mutable_numbers() =
      MakeTensor<double>(v1::DATA_TYPE_FLOAT64, {2}, {1, 2});
  v1::NumberLists* lists = Add(&message, "reference_ms")->mutable_lists();
  *lists->mutable_offsets() = MakeTensor<int64_t>(v1::DATA_TYPE_INT64, {3}, {0, 2, 3});
  *lists->mutable_values() = MakeTensor<double>(v1::DATA_TYPE_FLOAT64, {3}, {1, 2, 5});
  const auto selection = ParseDecoding("d", message);
  ASSERT_TRUE(selection.ok()) << selection.status();
  EXPECT_EQ(selection->spec.fields().json().dump(),
            R"({"name":"van_rossum","tau_ms":12.5,"matrix":true,"count":"runs",)"
            R"("onsets_ms":[1.0,2.0],"reference_ms":[[1.0,2.0],[5.0]]})");
  v1::DecodingSelection encoded;
  EncodeDecoding(*selection, &encoded);
  EXPECT_EQ(encoded.SerializeAsString(), message.SerializeAsString());
}

TEST(CodingTest, BadFieldsAreNamed) {
  v1::DecodingSelection message;
  message.set_name("spike_counts");
  const auto field_of = [&] {
    const absl::Status status = ParseDecoding("recording.decodings[0]", message).status();
    EXPECT_EQ(ReasonOf(status), reason::kInvalidField) << status;
    return MetadataOf(status, "field");
  };
  Add(&message, "bin_ms");
  EXPECT_EQ(field_of(), "recording.decodings[0].bin_ms");
  message.mutable_fields(0)->set_number(1);
  Add(&message, "bin_ms")->set_number(2);
  EXPECT_EQ(field_of(), "recording.decodings[0].bin_ms");
  message.clear_fields();
  *Add(&message, "x")->mutable_lists()->mutable_offsets() =
      MakeTensor<int64_t>(v1::DATA_TYPE_INT64, {2}, {0, 9});
  *message.mutable_fields(0)->mutable_lists()->mutable_values() =
      MakeTensor<double>(v1::DATA_TYPE_FLOAT64, {1}, {1});
  EXPECT_EQ(field_of(), "recording.decodings[0].x.lists.offsets");
  message.clear_fields();
  message.set_units(static_cast<v1::DecodingUnits>(7));
  EXPECT_EQ(field_of(), "recording.decodings[0].units");
}

TEST(CodingTest, AnEncodingWithoutANameIsNone) {
  v1::EncodingSelection message;
  auto selection = ParseEncoding("encoding", message);
  ASSERT_TRUE(selection.ok()) << selection.status();
  EXPECT_FALSE(selection->has_value());
  message.set_name("rate");
  message.set_step_ms(25);
  selection = ParseEncoding("encoding", message);
  ASSERT_TRUE(selection.ok() && selection->has_value());
  EXPECT_EQ((*selection)->spec.name(), "rate");
  EXPECT_EQ((*selection)->step_ms, 25.0);
}

TEST(CodingTest, FeaturesAreOfCopiesStepsAndInputs) {
  auto features = ParseFeatures(
      "features", MakeTensor<float>(v1::DATA_TYPE_FLOAT32, {2, 3, 1}, {1, 2, 3, 4, 5, 6}), 2);
  ASSERT_TRUE(features.ok()) << features.status();
  EXPECT_EQ(features->num_steps, 3);
  EXPECT_EQ(features->values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{2, 3}, {1, 6, 1}, {2, int64_t{1} << 62, 1}, {2, 3, -1}, {2, 3, 2}}) {
    const absl::Status status =
        ParseFeatures("features",
                      MakeTensor<float>(v1::DATA_TYPE_FLOAT32, shape, {1, 2, 3, 4, 5, 6}), 2)
            .status();
    EXPECT_EQ(MetadataOf(status, "field"), "features.shape") << status;
  }
}

TEST(CodingTest, DecodedValuesAreATensorAnOutput) {
  env::Decoded decoded;
  decoded.name = "d";
  decoded.outputs = {{"a", "Hz", {2}, ""}, {"b", "1", {}, ""}};
  decoded.values = {1, 2, 3, 4, 5, 6};
  v1::DecodedValues message;
  EncodeDecoded(decoded, 2, &message);
  ASSERT_EQ(message.values_size(), 2);
  EXPECT_EQ(message.values(0).unit(), "Hz");
  EXPECT_EQ(Values<double>(message.values(0).values()), (std::vector<double>{1, 2, 4, 5}));
  EXPECT_EQ(message.values(0).values().shape_size(), 2);
  EXPECT_EQ(Values<double>(message.values(1).values()), (std::vector<double>{3, 6}));
  EXPECT_EQ(message.values(1).values().shape_size(), 1);
}

TEST(CodingTest, AllAreListed) {
  v1::ListCodingsResponse response;
  EncodeCodings(&response);
  ASSERT_EQ(response.decodings_size(), static_cast<int>(io::Decodings().size()));
  ASSERT_EQ(response.encodings_size(), static_cast<int>(io::Encodings().size()));
  for (const v1::Coding& coding : response.decodings()) EXPECT_GT(coding.tensors_size(), 0);
  EXPECT_EQ(response.encodings(0).name(), "amplitude");
  ASSERT_EQ(response.encodings(0).tensors_size(), 1);
  EXPECT_EQ(response.encodings(0).tensors(0).axes(0), "electrodes");
  EXPECT_EQ(response.encodings(0).tensors(0).low(), -1.0);
}

}  // namespace
}  // namespace livnd::server
