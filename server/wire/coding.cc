#include "server/wire/coding.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/coding/coding_spec.h"
#include "io/decoding/catalog.h"
#include "io/encoding/catalog.h"
#include "io/json/json_file.h"
#include "io/json/json_view.h"
#include "server/wire/enum_words.h"
#include "server/wire/errors.h"
#include "server/wire/tensor.h"

namespace livnd::server {
namespace {

using io::Json;
using Fields = google::protobuf::RepeatedPtrField<v1::CodingField>;

absl::StatusOr<Json> ListsOf(const std::string& field, const v1::NumberLists& lists) {
  LIVND_ASSIGN_OR_RETURN(
      const std::vector<int64_t> offsets,
      ParseVector<int64_t>(absl::StrCat(field, ".offsets"), lists.offsets(), v1::DATA_TYPE_INT64));
  LIVND_ASSIGN_OR_RETURN(
      const std::vector<double> values,
      ParseVector<double>(absl::StrCat(field, ".values"), lists.values(), v1::DATA_TYPE_FLOAT64));
  const bool whole = !offsets.empty() && offsets.front() == 0 &&
                     offsets.back() == static_cast<int64_t>(values.size()) &&
                     std::is_sorted(offsets.begin(), offsets.end());
  if (!whole) {
    return InvalidField(absl::StrCat(field, ".offsets"), absl::StrCat(offsets.size(), " numbers"),
                        absl::StrCat("those that ascend from 0 to ", values.size()));
  }
  Json json = Json::array();
  for (size_t i = 0; i + 1 < offsets.size(); ++i) {
    json.push_back(
        std::vector<double>(values.begin() + offsets[i], values.begin() + offsets[i + 1]));
  }
  return json;
}

absl::StatusOr<Json> ValueOf(const std::string& field, const v1::CodingField& message) {
  switch (message.value_case()) {
    case v1::CodingField::kNumber:
      return Json(message.number());
    case v1::CodingField::kFlag:
      return Json(message.flag());
    case v1::CodingField::kWord:
      return Json(message.word());
    case v1::CodingField::kNumbers: {
      LIVND_ASSIGN_OR_RETURN(const std::vector<double> numbers,
                             ParseVector<double>(absl::StrCat(field, ".numbers"), message.numbers(),
                                                 v1::DATA_TYPE_FLOAT64));
      return Json(numbers);
    }
    case v1::CodingField::kLists:
      return ListsOf(absl::StrCat(field, ".lists"), message.lists());
    case v1::CodingField::VALUE_NOT_SET:
      break;
  }
  return InvalidField(field, "without a value", "number, flag, word, numbers or lists");
}

absl::StatusOr<io::CodingSpec> ParseSpec(const std::string& field, const std::string& name,
                                         const Fields& fields) {
  Json json = {{"name", name}};
  for (const v1::CodingField& message : fields) {
    const std::string place = absl::StrCat(field, ".", message.name());
    if (json.contains(message.name())) return InvalidField(place, "given twice", "each field once");
    LIVND_ASSIGN_OR_RETURN(json[message.name()], ValueOf(place, message));
  }
  return io::CodingSpec::Parse(io::JsonView(json, ""));
}

void EncodeSpec(const io::CodingSpec& spec, std::string* name, Fields* fields) {
  *name = spec.name();
  for (const auto& [key, value] : spec.fields().json().items()) {
    if (key == "name") continue;
    v1::CodingField* added = fields->Add();
    added->set_name(key);
    if (value.is_boolean()) {
      added->set_flag(value);
    } else if (value.is_string()) {
      added->set_word(value);
    } else if (value.is_number()) {
      added->set_number(value);
    } else if (!value.empty() && value[0].is_array()) {
      std::vector<int64_t> offsets = {0};
      std::vector<double> values;
      for (const Json& list : value) {
        for (const Json& number : list) values.push_back(number);
        offsets.push_back(static_cast<int64_t>(values.size()));
      }
      EncodeVector(offsets, added->mutable_lists()->mutable_offsets());
      EncodeVector(values, added->mutable_lists()->mutable_values());
    } else {
      EncodeVector(value.get<std::vector<double>>(), added->mutable_numbers());
    }
  }
}

void EncodeTensors(const std::vector<io::CodingTensor>& tensors, v1::Coding* message) {
  for (const io::CodingTensor& tensor : tensors) {
    v1::CodingTensor* added = message->add_tensors();
    added->set_name(tensor.name);
    added->set_unit(tensor.unit);
    added->set_description(tensor.description);
    for (const std::string& axis : tensor.axes) added->add_axes(axis);
    added->set_low(tensor.low);
    added->set_high(tensor.high);
  }
}

template <typename Entry>
void EncodeEntry(const Entry& entry, v1::Coding* message) {
  message->set_name(entry.name);
  for (const io::CodingFields::Field& field : entry.fields()) {
    v1::CodingFieldInfo* added = message->add_fields();
    added->set_name(field.name);
    added->set_accepted(field.accepted);
    added->set_default_value(field.value);
  }
  EncodeTensors(entry.Tensors(), message);
}

}  // namespace

absl::StatusOr<env::DecodingSelection> ParseDecoding(const std::string& field,
                                                     const v1::DecodingSelection& message) {
  LIVND_ASSIGN_OR_RETURN(io::CodingSpec spec, ParseSpec(field, message.name(), message.fields()));
  env::DecodingSelection out{std::move(spec)};
  switch (message.units()) {
    case v1::DECODING_UNITS_UNSPECIFIED:
      break;
    case v1::DECODING_UNITS_ELECTRODES:
      out.units = env::DecodingUnits::kElectrodes;
      break;
    case v1::DECODING_UNITS_CELLS:
      out.units = env::DecodingUnits::kCells;
      break;
    default:
      return InvalidField(absl::StrCat(field, ".units"), WordOf(message.units()),
                          WordsOf<v1::DecodingUnits>());
  }
  out.sample_dt_ms = message.sample_dt_ms();
  return out;
}

void EncodeDecoding(const env::DecodingSelection& selection, v1::DecodingSelection* message) {
  EncodeSpec(selection.spec, message->mutable_name(), message->mutable_fields());
  message->set_units(
      selection.units == env::DecodingUnits::kElectrodes ? v1::DECODING_UNITS_ELECTRODES
      : selection.units == env::DecodingUnits::kCells    ? v1::DECODING_UNITS_CELLS
                                                         : v1::DECODING_UNITS_UNSPECIFIED);
  message->set_sample_dt_ms(selection.sample_dt_ms);
}

absl::StatusOr<std::optional<env::EncodingSelection>> ParseEncoding(
    const std::string& field, const v1::EncodingSelection& message) {
  if (message.name().empty()) return std::optional<env::EncodingSelection>();
  LIVND_ASSIGN_OR_RETURN(io::CodingSpec spec, ParseSpec(field, message.name(), message.fields()));
  return std::make_optional(env::EncodingSelection{std::move(spec), message.step_ms()});
}

void EncodeEncoding(const env::EncodingSelection& selection, v1::EncodingSelection* message) {
  EncodeSpec(selection.spec, message->mutable_name(), message->mutable_fields());
  message->set_step_ms(selection.step_ms);
}

absl::StatusOr<env::CultureFeatures> ParseFeatures(const std::string& field,
                                                   const v1::Tensor& tensor, int num_envs) {
  if (tensor.shape_size() != 3) {
    return InvalidField(absl::StrCat(field, ".shape"), absl::StrCat(tensor.shape_size(), " axes"),
                        "3 axes: copies, steps, inputs");
  }
  // Asked for by the bytes that are there, so that no length can be too large.
  const auto num_numbers = static_cast<int64_t>(tensor.data().size() / sizeof(float));
  const int64_t num_inputs =
      std::clamp<int64_t>(tensor.shape(2), 1, std::max<int64_t>(1, num_numbers));
  env::CultureFeatures out;
  out.num_steps = num_numbers / (num_envs * num_inputs);
  LIVND_RETURN_IF_ERROR(
      CheckTensor(field, tensor, v1::DATA_TYPE_FLOAT32, {num_envs, out.num_steps, num_inputs}));
  out.values = Values<float>(tensor);
  return out;
}

void EncodeInputs(const std::vector<io::EncodingInput>& inputs,
                  google::protobuf::RepeatedPtrField<v1::EncodingInput>* messages) {
  for (const io::EncodingInput& input : inputs) {
    v1::EncodingInput* added = messages->Add();
    added->set_name(input.name);
    added->set_unit(input.unit);
    added->set_low(input.low);
    added->set_high(input.high);
  }
}

void EncodeDecoded(const env::Decoded& decoded, int num_envs, v1::DecodedValues* message) {
  message->set_name(decoded.name);
  const size_t num_values = decoded.values.size() / static_cast<size_t>(num_envs);
  size_t first = 0;
  for (const io::DecodingOutput& output : decoded.outputs) {
    v1::DecodedTensor* added = message->add_values();
    added->set_name(output.name);
    added->set_unit(output.unit);
    const auto size = static_cast<size_t>(output.size());
    std::vector<double> values;
    for (size_t copy = 0; copy < static_cast<size_t>(num_envs); ++copy) {
      const double* from = decoded.values.data() + copy * num_values + first;
      values.insert(values.end(), from, from + size);
    }
    EncodeTensor<double>(v1::DATA_TYPE_FLOAT64, BatchShape(num_envs, output.shape), values,
                         added->mutable_values());
    first += size;
  }
}

void EncodeCodings(v1::ListCodingsResponse* response) {
  for (const io::DecodingEntry& entry : io::Decodings()) {
    v1::Coding* added = response->add_decodings();
    EncodeEntry(entry, added);
    added->set_hears_potentials(entry.heard == io::Heard::kPotentials);
    added->set_hears_voltages(entry.heard == io::Heard::kSpikesAndVoltages);
  }
  for (const io::EncodingEntry& entry : io::Encodings())
    EncodeEntry(entry, response->add_encodings());
}

}  // namespace livnd::server
