#include "io/decoding/catalog.h"

#include <string>

#include "base/status_macros.h"
#include "io/decoding/density/baks.h"
#include "io/decoding/density/spike_density.h"
#include "io/decoding/distance/van_rossum.h"
#include "io/decoding/distance/victor_purpura.h"
#include "io/decoding/network/autocorrelation_time.h"
#include "io/decoding/network/avalanches.h"
#include "io/decoding/network/binned_active_fraction.h"
#include "io/decoding/network/correlation.h"
#include "io/decoding/network/count_statistics.h"
#include "io/decoding/network/network_bursts.h"
#include "io/decoding/network/stability.h"
#include "io/decoding/network/synchrony.h"
#include "io/decoding/potential/lfp_bands.h"
#include "io/decoding/response/peristimulus_histogram.h"
#include "io/decoding/response/recruitment.h"
#include "io/decoding/response/stimulus_response.h"
#include "io/decoding/unit/active_fraction.h"
#include "io/decoding/unit/bursts.h"
#include "io/decoding/unit/firing_rates.h"
#include "io/decoding/unit/first_spike.h"
#include "io/decoding/unit/first_spike_action.h"
#include "io/decoding/unit/isi_statistics.h"
#include "io/decoding/unit/spike_counts.h"

namespace livnd::io {
namespace {

template <typename D>
absl::StatusOr<std::unique_ptr<const Decoding>> Make(const CodingSpec& spec,
                                                     const DecodingWindow& window) {
  typename D::Config config;
  LIVND_RETURN_IF_ERROR(ReadFields(spec.fields(), &config));
  auto decoding = MakeDecoding<D>(config, window);
  if (!decoding.ok()) return spec.fields().Within(decoding.status());
  return *std::move(decoding);
}

template <typename D>
std::vector<CodingFields::Field> Fields() {
  CodingFields fields;
  typename D::Config().Describe(fields);
  return fields.described();
}

template <typename D>
constexpr DecodingEntry Entry() {
  return {D::kName, &Make<D>, &Fields<D>};
}

constexpr DecodingEntry kDecodings[] = {
    Entry<SpikeCounts>(),
    Entry<FiringRates>(),
    Entry<FirstSpike>(),
    Entry<FirstSpikeAction>(),
    Entry<ActiveFraction>(),
    Entry<IsiStatistics>(),
    Entry<Bursts>(),
    Entry<CountStatistics>(),
    Entry<Stability>(),
    Entry<BinnedActiveFraction>(),
    Entry<NetworkBursts>(),
    Entry<Synchrony>(),
    Entry<Correlation>(),
    Entry<AutocorrelationTime>(),
    Entry<Avalanches>(),
    Entry<Baks>(),
    Entry<SpikeDensity>(),
    Entry<VictorPurpura>(),
    Entry<VanRossum>(),
    Entry<StimulusResponse>(),
    Entry<PeristimulusHistogram>(),
    Entry<Recruitment>(),
    Entry<LfpBands>(),
};

}  // namespace

absl::Span<const DecodingEntry> Decodings() { return kDecodings; }

absl::StatusOr<std::unique_ptr<const Decoding>> MakeDecoding(const CodingSpec& spec,
                                                             const DecodingWindow& window) {
  std::vector<std::string> names;
  for (const DecodingEntry& entry : kDecodings) {
    if (entry.name == spec.name()) return entry.make(spec, window);
    names.push_back(entry.name);
  }
  return spec.UnknownName(names);
}

}  // namespace livnd::io
