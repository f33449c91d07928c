#include "lab/tune/search_space.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "sim/cell/rcsd/rcsd_template.h"
#include "sim/culture/synapse_params.h"
#include "sim/network/populations.h"

namespace livnd::lab {
namespace {

constexpr char kRatio[] = "_ratio";
constexpr char kIgnition[] = "_ignition";

// Named numbers in the order in which they came.
class Values {
 public:
  void Set(const std::string& name, double value) {
    const auto found = Find(name);
    if (found != values_.end()) {
      found->second = value;
    } else {
      values_.emplace_back(name, value);
    }
  }
  std::optional<double> Get(const std::string& name) const {
    for (const auto& [key, value] : values_) {
      if (key == name) return value;
    }
    return std::nullopt;
  }
  std::optional<double> Take(const std::string& name) {
    const auto found = Find(name);
    if (found == values_.end()) return std::nullopt;
    const double value = found->second;
    values_.erase(found);
    return value;
  }
  std::vector<std::pair<std::string, double>>& all() { return values_; }

 private:
  std::vector<std::pair<std::string, double>>::iterator Find(const std::string& name) {
    return std::find_if(values_.begin(), values_.end(),
                        [&](const auto& value) { return value.first == name; });
  }
  std::vector<std::pair<std::string, double>> values_;
};

// g_e0 = total / (1 + ratio), g_i0 = total ratio / (1 + ratio), and each deviation the fraction of its
// mean.
void ResolveDrive(Values& values) {
  const auto total = values.Take("noise-g_total"), ratio = values.Take("noise-g_ratio");
  const auto fraction = values.Take("noise-std_fraction");
  if (!total.has_value() || !ratio.has_value()) return;
  const double g_e0 = *total / (1.0 + *ratio), g_i0 = *total * *ratio / (1.0 + *ratio);
  values.Set("noise-g_e0", g_e0);
  values.Set("noise-g_i0", g_i0);
  if (!fraction.has_value()) return;
  values.Set("noise-std_e", *fraction * g_e0);
  values.Set("noise-std_i", *fraction * g_i0);
}

// "noise-POPULATION-g_e0_ratio" times what all have.
void ResolveBalance(Values& values) {
  for (auto& [name, value] : values.all()) {
    if (!absl::StartsWith(name, "noise-") || !absl::EndsWith(name, kRatio)) continue;
    const std::string key(absl::StripSuffix(name, kRatio));
    const auto shared = values.Get(absl::StrCat("noise-", key.substr(key.rfind('-') + 1)));
    name = key;
    value *= *shared;
  }
}

void ResolveWeights(const std::string& reference, Values& values) {
  if (const auto ignition = values.Take(absl::StrCat(reference, kIgnition)); ignition.has_value()) {
    values.Set(reference, *ignition / *values.Get("noise-g_e0"));
  }
  const auto scale = values.Get(reference);
  for (auto& [name, value] : values.all()) {
    if (absl::StartsWith(name, "noise-") || !absl::EndsWith(name, kRatio)) continue;
    name = std::string(absl::StripSuffix(name, kRatio));
    value *= *scale;
  }
}

// "POST-SECTION-AMPA-U": weights onto that site are given for full release.
void ResolveRelease(Values& values) {
  const std::vector<std::pair<std::string, double>> before = values.all();
  for (const auto& [name, release] : before) {
    if (!absl::EndsWith(name, "-U")) continue;
    const size_t dash = name.find('-');
    const std::string post = name.substr(0, dash);
    const std::string site(absl::StripSuffix(name.substr(dash), "-U"));
    for (auto& [weight, value] : values.all()) {
      if (absl::StartsWith(weight, absl::StrCat(post, "_")) &&
          absl::EndsWith(weight, absl::StrCat(site, "-weight"))) {
        value /= release;
      }
    }
  }
}

}  // namespace

double Encode(double value, Scale scale) {
  if (scale == Scale::kLog10) return std::log10(value);
  if (scale == Scale::kLog1p) return std::log10(value + 1.0);
  return value;
}

double Decode(double coordinate, Scale scale) {
  if (scale == Scale::kLog10) return std::pow(10.0, coordinate);
  if (scale == Scale::kLog1p) return std::max(0.0, std::pow(10.0, coordinate) - 1.0);
  return coordinate;
}

absl::StatusOr<SearchSpace> SearchSpace::Create(const SpaceConfig& config, const io::System& system,
                                                const io::CultureSetup& setup) {
  SearchSpace out;
  out.fixed_ = config.fixed;
  out.AddWeights(config, system, setup);
  if ((config.reference.has_value() || config.ignition.has_value()) && out.dimensions_.empty()) {
    return MakeFieldError("space", "a range for weights",
                          "none: no connections of this system have weights");
  }
  if (config.ignition.has_value() && out.reference_.empty()) {
    return MakeFieldError("space.ignition", "present",
                          "absent: there are no excitatory AMPA connections within a population");
  }
  LIVND_RETURN_IF_ERROR(out.AddNoise(config, setup));
  if (config.stimulation_gain.has_value()) {
    out.dimensions_.push_back({"io-volume_conductor-stimulation_gain", *config.stimulation_gain});
  }
  if (config.adaptation) LIVND_RETURN_IF_ERROR(out.AddAdaptation(setup));
  for (const auto& [key, range] : config.params) out.dimensions_.push_back({key, range});
  LIVND_RETURN_IF_ERROR(out.Check());
  out.all_ = out.dimensions_;
  out.held_.assign(out.all_.size(), 0.0);
  for (size_t i = 0; i < out.all_.size(); ++i) out.dimension_of_.push_back(static_cast<int>(i));
  LIVND_RETURN_IF_ERROR(out.CheckFixed());
  return out;
}

void SearchSpace::AddWeights(const SpaceConfig& config, const io::System& system,
                             const io::CultureSetup& setup) {
  if (!config.reference.has_value() && !config.ignition.has_value()) return;
  std::vector<sim::WeightName> weights = sim::SynapseParamNamesOf(setup.culture).weights;
  // livn's order.
  std::sort(weights.begin(), weights.end(), [](const auto& a, const auto& b) {
    return std::tie(a.post, a.pre, a.section, a.receptor) <
           std::tie(b.post, b.pre, b.section, b.receptor);
  });
  const sim::WeightName* reference = nullptr;
  for (const sim::WeightName& weight : weights) {
    const io::ProjectionConfig* projection = system.FindProjectionConfig(weight.post, weight.pre);
    if (weight.post == weight.pre && weight.receptor == "AMPA" && projection != nullptr &&
        projection->type == "excitatory") {
      reference = &weight;
      break;
    }
  }
  if (reference != nullptr) reference_ = reference->key();
  const auto is_nmda = [](const sim::WeightName& w) { return w.receptor == "NMDA"; };
  for (const sim::WeightName& weight : weights) {
    const std::string key = weight.key();
    if (reference != nullptr && key != reference_) {
      const std::optional<Range>& ratio =
          is_nmda(weight) && config.nmda_ratio.has_value() ? config.nmda_ratio : config.ratio;
      if (ratio.has_value()) dimensions_.push_back({key + kRatio, *ratio});
      continue;
    }
    if (config.ignition.has_value()) {
      dimensions_.push_back({key + kIgnition, *config.ignition});
    } else {
      dimensions_.push_back(
          {key, *(is_nmda(weight) && config.nmda_ratio.has_value() ? config.nmda_ratio
                                                                   : config.reference)});
    }
    if (weight.receptor != "AMPA" || !setup.culture.model.short_term_depression) continue;
    const std::string site = absl::StrCat(weight.post, "-", weight.section, "-", weight.receptor);
    const auto add = [&](const std::string& name, const std::optional<Range>& range) {
      const bool is_new = std::none_of(dimensions_.begin(), dimensions_.end(),
                                       [&](const Dimension& d) { return d.name == name; });
      if (range.has_value() && is_new) dimensions_.push_back({name, *range});
    };
    add(absl::StrCat(site, "-tau_rec"), config.tau_rec);
    add(absl::StrCat(site, "-U"), config.release);
  }
}

absl::Status SearchSpace::AddNoise(const SpaceConfig& config, const io::CultureSetup& setup) {
  for (const auto& [name, range] : config.noise) {
    dimensions_.push_back({absl::StrCat("noise-", name), range});
  }
  for (const auto& [population, range] : config.noise_balance) {
    if (!setup.Builds(population)) {
      return MakeFieldError("space.noise_balance", population,
                            absl::StrJoin(setup.built_populations, ", "));
    }
    for (const char* name : {"g_e0", "g_i0"}) {
      dimensions_.push_back({absl::StrCat("noise-", population, "-", name, kRatio), range});
    }
  }
  return absl::OkStatus();
}

absl::Status SearchSpace::AddAdaptation(const io::CultureSetup& setup) {
  const auto refused = [](const std::string& accepted) {
    return MakeFieldError("space.adaptation", "true", accepted);
  };
  const sim::CultureConfig& culture = setup.culture;
  const auto population =
      std::find_if(culture.populations.begin(), culture.populations.end(),
                   [](const auto& p) { return p.name == sim::kExcitatoryCells; });
  if (!setup.Builds(sim::kExcitatoryCells) || population == culture.populations.end() ||
      population->is_event_source()) {
    return refused(
        absl::StrCat("false: no cells of a population ", sim::kExcitatoryCells, " are built"));
  }
  if (culture.model.point.has_value()) {
    return refused("false: cells of this model are points, without calcium");
  }
  const auto named = culture.model.parameter_sets.find(sim::kExcitatoryCells);
  sim::RcsdParameterSet set = sim::DefaultParameterSet(sim::CellKind::kMotoneuron);
  if (named != culture.model.parameter_sets.end()) {
    LIVND_ASSIGN_OR_RETURN(set, sim::FindParameterSet(named->second));
  }
  const std::map<std::string, double> own = sim::CellParamsOf(sim::MakeCellTemplate(set));
  for (const char* key : kAdaptationKeys) {
    const auto value = own.find(key);
    if (value == own.end() || !(value->second > 0.0)) {
      return refused(absl::StrCat("false: ", sim::kExcitatoryCells, " cells of this model have no ",
                                  key, " above 0"));
    }
    dimensions_.push_back({absl::StrCat("cells-", sim::kExcitatoryCells, ":", key),
                           {value->second / 10.0, value->second * 10.0, Scale::kLog10}});
  }
  return absl::OkStatus();
}

absl::Status SearchSpace::Check() const {
  if (dimensions_.empty()) {
    return MakeFieldError("space", "empty", "a number to search: reference, noise or params");
  }
  std::set<std::string> seen;
  for (const Dimension& dimension : dimensions_) {
    if (!seen.insert(dimension.name).second) {
      return MakeFieldError("space", absl::StrCat(dimension.name, " twice"), "each key once");
    }
  }
  return absl::OkStatus();
}

absl::Status SearchSpace::CheckFixed() const {
  std::vector<double> lowest;
  for (const Dimension& d : dimensions_) lowest.push_back(Encode(d.range.low, d.range.scale));
  const io::ParamList params = Params(lowest);
  for (const auto& [key, value] : fixed_) {
    for (size_t i = fixed_.size(); i < params.size(); ++i) {
      if (params[i].key != key) continue;
      return MakeFieldError(absl::StrCat("space.fixed.", key), Exact(value),
                            "a parameter that is not searched");
    }
  }
  return absl::OkStatus();
}

std::vector<double> SearchSpace::All(absl::Span<const double> coordinates) const {
  std::vector<double> all = held_;
  for (size_t i = 0; i < all.size(); ++i) {
    if (dimension_of_[i] >= 0) all[i] = coordinates[static_cast<size_t>(dimension_of_[i])];
  }
  return all;
}

io::ParamList SearchSpace::Params(absl::Span<const double> coordinates) const {
  const std::vector<double> all = All(coordinates);
  Values values;
  for (size_t i = 0; i < all.size(); ++i) {
    values.Set(all_[i].name, Decode(all[i], all_[i].range.scale));
  }
  ResolveDrive(values);
  if (!reference_.empty()) ResolveWeights(reference_, values);
  ResolveBalance(values);
  ResolveRelease(values);
  io::ParamList params;
  for (const auto& [key, value] : fixed_) params.push_back({key, {value}});
  for (const auto& [key, value] : values.all()) params.push_back({key, {value}});
  return params;
}

void SearchSpace::Hold(absl::Span<const double> coordinates, absl::string_view prefix) {
  std::vector<Dimension> kept;
  for (size_t i = 0; i < all_.size(); ++i) {
    if (absl::StartsWith(all_[i].name, prefix)) {
      dimension_of_[i] = static_cast<int>(kept.size());
      kept.push_back(all_[i]);
    } else {
      dimension_of_[i] = -1;
      held_[i] = coordinates[i];
    }
  }
  dimensions_ = std::move(kept);
}

}  // namespace livnd::lab
