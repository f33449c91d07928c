#include "server/wire/culture_setup.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "io/culture/model_options.h"
#include "server/wire/enum_words.h"
#include "server/wire/errors.h"
#include "server/wire/livn_names.h"
#include "server/wire/tensor.h"
#include "sim/network/populations.h"

namespace livnd::server {
namespace {

constexpr int64_t kMaxSeed = int64_t{1} << 53;

absl::StatusOr<io::PopulationShare> ParseShare(const std::string& field,
                                               const v1::PopulationShare& share) {
  switch (share.share_case()) {
    case v1::PopulationShare::kNumCells:
      return share.num_cells();
    case v1::PopulationShare::kFraction:
      return share.fraction();
    case v1::PopulationShare::kGids:
      return ParseVector<int64_t>(absl::StrCat(field, ".gids"), share.gids(), v1::DATA_TYPE_INT64);
    case v1::PopulationShare::SHARE_NOT_SET:
      break;
  }
  return InvalidField(field, "without a share", "num_cells, fraction or gids");
}

absl::StatusOr<std::map<std::string, io::PopulationShare>> ParseShares(
    const v1::PopulationShares& shares) {
  std::map<std::string, io::PopulationShare> out;
  for (const v1::PopulationShare& share : shares.shares()) {
    const std::string field = absl::StrCat("selection.populations[", share.population(), "]");
    LIVND_ASSIGN_OR_RETURN(io::PopulationShare parsed, ParseShare(field, share));
    if (!out.emplace(share.population(), std::move(parsed)).second) {
      return InvalidField(field, "given twice", "each population once");
    }
  }
  return out;
}

absl::StatusOr<io::ModelDocument> ParseRcsd(const v1::RcsdModel& model) {
  io::ModelDocument out;
  out.model_class = io::kRcsdClass;
  std::map<std::string, double> size_cv;
  for (const auto& [name, number] : NumbersOf(model, RcsdModelNames())) {
    absl::string_view population = name;
    if (absl::ConsumePrefix(&population, "size_cv.")) {
      size_cv[std::string(population)] = number;
    } else {
      out.arguments[name] = number;
    }
  }
  if (!size_cv.empty()) out.arguments["size_cv"] = std::move(size_cv);
  if (model.has_short_term_depression()) {
    out.arguments["short_term_depression"] = model.short_term_depression();
  }
  switch (model.dendrite_orientation()) {
    case v1::DENDRITE_ORIENTATION_UNSPECIFIED:
    case v1::DENDRITE_ORIENTATION_RANDOM:
      break;
    case v1::DENDRITE_ORIENTATION_ALIGNED:
      out.arguments["dendrite_orientation"] = std::string("aligned");
      break;
    default:
      return InvalidField("model.rcsd.dendrite_orientation", WordOf(model.dendrite_orientation()),
                          WordsOf<v1::DendriteOrientation>());
  }
  return out;
}

absl::StatusOr<io::ModelDocument> ParseGlif(const v1::GlifModel& model) {
  io::ModelDocument out;
  out.model_class = io::kGlifClass;
  for (const auto& [name, number] : NumbersOf(model, GlifModelNames())) {
    out.arguments[name] = number;
  }
  std::map<std::string, double> params;
  for (const v1::Param& param : model.params()) {
    const std::string field = absl::StrCat("model.glif.params[", param.key(), "]");
    if (param.has_values()) {
      return InvalidField(absl::StrCat(field, ".values"), "present", "value: one number");
    }
    if (!params.emplace(param.key(), param.value()).second) {
      return InvalidField(field, "given twice", "each parameter once");
    }
  }
  if (!params.empty()) out.arguments["params"] = std::move(params);
  return out;
}

// The value of an argument, if it is there and of this kind.
template <typename T>
const T* ArgumentOf(const io::ModelDocument& document, const std::string& name) {
  const auto found = document.arguments.find(name);
  return found == document.arguments.end() ? nullptr : std::get_if<T>(&found->second);
}

void EncodeRcsd(const io::ModelDocument& document, v1::RcsdModel* model) {
  std::map<std::string, double> numbers;
  for (const auto& [name, value] : document.arguments) {
    if (const double* number = std::get_if<double>(&value)) numbers[name] = *number;
  }
  // One number is that of all populations.
  if (const double* size_cv = ArgumentOf<double>(document, "size_cv")) {
    for (const char* population : {sim::kExcitatoryCells, sim::kInhibitoryCells}) {
      numbers[absl::StrCat("size_cv.", population)] = *size_cv;
    }
  }
  using Members = std::map<std::string, double>;
  if (const auto* members = ArgumentOf<Members>(document, "size_cv")) {
    for (const auto& [population, number] : *members) {
      numbers[absl::StrCat("size_cv.", population)] = number;
    }
  }
  SetNumbers(numbers, RcsdModelNames(), model);
  if (const bool* depression = ArgumentOf<bool>(document, "short_term_depression")) {
    model->set_short_term_depression(*depression);
  }
  if (const auto* orientation = ArgumentOf<std::string>(document, "dendrite_orientation")) {
    model->set_dendrite_orientation(*orientation == "aligned" ? v1::DENDRITE_ORIENTATION_ALIGNED
                                                              : v1::DENDRITE_ORIENTATION_RANDOM);
  }
}

void EncodeGlif(const io::ModelDocument& document, v1::GlifModel* model) {
  if (const double* level = ArgumentOf<double>(document, "level")) {
    SetNumbers({{"level", *level}}, GlifModelNames(), model);
  }
  using Members = std::map<std::string, double>;
  if (const auto* params = ArgumentOf<Members>(document, "params")) {
    for (const auto& [key, value] : *params) {
      v1::Param* param = model->add_params();
      param->set_key(key);
      param->set_value(value);
    }
  }
}

}  // namespace

absl::StatusOr<io::SelectionSpec> ParseCellSelection(const v1::CellSelection& selection) {
  using Method = io::SelectionSpec::Method;
  io::SelectionSpec out;
  switch (selection.cells_case()) {
    case v1::CellSelection::kStored:
      out.cells = selection.stored();
      break;
    case v1::CellSelection::kNumCells:
      out.cells = int64_t{selection.num_cells()};
      break;
    case v1::CellSelection::kFraction:
      out.cells = selection.fraction();
      break;
    case v1::CellSelection::kPopulations: {
      LIVND_ASSIGN_OR_RETURN(out.cells, ParseShares(selection.populations()));
      break;
    }
    case v1::CellSelection::CELLS_NOT_SET:
      break;
  }
  switch (selection.method()) {
    case v1::SELECTION_METHOD_UNSPECIFIED:
    case v1::SELECTION_METHOD_FIRST:
      out.method = Method::kFirst;
      break;
    case v1::SELECTION_METHOD_RANDOM:
      out.method = Method::kRandom;
      break;
    case v1::SELECTION_METHOD_PATCH:
      out.method = Method::kPatch;
      break;
    default:
      return InvalidField("selection.method", WordOf(selection.method()),
                          WordsOf<v1::SelectionMethod>());
  }
  if (selection.has_bounds()) {
    const v1::Rectangle& b = selection.bounds();
    out.bounds = io::AreaExtent{{b.x0_um(), b.y0_um()}, {b.x1_um(), b.y1_um()}};
  }
  if (selection.has_seed()) {
    if (selection.seed() < 0 || selection.seed() > kMaxSeed) {
      return InvalidField("selection.seed", absl::StrCat(selection.seed()), "0 .. 2^53");
    }
    out.seed = static_cast<uint64_t>(selection.seed());
  }
  return out;
}

absl::StatusOr<io::ModelDocument> ParseCellModel(const v1::CellModel& model) {
  switch (model.model_case()) {
    case v1::CellModel::kRcsd:
      return ParseRcsd(model.rcsd());
    case v1::CellModel::kGlif:
      return ParseGlif(model.glif());
    case v1::CellModel::kIzhikevich:
      return io::ModelDocument{io::kIzhikevichClass, {}};
    case v1::CellModel::MODEL_NOT_SET:
      break;
  }
  return InvalidField("model", "without a model", "rcsd, glif or izhikevich");
}

void EncodeCellModel(const io::ModelDocument& document, v1::CellModel* message) {
  if (document.model_class == io::kGlifClass) {
    EncodeGlif(document, message->mutable_glif());
  } else if (document.model_class == io::kIzhikevichClass) {
    message->mutable_izhikevich();
  } else {
    EncodeRcsd(document, message->mutable_rcsd());
  }
}

}  // namespace livnd::server
