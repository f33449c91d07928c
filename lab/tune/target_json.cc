#include "lab/tune/target_json.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/nearest_name.h"
#include "base/status_macros.h"
#include "io/culture/selection.h"
#include "io/device/electrode_array_config.h"
#include "io/system/system_documents.h"
#include "lab/generate/config_fields.h"
#include "lab/tune/stimulus_json.h"

namespace livnd::lab {
namespace {

using io::Json;
using io::JsonView;

constexpr const char* kMetrics[] = {"corrected", "livn"};
// Ours, and livn's.
constexpr const char* kReadouts[] = {"cells", "electrodes", "neurons", "channels"};
constexpr const char* kScales[] = {"identity", "log10", "log1p"};
constexpr const char* kCosts[] = {"square", "log_square", "absolute", "value"};
constexpr const char* kDrives[] = {"g_total", "g_ratio", "std_fraction", "g_e0", "g_i0",
                                   "std_e",   "std_i",   "tau_e",        "tau_i"};
constexpr double kMost = 1e12;

std::vector<std::string> FeatureNames() {
  std::vector<std::string> names;
  for (const FeatureName& feature : kFeatures) names.emplace_back(feature.name);
  return names;
}

absl::StatusOr<size_t> ParseFeature(const JsonView& view) {
  const absl::StatusOr<std::string> name = view.String();
  const int index = name.ok() ? FindFeature(*name) : -1;
  if (index >= 0) return static_cast<size_t>(index);
  return view.Refused(name.ok() ? NearestAndAll(*name, FeatureNames()) : "the name of a feature");
}

absl::StatusOr<Range> ParseRange(const JsonView& view) {
  const std::string accepted =
      "[low, high] or [low, high, scale] with low < high, and a scale of identity, log10 (low > 0) "
      "or "
      "log1p (low >= 0)";
  const absl::StatusOr<std::vector<JsonView>> elements = view.Elements();
  if (!elements.ok() || elements->size() < 2 || elements->size() > 3) return view.Refused(accepted);
  Range range;
  if (elements->size() == 3) {
    LIVND_ASSIGN_OR_RETURN(const size_t scale, Choice((*elements)[2], kScales));
    range.scale = static_cast<Scale>(scale);
  }
  LIVND_ASSIGN_OR_RETURN(range.low,
                         NumberWithin((*elements)[0], -kMost, kMost, "a number within 1e12"));
  LIVND_ASSIGN_OR_RETURN(range.high,
                         NumberWithin((*elements)[1], -kMost, kMost, "a number within 1e12"));
  const bool has_image = range.scale == Scale::kIdentity || range.low > 0.0 ||
                         (range.scale == Scale::kLog1p && range.low >= 0.0);
  if (!(range.low < range.high) || !has_image) return view.Refused(accepted);
  return range;
}

absl::Status ReadRange(const JsonView& view, absl::string_view name, std::optional<Range>& range) {
  LIVND_ASSIGN_OR_RETURN(const auto member, view.Find(name));
  if (!member.has_value()) return absl::OkStatus();
  LIVND_ASSIGN_OR_RETURN(range, ParseRange(*member));
  return absl::OkStatus();
}

absl::Status ReadBool(const JsonView& view, absl::string_view name, bool& value) {
  LIVND_ASSIGN_OR_RETURN(const auto member, view.Find(name));
  if (!member.has_value()) return absl::OkStatus();
  LIVND_ASSIGN_OR_RETURN(value, member->Bool());
  return absl::OkStatus();
}

using Ranges = std::vector<std::pair<std::string, Range>>;

absl::Status ReadRanges(const JsonView& view, absl::string_view name, Ranges& ranges) {
  LIVND_ASSIGN_OR_RETURN(const auto member, view.Find(name));
  if (!member.has_value()) return absl::OkStatus();
  if (!member->is_object()) return member->Refused("a map of names and ranges");
  return member->ForEachMember([&](const std::string& key, const JsonView& value) -> absl::Status {
    LIVND_ASSIGN_OR_RETURN(const Range range, ParseRange(value));
    ranges.emplace_back(key, range);
    return absl::OkStatus();
  });
}

bool Has(const Ranges& ranges, absl::string_view name) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const auto& range) { return range.first == name; });
}

