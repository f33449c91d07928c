#include "server/wire/change_fields.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/field_error.h"
#include "server/wire/livn_names.h"
#include "server/wire/tensor.h"
#include "sim/network/populations.h"

namespace livnd::server {
namespace {

// Takes "[KEY]" from the front; nullopt if there is none.
std::optional<std::string> TakeKey(absl::string_view& field) {
  const size_t end = field.find(']');
  if (!absl::StartsWith(field, "[") || end == field.npos) return std::nullopt;
  const std::string key(field.substr(1, end - 1));
  field.remove_prefix(end + 1);
  return key;
}

// `rest` is below "selection".
std::string SelectionField(const v1::CellSelection& selection, absl::string_view rest) {
  if (absl::ConsumePrefix(&rest, ".bounds")) {
    const std::optional<std::string> corner = TakeKey(rest), axis = TakeKey(rest);
    if (!corner.has_value() || !axis.has_value()) return "selection.bounds";
    return absl::StrCat("selection.bounds.", *axis == "0" ? "x" : "y", *corner, "_um");
  }
  if (!absl::ConsumePrefix(&rest, ".cells")) return absl::StrCat("selection", rest);
  const std::optional<std::string> population = TakeKey(rest);
  if (population.has_value()) {
    std::string share;
    for (const v1::PopulationShare& s : selection.populations().shares()) {
      if (s.population() != *population) continue;
      share = s.has_gids() ? ".gids" : s.has_fraction() ? ".fraction" : ".num_cells";
    }
    return absl::StrCat("selection.populations[", *population, "]", share, rest);
  }
  switch (selection.cells_case()) {
    case v1::CellSelection::kStored:
      return "selection.stored";
    case v1::CellSelection::kNumCells:
      return "selection.num_cells";
    case v1::CellSelection::kFraction:
      return "selection.fraction";
    case v1::CellSelection::kPopulations:
      return "selection.populations";
    case v1::CellSelection::CELLS_NOT_SET:
      break;
  }
  return "selection";
}

// `argument` is one of the model document's.
std::string ModelField(const v1::CellModel& model, absl::string_view argument) {
  if (absl::ConsumePrefix(&argument, "params.")) {
    return absl::StrCat("model.glif.params[", argument, "].value");
  }
  if (model.has_glif()) {
    return absl::StrCat("model.glif.", FieldOfName(argument, GlifModelNames()));
  }
  return absl::StrCat("model.rcsd.", FieldOfName(argument, RcsdModelNames()));
}

// `rest` is "[GID]" or "[GID][i]": a cell, or one of its times.
std::string InputSpikesField(const v1::InputSpikes& spikes, absl::string_view rest) {
  const std::string unknown = absl::StrCat("input_spikes", rest);
  const std::optional<std::string> gid_text = TakeKey(rest);
  int64_t gid = 0, time = 0;
  if (!gid_text.has_value() || !absl::SimpleAtoi(*gid_text, &gid)) return unknown;
  const std::vector<int64_t> gids = Values<int64_t>(spikes.gids());
  const auto at = std::find(gids.begin(), gids.end(), gid);
  if (at == gids.end()) return unknown;  // given before
  const auto index = static_cast<size_t>(at - gids.begin());
  const std::optional<std::string> time_text = TakeKey(rest);
  if (!time_text.has_value() || !absl::SimpleAtoi(*time_text, &time)) {
    return absl::StrCat("input_spikes.gids[", index, "]");
  }
  return absl::StrCat("input_spikes.times_ms[", Values<int64_t>(spikes.offsets())[index] + time,
                      "]");
}

std::string FieldInRequest(const v1::ConfigureRequest& request, const std::string& field) {
  absl::string_view rest = field;
  if (absl::ConsumePrefix(&rest, "selection")) return SelectionField(request.selection(), rest);
  if (absl::ConsumePrefix(&rest, "model.kwargs.")) return ModelField(request.model(), rest);
  if (absl::ConsumePrefix(&rest, "input_spikes[")) {
    return InputSpikesField(request.input_spikes(),
                            absl::string_view(field).substr(sizeof("input_spikes") - 1));
  }
  if (absl::ConsumePrefix(&rest, "opsin")) {
    const std::optional<std::string> name = TakeKey(rest);
    return name.has_value() ? absl::StrCat("opsin.", FieldOfName(*name, OpsinNames())) : field;
  }
  if (absl::ConsumePrefix(&rest, "plasticity[")) {
    rest = absl::string_view(field).substr(sizeof("plasticity") - 1);
    const std::string group =
        TakeKey(rest).value_or("") == sim::kInhibitoryCells ? "inhibitory" : "excitatory";
    const std::optional<std::string> name = TakeKey(rest);
    return absl::StrCat("plasticity.", group, name.has_value() ? "." : "",
                        FieldOfName(name.value_or(""), PlasticityRuleNames()));
  }
  return field;
}

}  // namespace

absl::Status InRequest(const v1::ConfigureRequest& request, const absl::Status& status) {
  std::optional<FieldError> error = FieldErrorOf(status);
  if (!error.has_value() || !error->file.empty()) return status;
  error->field = FieldInRequest(request, error->field);
  return WithFieldError(*error, status);
}

}  // namespace livnd::server
