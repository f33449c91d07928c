#include "lab/parity/case_stimulus.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace livnd::lab {
namespace {

using env::StimulusQuantity;

absl::StatusOr<StimulusQuantity> QuantityOf(const OracleStimulus& stimulus) {
  if (stimulus.mode == "extracellular") return StimulusQuantity::kExtracellularMv;
  if (stimulus.mode == "electrode_uA") return StimulusQuantity::kElectrodeUa;
  if (stimulus.mode == "current") return StimulusQuantity::kCurrentNa;
  if (stimulus.mode == "current_density") return StimulusQuantity::kCurrentDensityMaCm2;
  if (stimulus.mode != "irradiance") {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown stimulus mode '", stimulus.mode,
                     "'; accepted: extracellular, electrode_uA, current, current_density, "
                     "irradiance"));
  }
  if (stimulus.units == "photon_flux") return StimulusQuantity::kPhotonFlux;
  if (stimulus.units.empty() || stimulus.units == "mW/mm2") {
    return StimulusQuantity::kIrradianceMwMm2;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("irradiance in '", stimulus.units, "'; accepted: mW/mm2, photon_flux"));
}

}  // namespace

absl::StatusOr<std::optional<env::CultureStimulus>> StimulusOf(const OracleStimulus& stimulus,
                                                               const io::CultureSetup& setup,
                                                               const sim::Culture& culture) {
  env::CultureStimulus out;
  LIVND_ASSIGN_OR_RETURN(out.quantity, QuantityOf(stimulus));
  out.timing = sim::SampleTiming::kLivn;
  out.sample_dt_ms = stimulus.dt_ms;
  out.num_samples = stimulus.num_rows;
  out.wavelength_nm = stimulus.wavelength_nm;
  std::vector<int64_t> channels;  // of the stimulus' columns; -1: left out
  int64_t num_channels = 0;
  if (out.quantity == StimulusQuantity::kElectrodeUa) {
    if (setup.electrode_array.has_value()) {
      for (const io::Electrode& e : setup.electrode_array->electrodes) {
        out.electrodes.push_back(e.id);
        channels.push_back(num_channels++);
      }
    }
  } else {
    for (const env::Site& column : stimulus.columns) {
      const bool lit = stimulus.mode != "irradiance" || column.section == 0;
      const bool there = lit && culture.SectionRow(column.gid, column.section) >= 0;
      channels.push_back(there ? num_channels++ : -1);
      if (there) out.sites.push_back(column);
    }
    if (out.sites.empty()) return std::optional<env::CultureStimulus>();
  }
  out.samples.resize(static_cast<size_t>(out.num_samples * num_channels));
  for (const OracleStimulus::Pulse& p : stimulus.pulses) {
    if (p.column >= static_cast<int64_t>(channels.size())) {
      return absl::InvalidArgumentError(
          absl::StrCat("pulse column ", p.column, "; the stimulus has ", channels.size()));
    }
    const int64_t channel = channels[static_cast<size_t>(p.column)];
    if (channel < 0) continue;
    for (int64_t row = p.start_row; row < p.stop_row; ++row) {
      out.samples[static_cast<size_t>(row * num_channels + channel)] += p.value;
    }
  }
  return std::optional<env::CultureStimulus>(std::move(out));
}

}  // namespace livnd::lab
