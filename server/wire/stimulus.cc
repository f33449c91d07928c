#include "server/wire/stimulus.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/wire/enum_words.h"
#include "server/wire/errors.h"
#include "server/wire/sites.h"
#include "server/wire/tensor.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::server {
namespace {

std::optional<env::StimulusQuantity> QuantityOf(v1::StimulusQuantity quantity) {
  switch (quantity) {
    case v1::STIMULUS_QUANTITY_EXTRACELLULAR_MV:
      return env::StimulusQuantity::kExtracellularMv;
    case v1::STIMULUS_QUANTITY_CURRENT_NA:
      return env::StimulusQuantity::kCurrentNa;
    case v1::STIMULUS_QUANTITY_CURRENT_DENSITY_MA_CM2:
      return env::StimulusQuantity::kCurrentDensityMaCm2;
    case v1::STIMULUS_QUANTITY_ELECTRODE_UA:
      return env::StimulusQuantity::kElectrodeUa;
    case v1::STIMULUS_QUANTITY_IRRADIANCE_MW_MM2:
      return env::StimulusQuantity::kIrradianceMwMm2;
    case v1::STIMULUS_QUANTITY_PHOTON_FLUX:
      return env::StimulusQuantity::kPhotonFlux;
    case v1::STIMULUS_QUANTITY_FIBER_MW:
      return env::StimulusQuantity::kFiberMw;
    default:
      return std::nullopt;
  }
}

}  // namespace

absl::StatusOr<env::CultureStimulus> ParseStimulus(const std::string& field,
                                                   const v1::CultureStimulus& stimulus,
                                                   int num_envs) {
  env::CultureStimulus out;
  const std::optional<env::StimulusQuantity> quantity = QuantityOf(stimulus.quantity());
  if (!quantity.has_value()) {
    return InvalidField(absl::StrCat(field, ".quantity"), WordOf(stimulus.quantity()),
                        WordsOf<v1::StimulusQuantity>());
  }
  out.quantity = *quantity;
  switch (stimulus.timing()) {
    case v1::SAMPLE_TIMING_UNSPECIFIED:
    case v1::SAMPLE_TIMING_EXACT:
      out.timing = sim::SampleTiming::kExactTicks;
      break;
    case v1::SAMPLE_TIMING_LIVN:
      out.timing = sim::SampleTiming::kLivn;
      break;
    default:
      return InvalidField(absl::StrCat(field, ".timing"), WordOf(stimulus.timing()),
                          WordsOf<v1::SampleTiming>());
  }
  out.sample_dt_ms = stimulus.sample_dt_ms();
  if (stimulus.wavelength_nm() != 0.0) out.wavelength_nm = stimulus.wavelength_nm();
  const bool of_device = out.quantity == env::StimulusQuantity::kElectrodeUa ||
                         out.quantity == env::StimulusQuantity::kFiberMw;
  if (of_device ? stimulus.has_sites() : stimulus.has_electrodes()) {
    return InvalidField(absl::StrCat(field, of_device ? ".sites" : ".electrodes"), "present",
                        of_device ? "electrodes instead" : "sites instead");
  }
  if (of_device) {
    LIVND_ASSIGN_OR_RETURN(out.electrodes,
                           ParseVector<int64_t>(absl::StrCat(field, ".electrodes"),
                                                stimulus.electrodes(), v1::DATA_TYPE_INT64));
  } else {
    LIVND_ASSIGN_OR_RETURN(out.sites, ParseSites(absl::StrCat(field, ".sites"), stimulus.sites()));
  }
  const auto num_channels =
      static_cast<int64_t>(of_device ? out.electrodes.size() : out.sites.size());
  if (num_channels == 0) return out;  // which env refuses
  const v1::Tensor& samples = stimulus.samples();
  out.per_copy = samples.shape_size() == 3;
  const int64_t row_bytes = num_channels * 8 * (out.per_copy ? num_envs : 1);
  out.num_samples = static_cast<int64_t>(samples.data().size()) / row_bytes;
  std::vector<int64_t> shape = {out.num_samples, num_channels};
  if (out.per_copy) shape.insert(shape.begin(), num_envs);
  LIVND_RETURN_IF_ERROR(
      CheckTensor(absl::StrCat(field, ".samples"), samples, v1::DATA_TYPE_FLOAT64, shape));
  out.samples = Values<double>(samples);
  return out;
}

}  // namespace livnd::server
