#include "lab/tune/promote.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/json/json_view.h"
#include "io/system/system_documents.h"
#include "lab/folder/run_document.h"

namespace livnd::lab {
namespace {

using io::Json;
using io::JsonView;

// livn's name of the class, by which params documents are keyed: the end of its import path.
absl::StatusOr<std::string> ParamsKeyOf(const JsonView& front) {
  LIVND_ASSIGN_OR_RETURN(const auto key, front.Find("params_key"));
  if (key.has_value()) return key->String();
  LIVND_ASSIGN_OR_RETURN(const JsonView model, front.Member("model"));
  std::string name;
  if (model.is_array()) {
    LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> parts, model.Elements());
    if (parts.empty()) return model.Refused("a class, or [class, arguments]");
    LIVND_ASSIGN_OR_RETURN(name, parts[0].String());
  } else {
    LIVND_ASSIGN_OR_RETURN(name, model.String());
  }
  return name.substr(name.rfind('.') + 1);
}

// The file's name without its end.
absl::StatusOr<std::string> DocumentOf(const JsonView& front) {
  LIVND_ASSIGN_OR_RETURN(const auto selection, front.Find("selection"));
  if (!selection.has_value()) return std::string("default");
  const absl::StatusOr<std::string> name = selection->String();
  if (name.ok() && !name->empty() && name->find('/') == std::string::npos) return name;
  return selection->Refused("the name of a stored selection, whose parameters can be kept apart");
}

absl::StatusOr<JsonView> SolutionAt(const JsonView& front, int loc) {
  LIVND_ASSIGN_OR_RETURN(const JsonView list, front.Member("solutions"));
  LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> solutions, list.Elements());
  std::vector<int64_t> known;
  for (const JsonView& solution : solutions) {
    LIVND_ASSIGN_OR_RETURN(const JsonView place, solution.Member("loc"));
    LIVND_ASSIGN_OR_RETURN(const int64_t number, place.Integer(0, 1'000'000));
    if (number == loc) return solution;
    known.push_back(number);
  }
  const std::string accepted =
      known.empty() ? "none: the front is empty"
                    : absl::StrCat(known.size(), " solutions, ",
                                   *std::min_element(known.begin(), known.end()), " .. ",
                                   *std::max_element(known.begin(), known.end()));
  return MakeFieldError("--loc", absl::StrCat(loc), accepted);
}

Json MemberOr(const Json& json, const char* name, Json otherwise) {
  return json.contains(name) ? json[name] : std::move(otherwise);
}

}  // namespace

absl::StatusOr<Promoted> Promote(const std::string& front_path, const PromoteOptions& options) {
  LIVND_ASSIGN_OR_RETURN(const Json json, io::ReadJsonFile(front_path));
  const JsonView front(json, front_path);
  LIVND_ASSIGN_OR_RETURN(const JsonView solution, SolutionAt(front, options.loc));
  LIVND_ASSIGN_OR_RETURN(const JsonView params, solution.Member("params"));
  LIVND_RETURN_IF_ERROR(io::ParseParamList(params).status());

  Promoted out;
  out.group = options.group;
  LIVND_ASSIGN_OR_RETURN(out.params_key, ParamsKeyOf(front));
  LIVND_ASSIGN_OR_RETURN(const std::string document_name, DocumentOf(front));
  std::string system = options.system;
  if (system.empty()) {
    LIVND_ASSIGN_OR_RETURN(const JsonView folder, front.Member("system"));
    LIVND_ASSIGN_OR_RETURN(system, folder.String());
  }
  if (!std::filesystem::exists(absl::StrCat(system, "/graph.json"))) {
    return MakeFieldError(options.system.empty() ? "system" : "--system", system,
                          "the folder of a system");
  }
  const std::string folder = absl::StrCat(system, "/params");
  out.path = absl::StrCat(folder, "/", document_name, ".json");

  Json document = Json::object();
  absl::StatusOr<Json> have = io::ReadJsonFile(out.path);
  if (have.ok()) {
    LIVND_RETURN_IF_ERROR(io::ParseParamsDocument(JsonView(*have, out.path)).status());
    document = *std::move(have);
  } else if (!absl::IsNotFound(have.status())) {
    return have.status();
  }
  Json& groups = document[out.params_key];
  if (groups.is_null()) groups = Json::object();
  if (groups.contains(options.group) && !options.force) {
    return MakeFieldError("--group", options.group,
                          absl::StrCat("a name that ", out.path, " has not, or --force"));
  }
  const Json& chosen = solution.json();
  const Json feasible = MemberOr(chosen, "feasible", false);
  out.feasible = feasible.is_boolean() && feasible.get<bool>();
  Json space = Json::array();
  for (const auto& param : params.json().items()) space.push_back(param.key());
  Json meta = {{"loc", options.loc},
               {"ranked_by", "rank_solutions"},
               {"objectives", MemberOr(chosen, "objectives", Json::object())},
               {"features", MemberOr(chosen, "features", Json::object())},
               {"feasible", out.feasible},
               {"space", std::move(space)},
               {"source", MemberOr(json, "source", nullptr)},
               {"target", MemberOr(json, "target", nullptr)},
               {"model", MemberOr(json, "model", nullptr)}};
  if (document_name != "default") meta["selection"] = document_name;
  groups[options.group] = {{"params", params.json()}, {"meta", std::move(meta)}};

  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return MakeFieldError("--system", folder, "a folder that can be made");
  LIVND_RETURN_IF_ERROR(WriteWhole(out.path, DocumentText(document)));
  return out;
}

}  // namespace livnd::lab
