#include "io/encoding/catalog.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "io/encoding/amplitude_encoding.h"
#include "io/encoding/feature_encoding.h"
#include "io/encoding/latency_encoding.h"
#include "io/encoding/livn_feature.h"
#include "io/encoding/livn_pulse.h"
#include "io/encoding/population_encoding.h"
#include "io/encoding/pulse_encoding.h"
#include "io/encoding/rate_encoding.h"

namespace livnd::io {
namespace {

template <typename E>
absl::StatusOr<std::unique_ptr<const Encoding>> Make(const CodingSpec& spec,
                                                     const EncodingWindow& window) {
  typename E::Config config;
  LIVND_RETURN_IF_ERROR(ReadFields(spec.fields(), &config));
  auto encoding = MakeEncoding<E>(config, window);
  if (!encoding.ok()) return spec.fields().Within(encoding.status());
  return *std::move(encoding);
}

template <typename E>
std::vector<CodingFields::Field> Fields() {
  CodingFields fields;
  typename E::Config().Describe(fields);
  return fields.described();
}

template <typename E>
constexpr EncodingEntry Entry() {
  return {E::kName, &Make<E>, &Fields<E>};
}

constexpr EncodingEntry kEncodings[] = {
    Entry<AmplitudeEncoding>(),  Entry<RateEncoding>(),  Entry<LatencyEncoding>(),
    Entry<PopulationEncoding>(), Entry<PulseEncoding>(), Entry<FeatureEncoding>(),
    Entry<LivnPulse>(),          Entry<LivnFeature>(),
};

// How many inputs of an encoding have a name and a number, as "rate_3" has.
size_t NumNumbered(const Encoding& encoding, absl::string_view name) {
  size_t num = 0;
  for (const EncodingInput& input : encoding.inputs()) {
    num += input.name == absl::StrCat(name, "_", num);
  }
  return num;
}

}  // namespace

absl::Span<const EncodingEntry> Encodings() { return kEncodings; }

std::vector<CodingTensor> EncodingEntry::Tensors() const {
  // Of two arrays: an axis that is as long as there are electrodes, in both, is theirs.
  constexpr size_t kFew = 8, kMore = 12;
  const auto spec = CodingSpec::ParseText("", name);
  const auto of_few = make(*spec, {kFew, 0.025, 40'000});
  const auto of_more = make(*spec, {kMore, 0.025, 40'000});
  std::vector<CodingTensor> tensors;
  for (const EncodingInput& input : (*of_few)->inputs()) {
    CodingTensor tensor{input.name, input.unit, "", {}, input.low, input.high};
    const size_t number = input.name.rfind('_');
    const absl::string_view stem = absl::string_view(input.name).substr(0, number);
    if (const size_t num = NumNumbered(**of_few, stem); num > 0) {
      if (!tensors.empty() && tensors.back().name == stem) continue;
      tensor.name = std::string(stem);
      const bool is_electrodes = num == kFew && NumNumbered(**of_more, stem) == kMore;
      tensor.axes = {is_electrodes ? "electrodes" : "*"};
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

absl::StatusOr<std::unique_ptr<const Encoding>> MakeEncoding(const CodingSpec& spec,
                                                             const EncodingWindow& window) {
  std::vector<std::string> names;
  for (const EncodingEntry& entry : kEncodings) {
    if (entry.name == spec.name()) return entry.make(spec, window);
    names.push_back(entry.name);
  }
  return spec.UnknownName(names);
}

}  // namespace livnd::io
