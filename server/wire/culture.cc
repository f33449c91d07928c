#include "server/wire/culture.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "env/culture/sites.h"
#include "io/culture/culture_setup.h"
#include "io/culture/params.h"
#include "server/wire/coding.h"
#include "server/wire/culture_setup.h"
#include "server/wire/device.h"
#include "server/wire/errors.h"
#include "server/wire/livn_names.h"
#include "server/wire/pulse_plan.h"
#include "server/wire/recording.h"
#include "server/wire/seeds.h"
#include "server/wire/sites.h"
#include "server/wire/stimulus.h"
#include "server/wire/tensor.h"
#include "sim/network/populations.h"

namespace livnd::server {
namespace {

absl::StatusOr<std::map<int64_t, std::vector<double>>> ParseInputSpikes(
    const v1::InputSpikes& spikes) {
  LIVND_ASSIGN_OR_RETURN(
      const std::vector<int64_t> gids,
      ParseVector<int64_t>("input_spikes.gids", spikes.gids(), v1::DATA_TYPE_INT64));
  LIVND_ASSIGN_OR_RETURN(
      const std::vector<int64_t> offsets,
      ParseVector<int64_t>("input_spikes.offsets", spikes.offsets(), v1::DATA_TYPE_INT64));
  LIVND_ASSIGN_OR_RETURN(
      const std::vector<double> times,
      ParseVector<double>("input_spikes.times_ms", spikes.times_ms(), v1::DATA_TYPE_FLOAT64));
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

absl::StatusOr<io::ParamList> ParseParams(
    const google::protobuf::RepeatedPtrField<v1::Param>& params) {
  io::ParamList out;
  for (const v1::Param& param : params) {
    io::Param& added = out.emplace_back();
    added.key = param.key();
    const std::string field = absl::StrCat("params[", param.key(), "]");
    if (param.has_values()) {
      LIVND_ASSIGN_OR_RETURN(added.values,
                             ParseVector<double>(absl::StrCat(field, ".values"), param.values(),
                                                 v1::DATA_TYPE_FLOAT64));
    } else {
      added.values = {param.value()};
    }
  }
  return out;
}

void EncodeParams(const io::ParamList& params,
                  google::protobuf::RepeatedPtrField<v1::Param>* messages) {
  for (const io::Param& param : params) {
    v1::Param* added = messages->Add();
    added->set_key(param.key);
    if (param.values.size() == 1) {
      added->set_value(param.values.front());
    } else {
      EncodeVector(param.values, added->mutable_values());
    }
  }
}

}  // namespace

absl::StatusOr<env::CultureRun> ParseRun(const v1::RunRequest& request, int num_envs) {
  env::CultureRun out;
  out.duration_ms = request.duration_ms();
  for (int i = 0; i < request.stimuli_size(); ++i) {
    LIVND_ASSIGN_OR_RETURN(
        env::CultureStimulus stimulus,
        ParseStimulus(absl::StrCat("stimuli[", i, "]"), request.stimuli(i), num_envs));
    out.stimuli.push_back(std::move(stimulus));
  }
  if (request.has_pulse_plan()) {
    LIVND_ASSIGN_OR_RETURN(out.pulse_plan, ParsePulsePlan("pulse_plan", request.pulse_plan()));
  }
  out.account_charges = request.charges();
  if (request.has_features()) {
    LIVND_ASSIGN_OR_RETURN(out.features, ParseFeatures("features", request.features(), num_envs));
  }
  return out;
}

absl::StatusOr<env::CultureClear> ParseClear(const v1::ClearRequest& request, int num_envs) {
  env::CultureClear out;
  LIVND_ASSIGN_OR_RETURN(
      out.seeds,
      ParseSeeds(request.has_seeds() ? &request.seeds() : nullptr,
                 request.has_seed_present() ? &request.seed_present() : nullptr, num_envs));
  out.repeat_noise = request.repeat_noise();
  if (request.has_noise_stream()) out.noise_stream = request.noise_stream();
  out.forget_learned_weights = request.forget_learned_weights();
  return out;
}

absl::StatusOr<env::CultureChange> ParseChange(const v1::ConfigureRequest& request,
                                               const env::LiveCulture& culture) {
  env::CultureChange change;
  if (request.has_selection() || request.has_model()) {
    change.setup.emplace();
    if (request.has_selection()) {
      LIVND_ASSIGN_OR_RETURN(change.setup->selection, ParseCellSelection(request.selection()));
    }
    if (request.has_model()) {
      LIVND_ASSIGN_OR_RETURN(change.setup->model, ParseCellModel(request.model()));
    }
  }
  if (request.has_device()) {
    LIVND_ASSIGN_OR_RETURN(change.device, ParseDevice("device", request.device()));
  }
  if (request.has_light_array()) {
    LIVND_ASSIGN_OR_RETURN(change.light_array,
                           ParseLightArray("light_array", request.light_array()));
  }
  if (request.has_encoding()) {
    LIVND_ASSIGN_OR_RETURN(change.encoding, ParseEncoding("encoding", request.encoding()));
  }
  if (request.has_dt_ms()) change.dt_ms = request.dt_ms();
  if (request.has_v_init_mv()) change.v_init_mv = request.v_init_mv();
  change.forget_params = request.forget_params();
  change.params_group = request.params_group();
  LIVND_ASSIGN_OR_RETURN(change.params, ParseParams(request.params()));
  change.opsin = NumbersOf(request.opsin(), OpsinNames());
  if (request.has_plasticity()) {
    const v1::PlasticityRules& rules = request.plasticity();
    change.plasticity.emplace();
    (*change.plasticity)[sim::kExcitatoryCells] =
        NumbersOf(rules.excitatory(), PlasticityRuleNames());
    (*change.plasticity)[sim::kInhibitoryCells] =
        NumbersOf(rules.inhibitory(), PlasticityRuleNames());
  }
  if (request.has_learned_weights()) {
    const auto n = static_cast<int64_t>(culture.culture().plastic_connections().size());
    LIVND_RETURN_IF_ERROR(CheckTensor("learned_weights", request.learned_weights(),
                                      v1::DATA_TYPE_FLOAT64, {culture.num_copies(), n}));
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

void EncodeChange(const env::CultureChange& change, v1::ConfigureRequest* request) {
  if (change.device.has_value()) EncodeDevice(*change.device, request->mutable_device());
  if (change.light_array.has_value()) {
    EncodeLightArray(*change.light_array, request->mutable_light_array());
  }
  if (change.encoding.has_value() && change.encoding->has_value()) {
    EncodeEncoding(**change.encoding, request->mutable_encoding());
  }
  if (change.dt_ms.has_value()) request->set_dt_ms(*change.dt_ms);
  if (change.v_init_mv.has_value()) request->set_v_init_mv(*change.v_init_mv);
  request->set_forget_params(change.forget_params);
  request->set_params_group(change.params_group);
  EncodeParams(change.params, request->mutable_params());
  if (!change.opsin.empty()) SetNumbers(change.opsin, OpsinNames(), request->mutable_opsin());
  if (change.plasticity.has_value()) {
    for (const auto& [cells, numbers] : *change.plasticity) {
      v1::PlasticityRules* rules = request->mutable_plasticity();
      SetNumbers(numbers, PlasticityRuleNames(),
                 cells == sim::kExcitatoryCells ? rules->mutable_excitatory()
                                                : rules->mutable_inhibitory());
    }
  }
  if (!change.learned_weights.empty()) {
    EncodeVector(change.learned_weights, request->mutable_learned_weights());
  }
  request->set_normalize_weights(change.normalize_weights);
  if (change.normalize_target.has_value()) {
    request->set_normalize_target(*change.normalize_target);
  }
  if (change.plasticity_on.has_value()) request->set_plasticity_on(*change.plasticity_on);
  if (change.noise_stream.has_value()) request->set_noise_stream(*change.noise_stream);
  if (change.recording.has_value()) {
    EncodeSelection(*change.recording, request->mutable_recording());
  }
  if (!change.input_spikes_ms.empty()) {
    std::vector<int64_t> gids, offsets = {0};
    std::vector<double> times;
    for (const auto& [gid, of_gid] : change.input_spikes_ms) {
      gids.push_back(gid);
      times.insert(times.end(), of_gid.begin(), of_gid.end());
      offsets.push_back(static_cast<int64_t>(times.size()));
    }
    v1::InputSpikes* spikes = request->mutable_input_spikes();
    EncodeVector(gids, spikes->mutable_gids());
    EncodeVector(offsets, spikes->mutable_offsets());
    EncodeVector(times, spikes->mutable_times_ms());
  }
}

int64_t TickNs(const sim::Culture& culture) { return std::llround(culture.dt_ms() * 1e6); }

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
  EncodeParams(live.params(), response->mutable_params());
  for (const std::string& key : io::AcceptedParams(live.setup())) {
    response->add_accepted_params(key);
  }
  response->set_dt_ms(culture.dt_ms());
  response->set_v_init_mv(live.setup().culture.v_init_mv);
  response->set_tick_ns(TickNs(culture));
  response->set_ticks(live.tick());
  response->set_num_clears(live.num_clears());
  EncodeVector(live.failed_at_ms(), response->mutable_failed_at_ms());
  EncodeVector(live.seeds(), response->mutable_seeds());
  response->set_noise_stream(live.noise_stream());
  response->set_plasticity_on(live.plasticity_on());
  EncodeSelection(live.selection(), response->mutable_recording());
  if (live.setup().electrode_array.has_value()) {
    EncodeDevice({*live.setup().electrode_array, live.limits()}, response->mutable_device());
  }
  if (live.light_array().has_value()) {
    EncodeLightArray(*live.light_array(), response->mutable_light_array());
  }
  if (const env::CultureEncoding* encoding = live.encoding(); encoding != nullptr) {
    EncodeEncoding(encoding->selection(), response->mutable_encoding());
    EncodeInputs(encoding->encoding().inputs(), response->mutable_encoding_inputs());
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
  EncodeTensor<double>(v1::DATA_TYPE_FLOAT64, {culture.num_copies(), n}, culture.LearnedWeights(),
                       message->mutable_weights());
}

void EncodeHearing(const env::ElectrodeHearing& hearing, v1::ElectrodeHearing* message) {
  EncodeSites(hearing.sites, message->mutable_sites());
  const io::SparseGains& gains = hearing.gains;
  std::vector<double> matrix(gains.num_electrodes() * gains.num_points());
  for (size_t e = 0; e < gains.num_electrodes(); ++e) {
    gains.WriteRow(e, matrix.data() + e * gains.num_points());
  }
  EncodeTensor<double>(
      v1::DATA_TYPE_FLOAT64,
      {static_cast<int64_t>(gains.num_electrodes()), static_cast<int64_t>(gains.num_points())},
      matrix, message->mutable_gains());
}

}  // namespace livnd::server
