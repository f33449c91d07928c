#include "io/culture/model_options.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "sim/network/populations.h"

namespace livnd::io {
namespace {

constexpr double kMaxExactInteger = 9007199254740992.0;  // 2^53

// The kind and value of an argument, for errors.
std::string Describe(const ModelArgument& value) {
  if (std::holds_alternative<std::monostate>(value)) return "null";
  if (const bool* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const double* number = std::get_if<double>(&value)) return absl::StrCat(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return absl::StrCat("\"", *text, "\"");
  return "an object";
}

// Reads the arguments of one document; a name that nothing asked for is unknown.
class Arguments {
 public:
  explicit Arguments(const ModelDocument& document) : document_(document) {}

  absl::Status Number(const std::string& name, double& out, absl::string_view takes,
                      const std::function<bool(double)>& accepts) {
    const ModelArgument* value = Find(name);
    if (value == nullptr) return absl::OkStatus();
    const double* number = std::get_if<double>(value);
    if (number == nullptr || !std::isfinite(*number) || !accepts(*number)) {
      return Bad(name, *value, takes);
    }
    out = *number;
    return absl::OkStatus();
  }

  // livn adds a seed modulo 2^64.
  absl::Status Seed(const std::string& name, uint64_t& out) {
    double number = 0.0;
    LIVND_RETURN_IF_ERROR(Number(name, number, "an integer from -2^53 to 2^53", [](double x) {
      return x == std::floor(x) && std::fabs(x) <= kMaxExactInteger;
    }));
    if (Find(name) != nullptr) out = static_cast<uint64_t>(static_cast<int64_t>(number));
    return absl::OkStatus();
  }

  absl::Status Flag(const std::string& name, bool& out) {
    const ModelArgument* value = Find(name);
    if (value == nullptr) return absl::OkStatus();
    const bool* flag = std::get_if<bool>(value);
    if (flag == nullptr) return Bad(name, *value, "true or false");
    out = *flag;
    return absl::OkStatus();
  }

  absl::Status Choice(const std::string& name, const std::vector<std::string>& choices,
                      std::string& out) {
    const ModelArgument* value = Find(name);
    if (value == nullptr) return absl::OkStatus();
    const auto* text = std::get_if<std::string>(value);
    for (const std::string& choice : choices) {
      if (text != nullptr && *text == choice) {
        out = choice;
        return absl::OkStatus();
      }
    }
    return Bad(name, *value, absl::StrCat("\"", absl::StrJoin(choices, "\", \""), "\""));
  }

  const ModelArgument* Find(const std::string& name) {
    asked_.push_back(name);
    const auto it = document_.arguments.find(name);
    return it == document_.arguments.end() ? nullptr : &it->second;
  }

  absl::Status Bad(absl::string_view name, const ModelArgument& value,
                   absl::string_view takes) const {
    return MakeFieldError(absl::StrCat("kwargs.", name), Describe(value), takes);
  }

  absl::Status CheckAllAsked() const {
    for (const auto& [name, value] : document_.arguments) {
      if (std::find(asked_.begin(), asked_.end(), name) != asked_.end()) continue;
      std::vector<std::string> accepted = asked_;
      std::sort(accepted.begin(), accepted.end());
      accepted.erase(std::unique(accepted.begin(), accepted.end()), accepted.end());
      return MakeFieldError(absl::StrCat("kwargs.", name), kUnknownName,
                            absl::StrJoin(accepted, ", "));
    }
    return absl::OkStatus();
  }

 private:
  const ModelDocument& document_;
  std::vector<std::string> asked_;
};

absl::Status ReadSizeCv(Arguments& arguments, const std::vector<std::string>& populations,
                        std::map<std::string, double>& size_cv) {
  constexpr absl::string_view kTakes =
      "a number from 0 to 10, or an object of such numbers for EXC and INH";
  const auto accepts = [](double x) { return x >= 0.0 && x <= 10.0; };
  const ModelArgument* value = arguments.Find("size_cv");
  if (value == nullptr) return absl::OkStatus();
  if (const double* number = std::get_if<double>(value)) {
    if (!accepts(*number)) return arguments.Bad("size_cv", *value, kTakes);
    for (const std::string& p : populations) size_cv[p] = *number;
    return absl::OkStatus();
  }
  const auto* members = std::get_if<std::map<std::string, double>>(value);
  if (members == nullptr) return arguments.Bad("size_cv", *value, kTakes);
  for (const auto& [population, number] : *members) {
    const bool known =
        std::find(populations.begin(), populations.end(), population) != populations.end();
    if (!known || !accepts(number)) {
      return arguments.Bad(absl::StrCat("size_cv.", population), number, kTakes);
    }
    size_cv[population] = number;
  }
  return absl::OkStatus();
}

absl::StatusOr<ModelOptions> ResolveRcsd(const ModelDocument& document) {
  ModelOptions out;
  out.params_key = "ReducedCalciumSomaDendrite";
  out.built_populations = {sim::kExcitatoryCells, sim::kInhibitoryCells};
  Arguments arguments(document);
  // Stimuli carry their mode with them; livn 2.0.0's native engine does not look at this either.
  if (const ModelArgument* mode = arguments.Find("input_mode");
      mode != nullptr && !std::holds_alternative<std::monostate>(*mode)) {
    std::string ignored;
    LIVND_RETURN_IF_ERROR(arguments.Choice(
        "input_mode", {"current_density", "conductance", "current", "irradiance"}, ignored));
  }
  LIVND_RETURN_IF_ERROR(arguments.Number("refractory_period", out.model.refractory_period_ms,
                                         "a number from 0 to 1e6 (ms)",
                                         [](double x) { return x >= 0.0 && x <= 1e6; }));
  LIVND_RETURN_IF_ERROR(arguments.Flag("short_term_depression", out.model.short_term_depression));
  LIVND_RETURN_IF_ERROR(arguments.Number("dendrite_offset", out.orientation.dendrite_offset_um,
                                         "a number from -1e6 to 1e6 other than 0 (um)",
                                         [](double x) { return x != 0.0 && std::fabs(x) <= 1e6; }));
  std::string orientation = "random";
  LIVND_RETURN_IF_ERROR(
      arguments.Choice("dendrite_orientation", {"random", "aligned"}, orientation));
  out.orientation.aligned = orientation == "aligned";
  LIVND_RETURN_IF_ERROR(arguments.Seed("dendrite_orientation_seed", out.orientation.seed));
  LIVND_RETURN_IF_ERROR(ReadSizeCv(arguments, out.built_populations, out.model.size_cv));
  LIVND_RETURN_IF_ERROR(arguments.Seed("size_seed", out.model.size_seed));
  LIVND_RETURN_IF_ERROR(arguments.CheckAllAsked());
  return out;
}

// An argument that takes one value only.
absl::Status Only(Arguments& arguments, const std::string& name, const ModelArgument& value) {
  const ModelArgument* given = arguments.Find(name);
  if (given == nullptr || *given == value) return absl::OkStatus();
  return arguments.Bad(name, *given, Describe(value));
}

absl::StatusOr<ModelOptions> ResolvePoint(const ModelDocument& document, bool glif) {
  ModelOptions out;
  out.params_key = glif ? "GLIF" : "Izhikevich";
  out.built_populations = {sim::kExcitatoryCells, sim::kInhibitoryCells};
  sim::PointModelConfig& point = out.model.point.emplace();
  point.kind = glif ? sim::PointModelConfig::Kind::kGlif : sim::PointModelConfig::Kind::kIzhikevich;
  Arguments arguments(document);
  if (glif) {
    double level = point.level;
    LIVND_RETURN_IF_ERROR(arguments.Number("level", level, "1, 2, 3, 4 or 5", [](double x) {
      return x >= 1.0 && x <= 5.0 && x == std::floor(x);
    }));
    point.level = static_cast<int>(level);
    if (const ModelArgument* params = arguments.Find("params");
        params != nullptr && !std::holds_alternative<std::monostate>(*params)) {
      const auto* values = std::get_if<std::map<std::string, double>>(params);
      if (values == nullptr) {
        return arguments.Bad("params", *params, "null, or an object of numbers by livn's names");
      }
      point.params = *values;
    }
    // What livn's event-driven solver alone can do.
    LIVND_RETURN_IF_ERROR(Only(arguments, "mechanism", std::string("hard")));
    LIVND_RETURN_IF_ERROR(Only(arguments, "diffusion", false));
    LIVND_RETURN_IF_ERROR(Only(arguments, "read_out_neurons", std::monostate()));
    LIVND_RETURN_IF_ERROR(Only(arguments, "config", std::monostate()));
    LIVND_RETURN_IF_ERROR(Only(arguments, "current_scale", 1e3));
  }
  LIVND_RETURN_IF_ERROR(arguments.CheckAllAsked());
  return out;
}

}  // namespace

absl::StatusOr<ModelOptions> ResolveModel(const std::optional<ModelDocument>& document) {
  if (!document.has_value()) return ResolveRcsd({kRcsdClass, {}});
  if (document->model_class == kRcsdClass) return ResolveRcsd(*document);
  if (document->model_class == kGlifClass) return ResolvePoint(*document, true);
  if (document->model_class == kIzhikevichClass) return ResolvePoint(*document, false);
  return MakeFieldError("cls", document->model_class,
                        absl::StrCat(kRcsdClass, ", ", kGlifClass, ", ", kIzhikevichClass));
}

}  // namespace livnd::io