absl::Status ParseNoise(const JsonView& space, SpaceConfig& config) {
  LIVND_ASSIGN_OR_RETURN(const auto noise, space.Find("noise"));
  if (noise.has_value()) {
    LIVND_RETURN_IF_ERROR(CheckNames(*noise, {std::begin(kDrives), std::end(kDrives)}));
  }
  LIVND_RETURN_IF_ERROR(ReadRanges(space, "noise", config.noise));
  const bool total = Has(config.noise, "g_total"), ratio = Has(config.noise, "g_ratio");
  if (total != ratio) return noise->Refused("g_total and g_ratio together");
  if (!total && Has(config.noise, "std_fraction")) {
    return noise->Refused("std_fraction beside g_total and g_ratio");
  }
  for (const char* name : {"g_e0", "g_i0"}) {
    if (total && Has(config.noise, name)) {
      return noise->Refused("g_total and g_ratio, or g_e0 and g_i0");
    }
  }
  for (const char* name : {"std_e", "std_i"}) {
    if (Has(config.noise, "std_fraction") && Has(config.noise, name)) {
      return noise->Refused("std_fraction, or std_e and std_i");
    }
  }
  LIVND_RETURN_IF_ERROR(ReadRanges(space, "noise_balance", config.noise_balance));
  const bool both = total || (Has(config.noise, "g_e0") && Has(config.noise, "g_i0"));
  if (!config.noise_balance.empty() && !both) {
    LIVND_ASSIGN_OR_RETURN(const JsonView balance, space.Member("noise_balance"));
    return balance.Refused("a noise that has g_total and g_ratio, or g_e0 and g_i0, beside it");
  }
  if (config.ignition.has_value() && !total && !Has(config.noise, "g_e0")) {
    LIVND_ASSIGN_OR_RETURN(const JsonView ignition, space.Member("ignition"));
    return ignition.Refused("a noise that has g_total and g_ratio, or g_e0, beside it");
  }
  return absl::OkStatus();
}

absl::Status ParseSpace(const JsonView& document, SpaceConfig& config) {
  LIVND_ASSIGN_OR_RETURN(const JsonView space, document.Member("space"));
  if (!space.is_object()) return space.Refused("a map of what may change");
  LIVND_RETURN_IF_ERROR(
      CheckNames(space, {"reference", "ratio", "nmda_ratio", "ignition", "depression", "noise",
                         "noise_balance", "adaptation", "stimulation_gain", "params", "fixed"}));
  LIVND_RETURN_IF_ERROR(ReadRange(space, "reference", config.reference));
  LIVND_RETURN_IF_ERROR(ReadRange(space, "ratio", config.ratio));
  LIVND_RETURN_IF_ERROR(ReadRange(space, "nmda_ratio", config.nmda_ratio));
  LIVND_RETURN_IF_ERROR(ReadRange(space, "ignition", config.ignition));
  if (config.reference.has_value() && config.ignition.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const JsonView ignition, space.Member("ignition"));
    return ignition.Refused("one of reference and ignition");
  }
  if ((config.ratio.has_value() || config.nmda_ratio.has_value()) &&
      !config.reference.has_value() && !config.ignition.has_value()) {
    return space.Refused("reference or ignition beside ratio");
  }
  LIVND_ASSIGN_OR_RETURN(const auto depression, space.Find("depression"));
  if (depression.has_value()) {
    LIVND_RETURN_IF_ERROR(CheckNames(*depression, {"tau_rec", "U"}));
    LIVND_RETURN_IF_ERROR(ReadRange(*depression, "tau_rec", config.tau_rec));
    LIVND_RETURN_IF_ERROR(ReadRange(*depression, "U", config.release));
    if (config.release.has_value() && !(config.release->low > 0.0 && config.release->high <= 1.0)) {
      LIVND_ASSIGN_OR_RETURN(const JsonView release, depression->Member("U"));
      return release.Refused("a range above 0 and up to 1");
    }
  }
  LIVND_RETURN_IF_ERROR(ParseNoise(space, config));
  LIVND_RETURN_IF_ERROR(ReadBool(space, "adaptation", config.adaptation));
  LIVND_RETURN_IF_ERROR(ReadRanges(space, "params", config.params));
  LIVND_ASSIGN_OR_RETURN(const auto fixed, space.Find("fixed"));
  if (!fixed.has_value()) return absl::OkStatus();
  return fixed->ForEachMember([&](const std::string& key, const JsonView& value) -> absl::Status {
    LIVND_ASSIGN_OR_RETURN(const double number, value.Number());
    config.fixed.emplace_back(key, number);
    return absl::OkStatus();
  });
}

