#include "io/encoding/catalog.h"

#include <string>

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

}  // namespace

absl::Span<const EncodingEntry> Encodings() { return kEncodings; }

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
