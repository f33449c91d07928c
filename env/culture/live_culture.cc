#include "env/culture/live_culture.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "env/seed.h"
#include "io/culture/params.h"
#include "sim/synapse/normalize.h"

namespace livnd::env {
namespace {

constexpr double kNoFailure = std::numeric_limits<double>::quiet_NaN();
constexpr int kNormalizeRounds = 20;  // livn's

absl::Status CheckRange(absl::string_view field, const std::optional<double>& value, double low,
                        double high) {
  if (!value.has_value() || (*value >= low && *value <= high)) return absl::OkStatus();
  return MakeFieldError(field, Exact(*value), absl::StrCat(Exact(low), " .. ", Exact(high)));
}

// Other electrodes. What was set of an array was said of the one before.
void SetElectrodes(const io::Device& device, PreparedCulture& prepared) {
  prepared.graph.electrode_array = device.array;
  prepared.setup.electrode_array = device.array;
  prepared.limits = device.limits;
  prepared.owns_electrodes = true;
  const auto is_of_array = [](const io::Param& p) { return absl::StartsWith(p.key, "io-"); };
  prepared.params.erase(std::remove_if(prepared.params.begin(), prepared.params.end(), is_of_array),
                        prepared.params.end());
}

void SetFibers(const io::LightArrayConfig& array, PreparedCulture& prepared) {
  prepared.light_array = array;
  prepared.owns_fibers = true;
}

}  // namespace

const std::map<std::string, double sim::OpsinParams::*>& LiveCulture::OpsinNumbers() {
  static const auto* names = new std::map<std::string, double sim::OpsinParams::*>{
      {"E", &sim::OpsinParams::reversal_mv}, {"Gd", &sim::OpsinParams::gd},
      {"Gr0", &sim::OpsinParams::gr0},       {"g0", &sim::OpsinParams::g0_ps},
      {"k_a", &sim::OpsinParams::k_a},       {"k_r", &sim::OpsinParams::k_r},
      {"p", &sim::OpsinParams::p},           {"phi_m", &sim::OpsinParams::phi_m},
      {"q", &sim::OpsinParams::q},           {"v0", &sim::OpsinParams::v0_mv}};
  return *names;
}

absl::Status LiveCulture::SetOpsin(const std::map<std::string, double>& values,
                                   sim::OpsinParams& opsin) {
  const auto& names = OpsinNumbers();
  for (const auto& [name, value] : values) {
    const auto known = names.find(name);
    if (known == names.end()) {
      return MakeFieldError(absl::StrCat("opsin[", name, "]"), kUnknownName,
                            absl::StrJoin(names, ", ", [](std::string* out, const auto& n) {
                              out->append(n.first);
                            }));
    }
    opsin.*known->second = value;
  }
  return absl::OkStatus();
}

LiveCulture::LiveCulture(std::shared_ptr<const CultureModel> model, int num_copies,
                         uint64_t unseeded_seed, sim::Executor& executor)
    : model_(std::move(model)),
      num_copies_(num_copies),
      executor_(executor),
      prepared_(model_->prepared()),
      plan_(num_copies),
      seeds_(static_cast<size_t>(num_copies)),
      failed_at_ms_(static_cast<size_t>(num_copies), kNoFailure) {
  copies_ = std::make_unique<Copies>(prepared_.culture, num_copies_, executor_);
  for (size_t i = 0; i < seeds_.size(); ++i) seeds_[i] = EpisodeSeed(unseeded_seed, i + 1);
}

absl::StatusOr<std::unique_ptr<LiveCulture>> LiveCulture::Create(
    std::shared_ptr<const CultureModel> model, int num_copies, uint64_t unseeded_seed,
    sim::Executor& executor) {
  if (num_copies < 1) return MakeFieldError("num_copies", absl::StrCat(num_copies), "1 or more");
  return std::unique_ptr<LiveCulture>(
      new LiveCulture(std::move(model), num_copies, unseeded_seed, executor));
}

bool LiveCulture::all_failed() const {
  return std::none_of(failed_at_ms_.begin(), failed_at_ms_.end(),
                      [](double at) { return std::isnan(at); });
}

int LiveCulture::first_failed() const {
  int first = -1;
  for (int c = 0; c < num_copies_; ++c) {
    const double at = failed_at_ms_[static_cast<size_t>(c)];
    if (std::isnan(at)) continue;
    if (first < 0 || at < failed_at_ms_[static_cast<size_t>(first)]) first = c;
  }
  return first;
}

std::vector<int64_t> LiveCulture::input_gids() const {
  std::vector<int64_t> gids;
  for (const sim::PopulationConfig& p : setup().culture.populations) {
    for (int64_t gid = p.first_gid; gid < p.first_gid + p.num_cells; ++gid) {
      if (culture().Find(gid).group < 0 && culture().SourceIndex(gid) >= 0) gids.push_back(gid);
    }
  }
  std::sort(gids.begin(), gids.end());
  return gids;
}

void LiveCulture::KeyNoise() {
  for (int c = 0; c < num_copies_; ++c) {
    copies_->Seed(c, seeds_[static_cast<size_t>(c)], noise_stream_);
  }
}

void LiveCulture::SetPlasticity() {
  for (int c = 0; c < num_copies_; ++c) {
    // Fails only for models that do not learn, where it is off anyway.
    copies_->SetPlasticity(c, plasticity_on_).IgnoreError();
  }
}

std::vector<double> LiveCulture::LearnedWeights() const {
  std::vector<double> weights;
  for (int c = 0; c < num_copies_; ++c) {
    const std::vector<double> of_copy = copies_->LearnedWeights(c);
    weights.insert(weights.end(), of_copy.begin(), of_copy.end());
  }
  return weights;
}

std::vector<double> LiveCulture::WithinBounds(absl::Span<const double> weights) const {
  const std::vector<sim::PlasticConnection>& plastic = culture().plastic_connections();
  std::vector<double> out(weights.begin(), weights.end());
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = std::clamp(std::isnan(out[i]) ? 1.0 : out[i], plastic[i].w_min, plastic[i].w_max);
  }
  return out;
}

