#include "server/wire/convert_culture.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "env/culture/sites.h"
#include "io/culture/culture_setup.h"
#include "io/culture/params.h"
#include "io/culture/selection.h"
#include "io/json/json_file.h"
#include "io/json/json_view.h"
#include "io/system/system_documents.h"
#include "server/wire/convert.h"
#include "server/wire/encode_tensor.h"
#include "server/wire/errors.h"

namespace livnd::server {
namespace {

template <typename T>
std::vector<T> Values(const v1::Tensor& tensor) {
  std::vector<T> values(tensor.data().size() / sizeof(T));
  std::memcpy(values.data(), tensor.data().data(), values.size() * sizeof(T));
  return values;
}

// A tensor of one axis of any length, and of 8 bytes an element.
template <typename T>
absl::StatusOr<std::vector<T>> ParseVector(absl::string_view field, const v1::Tensor& tensor,
                                           v1::DType dtype) {
  static_assert(sizeof(T) == 8);
  if (tensor.shape_size() != 1) {
    return InvalidField(absl::StrCat(field, ".shape"), absl::StrCat(tensor.shape_size(), " axes"),
                        "1 axis");
  }
  // Asked for by the bytes that are there, so that no length can be too large.
  const auto length = static_cast<int64_t>(tensor.data().size() / sizeof(T));
  LIVND_RETURN_IF_ERROR(CheckTensor(field, tensor, dtype, {length}));
  return Values<T>(tensor);
}

absl::StatusOr<std::vector<env::Site>> ParseSites(absl::string_view field, const v1::Sites& sites) {
  LIVND_ASSIGN_OR_RETURN(
      const std::vector<int64_t> gids,
      ParseVector<int64_t>(absl::StrCat(field, ".gids"), sites.gids(), v1::DTYPE_INT64));
  const std::string sections_field = absl::StrCat(field, ".sections");
  LIVND_ASSIGN_OR_RETURN(const std::vector<int64_t> sections,
                         ParseVector<int64_t>(sections_field, sites.sections(), v1::DTYPE_INT64));
  if (sections.size() != gids.size()) {
    return InvalidField(sections_field, absl::StrCat(sections.size(), " elements"),
                        absl::StrCat(gids.size(), ", as gids"));
  }
  std::vector<env::Site> out;
  out.reserve(gids.size());
  for (size_t i = 0; i < gids.size(); ++i) {
    constexpr int64_t kMax = std::numeric_limits<int>::max();
    const int64_t section = sections[i] < 0 || sections[i] > kMax ? kMax : sections[i];
    out.push_back({gids[i], static_cast<int>(section)});
  }
  return out;
}

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
    default:
      return std::nullopt;
  }
}

constexpr std::pair<v1::RecordedQuantity, env::RecordedQuantity> kRecorded[] = {
    {v1::RECORDED_QUANTITY_VOLTAGE_MV, env::RecordedQuantity::kVoltageMv},
    {v1::RECORDED_QUANTITY_MEMBRANE_CURRENT_UA, env::RecordedQuantity::kMembraneCurrentUa},
    {v1::RECORDED_QUANTITY_STATE, env::RecordedQuantity::kState},
    {v1::RECORDED_QUANTITY_ELECTRODE_POTENTIAL_UV, env::RecordedQuantity::kElectrodePotentialUv},
    {v1::RECORDED_QUANTITY_LEARNED_WEIGHT, env::RecordedQuantity::kLearnedWeight},
};

