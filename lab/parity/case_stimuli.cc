#include "lab/parity/case_stimuli.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "lab/parity/case_electrodes.h"

namespace livnd::lab {
namespace {

constexpr double kFieldBoundMv = 1000.0;
constexpr char kElectrodeMode[] = "electrode_uA";

absl::StatusOr<sim::StimulusMode> ModeOf(const std::string& name) {
  if (name == "extracellular" || name == kElectrodeMode) return sim::StimulusMode::kField;
  if (name == "current") return sim::StimulusMode::kCurrent;
  if (name == "current_density") return sim::StimulusMode::kCurrentDensity;
  if (name == "irradiance") return sim::StimulusMode::kLight;
  return absl::InvalidArgumentError(
      absl::StrCat("unknown stimulus mode '", name,
                   "'; accepted: extracellular, electrode_uA, current, current_density, "
                   "irradiance"));
}

// What a unit of a stimulus is to the engine; of light in mW/mm2 that is photons/s/mm2.
absl::StatusOr<double> UnitOf(const OracleStimulus& stimulus) {
  if (stimulus.mode != "irradiance" || stimulus.units == "photon_flux") return 1.0;
  if (!stimulus.units.empty() && stimulus.units != "mW/mm2") {
    return absl::InvalidArgumentError(
        absl::StrCat("irradiance in '", stimulus.units, "'; accepted: mW/mm2, photon_flux"));
  }
  constexpr double kPlanckJs = 6.626e-34, kLightMps = 3e8, kMilliwattPerWatt = 1e3;
  return 1.0 / (kPlanckJs * kLightMps / (stimulus.wavelength_nm * 1e-9) * kMilliwattPerWatt);
}

}  // namespace

void CaseStimuli::Clear() {
  for (Block& block : blocks_) block = Block();
}

absl::Status CaseStimuli::Install(const OracleStimulus& stimulus, double start_ms,
                                  sim::Gang& gang) {
  LIVND_ASSIGN_OR_RETURN(const sim::StimulusMode mode, ModeOf(stimulus.mode));
  Block& block = blocks_[static_cast<int>(mode)];
  const bool electrodes = stimulus.mode == kElectrodeMode;
  if (!block.channel.empty() && block.electrodes != electrodes) {
    return absl::InvalidArgumentError(
        "extracellular and electrode_uA between one clear and the next; takes one of them");
  }
  block.electrodes = electrodes;
  std::vector<Column> columns;
  if (electrodes) {
    for (size_t i = 0; i < oracle_.electrodes_um.size(); ++i) columns.push_back({i, kElectrode});
  } else {
    for (const OracleStimulus::Column& c : stimulus.columns) columns.push_back({c.gid, c.section});
  }
  // std::nearbyint rounds ties to even, as Python does.
  LIVND_ASSIGN_OR_RETURN(const double unit, UnitOf(stimulus));
  const auto first = static_cast<int64_t>(std::nearbyint(start_ms / stimulus.dt_ms));
  block.num_samples = std::max(block.num_samples, first + stimulus.num_rows);
  std::vector<int> channels;
  for (const Column& column : columns) {
    const auto [at, added] = block.channel.try_emplace(column, block.channel.size());
    if (added) block.samples.emplace_back();
    channels.push_back(at->second);
  }
  for (std::vector<double>& samples : block.samples) samples.resize(block.num_samples, 0.0);
  for (const int channel : channels) {
    std::fill_n(block.samples[channel].begin() + first, stimulus.num_rows, 0.0);
  }
  for (const OracleStimulus::Pulse& p : stimulus.pulses) {
    if (p.column >= static_cast<int64_t>(channels.size())) {
      return absl::InvalidArgumentError(
          absl::StrCat("pulse column ", p.column, "; the stimulus has ", channels.size()));
    }
    std::vector<double>& samples = block.samples[channels[p.column]];
    for (int64_t row = p.start_row; row < p.stop_row; ++row) {
      double& x = samples[first + row];
      x += p.value * unit;
      if (stimulus.mode == "extracellular" && std::fabs(x) > kFieldBoundMv) {
        return absl::InvalidArgumentError(
            absl::StrCat("extracellular potential ", x, " mV; takes -1000 to 1000"));
      }
    }
  }

  block.sample_dt_ms = stimulus.dt_ms;
  return Install(mode, gang);
}

absl::Status CaseStimuli::InstallAll(sim::Gang& gang) const {
  for (int mode = 0; mode < sim::kNumStimulusModes; ++mode) {
    if (blocks_[mode].channel.empty()) continue;
    LIVND_RETURN_IF_ERROR(Install(static_cast<sim::StimulusMode>(mode), gang));
  }
  return absl::OkStatus();
}

absl::Status CaseStimuli::Install(sim::StimulusMode mode, sim::Gang& gang) const {
  const Block& block = blocks_[static_cast<int>(mode)];
  LIVND_ASSIGN_OR_RETURN(std::shared_ptr<const sim::StimulusMap> map, MapOf(block, gang.culture()));
  sim::Waveform waveform;
  waveform.timing = sim::SampleTiming::kLivn;
  waveform.sample_dt_ms = block.sample_dt_ms;
  waveform.num_channels = map->num_channels;
  waveform.samples.resize(static_cast<size_t>(block.num_samples) * map->num_channels);
  for (size_t c = 0; c < block.samples.size(); ++c) {
    for (int64_t s = 0; s < block.num_samples; ++s) {
      waveform.samples[s * map->num_channels + c] = block.samples[c][s];
    }
  }
  gang.SetStimulusMap(mode, std::move(map));
  return gang.Install(0, mode, std::move(waveform));
}

absl::StatusOr<std::shared_ptr<const sim::StimulusMap>> CaseStimuli::MapOf(
    const Block& block, const sim::Culture& culture) const {
  auto map = std::make_shared<sim::StimulusMap>();
  map->num_channels = static_cast<int>(block.channel.size());
  if (!block.electrodes) {
    map->row_of_channel.resize(block.channel.size());
    for (const auto& [column, channel] : block.channel) {
      map->row_of_channel[channel] = culture.SectionRow(column.first, column.second);
    }
    return std::shared_ptr<const sim::StimulusMap>(std::move(map));
  }
  LIVND_ASSIGN_OR_RETURN(const io::ElectrodeArray array, ElectrodesOf(oracle_));
  map->gains =
      array.StimulationGains(SectionPoints(oracle_, culture, std::numeric_limits<int>::max()));
  return std::shared_ptr<const sim::StimulusMap>(std::move(map));
}

}  // namespace livnd::lab