void LiveCulture::LoadLearnedWeights(const std::vector<double>& weights) {
  const size_t n = culture().plastic_connections().size();
  for (int c = 0; c < num_copies_; ++c) {
    const auto of_copy = absl::MakeSpan(weights).subspan(static_cast<size_t>(c) * n, n);
    copies_->SetLearnedWeights(c, WithinBounds(of_copy)).IgnoreError();
  }
}

absl::Status LiveCulture::Clear(const CultureClear& clear) {
  const auto n = static_cast<size_t>(num_copies_);
  if (!clear.seeds.empty() && clear.seeds.size() != n) {
    return MakeFieldError("seeds", absl::StrCat(clear.seeds.size(), " entries"), absl::StrCat(n));
  }
  bool any_seed = false;
  for (size_t c = 0; c < n; ++c) {
    const bool given = !clear.seeds.empty() && clear.seeds[c].has_value();
    any_seed = any_seed || given;
    if (given) seeds_[c] = *clear.seeds[c];
  }
  if (clear.noise_stream.has_value()) {
    noise_stream_ = *clear.noise_stream;
  } else if (any_seed) {
    noise_stream_ = 0;
  } else if (was_cleared_ && !clear.repeat_noise) {
    ++noise_stream_;
  }
  const std::vector<double> learned = LearnedWeights();
  for (int c = 0; c < num_copies_; ++c) copies_->Load(c, culture().initial_state());
  if (!clear.forget_learned_weights) LoadLearnedWeights(learned);
  KeyNoise();
  SetPlasticity();
  plan_ = StimulusPlan(num_copies_);
  if (encoding_ != nullptr) encoding_states_ = BeginEncoding(*encoding_, num_copies_);
  recording_ = CultureRecording();
  std::fill(failed_at_ms_.begin(), failed_at_ms_.end(), kNoFailure);
  tick_ = 0;
  summed_ms_ = 0.0;
  was_cleared_ = true;
  ++num_clears_;
  return absl::OkStatus();
}