// As livn's: a decade to either side of the conductor's own, and less than what takes the strongest pulse beyond the
// potentials that are simulated.
absl::Status ParseGain(const JsonView& document, Target& target) {
  constexpr double kMostMv = 1000.0, kMargin = 1e-6;
  LIVND_ASSIGN_OR_RETURN(const JsonView space, document.Member("space"));
  bool searched = false;
  LIVND_RETURN_IF_ERROR(ReadBool(space, "stimulation_gain", searched));
  if (!searched) return absl::OkStatus();
  LIVND_ASSIGN_OR_RETURN(const JsonView view, space.Member("stimulation_gain"));
  if (!target.stimulus.has_value()) return view.Refused("false: there is no stimulus");
  const double own = io::VolumeConductor().stimulation_gain;
  const double peak_ua = PeakUa(*target.stimulus);
  const double allowed = kMostMv / peak_ua * (1.0 - kMargin);
  if (allowed <= own / 10.0) {
    return view.Refused(absl::StrCat("weaker pulses: ", Exact(peak_ua), " uA make ", Exact(kMostMv),
                                     " mV at a gain of ", Exact(allowed),
                                     " mV/uA, and the range begins at ", Exact(own / 10.0)));
  }
  target.space.stimulation_gain = {own / 10.0, std::min(own * 10.0, allowed), Scale::kLog10};
  return absl::OkStatus();
}

absl::Status ParseObjective(const std::string& name, const JsonView& view, Objective& objective) {
  objective.name = name;
  LIVND_RETURN_IF_ERROR(CheckNames(view, {"feature", "target", "cost"}));
  LIVND_ASSIGN_OR_RETURN(const auto feature, view.Find("feature"));
  if (feature.has_value()) {
    LIVND_ASSIGN_OR_RETURN(objective.feature, ParseFeature(*feature));
  } else if (FindFeature(name) >= 0) {
    objective.feature = static_cast<size_t>(FindFeature(name));
  } else {
    return view.Refused("a map with the name of a feature, feature: mfr");
  }
  LIVND_ASSIGN_OR_RETURN(const auto cost, view.Find("cost"));
  if (cost.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const size_t index, Choice(*cost, kCosts));
    objective.cost = static_cast<Cost>(index);
  }
  LIVND_ASSIGN_OR_RETURN(const auto target, view.Find("target"));
  if (target.has_value()) {
    LIVND_ASSIGN_OR_RETURN(objective.target,
                           NumberWithin(*target, -kMost, kMost, "a number within 1e12"));
    if (objective.cost == Cost::kLogSquare && objective.target < 0.0) {
      return target->Refused("0 or more, where the cost is log_square");
    }
  } else if (objective.cost != Cost::kValue) {
    return view.Refused("a map with a target");
  }
  return absl::OkStatus();
}

