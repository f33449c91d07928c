#include "env/culture/live_culture.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "env/culture/sites.h"
#include "env/field_error.h"
#include "env/seed.h"
#include "io/culture/culture_config_of.h"
#include "io/culture/stimulation_map.h"

namespace livnd::env {
namespace {

// Copies whose state together stays near this size run as one gang: tiles fill, caches hold.
constexpr size_t kGangStateBytes = size_t{384} << 10;
// Steps between two looks at whether a copy's numbers are still numbers.
constexpr int64_t kCheckSteps = 100;
constexpr double kMaxDurationMs = 1e5;
// Steps of cells in one run, which nothing can interrupt.
constexpr double kMaxCellSteps = 2e10;
constexpr int64_t kBytesOfSpike = 24;
constexpr double kNoFailure = std::numeric_limits<double>::quiet_NaN();

}  // namespace

LiveCulture::LiveCulture(std::shared_ptr<const CultureModel> model, int num_copies,
                         uint64_t unseeded_seed, sim::Executor& executor)
    : model_(std::move(model)),
      num_copies_(num_copies),
      unseeded_seed_(unseeded_seed),
      executor_(executor),
      params_(model_->default_params()),
      config_(model_->default_config()),
      culture_(model_->default_culture()),
      plan_(num_copies),
      seeds_(static_cast<size_t>(num_copies)),
      failed_at_ms_(static_cast<size_t>(num_copies), kNoFailure) {
  slices_ = MakeSlices(culture_);
}

absl::StatusOr<std::unique_ptr<LiveCulture>> LiveCulture::Create(
    std::shared_ptr<const CultureModel> model, int num_copies, uint64_t unseeded_seed,
    sim::Executor& executor) {
  if (num_copies < 1) return MakeFieldError("num_copies", absl::StrCat(num_copies), "1 or more");
  return std::unique_ptr<LiveCulture>(
      new LiveCulture(std::move(model), num_copies, unseeded_seed, executor));
}

std::vector<LiveCulture::Slice> LiveCulture::MakeSlices(
    const std::shared_ptr<const sim::Culture>& culture) const {
  const size_t bytes = culture->initial_state().size() * sizeof(double);
  const int fit = static_cast<int>(std::max<size_t>(1, kGangStateBytes / bytes));
  const int share = (num_copies_ + executor_.concurrency() - 1) / executor_.concurrency();
  const int size = std::min(fit, share);
  std::vector<Slice> slices;
  for (int first = 0; first < num_copies_; first += size) {
    Slice& slice = slices.emplace_back();
    slice.first_copy = first;
    slice.gang = std::make_unique<sim::Gang>(culture, std::min(size, num_copies_ - first));
  }
  return slices;
}

bool LiveCulture::all_failed() const {
  return std::none_of(failed_at_ms_.begin(), failed_at_ms_.end(),
                      [](double at) { return std::isnan(at); });
}

std::vector<int64_t> LiveCulture::input_gids() const {
  std::vector<int64_t> gids;
  for (const sim::PopulationConfig& p : config_.populations) {
    for (int64_t gid = p.first_gid; gid < p.first_gid + p.num_cells; ++gid) {
      if (culture_->Find(gid).group < 0 && culture_->SourceIndex(gid) >= 0) gids.push_back(gid);
    }
  }
  std::sort(gids.begin(), gids.end());
  return gids;
}

void LiveCulture::KeyNoise() {
  for (Slice& slice : slices_) {
    for (int k = 0; k < slice.gang->num_copies(); ++k) {
      slice.gang->SetSeed(k, seeds_[static_cast<size_t>(slice.first_copy + k)], noise_stream_);
    }
  }
}

absl::Status LiveCulture::Reset(const CultureReset& reset) {
  const auto n = static_cast<size_t>(num_copies_);
  if (!reset.seeds.empty() && reset.seeds.size() != n) {
    return MakeFieldError("seeds", absl::StrCat(reset.seeds.size(), " entries"), absl::StrCat(n));
  }
  bool any_seed = false;
  for (size_t c = 0; c < n; ++c) {
    const bool given = !reset.seeds.empty() && reset.seeds[c].has_value();
    any_seed = any_seed || given;
    if (given) {
      seeds_[c] = *reset.seeds[c];
    } else if (!was_reset_) {
      seeds_[c] = EpisodeSeed(unseeded_seed_, c + 1);
    }
  }
  if (reset.noise_stream.has_value()) {
    noise_stream_ = *reset.noise_stream;
  } else if (any_seed) {
    noise_stream_ = 0;
  } else if (was_reset_ && reset.reseed) {
    ++noise_stream_;
  }
  for (Slice& slice : slices_) {
    for (int k = 0; k < slice.gang->num_copies(); ++k) {
      slice.gang->LoadCopy(k, culture_->initial_state());
    }
  }
  KeyNoise();
  plan_ = StimulusPlan(num_copies_);
  recording_ = CultureRecording();
  std::fill(failed_at_ms_.begin(), failed_at_ms_.end(), kNoFailure);
  tick_ = 0;
  was_reset_ = true;
  ++num_resets_;
  return absl::OkStatus();
}

int64_t LiveCulture::SeriesBytes(int64_t num_ticks) const {
  int64_t bytes = 0;
  for (const SeriesSelection& s : selection_.series) {
    const int64_t every = std::llround(s.sample_dt_ms / culture_->dt_ms());
    const int64_t num_samples = (num_ticks + every - 1) / every;
    bytes += num_copies_ * num_samples * static_cast<int64_t>(s.sites.size()) *
             (s.single_precision ? 4 : 8);
  }
  return bytes;
}

absl::StatusOr<const Electrodes*> LiveCulture::FindElectrodes() {
  if (electrodes_ == nullptr && model_->system().electrode_array.has_value()) {
    auto array = io::ElectrodeArray::Create(*model_->system().electrode_array);
    if (!array.ok()) return array.status();
    auto map = io::ElectrodeStimulationMap(*array, model_->system(), *culture_);
    electrodes_ = std::make_unique<Electrodes>(Electrodes{*std::move(array), std::move(map)});
  }
  return electrodes_.get();
}

void LiveCulture::InstallStimuli() {
  for (Slice& slice : slices_) {
    plan_.InstallInto(*slice.gang, slice.first_copy, electrodes_.get());
  }
}

std::vector<std::vector<double>> LiveCulture::SaveCopies() const {
  std::vector<std::vector<double>> states;
  for (const Slice& slice : slices_) {
    for (int k = 0; k < slice.gang->num_copies(); ++k) {
      states.emplace_back(slice.gang->culture().initial_state().size());
      slice.gang->SaveCopy(k, absl::MakeSpan(states.back()));
    }
  }
  return states;
}

void LiveCulture::LoadCopies(const std::vector<std::vector<double>>& states) {
  for (Slice& slice : slices_) {
    for (int k = 0; k < slice.gang->num_copies(); ++k) {
      slice.gang->LoadCopy(k, states[static_cast<size_t>(slice.first_copy + k)]);
    }
  }
}

absl::Status LiveCulture::Run(const CultureRun& run) {
  if (!was_reset_) return absl::FailedPreconditionError("the culture was never reset");
  if (all_failed()) {
    return absl::FailedPreconditionError("every copy has left the range of numbers; reset first");
  }
  const double dt = culture_->dt_ms();
  const double steps_left =
      kMaxCellSteps / std::max<double>(1.0, static_cast<double>(culture_->gids().size()) *
                                                static_cast<double>(num_copies_));
  const double longest_ms = std::min(kMaxDurationMs, std::floor(steps_left) * dt);
  if (!(run.duration_ms >= 0.0 && run.duration_ms <= longest_ms)) {
    return MakeFieldError("duration_ms", absl::StrCat(run.duration_ms),
                          absl::StrCat("0 .. ", longest_ms, " (ms) in one run of ", num_copies_,
                                       " x ", culture_->gids().size(), " cells"));
  }
  const auto num_ticks = static_cast<int64_t>(std::nearbyint(run.duration_ms / dt));
  const int64_t series_bytes = SeriesBytes(num_ticks);
  if (series_bytes > run.max_recording_bytes) {
    const double fits_ms = run.duration_ms * static_cast<double>(run.max_recording_bytes) /
                           static_cast<double>(series_bytes);
    return MakeFieldError(
        "duration_ms", absl::StrCat(run.duration_ms, " with series of ", series_bytes, " bytes"),
        absl::StrCat("about ", std::floor(fits_ms), " ms: ", run.max_recording_bytes,
                     " bytes in one answer; run shorter, or record less"));
  }
  absl::StatusOr<const Electrodes*> electrodes = nullptr;
  if (!run.stimuli.empty()) {
    electrodes = FindElectrodes();
    if (!electrodes.ok()) return electrodes.status();
  }
  StimulusPlan plan = plan_;
  plan.ForgetBefore(time_ms());
  for (size_t i = 0; i < run.stimuli.size(); ++i) {
    if (absl::Status s = plan.Add(absl::StrCat("stimuli[", i, "]"), run.stimuli[i], *culture_,
                                  *electrodes, time_ms());
        !s.ok()) {
      return s;
    }
  }

  const int64_t max_spikes = selection_.spikes
                                 ? (run.max_recording_bytes - series_bytes) / kBytesOfSpike
                                 : std::numeric_limits<int64_t>::max();
  // Only where cells could fire so much is there anything to go back to.
  const double most = static_cast<double>(num_copies_) *
                      static_cast<double>(culture_->gids().size()) *
                      (static_cast<double>(num_ticks) /
                           static_cast<double>(std::max<int64_t>(1, culture_->refractory_steps())) +
                       1.0);
  std::vector<std::vector<double>> before;
  if (most > static_cast<double>(max_spikes)) before = SaveCopies();
  const std::vector<double> failed_before = failed_at_ms_;
  std::swap(plan_, plan);
  if (!run.stimuli.empty()) InstallStimuli();

  executor_.ParallelFor(static_cast<int>(slices_.size()), [&](int s) {
    Advance(slices_[static_cast<size_t>(s)], num_ticks, max_spikes);
  });
  int64_t num_spikes = 0;
  bool too_many = false;
  for (const Slice& slice : slices_) {
    num_spikes += static_cast<int64_t>(slice.spikes.size());
    too_many = too_many || slice.too_many_spikes;
  }
  if (too_many || num_spikes > max_spikes) {
    std::swap(plan_, plan);
    failed_at_ms_ = failed_before;
    LoadCopies(before);
    InstallStimuli();
    return absl::ResourceExhaustedError(absl::StrCat("more spikes in ", run.duration_ms,
                                                     " ms than the ", max_spikes,
                                                     " that one answer holds; run shorter"));
  }
  recording_ = CultureRecording();
  recording_.start_tick = tick_;
  recording_.num_ticks = num_ticks;
  tick_ += num_ticks;
  Collect(num_ticks);
  return absl::OkStatus();
}

void LiveCulture::Advance(Slice& slice, int64_t num_ticks, int64_t max_spikes) {
  sim::Gang& gang = *slice.gang;
  const int n = gang.num_copies();
  slice.spikes.clear();
  slice.too_many_spikes = false;
  slice.probes.assign(static_cast<size_t>(n), {});
  for (int k = 0; k < n; ++k) {
    for (const SeriesSelection& s : selection_.series) {
      sim::VoltageProbe& probe = slice.probes[static_cast<size_t>(k)].emplace_back();
      probe.copy = k;
      probe.every_steps = static_cast<int>(std::llround(s.sample_dt_ms / culture_->dt_ms()));
      for (const Site& site : s.sites) probe.sites.push_back({site.gid, site.section});
    }
  }
  const auto failed = [&](int k) -> double& {
    return failed_at_ms_[static_cast<size_t>(slice.first_copy + k)];
  };
  std::vector<size_t> samples_before;
  for (int64_t done = 0; done < num_ticks && !slice.too_many_spikes;) {
    const int64_t steps = std::min(kCheckSteps, num_ticks - done);
    std::vector<sim::VoltageProbe*> probes;
    for (int k = 0; k < n; ++k) {
      if (!std::isnan(failed(k))) continue;
      for (sim::VoltageProbe& probe : slice.probes[static_cast<size_t>(k)]) {
        probes.push_back(&probe);
      }
    }
    samples_before.clear();
    for (const sim::VoltageProbe* probe : probes) {
      samples_before.push_back(probe->samples_mv.size());
    }
    const auto first_spike = static_cast<int64_t>(slice.spikes.size());
    gang.Advance(steps, selection_.spikes ? &slice.spikes : nullptr, probes);
    for (int k = 0; k < n; ++k) {
      if (!std::isnan(failed(k)) || gang.IsFinite(k)) continue;
      failed(k) = static_cast<double>(tick_ + done) * culture_->dt_ms();
      for (size_t i = 0; i < probes.size(); ++i) {
        if (probes[i]->copy == k) probes[i]->samples_mv.resize(samples_before[i]);
      }
    }
    // Copies that have failed wait at rest; what they do there is nobody's business.
    bool any_failed = false;
    for (int k = 0; k < n; ++k) {
      if (std::isnan(failed(k))) continue;
      any_failed = true;
      if (!gang.IsFinite(k)) gang.LoadCopy(k, culture_->initial_state());
    }
    if (any_failed) {
      slice.spikes.erase(
          std::remove_if(slice.spikes.begin() + first_spike, slice.spikes.end(),
                         [&](const sim::Spike& s) { return !std::isnan(failed(s.copy)); }),
          slice.spikes.end());
    }
    slice.too_many_spikes = static_cast<int64_t>(slice.spikes.size()) > max_spikes;
    done += steps;
  }
}

void LiveCulture::Collect(int64_t num_ticks) {
  const double dt = culture_->dt_ms();
  CultureRecording& out = recording_;
  const double start_ms = static_cast<double>(out.start_tick) * dt;
  out.failed_at_ms = failed_at_ms_;
  out.spike_offsets.assign(1, 0);
  for (Slice& slice : slices_) {
    std::stable_sort(slice.spikes.begin(), slice.spikes.end(),
                     [](const sim::Spike& a, const sim::Spike& b) { return a.copy < b.copy; });
    auto spike = slice.spikes.begin();
    for (int k = 0; k < slice.gang->num_copies(); ++k) {
      for (; spike != slice.spikes.end() && spike->copy == k; ++spike) {
        out.spike_gids.push_back(spike->gid);
        out.spike_ticks.push_back(spike->tick);
        // As livn: the emission lies 1e-10 ms after the step's start.
        out.spike_times_ms.push_back(static_cast<double>(spike->tick) * dt + 1e-10 - start_ms);
      }
      out.spike_offsets.push_back(static_cast<int64_t>(out.spike_gids.size()));
    }
    slice.spikes = {};
  }
  for (size_t i = 0; i < selection_.series.size(); ++i) {
    const SeriesSelection& selected = selection_.series[i];
    RecordedSeries& series = out.series.emplace_back();
    const int64_t every = std::llround(selected.sample_dt_ms / dt);
    series.num_rows = static_cast<int64_t>(selected.sites.size());
    series.num_samples = (num_ticks + every - 1) / every;
    series.values.assign(static_cast<size_t>(num_copies_ * series.num_rows * series.num_samples),
                         kNoFailure);
    double* to = series.values.data();
    for (Slice& slice : slices_) {
      for (std::vector<sim::VoltageProbe>& of_copy : slice.probes) {
        std::vector<double>& from = of_copy[i].samples_mv;
        const auto got = static_cast<int64_t>(from.size()) / std::max<int64_t>(1, series.num_rows);
        for (int64_t sample = 0; sample < got; ++sample) {
          for (int64_t row = 0; row < series.num_rows; ++row) {
            to[row * series.num_samples + sample] =
                from[static_cast<size_t>(sample * series.num_rows + row)];
          }
        }
        to += series.num_rows * series.num_samples;
        from = {};
      }
    }
  }
}

absl::Status LiveCulture::CheckSelection(const RecordingSelection& selection,
                                         const sim::Culture& culture) const {
  for (size_t i = 0; i < selection.series.size(); ++i) {
    const SeriesSelection& s = selection.series[i];
    const std::string field = absl::StrCat("recording.series[", i, "]");
    const double steps = s.sample_dt_ms / culture.dt_ms();
    if (!(steps >= 1.0 - 1e-9 && steps <= 1e6 && std::fabs(steps - std::round(steps)) <= 1e-6)) {
      return MakeFieldError(absl::StrCat(field, ".sample_dt_ms"), absl::StrCat(s.sample_dt_ms),
                            absl::StrCat("a multiple of dt_ms = ", culture.dt_ms()));
    }
    if (s.sites.empty()) {
      return MakeFieldError(absl::StrCat(field, ".sites"), "empty", "at least one site");
    }
    for (size_t k = 0; k < s.sites.size(); ++k) {
      if (absl::Status status =
              CheckSite(absl::StrCat(field, ".sites[", k, "]"), s.sites[k], culture);
          !status.ok()) {
        return status;
      }
    }
  }
  return absl::OkStatus();
}

absl::Status LiveCulture::Change(const CultureChange& change) {
  std::map<std::string, double> params = params_;
  sim::CultureConfig config = config_;
  if (change.forget_params) {
    params.clear();
    const double dt_ms = config.dt_ms;
    const double v_init_mv = config.v_init_mv;
    config = model_->graph_config();
    config.dt_ms = dt_ms;
    config.v_init_mv = v_init_mv;
  }
  const auto apply = [&](const std::map<std::string, double>& given) {
    for (const auto& [key, value] : given) params[key] = value;
    return io::ApplyParams(given, config);
  };
  if (!change.params_group.empty()) {
    if (change.params_group != "default" || model_->default_params().empty()) {
      return MakeFieldError(
          "params_group", change.params_group,
          model_->default_params().empty() ? "none: the system has no parameters" : "default");
    }
    if (absl::Status s = apply(model_->default_params()); !s.ok()) return s;
  }
  if (absl::Status s = apply(change.params); !s.ok()) return s;
  if (change.dt_ms.has_value()) config.dt_ms = *change.dt_ms;
  if (change.v_init_mv.has_value()) config.v_init_mv = *change.v_init_mv;
  const bool at_start = tick_ == 0;
  if (!at_start && (config.dt_ms != config_.dt_ms || config.v_init_mv != config_.v_init_mv)) {
    return absl::FailedPreconditionError(absl::StrCat(
        config.dt_ms != config_.dt_ms ? "dt_ms" : "v_init_mv",
        " changes at time 0 only, and the culture is at ", time_ms(), " ms; reset it first"));
  }

  const bool rebuild = change.forget_params || !change.params_group.empty() ||
                       !change.params.empty() || change.dt_ms.has_value() ||
                       change.v_init_mv.has_value();
  std::shared_ptr<const sim::Culture> culture = culture_;
  if (rebuild) {
    auto made = sim::Culture::Create(config);
    if (!made.ok()) return made.status();
    culture = *std::move(made);
    if (!at_start && culture->initial_state().size() != culture_->initial_state().size()) {
      return absl::FailedPreconditionError(
          "this change gives the culture other states; it is possible at time 0, after a reset");
    }
  }
  if (absl::Status s =
          CheckSelection(change.recording.has_value() ? *change.recording : selection_, *culture);
      !s.ok()) {
    return s;
  }
  std::map<int64_t, std::vector<double>> inputs = input_spikes_ms_;
  for (const auto& [gid, times] : change.input_spikes_ms) inputs[gid] = times;
  std::vector<Slice> slices = rebuild ? MakeSlices(culture) : std::vector<Slice>();
  // Gangs that run take new inputs only after others have found them good.
  if (!rebuild && !change.input_spikes_ms.empty()) {
    sim::Gang trial(culture, 1);
    if (absl::Status s = trial.SetInputSpikes(inputs); !s.ok()) return s;
  }
  if (rebuild || !change.input_spikes_ms.empty()) {
    for (Slice& slice : rebuild ? slices : slices_) {
      if (absl::Status s = slice.gang->SetInputSpikes(inputs); !s.ok()) return s;
    }
  }

  // Nothing can fail from here on.
  params_ = std::move(params);
  config_ = std::move(config);
  input_spikes_ms_ = std::move(inputs);
  if (change.recording.has_value()) selection_ = *change.recording;
  if (!rebuild) return absl::OkStatus();
  const std::vector<std::vector<double>> states = SaveCopies();
  const bool uses_electrodes = plan_.uses_electrodes();
  culture_ = std::move(culture);
  slices_ = std::move(slices);
  electrodes_.reset();
  if (uses_electrodes) FindElectrodes().IgnoreError();  // it was found before
  if (!at_start) {
    LoadCopies(states);
  } else if (was_reset_) {
    KeyNoise();
  }
  InstallStimuli();
  return absl::OkStatus();
}

}  // namespace livnd::env
