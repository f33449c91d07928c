#include "env/copies.h"

#include <algorithm>
#include <utility>

#include "base/field_error.h"

namespace livnd::env {
namespace {

// Copies whose state together stays near this size run as one gang: tiles fill, caches hold.
constexpr size_t kGangStateBytes = size_t{384} << 10;
// A gang of more tiles is worth several threads.
constexpr int kLargeGangTiles = 64;

// Copies whose gang stays in the caches.
int CopiesThatFit(size_t state_size) {
  return static_cast<int>(std::max<size_t>(1, kGangStateBytes / (state_size * sizeof(double))));
}

// Copies in one gang; every thread gets some before a gang gets many.
int GroupSize(int num_copies, size_t state_size, int concurrency) {
  const int share = (num_copies + concurrency - 1) / concurrency;
  return std::min(CopiesThatFit(state_size), share);
}

// Steps whose normals a gang draws at once, two a lane and step.
constexpr int64_t kNoiseBytesOfCell = int64_t{64} * 2 * sizeof(double);
// Of a cell: marks, masks, the rows of its sections.
constexpr int64_t kBooksOfCell = 64;
// An event in a calendar, with its place in the list.
constexpr int64_t kEventBytes = 24;
// So many of a culture's events are on their way at once at most: cells fire far apart, and delays
// are short.
constexpr double kEventsUnderWay = 0.2;
// Of a copy: headers, slices, what its owner keeps of it.
constexpr int64_t kBooksOfCopy = 4 << 10;

}  // namespace

int CopiesThatFill(const sim::Culture& culture, int concurrency) {
  return CopiesThatFit(culture.initial_state().size()) * concurrency;
}

int64_t BytesOfCopies(const sim::Culture& culture, int num_copies) {
  int64_t bytes = kBooksOfCopy;
  for (const sim::CellGroup& group : culture.groups()) {
    const sim::CellModel& model = *group.model;
    // Beside the state its scratch, the drive and the currents of its compartments, and whether it
    // learns; parameters are shared by cells that are alike.
    int64_t numbers = group.num_variables + model.num_scratch() + 2 * model.num_compartments() + 1;
    if (group.classes.size() > 1) numbers += model.num_params();
    bytes += group.num_cells() * (numbers * int64_t{sizeof(double)} + kBooksOfCell +
                                  (model.noise_on() ? kNoiseBytesOfCell : 0));
  }
  const sim::Connectivity& net = culture.connectivity();
  bytes += 2 * net.num_stateful_rows * int64_t{sizeof(double)};
  bytes +=
      static_cast<int64_t>(kEventsUnderWay * static_cast<double>(net.rows.size())) * kEventBytes;
  bytes += culture.num_section_rows() * int64_t{2 * sizeof(double)};
  // As measured of cultures of 10 to 10,000 cells (env/memory_estimate_test.cc).
  return num_copies * (bytes + bytes / 8);
}

void Copies::Group::Advance(int64_t num_steps, std::vector<sim::Spike>* spikes,
                            absl::Span<sim::Probe* const> probes, absl::Span<const uint8_t> rests) {
  const bool large = gang_->num_tiles() > kLargeGangTiles && share_.concurrency() > 1;
  gang_->Advance(num_steps, spikes, probes, large ? &share_ : nullptr, rests);
}

Copies::Copies(std::shared_ptr<const sim::Culture> culture, int num_copies, sim::Executor& executor)
    : culture_(std::move(culture)),
      num_copies_(num_copies),
      group_size_(GroupSize(num_copies, culture_->initial_state().size(), executor.concurrency())),
      executor_(&executor) {
  const int num_groups = (num_copies + group_size_ - 1) / group_size_;
  const sim::ExecutorShare share(executor, num_groups);
  for (int i = 0; i < num_groups; ++i) {
    const int first = i * group_size_;
    const int size = std::min(group_size_, num_copies - first);
    groups_.push_back(Group(i, first, std::make_unique<sim::Gang>(culture_, size), share));
  }
}

void Copies::ParallelFor(int first, int num, absl::FunctionRef<void(Group&)> work) {
  executor_->ParallelFor(num, [&](int i) { work(groups_[static_cast<size_t>(first + i)]); });
}

void Copies::SetStimulusMap(sim::StimulusMode mode,
                            const std::shared_ptr<const sim::StimulusMap>& map) {
  for (Group& group : groups_) group.gang_->SetStimulusMap(mode, map);
}

absl::Status Copies::SetInputSpikes(const std::map<int64_t, std::vector<double>>& times_ms) {
  // All of them fail alike, so the first does before anything has changed.
  for (Group& group : groups_) {
    if (absl::Status s = group.gang_->SetInputSpikes(times_ms); !s.ok()) return s;
  }
  return absl::OkStatus();
}

std::vector<double> Copies::SaveCulture(int copy) const {
  std::vector<double> state(gang(copy).keeps_currents() ? culture_->state_size_with_currents()
                                                        : culture_->state_size());
  Save(copy, absl::MakeSpan(state));
  return state;
}

CopyState Copies::SaveWhole(int copy) const {
  CopyState out;
  out.culture = SaveCulture(copy);
  for (int m = 0; m < sim::kNumStimulusModes; ++m) {
    out.stimuli[m] = gang(copy).Stimuli(Within(copy), static_cast<sim::StimulusMode>(m));
  }
  return out;
}

absl::Status Copies::LoadWhole(int copy, const CopyState& state) {
  if (absl::Status s = culture_->CheckState(state.culture); !s.ok()) return s;
  Load(copy, state.culture);
  for (int m = 0; m < sim::kNumStimulusModes; ++m) {
    const auto mode = static_cast<sim::StimulusMode>(m);
    for (const std::shared_ptr<const sim::Waveform>& waveform : state.stimuli[m]) {
      if (absl::Status s = Install(copy, mode, waveform); !s.ok()) return AtField("stimuli", s);
    }
  }
  return absl::OkStatus();
}

std::vector<std::vector<double>> Copies::SaveAll() const {
  std::vector<std::vector<double>> states;
  for (int c = 0; c < num_copies_; ++c) states.push_back(SaveCulture(c));
  return states;
}

void Copies::LoadAll(const std::vector<std::vector<double>>& states) {
  for (int c = 0; c < num_copies_; ++c) Load(c, states[static_cast<size_t>(c)]);
}

}  // namespace livnd::env
