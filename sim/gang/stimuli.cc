// The part of Gang that brings stimuli to the cells: waveforms, and what fields and light do to states.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "sim/gang/gang.h"
#include "sim/simd/tile_lanes.h"

namespace livnd::sim {
namespace {

// Where each channel of a sparse map ends, by row.
std::vector<CurrentPath> PathsOf(const StimulusMap& map, StimulusMode mode,
                                 const Culture& culture) {
  std::vector<int64_t> first_row;
  for (int64_t gid : culture.gids()) first_row.push_back(culture.SectionRow(gid, 0));
  std::vector<CurrentPath> paths;
  for (int c = 0; c < map.num_channels; ++c) {
    const int64_t row = map.row_of_channel[c];
    if (row < 0) continue;
    const auto i =
        std::upper_bound(first_row.begin(), first_row.end(), row) - first_row.begin() - 1;
    const Culture::CellRef cell = culture.cells()[i];
    const CellGroup& group = culture.groups()[cell.group];
    // Both modes go into the section's middle, also where it has more segments.
    const int compartment = group.model->middle_compartment(static_cast<int>(row - first_row[i]));
    const double factor = mode == StimulusMode::kCurrent
                              ? group.model->drive_per_na(group.params(cell.index), compartment)
                              : group.model->drive_per_density(compartment);
    paths.push_back({row, c, cell.group, cell.index, compartment, factor});
  }
  std::stable_sort(paths.begin(), paths.end(),
                   [](const CurrentPath& a, const CurrentPath& b) { return a.row < b.row; });
  return paths;
}

}  // namespace

void Gang::SetStimulusMap(StimulusMode mode, std::shared_ptr<const StimulusMap> map) {
  StimulusSlot& slot = stimuli_[static_cast<int>(mode)];
  slot.map = std::move(map);
  for (StimulusTimeline& t : slot.timelines) t.Clear();
  std::fill(stimuli_stale_.begin(), stimuli_stale_.end(), uint8_t{1});
  const bool sparse = slot.map != nullptr && !slot.map->is_dense();
  slot.row_present.assign(culture_->num_section_rows(), slot.map != nullptr && !sparse);
  slot.paths.clear();
  if (!sparse) return;
  for (int64_t row : slot.map->row_of_channel) {
    if (row >= 0) slot.row_present[row] = 1;
  }
  if (mode == StimulusMode::kCurrent || mode == StimulusMode::kCurrentDensity) {
    slot.paths = PathsOf(*slot.map, mode, *culture_);
  }
}

SampleRule Gang::RuleOf(StimulusMode mode) const {
  SampleRule rule;
  rule.dt_ms = culture_->dt_ms();
  const bool current = mode == StimulusMode::kCurrent;
  if (culture_->time_rules() == TimeRules::kWholeSteps) {
    rule.kind = SampleRule::Kind::kHeldRounded;
  } else if (current) {
    rule.kind = SampleRule::Kind::kLine;
  }
  return rule;
}

absl::Status Gang::CheckWaveform(StimulusMode mode, const Waveform& waveform) const {
  for (const CellGroup& group : culture_->groups()) {
    if (group.model->supports(mode)) continue;
    return MakeFieldError(
        "mode", StimulusModeName(mode),
        absl::StrCat("a mode that the cells of population ", group.population, " take"));
  }
  const StimulusSlot& slot = stimuli_[static_cast<int>(mode)];
  const int of_map = slot.map == nullptr ? 0 : slot.map->num_channels;
  if (slot.map == nullptr || waveform.num_channels > of_map ||
      waveform.num_channels !=
          (waveform.channels.empty() ? of_map : static_cast<int>(waveform.channels.size()))) {
    return MakeFieldError("num_channels", absl::StrCat(waveform.num_channels),
                          absl::StrCat(of_map, ", or as many of them as are named"));
  }
  for (int c : waveform.channels) {
    if (c >= 0 && c < of_map) continue;
    return MakeFieldError("channels", absl::StrCat(c), absl::StrCat("0 .. ", of_map - 1));
  }
  if (!(waveform.sample_dt_ms >= 1e-6 && waveform.sample_dt_ms <= 1e9)) {
    return MakeFieldError("sample_dt_ms", Exact(waveform.sample_dt_ms),
                          "a number from 1e-6 to 1e9 (ms)");
  }
  if (waveform.timing == SampleTiming::kExactTicks &&
      TicksOfSample(waveform.sample_dt_ms, culture_->dt_ms()) == 0) {
    return MakeFieldError(
        "sample_dt_ms", Exact(waveform.sample_dt_ms),
        absl::StrCat("a multiple of dt_ms = ", Exact(culture_->dt_ms()), ", or livn's timing"));
  }
  constexpr int64_t kFarthest = int64_t{1} << 53;
  for (const auto& [name, first] : {std::make_pair("first_tick", waveform.first_tick),
                                    std::make_pair("first_sample", waveform.first_sample)}) {
    if (first >= -kFarthest && first <= kFarthest) continue;
    return MakeFieldError(name, absl::StrCat(first), absl::StrCat(-kFarthest, " .. ", kFarthest));
  }
  for (double x : waveform.samples) {
    if (!std::isfinite(x)) return MakeFieldError("samples", Exact(x), "finite numbers");
  }
  return absl::OkStatus();
}

absl::Status Gang::Install(int copy, StimulusMode mode, std::shared_ptr<const Waveform> waveform) {
  if (absl::Status s = CheckWaveform(mode, *waveform); !s.ok()) return s;
  StimulusTimeline& timeline = stimuli_[static_cast<int>(mode)].timelines[copy];
  if (timeline.timing().value_or(waveform->timing) != waveform->timing) {
    return MakeFieldError("timing", "the other one than this mode's earlier stimulus has",
                          "the same: both are on one time axis until the next reset");
  }
  if (waveform->timing == SampleTiming::kLivn && timeline.timing().has_value() &&
      timeline.sample_dt_ms() != waveform->sample_dt_ms) {
    return MakeFieldError("sample_dt_ms", Exact(waveform->sample_dt_ms),
                          absl::StrCat(Exact(timeline.sample_dt_ms()),
                                       ", as this mode's earlier stimulus: both are on one time "
                                       "axis until the next reset"));
  }
  timeline.Install(std::move(waveform), tick(copy));
  stimuli_stale_[copy] = 1;
  return absl::OkStatus();
}

void Gang::BeginStimuli() {
  for (StimulusMode mode : {StimulusMode::kCurrent, StimulusMode::kCurrentDensity}) {
    const std::vector<StimulusTimeline>& timelines = stimuli_[static_cast<int>(mode)].timelines;
    if (std::all_of(timelines.begin(), timelines.end(),
                    [](const StimulusTimeline& t) { return t.empty(); })) {
      continue;
    }
    for (size_t g = 0; g < groups_.size(); ++g) {
      // All of it is 0 but for the parts that slices know of.
      groups_[g].drive.resize(static_cast<size_t>(groups_[g].num_tiles) *
                              culture_->groups()[g].model->num_compartments() * kTileLanes);
    }
  }
  for (GangSlice& slice : slices_) {
    slice.stimulated.clear();
    slice.light = false;
    for (SliceStimuli& s : slice.stimuli) {
      if (stimuli_stale_[s.copy] != 0) {
        for (std::vector<CurrentPart>& parts : s.parts) {
          for (const CurrentPart& part : parts) *part.drive = 0.0;
          slice.num_parts -= static_cast<int64_t>(parts.size());
          parts.clear();
        }
        for (int m = 0; m < kNumStimulusModes; ++m) {
          const StimulusMap* map = stimuli_[m].map.get();
          s.readers[m].Reset(map == nullptr ? 0 : map->num_channels);
        }
        s.field_active = header(s.copy, CopyHeader::kFieldActive);
        s.light_active = header(s.copy, CopyHeader::kLightActive);
      }
      if (rests_[s.copy] != 0) continue;
      slice.light = slice.light || s.light_active != 0.0;
      bool any = s.field_active != 0.0 || s.light_active >= 2.0;
      for (const StimulusSlot& slot : stimuli_) any = any || !slot.timelines[s.copy].empty();
      if (any) slice.stimulated.push_back(s.copy - slice.first_copy);
    }
  }
  std::fill(stimuli_stale_.begin(), stimuli_stale_.end(), uint8_t{0});
}

void Gang::EndStimuli() {
  for (GangSlice& slice : slices_) {
    for (int i : slice.stimulated) {
      const SliceStimuli& s = slice.stimuli[i];
      header(s.copy, CopyHeader::kFieldActive) = s.field_active;
      header(s.copy, CopyHeader::kLightActive) = s.light_active;
    }
  }
  // Forgets what is over.
  for (StimulusSlot& slot : stimuli_) {
    for (int copy = 0; copy < num_copies_; ++copy) {
      if (slot.timelines[copy].ForgetOver(TickAt(copy, step_))) stimuli_stale_[copy] = 1;
    }
  }
}

bool Gang::Follow(StimulusMode mode, SliceStimuli& stimuli, int64_t tick) const {
  const int m = static_cast<int>(mode);
  return stimuli.readers[m].GoTo(stimuli_[m].timelines[stimuli.copy], tick);
}

template <typename Visit>
void Gang::ForCells(const GangSlice& slice, int copy, Visit visit) const {
  for (const TileRange& r : slice.ranges) {
    const int64_t n = groups_[r.group].num_cells;
    const int64_t begin = int64_t{r.first} * kTileLanes - copy * n;
    const int64_t end = begin + int64_t{r.num_tiles} * kTileLanes;
    if (end <= 0 || begin >= n) continue;
    visit(r.group, static_cast<int>(std::max<int64_t>(begin, 0)),
          static_cast<int>(std::min(end, n)));
  }
}

template <typename Visit>
void Gang::ForRows(const GangSlice& slice, int copy, Visit visit) const {
  if (slices_.size() == 1) {
    visit(int64_t{0}, culture_->num_section_rows());
    return;
  }
  ForCells(slice, copy, [&](int g, int begin, int end) {
    const GroupTiles& tiles = groups_[g];
    const int num_sections = culture_->groups()[g].model->num_sections();
    for (int i = begin; i < end;) {
      const int run_end = std::min(tiles.run_end[i], end);
      visit(tiles.first_row[i], tiles.first_row[run_end - 1] + num_sections);
      i = run_end;
    }
  });
}

bool Gang::RowValues(GangSlice& slice, const StimulusSlot& slot, int copy,
                     const double* channels) const {
  double* values = slice.row_values.data();
  ForRows(slice, copy,
          [&](int64_t begin, int64_t end) { std::fill(values + begin, values + end, 0.0); });
  if (slot.map == nullptr) return false;
  const StimulusMap& map = *slot.map;
  const auto num_rows = static_cast<size_t>(culture_->num_section_rows());
  bool any = false;
  for (int c = 0; c < map.num_channels; ++c) {
    const double x = channels[c];
    if (x == 0.0) continue;
    any = true;
    if (!map.is_dense()) {
      // Rows of other slices are nobody's business here.
      if (map.row_of_channel[c] >= 0) values[map.row_of_channel[c]] += x;
    } else if (map.sources.has_value()) {
      ForRows(slice, copy, [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r) values[r] += x * map.sources->Gain(c, r);
      });
    } else {
      const double* gains = map.gains.data() + c * num_rows;
      ForRows(slice, copy, [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r) values[r] += x * gains[r];
      });
    }
  }
  return any;
}

