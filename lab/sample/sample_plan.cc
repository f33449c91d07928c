#include "lab/sample/sample_plan.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/nearest_name.h"
#include "base/status_macros.h"
#include "io/culture/params.h"
#include "io/encoding/catalog.h"
#include "io/json/json_view.h"
#include "io/system/system_documents.h"

namespace livnd::lab {
namespace {

using io::Json;
using io::JsonView;

constexpr double kMaxMs = 1e5;         // of one run of a culture
constexpr size_t kMaxNumbers = 65536;  // that go into a sample
// A file takes about so long on one core, and so much memory for what is recorded.
constexpr double kPartSeconds = 20.0;
constexpr double kPartBytes = 64.0 * (1 << 20);
constexpr int64_t kMaxPart = 256;
constexpr double kMinParts = 32.0;
// One cell, one step: as measured, and as much for what connects it.
constexpr double kCellStepSeconds = 80e-9;

absl::Status CheckTime(absl::string_view flag, double ms, double low, double dt_ms) {
  const double ticks = ms / dt_ms;
  // False for NaN, too.
  if (ms >= low && ms <= kMaxMs && std::fabs(ticks - std::round(ticks)) <= 1e-6) {
    return absl::OkStatus();
  }
  return MakeFieldError(flag, Exact(ms),
                        absl::StrCat("ms from ", Exact(low), " to ", Exact(kMaxMs),
                                     ", a multiple of ", Exact(dt_ms)));
}

// An error that was made about a member, as one about a flag.
absl::Status AboutFlag(absl::string_view flag, const absl::Status& status) {
  std::optional<FieldError> error = FieldErrorOf(status);
  if (!error.has_value() || !error->file.empty()) return status;
  error->field = std::string(flag);
  return WithFieldError(*error, status);
}

bool IsFile(const std::string& params) {
  return absl::StrContains(params, '/') || absl::EndsWith(params, ".json");
}

// "amplitude" of "amplitude_12".
std::string Family(const std::string& input) {
  const size_t end = input.find_last_not_of("0123456789");
  if (end == std::string::npos || end + 1 == input.size() || input[end] != '_') return input;
  return input.substr(0, end);
}

absl::StatusOr<DrawnRange> ParseRange(const JsonView& view, const SampleFeature& input) {
  const DrawnRange& bounds = input.range;
  const std::string accepted =
      absl::StrCat(bounds.is_whole ? "a whole number, or two in brackets, from "
                                   : "a number, or two in brackets, from ",
                   Exact(bounds.low), " to ", Exact(bounds.high));
  DrawnRange out = bounds;
  if (view.is_array()) {
    const auto numbers = view.Numbers(2);
    if (!numbers.ok()) return view.Refused(accepted);
    out.low = (*numbers)[0];
    out.high = (*numbers)[1];
  } else {
    const auto number = view.Number();
    if (!number.ok()) return view.Refused(accepted);
    out.low = out.high = *number;
  }
  const bool none = bounds.is_whole && std::ceil(out.low) > std::floor(out.high);
  if (out.low >= bounds.low && out.low <= out.high && out.high <= bounds.high && !none) return out;
  return view.Refused(accepted);
}

}  // namespace

absl::StatusOr<SamplePlan> SamplePlan::Create(const io::System& system, const SampleConfig& config,
                                              const std::string& command) {
  SamplePlan plan;
  plan.config_ = config;
  if (config.selection.has_value()) {
    LIVND_ASSIGN_OR_RETURN(plan.options_.selection,
                           io::ParseSelectionSpec(JsonView(*config.selection, "--selection")));
  }
  auto setup = io::SetUpCulture(system, plan.options_);
  if (!setup.ok()) return AboutFlag("--selection", setup.status());
  plan.setup_ = *std::move(setup);
  LIVND_RETURN_IF_ERROR(plan.TakeParams(system));
  LIVND_RETURN_IF_ERROR(plan.TakeTimes());
  LIVND_RETURN_IF_ERROR(plan.TakeEncoding());
  LIVND_RETURN_IF_ERROR(plan.TakeSeries());
  LIVND_RETURN_IF_ERROR(plan.TakeCount());
  LIVND_RETURN_IF_ERROR(plan.TakeDocument(system, command));
  return plan;
}

absl::Status SamplePlan::TakeParams(const io::System& system) {
  const std::string& params = config_.params;
  if (params == "model") {
    if (config_.group != "default") {
      return MakeFieldError("--group", config_.group,
                            "absent: the model's defaults have no groups");
    }
    params_source_ = "the model's defaults";
    params_ = io::ModelDefaultParams(system, setup_);
  } else {
    params_source_ = absl::StrCat(params, ", group ", config_.group);
    io::System holder;
    params_file_ =
        IsFile(params) ? params : absl::StrCat(system.directory, "/params/", params, ".json");
    std::string document = params;
    if (IsFile(params)) {
      LIVND_ASSIGN_OR_RETURN(const Json json, io::ReadJsonFile(params));
      LIVND_ASSIGN_OR_RETURN(holder.params[params],
                             io::ParseParamsDocument(JsonView(json, params)));
    }
    auto found = io::StoredParams(IsFile(params) ? holder : system, setup_.params_key, document,
                                  config_.group);
    if (!found.ok()) {
      FieldError error = *FieldErrorOf(found.status());
      if (error.field == "document") {
        error.field = "--params";
        error.accepted =
            absl::StrCat("model, a file of JSON, or a document of the system: ", error.accepted);
      } else if (error.field == "group") {
        error.field = "--group";
      } else {
        error.file = params_file_;
      }
      return WithFieldError(error, found.status());
    }
    params_ = *std::move(found);
  }
  if (!config_.noise) {
    params_.erase(
        std::remove_if(params_.begin(), params_.end(),
                       [](const io::Param& p) { return absl::StartsWith(p.key, "noise-"); }),
        params_.end());
  }
  return InParams(io::ApplyParams(params_, setup_));
}

absl::Status SamplePlan::InParams(const absl::Status& status) const {
  return params_file_.empty() ? AtField("--params", status) : InFile(params_file_, status);
}

absl::Status SamplePlan::TakeTimes() {
  const double dt_ms = setup_.culture.dt_ms;
  LIVND_RETURN_IF_ERROR(CheckTime("--warmup", config_.warmup_ms, 0.0, dt_ms));
  LIVND_RETURN_IF_ERROR(CheckTime("--duration", config_.duration_ms, dt_ms, dt_ms));
  return CheckTime("--sample-dt", config_.sample_dt_ms, dt_ms, dt_ms);
}

absl::Status SamplePlan::TakeEncoding() {
  step_ms_ = config_.step_ms.value_or(config_.duration_ms);
  if (!config_.encoding.has_value()) {
    if (config_.step_ms.has_value()) {
      return MakeFieldError("--step", Exact(step_ms_), "absent: --encoding is none");
    }
    if (!config_.ranges.is_null()) {
      return MakeFieldError("--ranges", "given", "absent: --encoding is none");
    }
    return absl::OkStatus();
  }
  const double dt_ms = setup_.culture.dt_ms;
  LIVND_RETURN_IF_ERROR(CheckTime("--step", step_ms_, dt_ms, dt_ms));
  const double steps = config_.duration_ms / step_ms_;
  num_steps_ = std::llround(steps);
  if (num_steps_ < 1 || std::fabs(steps - std::round(steps)) > 1e-9) {
    return MakeFieldError(
        "--step", Exact(step_ms_),
        absl::StrCat("--duration, ", Exact(config_.duration_ms), ", or a whole part of it"));
  }
  if (!setup_.electrode_array.has_value()) {
    return MakeFieldError("--encoding", "given or left out",
                          "none: this system has no electrodes (livnd mea gives it some)");
  }
  LIVND_ASSIGN_OR_RETURN(encoding_,
                         io::CodingSpec::Parse(JsonView(*config_.encoding, "--encoding")));
  io::EncodingWindow window;
  window.num_electrodes = static_cast<int64_t>(setup_.electrode_array->electrodes.size());
  window.tick_ms = dt_ms;
  window.num_ticks = std::llround(step_ms_ / dt_ms);
  const auto made = io::MakeEncoding(*encoding_, window);
  if (!made.ok()) return InFile("--encoding", made.status());
  const std::unique_ptr<const io::Encoding>& encoding = *made;
  const size_t numbers = encoding->inputs().size() * static_cast<size_t>(num_steps_);
  if (numbers > kMaxNumbers) {
    return MakeFieldError(
        "--step",
        absl::StrCat(Exact(step_ms_), ", which makes ", numbers, " numbers that go into a sample"),
        absl::StrCat("so many steps that there are at most ", kMaxNumbers));
  }
  for (const io::EncodingInput& input : encoding->inputs()) {
    features_.push_back({input.name, input.unit, {input.low, input.high, input.is_whole}});
  }
  return TakeRanges(features_);
}

absl::Status SamplePlan::TakeRanges(const std::vector<SampleFeature>& bounds) {
  if (config_.ranges.is_null()) return absl::OkStatus();
  const JsonView ranges(config_.ranges, "--ranges");
  if (!ranges.is_object()) return ranges.Refused("{INPUT: [LOW, HIGH]}");
  std::vector<std::string> names;
  for (const SampleFeature& input : bounds) {
    for (const std::string& name : {input.name, Family(input.name)}) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  std::vector<SampleFeature> taken = bounds;
  const auto take = [&](const std::string& name, const JsonView& view) -> absl::Status {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return MakeFieldError(absl::StrCat("--ranges.", name), kUnknownName,
                            NearestAndAll(name, names));
    }
    for (size_t i = 0; i < bounds.size(); ++i) {
      if (bounds[i].name != name && Family(bounds[i].name) != name) continue;
      LIVND_ASSIGN_OR_RETURN(taken[i].range, ParseRange(view, bounds[i]));
    }
    return absl::OkStatus();
  };
  LIVND_RETURN_IF_ERROR(ranges.ForEachMember(take));
  features_ = std::move(taken);
  return absl::OkStatus();
}

absl::Status SamplePlan::TakeSeries() {
  const Json& voltages = config_.voltages;
  const std::vector<int64_t> built = setup_.BuiltGids();
  if (voltages == "all") {
    voltage_gids_ = built;
  } else if (!voltages.is_null()) {
    const JsonView view(voltages, "--voltages");
    const char kAccepted[] = "all, or gids of cells that are simulated, each once";
    if (!view.is_array() || voltages.empty()) return view.Refused(kAccepted);
    std::set<int64_t> seen;
    LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> gids, view.Elements());
    for (const JsonView& gid : gids) {
      const auto number = gid.Integer(0, int64_t{1} << 32);
      if (!number.ok() || !std::binary_search(built.begin(), built.end(), *number) ||
          !seen.insert(*number).second) {
        return gid.Refused(kAccepted);
      }
      voltage_gids_.push_back(*number);
    }
  }
  if (config_.potentials && !setup_.electrode_array.has_value()) {
    return MakeFieldError("--potentials", "given", "absent: this system has no electrodes");
  }
  return absl::OkStatus();
}