absl::StatusOr<env::CultureStimulus> ParseStimulus(const std::string& field,
                                                   const v1::CultureStimulus& stimulus,
                                                   int num_envs) {
  env::CultureStimulus out;
  const std::optional<env::StimulusQuantity> quantity = QuantityOf(stimulus.quantity());
  if (!quantity.has_value()) {
    return InvalidField(absl::StrCat(field, ".quantity"),
                        absl::StrCat(static_cast<int>(stimulus.quantity())),
                        "a StimulusQuantity but UNSPECIFIED");
  }
  out.quantity = *quantity;
  out.timing = sim::SampleTiming::kLivn;  // a message has no other
  out.sample_dt_ms = stimulus.sample_dt_ms();
  if (stimulus.wavelength_nm() != 0.0) out.wavelength_nm = stimulus.wavelength_nm();
  const bool by_electrode = out.quantity == env::StimulusQuantity::kElectrodeUa;
  if (by_electrode ? stimulus.has_sites() : stimulus.has_electrodes()) {
    return InvalidField(absl::StrCat(field, by_electrode ? ".sites" : ".electrodes"), "present",
                        by_electrode ? "electrodes instead" : "sites instead");
  }
  if (by_electrode) {
    LIVND_ASSIGN_OR_RETURN(out.electrodes,
                           ParseVector<int64_t>(absl::StrCat(field, ".electrodes"),
                                                stimulus.electrodes(), v1::DTYPE_INT64));
  } else {
    LIVND_ASSIGN_OR_RETURN(out.sites, ParseSites(absl::StrCat(field, ".sites"), stimulus.sites()));
  }
  const auto num_channels =
      static_cast<int64_t>(by_electrode ? out.electrodes.size() : out.sites.size());
  const std::string samples_field = absl::StrCat(field, ".samples");
  if (num_channels == 0) {
    return InvalidField(absl::StrCat(field, by_electrode ? ".electrodes" : ".sites"), "empty",
                        "at least one");
  }
  const v1::Tensor& samples = stimulus.samples();
  out.per_copy = samples.shape_size() == 3;
  const int64_t row_bytes = num_channels * 8 * (out.per_copy ? num_envs : 1);
  out.num_samples = static_cast<int64_t>(samples.data().size()) / row_bytes;
  std::vector<int64_t> shape = {out.num_samples, num_channels};
  if (out.per_copy) shape.insert(shape.begin(), num_envs);
  LIVND_RETURN_IF_ERROR(CheckTensor(samples_field, samples, v1::DTYPE_FLOAT64, shape));
  out.samples = Values<double>(samples);
  return out;
}

absl::StatusOr<env::RecordingSelection> ParseSelection(const v1::RecordingSelection& selection) {
  env::RecordingSelection out;
  out.spikes = selection.spikes();
  for (int i = 0; i < selection.series_size(); ++i) {
    const v1::SeriesSelection& series = selection.series(i);
    const std::string field = absl::StrCat("recording.series[", i, "]");
    env::SeriesSelection& added = out.series.emplace_back();
    const auto* known = std::find_if(std::begin(kRecorded), std::end(kRecorded),
                                     [&](const auto& q) { return q.first == series.quantity(); });
    if (known == std::end(kRecorded)) {
      return InvalidField(absl::StrCat(field, ".quantity"),
                          absl::StrCat(static_cast<int>(series.quantity())),
                          "a RecordedQuantity but UNSPECIFIED");
    }
    added.quantity = known->second;
    added.state = series.state();
    added.sample_dt_ms = series.sample_dt_ms();
    if (series.dtype() != v1::DTYPE_FLOAT64 && series.dtype() != v1::DTYPE_FLOAT32) {
      return InvalidField(absl::StrCat(field, ".dtype"),
                          absl::StrCat(static_cast<int>(series.dtype())),
                          "DTYPE_FLOAT64, DTYPE_FLOAT32");
    }
    added.single_precision = series.dtype() == v1::DTYPE_FLOAT32;
    if (!series.has_sites()) continue;
    LIVND_ASSIGN_OR_RETURN(added.sites, ParseSites(absl::StrCat(field, ".sites"), series.sites()));
  }
  return out;
}

absl::StatusOr<std::map<int64_t, std::vector<double>>> ParseInputSpikes(
    const v1::InputSpikes& spikes) {
  LIVND_ASSIGN_OR_RETURN(const std::vector<int64_t> gids,
                         ParseVector<int64_t>("input_spikes.gids", spikes.gids(), v1::DTYPE_INT64));
  LIVND_ASSIGN_OR_RETURN(
      const std::vector<int64_t> offsets,
      ParseVector<int64_t>("input_spikes.offsets", spikes.offsets(), v1::DTYPE_INT64));
  LIVND_ASSIGN_OR_RETURN(
      const std::vector<double> times,
      ParseVector<double>("input_spikes.times_ms", spikes.times_ms(), v1::DTYPE_FLOAT64));
  const bool whole = offsets.size() == gids.size() + 1 && offsets.front() == 0 &&
                     offsets.back() == static_cast<int64_t>(times.size()) &&
                     std::is_sorted(offsets.begin(), offsets.end());
  if (!whole) {
    return InvalidField("input_spikes.offsets", absl::StrCat(offsets.size(), " numbers"),
                        absl::StrCat(gids.size() + 1, " that ascend from 0 to ", times.size()));
  }
  std::map<int64_t, std::vector<double>> out;
  for (size_t i = 0; i < gids.size(); ++i) {
    const bool fresh =
        out.try_emplace(gids[i], times.begin() + offsets[i], times.begin() + offsets[i + 1]).second;
    if (!fresh) {
      return InvalidField(absl::StrCat("input_spikes.gids[", i, "]"),
                          absl::StrCat(gids[i], " for the second time"), "each gid once");
    }
  }
  return out;
}

