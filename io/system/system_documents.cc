#include "io/system/system_documents.h"

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/status_macros.h"
#include "io/system/limits.h"

namespace livnd::io {
namespace {

absl::Status ParseModelArgument(const JsonView& view, ModelArgument& out) {
  if (view.is_null()) return absl::OkStatus();
  if (view.is_object()) {
    auto& members = out.emplace<std::map<std::string, double>>();
    return view.ForEachMember([&](const std::string& name, const JsonView& value) -> absl::Status {
      LIVND_ASSIGN_OR_RETURN(members[name], value.Number());
      return absl::OkStatus();
    });
  }
  if (const absl::StatusOr<bool> flag = view.Bool(); flag.ok()) {
    out.emplace<bool>(*flag);
  } else if (const absl::StatusOr<std::string> text = view.String(); text.ok()) {
    out.emplace<std::string>(*text);
  } else if (const absl::StatusOr<double> number = view.Number(); number.ok()) {
    out.emplace<double>(*number);
  } else {
    return view.Refused("null, true, false, a number, a string or an object of numbers");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ModelDocument> ParseModelDocument(const JsonView& document) {
  LIVND_RETURN_IF_ERROR(document.CheckMembers({"cls", "kwargs"}));
  ModelDocument result;
  LIVND_ASSIGN_OR_RETURN(const JsonView cls, document.Member("cls"));
  LIVND_ASSIGN_OR_RETURN(result.model_class, cls.String());
  LIVND_ASSIGN_OR_RETURN(const std::optional<JsonView> arguments, document.Find("kwargs"));
  if (!arguments.has_value()) return result;
  LIVND_RETURN_IF_ERROR(
      arguments->ForEachMember([&](const std::string& name, const JsonView& value) {
        return ParseModelArgument(value, result.arguments[name]);
      }));
  return result;
}

absl::StatusOr<ParamList> ParseParamList(const JsonView& view) {
  ParamList params;
  LIVND_RETURN_IF_ERROR(
      view.ForEachMember([&](const std::string& key, const JsonView& value) -> absl::Status {
        Param& param = params.emplace_back();
        param.key = key;
        if (value.is_array()) {
          LIVND_ASSIGN_OR_RETURN(param.values, value.Numbers());
        } else {
          LIVND_ASSIGN_OR_RETURN(const double number, value.Number());
          param.values = {number};
        }
        return absl::OkStatus();
      }));
  return params;
}

absl::StatusOr<ParamsDocument> ParseParamsDocument(const JsonView& document) {
  ParamsDocument result;
  LIVND_RETURN_IF_ERROR(
      document.ForEachMember([&](const std::string& model, const JsonView& groups) {
        return groups.ForEachMember(
            [&](const std::string& group, const JsonView& entry) -> absl::Status {
              LIVND_ASSIGN_OR_RETURN(const auto params, entry.Find("params"));
              LIVND_ASSIGN_OR_RETURN(result[model][group],
                                     ParseParamList(params.has_value() ? *params : entry));
              return absl::OkStatus();
            });
      }));
  return result;
}

absl::StatusOr<SelectionDocument> ParseSelectionDocument(const JsonView& document) {
  SelectionDocument result;
  LIVND_ASSIGN_OR_RETURN(const JsonView gids, document.Member("gids"));
  LIVND_RETURN_IF_ERROR(
      gids.ForEachMember([&](const std::string& population, const JsonView& list) -> absl::Status {
        LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> elements, list.Elements());
        std::vector<int64_t>& out = result.gids[population];
        out.reserve(elements.size());
        for (const JsonView& element : elements) {
          LIVND_ASSIGN_OR_RETURN(out.emplace_back(),
                                 element.Integer(0, static_cast<int64_t>(kMaxCells) - 1));
        }
        return absl::OkStatus();
      }));
  if (result.gids.empty()) return gids.Refused("gids by population");
  LIVND_ASSIGN_OR_RETURN(const auto meta, document.Find("meta"));
  if (meta.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const auto graph, meta->Find("graph"));
    if (graph.has_value()) {
      LIVND_ASSIGN_OR_RETURN(result.graph_uuid, graph->String());
    }
  }
  return result;
}

Json ModelDocumentToJson(const ModelDocument& document) {
  Json arguments = Json::object();
  for (const auto& [name, argument] : document.arguments) {
    std::visit(
        [&arguments, name = name](const auto& value) {
          if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::monostate>) {
            arguments[name] = nullptr;
          } else {
            arguments[name] = value;
          }
        },
        argument);
  }
  return {{"cls", document.model_class}, {"kwargs", std::move(arguments)}};
}

Json ParamsDocumentToJson(const ParamsDocument& document) {
  Json json = Json::object();
  for (const auto& [model, groups] : document) {
    json[model] = Json::object();
    for (const auto& [group, list] : groups) {
      Json params = Json::object();
      for (const Param& param : list) {
        // A later one overrides an earlier one, also where it stands.
        params.erase(param.key);
        params[param.key] = param.values.size() == 1 ? Json(param.values[0]) : Json(param.values);
      }
      json[model][group] = {{"params", std::move(params)}};
    }
  }
  return json;
}

Json SelectionDocumentToJson(const SelectionDocument& document) {
  Json json = {{"gids", Json::object()}};
  for (const auto& [population, gids] : document.gids) json["gids"][population] = gids;
  if (!document.graph_uuid.empty()) json["meta"] = {{"graph", document.graph_uuid}};
  return json;
}

}  // namespace livnd::io