absl::Status ParseObjectives(const JsonView& document, std::vector<Objective>& objectives) {
  LIVND_ASSIGN_OR_RETURN(const JsonView view, document.Member("objectives"));
  if (!view.is_object() || view.json().size() < 2 || view.json().size() > 16) {
    return view.Refused("a map of 2 to 16 objectives");
  }
  return view.ForEachMember([&](const std::string& name, const JsonView& value) {
    return ParseObjective(name, value, objectives.emplace_back());
  });
}

absl::Status ParseAll(const JsonView& view, const std::vector<Constraint>& before,
                      Constraint& constraint) {
  constraint.kind = Constraint::Kind::kAll;
  LIVND_RETURN_IF_ERROR(CheckNames(view, {"all"}));
  LIVND_ASSIGN_OR_RETURN(const JsonView all, view.Member("all"));
  LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> names, all.Elements());
  std::vector<std::string> known;
  for (const Constraint& other : before) known.push_back(other.name);
  for (const JsonView& name : names) {
    const auto found = std::find(known.begin(), known.end(), name.String().value_or(""));
    if (found == known.end()) {
      return name.Refused(known.empty() ? "names of constraints before this one"
                                        : NearestAndAll(name.String().value_or(""), known));
    }
    constraint.all_of.push_back(static_cast<size_t>(found - known.begin()));
  }
  if (names.empty()) return all.Refused("names of constraints before this one");
  return absl::OkStatus();
}

absl::Status ParseBounds(const JsonView& view, Constraint& constraint) {
  LIVND_ASSIGN_OR_RETURN(const auto max, view.Find("max"));
  LIVND_ASSIGN_OR_RETURN(const auto min, view.Find("min"));
  LIVND_ASSIGN_OR_RETURN(const auto band, view.Find("band"));
  if (max.has_value() + min.has_value() + band.has_value() != 1) {
    return view.Refused("a map with one of max, min, band and all");
  }
  if (band.has_value()) {
    constraint.kind = Constraint::Kind::kBand;
    const absl::StatusOr<std::vector<double>> numbers = band->Numbers(2);
    if (!numbers.ok() || !((*numbers)[0] < (*numbers)[1]))
      return band->Refused("[low, high], low < high");
    constraint.low = (*numbers)[0];
    constraint.high = (*numbers)[1];
    for (const char* name : {"scale", "decided_by", "per_unit"}) {
      LIVND_ASSIGN_OR_RETURN(const auto member, view.Find(name));
      if (member.has_value()) return member->Refused("absent beside band");
    }
    return absl::OkStatus();
  }
  constraint.kind = max.has_value() ? Constraint::Kind::kMax : Constraint::Kind::kMin;
  double& bound = max.has_value() ? constraint.high : constraint.low;
  LIVND_ASSIGN_OR_RETURN(bound, (max.has_value() ? *max : *min).Number());
  constraint.scale = std::max(std::fabs(bound), 1e-6);
  LIVND_RETURN_IF_ERROR(ReadNumber(view, "scale", 1e-6, kMost, "1e-6 .. 1e12", constraint.scale));
  LIVND_RETURN_IF_ERROR(ReadBool(view, "per_unit", constraint.per_unit));
  constraint.decided_by = constraint.feature;
  LIVND_ASSIGN_OR_RETURN(const auto decided_by, view.Find("decided_by"));
  if (decided_by.has_value()) {
    LIVND_ASSIGN_OR_RETURN(constraint.decided_by, ParseFeature(*decided_by));
  }
  return absl::OkStatus();
}