void Gang::DenseParts(GangSlice& slice, const StimulusSlot& slot, StimulusMode mode, int copy,
                      const double* channels, std::vector<CurrentPart>& parts) {
  if (!RowValues(slice, slot, copy, channels)) return;
  ForCells(slice, copy, [&](int g, int begin, int end) {
    const CellGroup& group = culture_->groups()[g];
    const CellModel& model = *group.model;
    for (int i = begin; i < end; ++i) {
      const double* values = slice.row_values.data() + groups_[g].first_row[i];
      for (int section = 0; section < model.num_sections(); ++section) {
        if (values[section] == 0.0) continue;
        const int c = model.middle_compartment(section);
        parts.push_back({Drive(g, copy, i, c), -1, values[section], 0.0,
                         mode == StimulusMode::kCurrent ? model.drive_per_na(group.params(i), c)
                                                        : model.drive_per_density(c)});
      }
    }
  });
}

void Gang::UpdateField(GangSlice& slice, SliceStimuli& stimuli, int64_t tick) {
  if (!Follow(StimulusMode::kField, stimuli, tick)) return;
  const StimulusSlot& slot = stimuli_[static_cast<int>(StimulusMode::kField)];
  const int copy = stimuli.copy;
  // Without a map there are no waveforms, but a field from before may have to end.
  const bool active = stimuli.field_active != 0.0;
  const bool any = RowValues(slice, slot, copy,
                             stimuli.readers[static_cast<int>(StimulusMode::kField)].values());
  if (!any && !active) return;
  stimuli.field_active = any ? 1.0 : 0.0;
  ForCells(slice, copy, [&](int g, int begin, int end) {
    const CellGroup& group = culture_->groups()[g];
    for (int i = begin; i < end; ++i) {
      const int64_t row = groups_[g].first_row[i];
      group.model->SetField(group.params(i), any ? slice.row_values.data() + row : nullptr,
                            slot.row_present.data() + row,
                            Variable(g, int64_t{copy} * group.num_cells() + i, 0));
    }
  });
}

void Gang::UpdateLight(GangSlice& slice, SliceStimuli& stimuli, int64_t tick) {
  if (!Follow(StimulusMode::kLight, stimuli, tick)) return;
  const StimulusSlot& slot = stimuli_[static_cast<int>(StimulusMode::kLight)];
  const int copy = stimuli.copy;
  const bool shines = stimuli.light_active >= 2.0;
  const bool any = RowValues(slice, slot, copy,
                             stimuli.readers[static_cast<int>(StimulusMode::kLight)].values());
  if (!any && !shines) return;
  stimuli.light_active = any ? 2.0 : 1.0;
  slice.light = true;
  ForCells(slice, copy, [&](int g, int begin, int end) {
    const CellGroup& group = culture_->groups()[g];
    for (int i = begin; i < end; ++i) {
      group.model->SetLight(any ? slice.row_values[groups_[g].first_row[i]] : 0.0,
                            Variable(g, int64_t{copy} * group.num_cells() + i, 0));
    }
  });
}

}  // namespace livnd::sim