// Other cells or another model, as JSON.
absl::StatusOr<std::optional<io::SetupOptions>> ParseSetup(const v1::ConfigureRequest& request) {
  if (!request.has_selection_json() && !request.has_model_json()) {
    return std::optional<io::SetupOptions>();
  }
  io::SetupOptions options;
  const auto refuse = [](absl::string_view field, const absl::Status& status) {
    return MakeError(absl::StatusCode::kInvalidArgument, reason::kInvalidField, status.message(),
                     {{"field", std::string(field)}});
  };
  if (request.has_selection_json()) {
    const auto json = io::ParseJson("selection_json", request.selection_json());
    if (!json.ok()) return refuse("selection_json", json.status());
    auto selection = io::ParseSelectionSpec(io::JsonView(*json, "selection_json"));
    if (!selection.ok()) return refuse("selection_json", selection.status());
    options.selection = *std::move(selection);
  }
  if (request.has_model_json()) {
    const auto json = io::ParseJson("model_json", request.model_json());
    if (!json.ok()) return refuse("model_json", json.status());
    auto model = io::ParseModelDocument(io::JsonView(*json, "model_json"));
    if (!model.ok()) return refuse("model_json", model.status());
    options.model = *std::move(model);
  }
  return std::optional<io::SetupOptions>(std::move(options));
}

absl::StatusOr<io::ParamList> ParseParams(
    const google::protobuf::RepeatedPtrField<v1::Param>& params) {
  io::ParamList out;
  for (const v1::Param& param : params) {
    io::Param& added = out.emplace_back();
    added.key = param.key();
    const std::string field = absl::StrCat("params[", param.key(), "]");
    if (param.has_values()) {
      LIVND_ASSIGN_OR_RETURN(added.values, ParseVector<double>(absl::StrCat(field, ".values"),
                                                               param.values(), v1::DTYPE_FLOAT64));
    } else {
      added.values = {param.value()};
    }
    for (const double value : added.values) {
      if (!std::isfinite(value)) return InvalidField(field, absl::StrCat(value), "a finite number");
    }
  }
  return out;
}

void EncodeSites(const std::vector<env::Site>& sites, v1::Sites* message) {
  std::vector<int64_t> gids, sections;
  for (const env::Site& site : sites) {
    gids.push_back(site.gid);
    sections.push_back(site.section);
  }
  EncodeVector(gids, message->mutable_gids());
  EncodeVector(sections, message->mutable_sections());
}

}  // namespace

absl::StatusOr<env::CultureRun> ParseRun(const v1::CultureRun& run, int num_envs) {
  env::CultureRun out;
  out.duration_ms = run.duration_ms();
  for (int i = 0; i < run.stimuli_size(); ++i) {
    LIVND_ASSIGN_OR_RETURN(
        env::CultureStimulus stimulus,
        ParseStimulus(absl::StrCat("run.stimuli[", i, "]"), run.stimuli(i), num_envs));
    out.stimuli.push_back(std::move(stimulus));
  }
  return out;
}