absl::Status ParseConstraints(const JsonView& document, std::vector<Constraint>& constraints) {
  LIVND_ASSIGN_OR_RETURN(const auto view, document.Find("constraints"));
  if (!view.has_value()) return absl::OkStatus();
  if (!view->is_object()) return view->Refused("a map of constraints");
  return view->ForEachMember([&](const std::string& name, const JsonView& value) -> absl::Status {
    Constraint constraint;
    constraint.name = name;
    LIVND_RETURN_IF_ERROR(CheckNames(
        value, {"feature", "max", "min", "band", "all", "scale", "per_unit", "decided_by"}));
    LIVND_ASSIGN_OR_RETURN(const auto all, value.Find("all"));
    if (all.has_value()) {
      LIVND_RETURN_IF_ERROR(ParseAll(value, constraints, constraint));
    } else {
      LIVND_ASSIGN_OR_RETURN(const JsonView feature, value.Member("feature"));
      LIVND_ASSIGN_OR_RETURN(constraint.feature, ParseFeature(feature));
      LIVND_RETURN_IF_ERROR(ParseBounds(value, constraint));
    }
    constraints.push_back(std::move(constraint));
    return absl::OkStatus();
  });
}

absl::Status ParseBands(const JsonView& document, Target& target) {
  LIVND_ASSIGN_OR_RETURN(const auto view, document.Find("feature_bands"));
  if (!view.has_value()) return absl::OkStatus();
  LIVND_RETURN_IF_ERROR(CheckNames(*view, FeatureNames()));
  return view->ForEachMember([&](const std::string& name, const JsonView& value) -> absl::Status {
    const absl::StatusOr<std::vector<double>> band = value.Numbers(2);
    if (!band.ok() || !((*band)[0] <= (*band)[1])) return value.Refused("[low, high], low <= high");
    target.feature_bands.push_back(
        {static_cast<size_t>(FindFeature(name)), {(*band)[0], (*band)[1]}});
    return absl::OkStatus();
  });
}

// What a target lacks that this feature is measured by; empty: nothing.
std::string LackedBy(const Target& target, size_t feature) {
  if (feature < kFirstStimulusFeature) return "";
  if (!target.stimulus.has_value()) return "a feature without a stimulus, or a target with one";
  if (feature == static_cast<size_t>(FindFeature("stimulus_threshold"))) return "";
  const std::optional<RecruitmentBracket>& measured = target.stimulus->measured;
  if (!measured.has_value()) return "stimulus_threshold, or a stimulus with what was measured";
  if (feature == static_cast<size_t>(FindFeature("threshold_miss"))) return "";
  const std::vector<double>& tried = target.stimulus->amplitudes_ua;
  for (size_t i = 0; i < measured->probabilities.size(); ++i) {
    const auto same = std::find(tried.begin(), tried.end(), measured->amplitudes_ua[i]);
    if (same != tried.end()) return "";
  }
  return "threshold_miss, or measured probabilities of some of the stimulus's amplitudes";
}

absl::Status CheckMeasured(const JsonView& document, const Target& target) {
  const auto check = [&](const char* map, const std::string& name, size_t feature) -> absl::Status {
    const std::string lacked = LackedBy(target, feature);
    if (lacked.empty()) return absl::OkStatus();
    LIVND_ASSIGN_OR_RETURN(const JsonView view, document.Member(map));
    LIVND_ASSIGN_OR_RETURN(const JsonView member, view.Member(name));
    return member.Refused(lacked);
  };
  for (const Objective& o : target.objectives) {
    LIVND_RETURN_IF_ERROR(check("objectives", o.name, o.feature));
  }
  for (const Constraint& c : target.constraints) {
    LIVND_RETURN_IF_ERROR(check("constraints", c.name, std::max(c.feature, c.decided_by)));
  }
  for (const auto& band : target.feature_bands) {
    LIVND_RETURN_IF_ERROR(check("feature_bands", kFeatures[band.first].name, band.first));
  }
  return absl::OkStatus();
}