absl::Status LiveCulture::FaultOf(const CultureChange& change, const PreparedCulture& next,
                                  const absl::Status& status) const {
  if (const auto fault = io::FaultOfParams(change.params, next.setup, status)) return *fault;
  const std::optional<FieldError> error = FieldErrorOf(status);
  for (const char* field : {"dt_ms", "v_init_mv", "opsin", "plasticity"}) {
    if (error.has_value() && absl::StartsWith(error->field, field)) return status;
  }
  if (!change.params_group.empty()) {
    const auto group = io::DefaultParams(model_->system(), next.graph, change.params_group);
    if (const auto fault = io::FaultOfParams(*group, next.setup, status)) {
      return io::InDefaultParams(model_->system(), next.graph, change.params_group, *fault);
    }
  }
  // What was set before, and fitted until now.
  if (change.setup.has_value() || !error.has_value()) {
    return io::FaultOfSetup(model_->system(), next.options, status);
  }
  const std::string accepted = absl::StrCat("what goes with ", error->field, " = ", error->value,
                                            ", which takes ", error->accepted);
  if (!change.params.empty()) {
    const io::Param& last = change.params.back();
    const bool one = last.values.size() == 1;
    return MakeFieldError(
        absl::StrCat("params[", last.key, one ? "].value" : "].values"),
        one ? Exact(last.values[0]) : absl::StrCat(last.values.size(), " numbers"), accepted);
  }
  if (change.dt_ms.has_value()) {
    return MakeFieldError("dt_ms", Exact(*change.dt_ms), accepted);
  }
  if (!change.params_group.empty()) {
    return MakeFieldError("params_group", change.params_group, accepted);
  }
  return MakeFieldError("forget_params", "true", accepted);
}

absl::StatusOr<std::optional<PreparedCulture>> LiveCulture::Prepare(
    const CultureChange& change) const {
  const bool at_start = tick_ == 0;
  if (change.dt_ms.has_value() && at_start) {
    if (absl::Status s = plan_.CheckDt(*change.dt_ms); !s.ok()) return s;
  }
  if (!at_start && (change.device.has_value() || change.light_array.has_value())) {
    return absl::FailedPreconditionError(
        absl::StrCat("devices can be changed at time 0 only, and the culture is at ", time_ms(),
                     " ms; clear it first"));
  }
  const bool same_dt = !change.dt_ms.has_value() || *change.dt_ms == setup().culture.dt_ms;
  const bool same_v =
      !change.v_init_mv.has_value() || *change.v_init_mv == setup().culture.v_init_mv;
  if (!at_start && (change.setup.has_value() || !same_dt || !same_v)) {
    return absl::FailedPreconditionError(
        absl::StrCat(change.setup.has_value() ? "the cells and their model"
                     : !same_dt               ? "dt_ms"
                                              : "v_init_mv",
                     " can be changed at time 0 only, and the culture is at ", time_ms(),
                     " ms; clear it first"));
  }
  if (!change.setup.has_value() && !change.device.has_value() && !change.light_array.has_value() &&
      same_dt && same_v && !change.forget_params && change.params_group.empty() &&
      change.params.empty() && change.opsin.empty() &&
      (!change.plasticity.has_value() || *change.plasticity == setup().culture.plasticity)) {
    return std::optional<PreparedCulture>();
  }

  PreparedCulture next;
  if (change.setup.has_value()) {
    io::SetupOptions options = *change.setup;
    if (!options.model.has_value()) options.model = prepared_.options.model;
    if (!options.selection.has_value()) options.selection = prepared_.options.selection;
    auto made = PrepareCulture(model_->system(), options);
    if (!made.ok()) return made.status();
    next = *std::move(made);
    if (prepared_.owns_electrodes) {
      SetElectrodes({*prepared_.graph.electrode_array, prepared_.limits}, next);
    }
    if (prepared_.owns_fibers) SetFibers(*prepared_.light_array, next);
  } else {
    next = prepared_;
  }
  if (change.device.has_value()) {
    LIVND_RETURN_IF_ERROR(AtField("device", change.device->Validate()));
    LIVND_RETURN_IF_ERROR(plan_.CheckDevice("device", sim::StimulusMode::kField));
    SetElectrodes(*change.device, next);
  }
  if (change.light_array.has_value()) {
    LIVND_RETURN_IF_ERROR(AtField("light_array", change.light_array->Validate()));
    LIVND_RETURN_IF_ERROR(plan_.CheckDevice("light_array", sim::StimulusMode::kLight));
    SetFibers(*change.light_array, next);
  }
  sim::CultureConfig& config = next.setup.culture;
  if (change.dt_ms.has_value()) config.dt_ms = *change.dt_ms;
  if (change.v_init_mv.has_value()) config.v_init_mv = *change.v_init_mv;
  if (change.forget_params) {
    const sim::CultureConfig kept = std::move(config);
    next.setup = next.graph;
    config.dt_ms = kept.dt_ms;
    config.v_init_mv = kept.v_init_mv;
    config.plasticity = kept.plasticity;
    config.opsin = kept.opsin;
    next.params.clear();
  }
  const auto apply = [&](const io::ParamList& params) {
    // However many keys there are, only so many different ones are known.
    io::ParamList last = params;
    io::DropOverridden(last);
    if (absl::Status s = io::ApplyParams(last, next.setup); !s.ok()) return s;
    next.params.insert(next.params.end(), last.begin(), last.end());
    io::DropOverridden(next.params);
    return absl::OkStatus();
  };
  if (!change.params_group.empty()) {
    const auto group = io::DefaultParams(model_->system(), next.graph, change.params_group);
    if (!group.ok()) {
      std::optional<FieldError> error = FieldErrorOf(group.status());
      error->field = "params_group";
      return WithFieldError(*error, group.status());
    }
    if (absl::Status s = apply(*group); !s.ok()) {
      return io::InDefaultParams(model_->system(), next.graph, change.params_group, s);
    }
  }
  if (absl::Status s = apply(change.params); !s.ok()) return s;
  if (config.opsin.has_value()) {
    if (absl::Status s = SetOpsin(change.opsin, *config.opsin); !s.ok()) return s;
  } else if (!change.opsin.empty()) {
    return MakeFieldError("opsin", "present", "absent: this model has none");
  }
  if (change.plasticity.has_value()) config.plasticity = *change.plasticity;

  auto culture = sim::Culture::Create(config);
  if (!culture.ok()) return FaultOf(change, next, culture.status());
  next.culture = *std::move(culture);
  if (!at_start && !next.culture->HasLayoutOf(*prepared_.culture)) {
    return absl::FailedPreconditionError(
        "this change gives cells other segments, which is possible at time 0 only; clear first");
  }
  return std::optional<PreparedCulture>(std::move(next));
}