absl::StatusOr<env::CultureReset> ParseCultureReset(const v1::ResetRequest& request,
                                                    const env::EnvironmentSpec& spec,
                                                    int num_envs) {
  LIVND_ASSIGN_OR_RETURN(env::ResetRequest parsed, ParseReset(request, spec, num_envs));
  if (std::find(parsed.mask.begin(), parsed.mask.end(), 0) != parsed.mask.end()) {
    return InvalidField("mask", "leaves a copy out",
                        "all copies: those of a culture have one clock");
  }
  env::CultureReset reset;
  reset.seeds = std::move(parsed.seeds);
  const auto whole = [&](const std::string& name) -> absl::StatusOr<std::optional<double>> {
    const auto found = parsed.options.find(name);
    if (found == parsed.options.end()) return std::optional<double>();
    if (found->second != std::floor(found->second)) {
      return InvalidField(absl::StrCat("options[", name, "]"), absl::StrCat(found->second),
                          "a whole number");
    }
    return std::optional<double>(found->second);
  };
  LIVND_ASSIGN_OR_RETURN(const std::optional<double> reseed, whole("reseed"));
  LIVND_ASSIGN_OR_RETURN(const std::optional<double> stream, whole("noise_stream"));
  LIVND_ASSIGN_OR_RETURN(const std::optional<double> keep, whole("keep_learned_weights"));
  if (keep.has_value()) reset.keep_learned_weights = *keep != 0.0;
  if (reseed.has_value()) reset.reseed = *reseed != 0.0;
  if (stream.has_value()) reset.noise_stream = static_cast<uint32_t>(*stream);
  return reset;
}

absl::StatusOr<env::CultureChange> ParseChange(const v1::ConfigureRequest& request,
                                               const env::LiveCulture& culture) {
  env::CultureChange change;
  LIVND_ASSIGN_OR_RETURN(change.setup, ParseSetup(request));
  if (request.has_dt_ms()) change.dt_ms = request.dt_ms();
  if (request.has_v_init_mv()) change.v_init_mv = request.v_init_mv();
  change.forget_params = request.forget_params();
  change.params_group = request.params_group();
  LIVND_ASSIGN_OR_RETURN(change.params, ParseParams(request.params()));
  change.opsin.insert(request.opsin().begin(), request.opsin().end());
  if (request.has_plasticity()) {
    const v1::PlasticityRules& rules = request.plasticity();
    change.plasticity.emplace();
    (*change.plasticity)["EXC"].insert(rules.excitatory().begin(), rules.excitatory().end());
    (*change.plasticity)["INH"].insert(rules.inhibitory().begin(), rules.inhibitory().end());
  }
  if (request.has_learned_weights()) {
    const auto n = static_cast<int64_t>(culture.culture().plastic_connections().size());
    LIVND_RETURN_IF_ERROR(CheckTensor("learned_weights", request.learned_weights(),
                                      v1::DTYPE_FLOAT64, {culture.num_copies(), n}));
    change.learned_weights = Values<double>(request.learned_weights());
  }
  change.normalize_weights = request.normalize_weights();
  if (request.has_normalize_target()) change.normalize_target = request.normalize_target();
  if (request.has_plasticity_on()) change.plasticity_on = request.plasticity_on();
  if (request.has_noise_stream()) change.noise_stream = request.noise_stream();
  if (request.has_recording()) {
    LIVND_ASSIGN_OR_RETURN(change.recording, ParseSelection(request.recording()));
  }
  if (request.has_input_spikes()) {
    LIVND_ASSIGN_OR_RETURN(change.input_spikes_ms, ParseInputSpikes(request.input_spikes()));
  }
  return change;
}

absl::Status FromEnv(const absl::Status& status, absl::string_view prefix,
                     absl::string_view fallback) {
  if (status.code() != absl::StatusCode::kInvalidArgument) return status;
  if (const std::optional<FieldError> error = FieldErrorOf(status); error.has_value()) {
    return InvalidField(absl::StrCat(prefix, error->field), error->value, error->accepted);
  }
  return MakeError(status.code(), reason::kInvalidField, status.message(),
                   {{"field", std::string(fallback)}});
}

