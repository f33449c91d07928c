#include "lab/tune/features.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "io/coding/coding_spec.h"
#include "io/decoding/catalog.h"
#include "io/decoding/decoding.h"

namespace livnd::lab {
namespace {

// What a decoding has made of a window.
class Decoded {
 public:
  static absl::StatusOr<Decoded> Of(const std::string& text, const io::DecodingWindow& window,
                                    absl::Span<const io::UnitSpike> spikes) {
    LIVND_ASSIGN_OR_RETURN(const io::CodingSpec spec, io::CodingSpec::ParseText("", text));
    Decoded out;
    LIVND_ASSIGN_OR_RETURN(out.decoding_, io::MakeDecoding(spec, window));
    LIVND_ASSIGN_OR_RETURN(out.values_, io::DecodeWindow(*out.decoding_, spikes));
    return out;
  }

  absl::Span<const double> All(absl::string_view name) const {
    size_t first = 0;
    for (const io::DecodingOutput& output : decoding_->outputs()) {
      const auto size = static_cast<size_t>(output.size());
      if (output.name == name) return absl::MakeConstSpan(values_).subspan(first, size);
      first += size;
    }
    return {};
  }
  double One(absl::string_view name) const { return All(name)[0]; }

 private:
  std::shared_ptr<const io::Decoding> decoding_;
  std::vector<double> values_;
};

double& At(Features& features, absl::string_view name) {
  return features[static_cast<size_t>(FindFeature(name))];
}

// The bin of avalanches: 15 spikes a bin, but 4 .. 50 ms.
double AvalancheBinMs(double duration_ms, int64_t num_spikes) {
  const auto num_bins = static_cast<double>(std::max<int64_t>(50, num_spikes / 15));
  return std::max(4.0, std::min(duration_ms / num_bins, 50.0));
}

}  // namespace

absl::StatusOr<Features> Measure(const MeasureOptions& options, const io::DecodingWindow& units,
                                 absl::Span<const io::UnitSpike> unit_spikes,
                                 const io::DecodingWindow& cells,
                                 absl::Span<const io::UnitSpike> cell_spikes) {
  const auto decode = [&](const std::string& text) {
    return Decoded::Of(text, units, unit_spikes);
  };
  Features out;
  out.fill(std::numeric_limits<double>::quiet_NaN());
  const auto num_spikes = static_cast<int64_t>(unit_spikes.size());
  const auto num_units = static_cast<double>(units.num_units);
  At(out, "total_spikes") = static_cast<double>(num_spikes);

  LIVND_ASSIGN_OR_RETURN(const Decoded rates, decode("firing_rates"));
  At(out, "mfr") = rates.One(options.livn ? "fired_mean_hz" : "mean_rate_hz");
  At(out, "max_neuron_firing_rate") = rates.One("fired_max_hz");
  LIVND_ASSIGN_OR_RETURN(const Decoded isi, decode("{name: isi_statistics, min_spikes: 5}"));
  At(out, "isi_cv") = isi.One("mean_cv");
  LIVND_ASSIGN_OR_RETURN(const Decoded active, decode("{name: active_fraction, min_spikes: 1}"));
  At(out, "active_fraction") = active.One("active_fraction");
  LIVND_ASSIGN_OR_RETURN(const Decoded counts, decode("{name: count_statistics, bin_ms: 100}"));
  At(out, "coefficient_of_variation") = counts.One("cv");
  At(out, "fano_factor") = counts.One("fano_factor");
  LIVND_ASSIGN_OR_RETURN(const Decoded stability,
                         decode("{name: stability, tail_ms: 1000, bin_ms: 100}"));
  At(out, "tail_rate_hz") = stability.One("tail_mean_hz");
  At(out, "pop_rate_hz") = stability.One("global_mean_hz");
  At(out, "pop_rate_per_unit_hz") = stability.One("global_mean_hz") / num_units;
  LIVND_ASSIGN_OR_RETURN(const Decoded tau,
                         decode("{name: autocorrelation_time, bin_ms: 10, max_lag_ms: 5000}"));
  At(out, "pop_autocorr_tau") = tau.One("tau_ms");
  if (num_spikes >= options.min_spikes) {
    LIVND_ASSIGN_OR_RETURN(const Decoded correlation,
                           decode("{name: correlation, bin_ms: 10, min_units: 2}"));
    At(out, "mean_channel_correlation") = correlation.One("mean");
  }
  LIVND_ASSIGN_OR_RETURN(const Decoded synchrony, decode("{name: synchrony, bin_ms: 2}"));
  At(out, "max_synchronous_peak") = synchrony.One("peak");
  LIVND_ASSIGN_OR_RETURN(
      const Decoded bursts,
      decode(
          "{name: network_bursts, bin_ms: 50, mad_k: 3, min_floor_fraction: 0.1, min_floor: 2}"));
  At(out, "burst_rate") = bursts.One("rate_hz");
  At(out, "branching_ratio") = At(out, "avalanche_r2") = 0.0;
  if (num_spikes > 0) {
    LIVND_ASSIGN_OR_RETURN(
        const Decoded avalanches,
        decode(
            absl::StrCat("{name: avalanches, bin_ms: ",
                         absl::StrFormat("%.17g", AvalancheBinMs(units.duration_ms(), num_spikes)),
                         ", fit: ", options.livn ? "counts" : "density", "}")));
    At(out, "branching_ratio") = avalanches.One("branching_ratio");
    At(out, "avalanche_r2") = avalanches.One("r2");
  }
  LIVND_ASSIGN_OR_RETURN(const Decoded fired,
                         Decoded::Of("{name: active_fraction, min_spikes: 1}", cells, cell_spikes));
  const absl::Span<const double> of_populations = fired.All("group_fraction");
  At(out, "worst_population_active") =
      *std::min_element(of_populations.begin(), of_populations.end());
  return out;
}

}  // namespace livnd::lab