absl::Status LiveCulture::CheckLearnedWeights(const CultureChange& change,
                                              const sim::Culture& culture) const {
  if (!culture.has_plasticity() && change.plasticity_on.value_or(false)) {
    return MakeFieldError("plasticity_on", "true", "false: this model does not learn");
  }
  if (change.normalize_target.has_value() && !change.normalize_weights) {
    return MakeFieldError("normalize_target", "present", "absent without normalize_weights");
  }
  if (absl::Status s = CheckRange("normalize_target", change.normalize_target, 1e-9, 1e9);
      !s.ok()) {
    return s;
  }
  if (change.learned_weights.empty()) return absl::OkStatus();
  const size_t n = culture.plastic_connections().size();
  if (change.learned_weights.size() != n * static_cast<size_t>(num_copies_)) {
    return MakeFieldError("learned_weights",
                          absl::StrCat(change.learned_weights.size(), " numbers"),
                          absl::StrCat(num_copies_, " x ", n));
  }
  for (size_t c = 0; c < static_cast<size_t>(num_copies_); ++c) {
    const absl::Status s =
        culture.CheckLearnedWeights(absl::MakeSpan(change.learned_weights).subspan(c * n, n));
    std::optional<FieldError> error = FieldErrorOf(s);
    if (!error.has_value()) continue;
    // "learned_weights[i]" of the copy.
    absl::string_view field = error->field;
    absl::ConsumePrefix(&field, "learned_weights");
    error->field = absl::StrCat("learned_weights[", c, "]", field);
    return WithFieldError(*error, s);
  }
  return absl::OkStatus();
}

void LiveCulture::ChangeLearnedWeights(const CultureChange& change) {
  if (!change.learned_weights.empty()) LoadLearnedWeights(change.learned_weights);
  if (!change.normalize_weights) return;
  std::vector<sim::NormalizedWeight> bounds;
  for (const sim::PlasticConnection& c : culture().plastic_connections()) {
    bounds.push_back({c.target_gid, c.w_min, c.w_max});
  }
  std::vector<double> weights = LearnedWeights();
  for (size_t c = 0; c < static_cast<size_t>(num_copies_); ++c) {
    sim::NormalizeWeights(bounds, change.normalize_target, kNormalizeRounds,
                          absl::MakeSpan(weights).subspan(c * bounds.size(), bounds.size()));
  }
  LoadLearnedWeights(weights);
}