void EncodeRecording(env::CultureRecording recording, const env::RecordingSelection& selection,
                     int num_envs, double dt_ms, v1::CultureRecording* message) {
  message->set_start_tick(recording.start_tick);
  message->set_num_ticks(recording.num_ticks);
  message->set_dt_ms(dt_ms);
  EncodeVector(recording.spike_offsets, message->mutable_spike_offsets());
  EncodeVector(recording.spike_gids, message->mutable_spike_gids());
  EncodeVector(recording.spike_ticks, message->mutable_spike_ticks());
  EncodeVector(recording.spike_times_ms, message->mutable_spike_times_ms());
  for (size_t i = 0; i < recording.series.size(); ++i) {
    const env::RecordedSeries& series = recording.series[i];
    const std::vector<int64_t> shape = {num_envs, series.num_rows, series.num_samples};
    v1::Tensor* tensor = message->add_series();
    if (selection.series[i].single_precision) {
      const std::vector<float> rounded(series.values.begin(), series.values.end());
      EncodeTensor<float>(v1::DTYPE_FLOAT32, shape, rounded, tensor);
    } else {
      EncodeTensor<double>(v1::DTYPE_FLOAT64, shape, series.values, tensor);
    }
  }
  EncodeVector(recording.failed_at_ms, message->mutable_failed_at_ms());
}

void EncodeCulture(const env::LiveCulture& live, v1::GetCultureResponse* response) {
  const sim::Culture& culture = live.culture();
  for (const sim::PopulationConfig& population : live.setup().culture.populations) {
    std::vector<int64_t> gids;
    for (int64_t gid = population.first_gid; gid < population.first_gid + population.num_cells;
         ++gid) {
      if (culture.Find(gid).group >= 0) gids.push_back(gid);
    }
    if (gids.empty()) continue;
    v1::CulturePopulation* added = response->add_populations();
    added->set_name(population.name);
    for (const std::string& name : env::SectionNames(culture, gids.front())) {
      added->add_sections(name);
    }
    for (const std::string& name :
         culture.groups()[culture.Find(gids.front()).group].model->state_names()) {
      added->add_states(name);
    }
    EncodeVector(gids, added->mutable_gids());
  }
  EncodeVector(live.input_gids(), response->mutable_input_gids());
  for (const io::Param& param : live.params()) {
    v1::Param* added = response->add_params();
    added->set_key(param.key);
    if (param.values.size() == 1) {
      added->set_value(param.values.front());
    } else {
      EncodeVector(param.values, added->mutable_values());
    }
  }
  for (const std::string& key : io::AcceptedParams(live.setup())) {
    response->add_accepted_params(key);
  }
  response->set_dt_ms(culture.dt_ms());
  response->set_v_init_mv(live.setup().culture.v_init_mv);
  response->set_ticks(live.tick());
  EncodeVector(live.seeds(), response->mutable_seeds());
  response->set_noise_stream(live.noise_stream());
  response->set_plasticity_on(live.plasticity_on());
  v1::RecordingSelection* recording = response->mutable_recording();
  recording->set_spikes(live.selection().spikes);
  for (const env::SeriesSelection& series : live.selection().series) {
    v1::SeriesSelection* added = recording->add_series();
    for (const auto& [wire, quantity] : kRecorded) {
      if (quantity == series.quantity) added->set_quantity(wire);
    }
    added->set_state(series.state);
    added->set_sample_dt_ms(series.sample_dt_ms);
    added->set_dtype(series.single_precision ? v1::DTYPE_FLOAT32 : v1::DTYPE_FLOAT64);
    if (!series.sites.empty()) EncodeSites(series.sites, added->mutable_sites());
  }
}

void EncodeLearnedWeights(const env::LiveCulture& culture, v1::LearnedWeights* message) {
  std::vector<int64_t> sources, targets, syn_ids, indices;
  std::vector<std::string> receptors;
  for (const sim::PlasticConnection& c : culture.culture().plastic_connections()) {
    sources.push_back(c.source_gid);
    targets.push_back(c.target_gid);
    syn_ids.push_back(c.syn_id);
    const auto known = std::find(receptors.begin(), receptors.end(), c.receptor);
    indices.push_back(known - receptors.begin());
    if (known == receptors.end()) receptors.push_back(c.receptor);
  }
  const auto n = static_cast<int64_t>(sources.size());
  EncodeVector(sources, message->mutable_source_gids());
  EncodeVector(targets, message->mutable_target_gids());
  EncodeVector(syn_ids, message->mutable_syn_ids());
  EncodeVector(indices, message->mutable_receptor_indices());
  for (const std::string& receptor : receptors) message->add_receptors(receptor);
  EncodeTensor<double>(v1::DTYPE_FLOAT64, {culture.num_copies(), n}, culture.LearnedWeights(),
                       message->mutable_weights());
}

}  // namespace livnd::server
