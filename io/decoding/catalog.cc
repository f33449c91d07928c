#include "io/decoding/catalog.h"

#include <string>

#include "absl/strings/str_cat.h"
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
#include "io/decoding/potential/lfp.h"
#include "io/decoding/potential/lfp_bands.h"
#include "io/decoding/potential/waveforms.h"
#include "io/decoding/response/extracellular_recruitment.h"
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
absl::Status Check(const CodingSpec& spec) {
  typename D::Config config;
  return ReadFields(spec.fields(), &config);
}

template <typename D>
constexpr DecodingEntry Entry(Heard heard = Heard::kSpikes) {
  return {D::kName, &Make<D>, &Fields<D>, &Check<D>, heard};
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
    Entry<ExtracellularRecruitment>(Heard::kSpikesAndVoltages),
    Entry<Lfp>(Heard::kPotentials),
    Entry<LfpBands>(Heard::kPotentials),
    Entry<Waveforms>(Heard::kSpikesAndVoltages),
};

// The entry that a spec names.
absl::StatusOr<const DecodingEntry*> Find(const CodingSpec& spec) {
  std::vector<std::string> names;
  for (const DecodingEntry& entry : kDecodings) {
    if (entry.name == spec.name()) return &entry;
    names.push_back(entry.name);
  }
  return spec.UnknownName(names);
}

// A window of ten seconds; groups are of one unit each.
DecodingWindow WindowOf(int64_t num_units, int64_t num_groups) {
  DecodingWindow window;
  window.num_units = num_units;
  window.num_ticks = 400'000;
  for (int64_t g = 0; g < num_groups; ++g) window.groups.push_back({absl::StrCat(g), g, 1});
  return window;
}

}  // namespace

absl::Span<const DecodingEntry> Decodings() { return kDecodings; }

std::vector<CodingTensor> DecodingEntry::Tensors() const {
  // Of two windows: an axis that is as long as there are units, or groups, in both, is theirs.
  const DecodingWindow few = WindowOf(11, 5), more = WindowOf(13, 7);
  std::vector<CodingTensor> tensors;
  const auto spec = CodingSpec::ParseText("", name);
  const auto of_few = make(*spec, few), of_more = make(*spec, more);
  for (size_t i = 0; i < (*of_few)->outputs().size(); ++i) {
    const DecodingOutput& output = (*of_few)->outputs()[i];
    CodingTensor& tensor = tensors.emplace_back();
    tensor.name = output.name;
    tensor.unit = output.unit;
    tensor.description = output.description;
    for (size_t axis = 0; axis < output.shape.size(); ++axis) {
      const int64_t a = output.shape[axis], b = (*of_more)->outputs()[i].shape[axis];
      tensor.axes.push_back(a == few.num_units && b == more.num_units ? "units"
                            : a == 5 && b == 7                        ? "groups"
                                                                      : "*");
    }
  }
  return tensors;
}

absl::StatusOr<std::unique_ptr<const Decoding>> MakeDecoding(const CodingSpec& spec,
                                                             const DecodingWindow& window) {
  LIVND_ASSIGN_OR_RETURN(const DecodingEntry* entry, Find(spec));
  return entry->make(spec, window);
}

absl::Status CheckDecoding(const CodingSpec& spec) {
  LIVND_ASSIGN_OR_RETURN(const DecodingEntry* entry, Find(spec));
  return entry->check(spec);
}

Heard HeardBy(const CodingSpec& spec) {
  const auto entry = Find(spec);
  return entry.ok() ? (*entry)->heard : Heard::kSpikes;
}

}  // namespace livnd::io