absl::Status LiveCulture::Change(const CultureChange& change) {
  auto prepared = Prepare(change);
  if (!prepared.ok()) return prepared.status();
  const bool rebuild = prepared->has_value();
  const bool anew = change.setup.has_value();
  const PreparedCulture& next = rebuild ? **prepared : prepared_;
  const RecordingSelection selection = change.recording.has_value() ? *change.recording
                                       : anew                       ? RecordingSelection()
                                                                    : selection_;
  if (absl::Status s = CheckSelection("recording", selection, *next.culture,
                                      next.setup.electrode_array.has_value());
      !s.ok()) {
    return s;
  }
  LIVND_RETURN_IF_ERROR(
      RunDecodings::Check("recording.decodings", selection.decodings, next.setup, *next.culture));
  if (absl::Status s = CheckLearnedWeights(change, *next.culture); !s.ok()) return s;
  // An encoding is of the electrodes and the ticks that there are.
  std::shared_ptr<const CultureEncoding> encoding = encoding_;
  std::optional<EncodingSelection> encode;
  if (change.encoding.has_value()) {
    encode = *change.encoding;
    encoding.reset();
  } else if (rebuild && encoding_ != nullptr) {
    encode = encoding_->selection();
  }
  if (encode.has_value()) {
    const auto& array = next.setup.electrode_array;
    LIVND_ASSIGN_OR_RETURN(
        encoding, CultureEncoding::Create(*encode, array.has_value() ? array->electrodes.size() : 0,
                                          *next.culture));
  }
  std::map<int64_t, std::vector<double>> inputs;
  if (!anew) inputs = input_spikes_ms_;
  for (const auto& [gid, times] : change.input_spikes_ms) inputs[gid] = times;
  std::unique_ptr<Copies> copies;
  if (rebuild) copies = std::make_unique<Copies>(next.culture, num_copies_, executor_);
  if (rebuild || !change.input_spikes_ms.empty()) {
    Copies& takes = rebuild ? *copies : *copies_;
    if (absl::Status s = takes.SetInputSpikes(inputs); !s.ok()) return s;
  }

  // Nothing can fail from here on.
  if (change.encoding.has_value() || (encoding != nullptr && tick_ == 0 && rebuild)) {
    encoding_states_.clear();
    if (encoding != nullptr) encoding_states_ = BeginEncoding(*encoding, num_copies_);
  }
  encoding_ = std::move(encoding);
  input_spikes_ms_ = std::move(inputs);
  selection_ = selection;
  if (rebuild) {
    const std::vector<std::vector<double>> states = copies_->SaveAll();
    const std::vector<double> learned = LearnedWeights();
    const size_t num_plastic = culture().plastic_connections().size();
    const bool uses_electrodes = plan_.uses_device(sim::StimulusMode::kField);
    const bool uses_fibers = plan_.uses_device(sim::StimulusMode::kLight);
    prepared_ = *std::move(*prepared);
    copies_ = std::move(copies);
    electrodes_.reset();
    fibers_.reset();
    hearing_.reset();
    ears_.reset();
    if (uses_electrodes) FindElectrodes().IgnoreError();  // it was found before
    if (uses_fibers) FindFibers().IgnoreError();
    if (tick_ != 0) {
      copies_->LoadAll(states);
    } else {
      if (!anew && culture().plastic_connections().size() == num_plastic) {
        LoadLearnedWeights(learned);
      }
      KeyNoise();
      SetPlasticity();
    }
    plan_.Rebind(culture(), devices());
    InstallStimuli(nullptr).IgnoreError();  // they were accepted before
  }
  ChangeLearnedWeights(change);
  if (change.plasticity_on.has_value()) {
    plasticity_on_ = *change.plasticity_on;
    SetPlasticity();
  }
  if (change.noise_stream.has_value()) {
    noise_stream_ = *change.noise_stream;
    KeyNoise();
  }
  return absl::OkStatus();
}

}  // namespace livnd::env