absl::Status ParseSimulation(const JsonView& document, Target& target) {
  LIVND_ASSIGN_OR_RETURN(const auto metrics, document.Find("metrics"));
  if (metrics.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const size_t index, Choice(*metrics, kMetrics));
    target.livn_metrics = index == 1;
  }
  LIVND_ASSIGN_OR_RETURN(const auto readout, document.Find("readout"));
  if (readout.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const size_t index, Choice(*readout, kReadouts));
    target.by_electrode = index % 2 == 1;
  }
  // livn counts whole ms.
  const auto read_ms = [&](const char* name, double min, double& ms) -> absl::Status {
    const std::string accepted = absl::StrCat("whole ms, ", min, " .. 1e7");
    LIVND_RETURN_IF_ERROR(ReadNumber(document, name, min, 1e7, accepted, ms));
    if (ms == std::floor(ms)) return absl::OkStatus();
    LIVND_ASSIGN_OR_RETURN(const JsonView member, document.Member(name));
    return member.Refused(accepted);
  };
  LIVND_RETURN_IF_ERROR(read_ms("warmup_ms", 0, target.warmup_ms));
  LIVND_RETURN_IF_ERROR(read_ms("duration_ms", 100, target.duration_ms));
  LIVND_ASSIGN_OR_RETURN(const auto trials, document.Find("trials"));
  if (trials.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const int64_t number, trials->Integer(1, 256));
    target.trials = static_cast<int>(number);
  }
  LIVND_ASSIGN_OR_RETURN(const auto seed, document.Find("seed"));
  if (seed.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const int64_t number, seed->Integer(0, 0xffffffff - 256));
    target.seed = static_cast<uint64_t>(number);
  }
  LIVND_ASSIGN_OR_RETURN(const auto min_spikes, document.Find("min_spikes"));
  if (min_spikes.has_value()) {
    LIVND_ASSIGN_OR_RETURN(target.min_spikes, min_spikes->Integer(0, 1'000'000'000));
  }
  LIVND_ASSIGN_OR_RETURN(const auto model, document.Find("model"));
  if (model.has_value()) {
    LIVND_ASSIGN_OR_RETURN(target.model, io::ParseModelDocument(*model));
  }
  LIVND_ASSIGN_OR_RETURN(const auto selection, document.Find("selection"));
  if (selection.has_value()) {
    LIVND_RETURN_IF_ERROR(io::ParseSelectionSpec(*selection).status());
    target.selection = selection->json();
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Target> ParseTarget(const JsonView& document) {
  if (!document.is_object()) {
    return document.Refused("a map with space and objectives");
  }
  LIVND_RETURN_IF_ERROR(CheckNames(
      document,
      {"name", "metrics", "readout", "warmup_ms", "duration_ms", "trials", "seed", "min_spikes",
       "model", "selection", "space", "stimulus", "objectives", "constraints", "feature_bands"}));
  Target target;
  target.document = document.json();
  target.name = "target";
  LIVND_ASSIGN_OR_RETURN(const auto name, document.Find("name"));
  if (name.has_value()) {
    LIVND_ASSIGN_OR_RETURN(target.name, name->String());
  }
  LIVND_RETURN_IF_ERROR(ParseSimulation(document, target));
  LIVND_ASSIGN_OR_RETURN(const auto stimulus, document.Find("stimulus"));
  if (stimulus.has_value()) {
    LIVND_ASSIGN_OR_RETURN(target.stimulus, ParseStimulus(*stimulus));
  }
  LIVND_RETURN_IF_ERROR(ParseSpace(document, target.space));
  LIVND_RETURN_IF_ERROR(ParseGain(document, target));
  LIVND_RETURN_IF_ERROR(ParseObjectives(document, target.objectives));
  LIVND_RETURN_IF_ERROR(ParseConstraints(document, target.constraints));
  LIVND_RETURN_IF_ERROR(ParseBands(document, target));
  LIVND_RETURN_IF_ERROR(CheckMeasured(document, target));
  return target;
}

}  // namespace livnd::lab
