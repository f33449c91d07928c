#include "env/recording/run_rows.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "env/culture/run_pulses.h"
#include "env/recording/stimulus_rows.h"
#include "io/device/electrode_array.h"
#include "io/device/light_array.h"
#include "io/recording/streams.h"

namespace livnd::env {
namespace {

struct Kind {
  std::string name;
  absl::string_view unit;
};

// Of stimuli that sites are given in a mode.
Kind SiteKindOf(sim::StimulusMode mode) {
  switch (mode) {
    case sim::StimulusMode::kField:
      return {"stimuli.extracellular", "mV"};
    case sim::StimulusMode::kCurrent:
      return {"stimuli.current", "nA"};
    case sim::StimulusMode::kCurrentDensity:
      return {"stimuli.current_density", "mA/cm2"};
    case sim::StimulusMode::kLight:
      return {"stimuli.light", "photons/s/mm2"};
  }
  return {};
}

// Ticks of a plan's pulses that are made waveforms at a time.
constexpr int64_t kPulseTicks = 4096;

}  // namespace

RunChannels ChannelsOf(const LiveCulture& culture) {
  RunChannels out;
  if (culture.setup().electrode_array.has_value()) {
    const auto array = io::ElectrodeArray::Create(*culture.setup().electrode_array);
    if (array.ok()) {
      out.electrode_ids = array->ids();
      out.gids_in_reach = array->CellsInReach(culture.model().system().position_um);
    }
  }
  if (culture.light_array().has_value()) {
    const auto array = io::LightArray::Create(*culture.light_array());
    if (array.ok()) out.fiber_ids = array->ids();
  }
  for (int m = 0; m < sim::kNumStimulusModes; ++m) {
    const auto mode = static_cast<sim::StimulusMode>(m);
    const std::vector<sim::CellGroup>& groups = culture.culture().groups();
    if (std::all_of(groups.begin(), groups.end(),
                    [mode](const sim::CellGroup& group) { return group.model->supports(mode); })) {
      out.site_modes.push_back(mode);
    }
  }
  out.connections = culture.culture().plastic_connections();
  out.electrode_array = culture.setup().electrode_array;
  out.light_array = culture.light_array();
  return out;
}

RunRows::RunRows(const RunSelection& selection, absl::Span<const int64_t> num_rows, double dt_ms,
                 const RunChannels& channels)
    : selection_(selection),
      dt_ms_(dt_ms),
      electrode_ids_(channels.electrode_ids),
      fiber_ids_(channels.fiber_ids) {
  const auto add = [this](io::StreamSpec stream) {
    streams_.push_back(std::move(stream));
    return static_cast<int>(streams_.size()) - 1;
  };
  if (selection_.recording.spikes) spikes_ = add(io::SpikesStream());
  if (selection_.channel_events) {
    events_ = add(io::ChannelEventsStream());
    channel_events_ = ChannelEvents(electrode_ids_, channels.gids_in_reach);
  }
  sites_.fill(-1);
  if (selection_.stimuli) {
    if (!electrode_ids_.empty()) electrodes_ = add(io::StimuliStream("electrode", "uA"));
    if (!fiber_ids_.empty()) fibers_ = add(io::StimuliStream("fiber", "mW", "stimuli.fibers"));
    for (const sim::StimulusMode mode : channels.site_modes) {
      const Kind kind = SiteKindOf(mode);
      sites_[static_cast<size_t>(mode)] = add(io::SiteStimuliStream(kind.name, kind.unit));
    }
  }
  series_ = SeriesRows(selection_.recording.series, num_rows,
                       {electrode_ids_, channels.connections}, &streams_);
  devices_ =
      DeviceRows(channels.electrode_array.has_value() ? &*channels.electrode_array : nullptr,
                 channels.light_array.has_value() ? &*channels.light_array : nullptr, &streams_);
}

void RunRows::Hear(const RunChannels& channels) {
  if (events_ >= 0) channel_events_ = ChannelEvents(electrode_ids_, channels.gids_in_reach);
}

void RunRows::AddSeries(const CultureRecording& recording, size_t series, int64_t num_clears,
                        absl::Span<std::string> rows) const {
  const RecordedSeries& recorded = recording.series[series];
  const auto num_copies = static_cast<int>(recording.failed_at_ms.size());
  const int64_t sample_ticks = std::llround(series_.series(series).sample_dt_ms / dt_ms_);
  for (int copy = 0; copy < num_copies; ++copy) {
    const double failed_at_ms = recording.failed_at_ms[copy];
    const double* const values =
        recorded.values.data() + copy * recorded.num_rows * recorded.num_samples;
    for (int64_t sample = 0; sample < recorded.num_samples; ++sample) {
      const int64_t tick = recording.start_tick + sample * sample_ticks;
      if (static_cast<double>(tick) * dt_ms_ >= failed_at_ms) break;
      series_.AddSample(series, {copy, num_clears, tick}, values + sample, recorded.num_samples,
                        rows);
    }
  }
}

void RunRows::AddStimulus(const GivenStimulus& given, const io::RowKey& key, int64_t end_tick,
                          absl::Span<std::string> rows) const {
  const auto mode = static_cast<size_t>(given.mode);
  if (given.sites != nullptr) {
    const auto append_site = [&given](int64_t column, std::string* row) {
      const Site& site = (*given.sites)[static_cast<size_t>(column)];
      io::AppendValue(static_cast<int32_t>(site.gid), row);
      io::AppendValue(static_cast<int32_t>(site.section), row);
    };
    AppendStimulus(*given.waveform, append_site, key, 0, dt_ms_, &rows[sites_[mode]], end_tick);
    return;
  }
  const bool is_light = given.mode == sim::StimulusMode::kLight;
  const std::vector<int32_t>& ids = is_light ? fiber_ids_ : electrode_ids_;
  const std::vector<int>& channels = given.waveform->channels;
  const auto append_id = [&](int64_t column, std::string* row) {
    const auto at = static_cast<size_t>(column);
    io::AppendValue(ids[channels.empty() ? at : static_cast<size_t>(channels[at])], row);
  };
  AppendStimulus(*given.waveform, append_id, key, 0, dt_ms_,
                 &rows[is_light ? fibers_ : electrodes_], end_tick);
}

void RunRows::AddStimuli(const CultureRecording& recording, int64_t num_clears,
                         absl::Span<std::string> rows) const {
  for (size_t copy = 0; copy < recording.failed_at_ms.size(); ++copy) {
    const double failed_at_ms = recording.failed_at_ms[copy];
    const int64_t end_tick = std::isnan(failed_at_ms) ? std::numeric_limits<int64_t>::max()
                                                      : std::llround(failed_at_ms / dt_ms_);
    const io::RowKey key = {static_cast<int32_t>(copy), num_clears, 0};
    for (const GivenStimulus& given : recording.stimuli) {
      if (given.copy >= 0 && given.copy != key.copy) continue;
      AddStimulus(given, key, end_tick, rows);
    }
    if (recording.pulses == nullptr) continue;
    for (const sim::StimulusMode mode : {sim::StimulusMode::kField, sim::StimulusMode::kLight}) {
      for (int64_t from = 0; from < recording.num_ticks; from += kPulseTicks) {
        const int64_t to = std::min(from + kPulseTicks, recording.num_ticks);
        for (const auto& waveform : recording.pulses->Waveforms(mode, from, to)) {
          AddStimulus({mode, key.copy, nullptr, waveform}, key, end_tick, rows);
        }
      }
    }
  }
}

void RunRows::AddRun(const CultureRecording& recording, int64_t num_clears,
                     absl::Span<std::string> rows) const {
  for (size_t copy = 0; copy + 1 < recording.spike_offsets.size(); ++copy) {
    for (int64_t i = recording.spike_offsets[copy]; i < recording.spike_offsets[copy + 1]; ++i) {
      const io::RowKey key = {static_cast<int32_t>(copy), num_clears, recording.spike_ticks[i]};
      if (spikes_ >= 0) {
        io::AppendKey(key, &rows[spikes_]);
        io::AppendValue(static_cast<int32_t>(recording.spike_gids[i]), &rows[spikes_]);
      }
      if (events_ >= 0) channel_events_.Append(recording.spike_gids[i], key, &rows[events_]);
    }
  }
  if (selection_.stimuli) AddStimuli(recording, num_clears, rows);
  for (size_t i = 0; i < series_.size(); ++i) {
    AddSeries(recording, i, num_clears, rows);
  }
}

}  // namespace livnd::env