absl::Status SamplePlan::TakeCount() {
  int64_t of_splits = 0;
  std::set<std::string> names;
  for (const auto& [name, count] : config_.split) {
    if (!names.insert(name).second) {
      return MakeFieldError("--split", absl::StrCat(name, " twice"), "each name once");
    }
    of_splits += count;
  }
  if (config_.split.empty()) config_.split.emplace_back("train", config_.count);
  count_ = config_.count > 0 ? config_.count : of_splits;
  if (count_ < 1 || count_ > SampleConfig::kMaxCount) {
    return MakeFieldError("--count", count_ < 1 ? "absent" : absl::StrCat(count_),
                          absl::StrCat("1 .. ", SampleConfig::kMaxCount, "; or --split"));
  }
  if (of_splits != 0 && of_splits != count_) {
    return MakeFieldError("--split", absl::StrCat(of_splits, " samples"),
                          absl::StrCat("--count, ", count_, ", in all"));
  }
  // What decides the files' borders is in the plan, so that all who have a part of it agree.
  part_ = config_.part;
  if (part_ == 0) {
    const double ms = config_.warmup_ms + config_.duration_ms;
    const double seconds = config_.trials * ms / setup_.culture.dt_ms * kCellStepSeconds *
                           static_cast<double>(setup_.BuiltGids().size());
    double rows = static_cast<double>(voltage_gids_.size());
    if (config_.potentials) rows += static_cast<double>(setup_.electrode_array->electrodes.size());
    const double bytes = rows * ms / config_.sample_dt_ms * 4.0 * config_.trials;
    const double fits =
        std::min(kPartSeconds / std::max(seconds, 1e-9), kPartBytes / std::max(bytes, 1.0));
    // And so many of them that servers can share them out.
    const double of_share = std::ceil(static_cast<double>(count_) / kMinParts);
    part_ = static_cast<int64_t>(
        std::clamp(std::min(fits, of_share), 1.0, static_cast<double>(kMaxPart)));
  }
  begin_ = 0;
  end_ = count_;
  if (config_.range.has_value()) {
    std::tie(begin_, end_) = *config_.range;
    const bool on_borders = begin_ % part_ == 0 && (end_ % part_ == 0 || end_ == count_);
    if (begin_ < 0 || begin_ >= end_ || end_ > count_ || !on_borders) {
      return MakeFieldError(
          "--range", absl::StrCat(begin_, ":", end_),
          absl::StrCat("FIRST:END with 0 <= FIRST < END <= ", count_, ", both multiples of the ",
                       part_, " samples of a file (--part), or END ", count_));
    }
  }
  return absl::OkStatus();
}

int64_t SamplePlan::num_samples() const {
  const double dt_ms = setup_.culture.dt_ms;
  const int64_t ticks = std::llround(config_.duration_ms / dt_ms);
  const int64_t every = std::llround(config_.sample_dt_ms / dt_ms);
  return (ticks + every - 1) / every;
}

DrawnSample SamplePlan::Draw(int64_t sample) const {
  DrawnSample out;
  const auto plan_seed = static_cast<uint64_t>(config_.seed);
  const auto number = static_cast<uint64_t>(sample);
  out.seed = NoiseSeed(plan_seed, static_cast<uint32_t>(sample));
  uint64_t place = 0;
  for (int64_t step = 0; step < num_steps_; ++step) {
    for (const SampleFeature& feature : features_) {
      out.features.push_back(DrawFeature(plan_seed, number, place++, feature.range));
    }
  }
  return out;
}

}  // namespace livnd::lab
