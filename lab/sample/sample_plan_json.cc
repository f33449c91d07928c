// The document of a plan: all that decides its samples, in plain data.
#include <filesystem>
#include <string>
#include <utility>

#include "base/status_macros.h"
#include "io/system/system_documents.h"
#include "lab/folder/run_document.h"
#include "lab/sample/sample_plan.h"
#include "sim/culture/culture.h"

namespace livnd::lab {

using io::Json;

absl::Status SamplePlan::TakeDocument(const io::System& system, const std::string& command) {
  LIVND_ASSIGN_OR_RETURN(Json files, SystemFiles(system));
  Json splits = Json::object();
  for (const auto& [name, count] : config_.split) splits[name] = count;
  Json params = Json::object();
  for (const io::Param& param : params_) {
    if (param.values.size() == 1) {
      params[param.key] = param.values[0];
    } else {
      params[param.key] = param.values;
    }
  }
  Json input = nullptr;
  if (encoding_.has_value()) {
    Json features = Json::array();
    for (const SampleFeature& feature : features_) {
      features.push_back({{"name", feature.name},
                          {"unit", feature.unit},
                          {"low", feature.range.low},
                          {"high", feature.range.high},
                          {"whole", feature.range.is_whole}});
    }
    input = {{"encoding", encoding_->fields().json()},
             {"step_ms", step_ms_},
             {"features", std::move(features)}};
  }
  Json electrodes = Json::array();
  if (setup_.electrode_array.has_value()) {
    for (const auto& electrode : setup_.electrode_array->electrodes) {
      electrodes.push_back(electrode.id);
    }
  }
  document_ = {{"sample", 1},
               {"command", command},
               {"system", std::filesystem::absolute(system.directory).lexically_normal().string()},
               {"name", system.name},
               {"files", std::move(files)},
               {"physics_version", sim::kPhysicsVersion},
               {"cells", setup_.BuiltGids().size()},
               {"electrodes", std::move(electrodes)},
               {"selection", config_.selection.value_or(Json(nullptr))},
               {"params_from", params_source_},
               {"params", std::move(params)},
               {"noise", config_.noise},
               {"input", std::move(input)},
               {"tick_ms", setup_.culture.dt_ms},
               {"warmup_ms", config_.warmup_ms},
               {"duration_ms", config_.duration_ms},
               {"trials", config_.trials},
               {"voltages", voltage_gids_},
               {"potentials", config_.potentials},
               {"sample_dt_ms", config_.sample_dt_ms},
               {"seed", config_.seed},
               {"count", count_},
               {"splits", std::move(splits)},
               {"part", part_},
               {"range", {begin_, end_}}};
  return absl::OkStatus();
}

}  // namespace livnd::lab
