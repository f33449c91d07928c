// The part of LiveCulture that runs and records.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "env/culture/live_culture.h"
#include "env/passage.h"
#include "io/culture/light_map.h"
#include "io/culture/stimulation_map.h"
#include "io/device/electrode_array.h"
#include "io/device/light_array.h"

namespace livnd::env {
namespace {

// Steps between two looks at whether a copy's numbers are still numbers.
constexpr int64_t kCheckSteps = 100;
constexpr double kMaxDurationMs = 1e5;
// Steps of cells in one run.
constexpr double kMaxCellSteps = 2e10;
constexpr int64_t kBytesOfSpike = 24;

int64_t NumSamples(const SeriesSelection& series, double dt_ms, int64_t num_ticks) {
  const int64_t every = std::llround(series.sample_dt_ms / dt_ms);
  return (num_ticks + every - 1) / every;
}

// "0 .. 20951.475 (ms)": the longest run that is accepted, to the tick.
std::string UpTo(int64_t num_ticks, double dt_ms) {
  return absl::StrFormat("0 .. %.10g (ms)", static_cast<double>(num_ticks) * dt_ms);
}

bool UsesFibers(const CultureRun& run) {
  return (run.pulse_plan.has_value() && !run.pulse_plan->light.empty()) ||
         std::any_of(run.stimuli.begin(), run.stimuli.end(), [](const CultureStimulus& s) {
           return s.quantity == StimulusQuantity::kFiberMw;
         });
}

}  // namespace

int64_t LiveCulture::NumTicks(double duration_ms) const {
  return static_cast<int64_t>(std::nearbyint(duration_ms / culture().dt_ms()));
}

absl::StatusOr<const Electrodes*> LiveCulture::FindElectrodes() {
  if (electrodes_ == nullptr && setup().electrode_array.has_value()) {
    auto array = io::ElectrodeArray::Create(*setup().electrode_array);
    if (!array.ok()) return array.status();
    auto map =
        io::ElectrodeStimulationMap(*array, model_->system(), culture(), setup().orientation);
    electrodes_ = std::make_unique<Electrodes>(Electrodes{*std::move(array), std::move(map)});
  }
  return electrodes_.get();
}

absl::StatusOr<const Fibers*> LiveCulture::FindFibers() {
  if (fibers_ == nullptr && prepared_.light_array.has_value()) {
    LIVND_ASSIGN_OR_RETURN(io::LightArray array, io::LightArray::Create(*prepared_.light_array));
    LIVND_ASSIGN_OR_RETURN(auto map, io::LightStimulationMap(array, model_->system(), culture()));
    fibers_ = std::make_unique<Fibers>(Fibers{std::move(array), std::move(map)});
  }
  return fibers_.get();
}

absl::StatusOr<std::shared_ptr<const ElectrodeHearing>> LiveCulture::Hearing() {
  if (!setup().electrode_array.has_value()) {
    return MakeFieldError("electrode_hearing", "asked for", "a system with electrodes");
  }
  if (hearing_ == nullptr) {
    const auto array = io::ElectrodeArray::Create(*setup().electrode_array);
    if (!array.ok()) return array.status();
    hearing_ = std::make_shared<const ElectrodeHearing>(
        MakeElectrodeHearing(*array, model_->system().position_um, setup().orientation, culture()));
  }
  return hearing_;
}

absl::Status LiveCulture::InstallStimuli(const StimulusPlan* have) {
  // A copy that has failed waits for the next Clear.
  const auto takes = [this](int copy) {
    return std::isnan(failed_at_ms_[static_cast<size_t>(copy)]);
  };
  return plan_.InstallInto(*copies_, takes, have);
}

absl::Status LiveCulture::CheckDuration(double duration_ms) const {
  const double dt = culture().dt_ms();
  const double cells = static_cast<double>(num_copies_) *
                       std::max(1.0, static_cast<double>(culture().gids().size()));
  const int64_t longest =
      std::min(NumTicks(kMaxDurationMs), static_cast<int64_t>(kMaxCellSteps / cells));
  const bool in_range = duration_ms >= 0.0 && duration_ms <= 2.0 * kMaxDurationMs;  // false for NaN
  if (in_range && NumTicks(duration_ms) <= longest) return absl::OkStatus();
  return MakeFieldError("duration_ms", Exact(duration_ms),
                        absl::StrCat(UpTo(longest, dt), " in one run of ", num_copies_, " x ",
                                     culture().gids().size(), " cells"));
}

std::vector<int64_t> LiveCulture::num_rows() const {
  std::vector<int64_t> out;
  for (const SeriesSelection& series : selection_.series) out.push_back(NumRows(series));
  return out;
}

int64_t LiveCulture::NumRows(const SeriesSelection& series) const {
  switch (series.quantity) {
    case RecordedQuantity::kElectrodePotentialUv:
      return static_cast<int64_t>(setup().electrode_array->electrodes.size());
    case RecordedQuantity::kLearnedWeight:
      return static_cast<int64_t>(culture().plastic_connections().size());
    default:
      return static_cast<int64_t>(series.sites.size());
  }
}

int64_t LiveCulture::SeriesBytes(int64_t num_ticks) const {
  int64_t bytes = 0;
  for (const SeriesSelection& s : selection_.series) {
    // A run without a sample has its books to keep, too.
    const int64_t num_samples = std::max<int64_t>(1, NumSamples(s, culture().dt_ms(), num_ticks));
    bytes += num_copies_ * num_samples * NumRows(s) * (s.single_precision ? 4 : 8);
  }
  return bytes;
}

int64_t LiveCulture::LongestTicks(int64_t max_bytes, int64_t num_ticks) const {
  int64_t fits = -1;
  for (int64_t too_long = num_ticks; too_long - fits > 1;) {
    const int64_t middle = (fits + too_long) / 2;
    (SeriesBytes(middle) <= max_bytes ? fits : too_long) = middle;
  }
  return fits;
}

double LiveCulture::MostSpikes(int64_t num_ticks) const {
  const double steps_a_spike =
      static_cast<double>(std::max<int64_t>(1, culture().refractory_steps()));
  return static_cast<double>(num_copies_) * static_cast<double>(culture().gids().size()) *
         (static_cast<double>(num_ticks) / steps_a_spike + 1.0);
}

int64_t LiveCulture::RecordingBytes(double duration_ms, int64_t max_spike_bytes) const {
  if (!CheckDuration(duration_ms).ok()) return 0;
  const int64_t num_ticks = NumTicks(duration_ms);
  const double spikes = selection_.spikes ? MostSpikes(num_ticks) * kBytesOfSpike : 0.0;
  return SeriesBytes(num_ticks) +
         static_cast<int64_t>(std::min(spikes, static_cast<double>(max_spike_bytes)));
}

int64_t LiveCulture::SpikeBytes() const {
  if (!run_.has_value()) return 0;
  int64_t num_spikes = 0;
  for (const GroupRun& of_group : run_->groups) {
    num_spikes += static_cast<int64_t>(of_group.spikes.size());
  }
  return num_spikes * kBytesOfSpike;
}

int64_t LiveCulture::InputSpikeBytes(int64_t num_spikes) const {
  const sim::Connectivity& net = culture().connectivity();
  int64_t most_runs = 1;  // of a source: what an input spike becomes
  for (const int64_t gid : input_gids()) {
    const auto source = static_cast<size_t>(culture().SourceIndex(gid));
    int64_t num_runs = 0;
    for (uint64_t row = net.first_row[source]; row < net.first_row[source + 1];
         row = net.run_end[row]) {
      ++num_runs;
    }
    most_runs = std::max(most_runs, num_runs);
  }
  // Sorted into another list, by the gang that is being given them.
  return num_spikes * most_runs * kBytesOfSpike * (copies_->num_groups() + 2);
}

bool LiveCulture::RunUnderWay::too_many_spikes() const {
  int64_t num_spikes = 0;
  for (const GroupRun& of_group : groups) num_spikes += of_group.num_kept;
  return given_up || num_spikes > max_spikes;
}

absl::Status LiveCulture::Run(const CultureRun& run) {
  if (absl::Status s = BeginRun(run); !s.ok()) return s;
  while (!ContinueRun(std::numeric_limits<int64_t>::max()).over) {
  }
  return FinishRun();
}

absl::Status LiveCulture::BeginRun(const CultureRun& run) {
  if (!was_cleared_) return absl::FailedPreconditionError("the culture was never cleared");
  if (all_failed()) {
    return absl::FailedPreconditionError("every copy has left the range of numbers; clear first");
  }
  const double duration_ms = run.duration_ms;
  if (absl::Status s = CheckDuration(duration_ms); !s.ok()) return s;
  const int64_t num_ticks = NumTicks(duration_ms);
  LIVND_ASSIGN_OR_RETURN(RunDecodings decodings, MakeDecodings(num_ticks));
  const int64_t series_bytes = SeriesBytes(num_ticks) + decodings.ValueBytes(num_copies_);
  if (series_bytes > run.max_recording_bytes) {
    const int64_t fits = LongestTicks(run.max_recording_bytes, num_ticks);
    const std::string shorter =
        fits < 0 ? "" : absl::StrCat(UpTo(fits, culture().dt_ms()), ", or ");
    return MakeFieldError(
        "duration_ms", absl::StrCat(Exact(duration_ms), " with series of ", series_bytes, " bytes"),
        absl::StrCat(shorter, "fewer series (", run.max_recording_bytes, " bytes in one answer)"));
  }
  Devices devices;
  const bool stimulated =
      !run.stimuli.empty() || run.pulse_plan.has_value() || run.features.has_value();
  if (stimulated) {
    LIVND_ASSIGN_OR_RETURN(devices.electrodes, FindElectrodes());
  }
  if (UsesFibers(run)) {
    LIVND_ASSIGN_OR_RETURN(devices.fibers, FindFibers());
  }
  StimulusPlan plan = plan_;
  plan.ForgetBefore(tick_, culture().dt_ms());
  std::optional<std::vector<GivenStimulus>> given;
  if (run.keep_stimuli) given.emplace();
  for (size_t i = 0; i < run.stimuli.size(); ++i) {
    if (run.stimuli[i].quantity == StimulusQuantity::kElectrodeUa && prepared_.limits.any()) {
      return MakeFieldError(absl::StrCat("stimuli[", i, "].quantity"), "samples of currents",
                            "a plan of pulses: the device has limits, which are of pulses");
    }
    if (absl::Status s = plan.Add(absl::StrCat("stimuli[", i, "]"), run.stimuli[i], culture(),
                                  devices, {tick_, summed_ms_}, run.max_stimulus_bytes);
        !s.ok()) {
      return s;
    }
    if (given.has_value() && run.stimuli[i].num_samples > 0) {
      plan.AppendLatest(ModeOf(run.stimuli[i].quantity), &*given);
    }
  }
  std::optional<RunFeatures> features;
  LIVND_RETURN_IF_ERROR(TakeFeatures(run, num_ticks, devices, plan, &features));
  std::shared_ptr<const RunPulses> pulses;
  if (run.account_charges && !run.pulse_plan.has_value()) {
    return MakeFieldError("charges", "asked for", "a run with a plan of pulses");
  }
  if (run.pulse_plan.has_value()) {
    LIVND_RETURN_IF_ERROR(
        RunPulses::Announce(*run.pulse_plan, culture(), devices, {tick_, summed_ms_}, plan));
    LIVND_ASSIGN_OR_RETURN(
        RunPulses admitted,
        RunPulses::Create(*run.pulse_plan, devices, prepared_.limits, culture(), tick_, num_ticks));
    pulses = std::make_shared<const RunPulses>(std::move(admitted));
  }

  absl::StatusOr<std::shared_ptr<const ElectrodeHearing>> hearing = nullptr;
  const bool hears =
      std::any_of(selection_.series.begin(), selection_.series.end(), [](const SeriesSelection& s) {
        return s.quantity == RecordedQuantity::kElectrodePotentialUv;
      });
  if (hears || decodings.hears_potentials()) {
    hearing = Hearing();
    if (!hearing.ok()) return hearing.status();
  }

  const int64_t max_spikes = selection_.spikes
                                 ? (run.max_recording_bytes - series_bytes) / kBytesOfSpike
                                 : std::numeric_limits<int64_t>::max();
  // Only where cells could fire so much is there anything to go back to.
  const double most = MostSpikes(num_ticks);
  const int64_t sure_spikes = std::min(max_spikes, run.sure_recording_bytes / kBytesOfSpike);
  std::vector<std::vector<double>> states;
  if (most > static_cast<double>(sure_spikes)) states = copies_->SaveAll();
  std::vector<io::ElectrodeCharge> charges;
  if (run.account_charges) charges = pulses->Charges();
  std::swap(plan_, plan);
  if (stimulated) InstallStimuli(&plan).IgnoreError();  // Add has seen them
  decodings.Begin(num_copies_, tick_);
  run_.emplace(RunUnderWay{
      duration_ms, num_ticks, max_spikes, *std::move(hearing), std::move(plan), failed_at_ms_,
      std::move(states), std::vector<GroupRun>(static_cast<size_t>(copies_->num_groups())),
      Passage(*copies_, num_ticks), std::move(pulses), std::move(given), std::move(charges),
      std::move(features), encoding_states_, std::move(decodings), false});
  return absl::OkStatus();
}

Progress LiveCulture::ContinueRun(int64_t max_ticks) {
  Progress progress =
      run_->passage.Continue(max_ticks, [&](Copies::Group& group, int64_t from, int64_t to) {
        GroupRun& of_group = run_->groups[static_cast<size_t>(group.index())];
        if (from == 0) MakeRecorders(group, of_group);
        Advance(group, of_group, from, to);
      });
  progress.over = progress.over || run_->too_many_spikes();
  return progress;
}

absl::Status LiveCulture::FinishRun() {
  RunUnderWay run = *std::move(run_);
  run_.reset();
  if (run.too_many_spikes()) {
    plan_ = std::move(run.plan);
    failed_at_ms_ = std::move(run.failed_at_ms);
    encoding_states_ = std::move(run.encoding_states);
    copies_->LoadAll(run.states);
    InstallStimuli(nullptr).IgnoreError();  // they were accepted before
    return absl::ResourceExhaustedError(absl::StrCat("more spikes in ", run.duration_ms,
                                                     " ms than the ", run.max_spikes,
                                                     " that one answer holds; run shorter"));
  }
  recording_ = CultureRecording();
  recording_.start_tick = tick_;
  recording_.num_ticks = run.num_ticks;
  recording_.charges = std::move(run.charges);
  if (run.given.has_value()) {
    recording_.stimuli = *std::move(run.given);
    for (GroupRun& of_group : run.groups) {
      std::move(of_group.given.begin(), of_group.given.end(),
                std::back_inserter(recording_.stimuli));
    }
    recording_.pulses = std::move(run.pulses);
  }
  tick_ += run.num_ticks;
  summed_ms_ += run.duration_ms;
  recording_.decoded = run.decodings.Finish(failed_at_ms_);
  Collect(run.groups, run.num_ticks);
  return absl::OkStatus();
}

void LiveCulture::Park(int copy) {
  const std::vector<double> learned = copies_->LearnedWeights(copy);
  copies_->Load(copy, culture().initial_state());
  copies_->SetLearnedWeights(copy, WithinBounds(learned)).IgnoreError();
}

void LiveCulture::MakeRecorders(const Copies::Group& group, GroupRun& of_group) const {
  of_group.recorders.resize(static_cast<size_t>(group.size()));
  of_group.heard.resize(static_cast<size_t>(group.size()));
  const std::vector<RunDecodings::HeardSeries> heard = run_->decodings.series();
  for (int k = 0; k < group.size(); ++k) {
    for (const SeriesSelection& s : selection_.series) {
      of_group.recorders[static_cast<size_t>(k)].emplace_back(s, k, culture(), run_->hearing);
    }
    for (const RunDecodings::HeardSeries& h : heard) {
      of_group.heard[static_cast<size_t>(k)].emplace_back(h.series, k, culture(), run_->hearing);
    }
  }
}

void LiveCulture::Advance(Copies::Group& group, GroupRun& of_group, int64_t from, int64_t to) {
  std::vector<sim::Probe*> probes;
  while (from < to && of_group.num_kept <= run_->max_spikes) {
    const int64_t checked = from / kCheckSteps * kCheckSteps;
    const int64_t check = std::min(checked + kCheckSteps, run_->num_ticks);
    const int64_t end = std::min(check, to);
    probes.clear();
    for (int k = 0; k < group.size(); ++k) {
      if (!std::isnan(failed_at_ms_[static_cast<size_t>(group.first() + k)])) continue;
      for (SeriesRecorder& r : of_group.recorders[static_cast<size_t>(k)]) {
        probes.push_back(r.probe());
      }
      for (SeriesRecorder& r : of_group.heard[static_cast<size_t>(k)]) probes.push_back(r.probe());
    }
    if (run_->pulses != nullptr) InstallPulses(group, from, end);
    if (run_->features.has_value()) InstallFeatures(group, of_group, from, end);
    const bool heard = selection_.spikes || run_->decodings.hears_spikes();
    group.Advance(end - from, heard ? &of_group.spikes : nullptr, probes);
    if (end == check) CheckCopies(group, of_group, checked);
    from = end;
  }
}

void LiveCulture::InstallPulses(const Copies::Group& group, int64_t from, int64_t to) {
  for (const sim::StimulusMode mode : {sim::StimulusMode::kField, sim::StimulusMode::kLight}) {
    for (const auto& waveform : run_->pulses->Waveforms(mode, from, to)) {
      for (int copy = group.first(); copy < group.first() + group.size(); ++copy) {
        if (!std::isnan(failed_at_ms_[static_cast<size_t>(copy)])) continue;
        // BeginRun has seen the plan.
        copies_->Install(copy, mode, waveform).IgnoreError();
      }
    }
  }
}

void LiveCulture::CheckCopies(const Copies::Group& group, GroupRun& of_group, int64_t from) {
  const auto failed = [&](int k) -> double& {
    return failed_at_ms_[static_cast<size_t>(group.first() + k)];
  };
  bool any_failed = false;
  for (int k = 0; k < group.size(); ++k) {
    const bool good = copies_->IsFinite(group.first() + k);
    if (std::isnan(failed(k)) && !good) {
      failed(k) = static_cast<double>(tick_ + from) * culture().dt_ms();
    }
    const bool recorded = std::isnan(failed(k));
    any_failed = any_failed || !recorded;
    for (SeriesRecorder& r : of_group.recorders[static_cast<size_t>(k)]) {
      if (recorded) {
        r.Keep();
      } else {
        r.Drop();
      }
    }
    // What a copy that has failed does until the next Clear is nobody's business.
    if (!good) Park(group.first() + k);
  }
  Decode(group, of_group);
  std::vector<sim::Spike>& spikes = of_group.spikes;
  if (any_failed || !selection_.spike_populations.empty()) {
    spikes.erase(std::remove_if(spikes.begin() + of_group.num_kept, spikes.end(),
                                [&](const sim::Spike& s) {
                                  return !std::isnan(failed(s.copy)) || !RecordsSpikesOf(s.gid);
                                }),
                 spikes.end());
  }
  of_group.num_kept = static_cast<int64_t>(spikes.size());
}

bool LiveCulture::RecordsSpikesOf(int64_t gid) const {
  const std::vector<std::string>& populations = selection_.spike_populations;
  if (populations.empty()) return true;
  const std::string& population = culture().groups()[culture().Find(gid).group].population;
  return std::find(populations.begin(), populations.end(), population) != populations.end();
}

void LiveCulture::Collect(std::vector<GroupRun>& runs, int64_t num_ticks) {
  const double dt = culture().dt_ms();
  CultureRecording& out = recording_;
  const double start_ms = static_cast<double>(out.start_tick) * dt;
  out.failed_at_ms = failed_at_ms_;
  out.spike_offsets.assign(1, 0);
  for (GroupRun& run : runs) {
    std::stable_sort(run.spikes.begin(), run.spikes.end(),
                     [](const sim::Spike& a, const sim::Spike& b) { return a.copy < b.copy; });
    auto spike = run.spikes.begin();
    for (int k = 0; k < static_cast<int>(run.recorders.size()); ++k) {
      for (; spike != run.spikes.end() && spike->copy == k; ++spike) {
        out.spike_gids.push_back(spike->gid);
        out.spike_ticks.push_back(spike->tick);
        // As livn: the emission lies 1e-10 ms after the step's start.
        out.spike_times_ms.push_back(static_cast<double>(spike->tick) * dt + 1e-10 - start_ms);
      }
      out.spike_offsets.push_back(static_cast<int64_t>(out.spike_gids.size()));
    }
    run.spikes = {};
  }
  for (size_t i = 0; i < selection_.series.size(); ++i) {
    RecordedSeries& series = out.series.emplace_back();
    series.num_rows = NumRows(selection_.series[i]);
    series.num_samples = NumSamples(selection_.series[i], dt, num_ticks);
    const int64_t of_copy = series.num_rows * series.num_samples;
    series.values.assign(static_cast<size_t>(num_copies_ * of_copy),
                         std::numeric_limits<double>::quiet_NaN());
    double* to = series.values.data();
    for (const GroupRun& run : runs) {
      for (const std::vector<SeriesRecorder>& recorders : run.recorders) {
        const double* from = recorders[i].samples().data();
        const auto got = static_cast<int64_t>(recorders[i].samples().size()) /
                         std::max<int64_t>(1, series.num_rows);
        for (int64_t sample = 0; sample < got; ++sample) {
          for (int64_t row = 0; row < series.num_rows; ++row) {
            to[row * series.num_samples + sample] = *from++;
          }
        }
        to += of_copy;
      }
    }
  }
}

}  // namespace livnd::env
