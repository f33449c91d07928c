// The part of LiveCulture that is saved and restored.
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "env/culture/live_culture.h"

namespace livnd::env {

SavedCulture TakeCopies(SavedCulture saved, absl::Span<const int> copies) {
  const auto take = [&](const auto& from) {
    std::decay_t<decltype(from)> out;
    for (const int copy : copies) out.push_back(from[static_cast<size_t>(copy)]);
    return out;
  };
  for (auto& [mode, stimuli] : saved.stimuli) {
    for (auto& of_copy : stimuli.waveforms) {
      if (of_copy.size() == saved.copies.size()) of_copy = take(of_copy);
    }
  }
  saved.copies = take(saved.copies);
  return saved;
}

CultureChange LiveCulture::Settings() const {
  const sim::CultureConfig& config = setup().culture;
  CultureChange out;
  if (prepared_.options.model.has_value() || prepared_.options.selection.has_value()) {
    out.setup = prepared_.options;
  }
  if (prepared_.owns_electrodes) {
    out.device = io::Device{*prepared_.graph.electrode_array, prepared_.limits};
  }
  if (prepared_.owns_fibers) out.light_array = prepared_.light_array;
  out.dt_ms = config.dt_ms;
  out.v_init_mv = config.v_init_mv;
  out.forget_params = true;
  out.params = prepared_.params;
  if (config.opsin.has_value()) {
    for (const auto& [name, number] : OpsinNumbers()) out.opsin[name] = (*config.opsin).*number;
  }
  if (culture().has_plasticity()) {
    out.plasticity = config.plasticity;
    out.plasticity_on = plasticity_on_;
  }
  out.recording = selection_;
  if (encoding_ != nullptr) out.encoding = encoding_->selection();
  out.input_spikes_ms = input_spikes_ms_;
  return out;
}

SavedCulture LiveCulture::Save() const {
  SavedCulture out;
  out.settings = Settings();
  out.was_cleared = was_cleared_;
  out.tick = tick_;
  out.summed_ms = summed_ms_;
  out.num_clears = num_clears_;
  out.noise_stream = noise_stream_;
  out.stimuli = plan_.Save();
  std::vector<std::vector<double>> states = copies_->SaveAll();
  for (size_t c = 0; c < states.size(); ++c) {
    out.copies.push_back({seeds_[c], failed_at_ms_[c], std::move(states[c]), {}});
    if (encoding_ != nullptr) out.copies.back().encoding_state = encoding_states_[c];
  }
  return out;
}

absl::StatusOr<std::unique_ptr<LiveCulture>> LiveCulture::Restore(
    std::shared_ptr<const CultureModel> model, const SavedCulture& saved,
    absl::Span<const int> copy_of, sim::Executor& executor) {
  LIVND_ASSIGN_OR_RETURN(auto out,
                         Create(std::move(model), static_cast<int>(copy_of.size()), 0, executor));
  if (absl::Status s = out->Change(saved.settings); !s.ok()) return AtField("settings", s);
  LIVND_RETURN_IF_ERROR(out->Load(saved, copy_of));
  return out;
}

absl::Status LiveCulture::Load(const SavedCulture& saved, absl::Span<const int> copy_of) {
  constexpr double kMaxMs = 1e15;
  if (!(saved.summed_ms >= 0.0 && saved.summed_ms <= kMaxMs)) {
    return MakeFieldError("summed_ms", Exact(saved.summed_ms),
                          absl::StrCat("0 .. ", Exact(kMaxMs)));
  }
  if (saved.num_clears < 0 || (saved.num_clears > 0) != saved.was_cleared) {
    return MakeFieldError("num_clears", absl::StrCat(saved.num_clears), "clears");
  }
  for (size_t c = 0; c < copy_of.size(); ++c) {
    if (copy_of[c] < 0 || static_cast<size_t>(copy_of[c]) >= saved.copies.size()) {
      return MakeFieldError("copies", absl::StrCat("without copy ", copy_of[c]),
                            absl::StrCat("0 .. ", saved.copies.size(), " - 1"));
    }
    const std::string field = absl::StrCat("copies[", copy_of[c], "]");
    const SavedCulture::Copy& copy = saved.copies[static_cast<size_t>(copy_of[c])];
    if (absl::Status s = culture().CheckState(copy.state); !s.ok()) return AtField(field, s);
    const bool failed = !std::isnan(copy.failed_at_ms);
    if (failed && !(copy.failed_at_ms >= 0.0 && copy.failed_at_ms <= kMaxMs)) {
      return MakeFieldError(absl::StrCat(field, ".failed_at_ms"), Exact(copy.failed_at_ms),
                            absl::StrCat("0 .. ", Exact(kMaxMs), ", or NaN"));
    }
    // A copy that has failed rests.
    const double tick = copy.state[sim::CopyHeader::kTick];
    if (!failed && tick != static_cast<double>(saved.tick)) {
      return MakeFieldError(absl::StrCat(field, ".state[", int{sim::CopyHeader::kTick}, "]"),
                            Exact(tick), absl::StrCat(saved.tick, ", the culture's tick"));
    }
    if (encoding_ != nullptr) {
      const io::Encoding& encoding = encoding_->encoding();
      if (copy.encoding_state.size() != encoding.state_size()) {
        return MakeFieldError(absl::StrCat(field, ".encoding_state"),
                              absl::StrCat(copy.encoding_state.size(), " numbers"),
                              absl::StrCat(encoding.state_size()));
      }
      LIVND_RETURN_IF_ERROR(AtField(absl::StrCat(field, ".encoding_state"),
                                    encoding.CheckState(copy.encoding_state)));
      encoding_states_[c] = copy.encoding_state;
    }
    copies_->Load(static_cast<int>(c), copy.state);
    seeds_[c] = copy.seed;
    failed_at_ms_[c] = copy.failed_at_ms;
  }
  tick_ = saved.tick;
  summed_ms_ = saved.summed_ms;
  num_clears_ = saved.num_clears;
  was_cleared_ = saved.was_cleared;
  noise_stream_ = saved.noise_stream;
  Devices devices;  // their gains are work
  for (const auto& [mode, stimuli] : saved.stimuli) {
    if (!stimuli.of_device) continue;
    if (mode == sim::StimulusMode::kLight) {
      LIVND_ASSIGN_OR_RETURN(devices.fibers, FindFibers());
    } else {
      LIVND_ASSIGN_OR_RETURN(devices.electrodes, FindElectrodes());
    }
  }
  LIVND_ASSIGN_OR_RETURN(plan_, StimulusPlan::Restore(saved.stimuli, copy_of, culture(), devices));
  return InstallStimuli(nullptr);
}

}  // namespace livnd::env
