#include "io/stimulus/pulse_plan_text.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/json/yaml.h"

namespace livnd::io {
namespace {

// The members of one entry, each read into its place.
class Reader {
 public:
  explicit Reader(const JsonView& entry) : entry_(entry) {}

  absl::Status Number(absl::string_view name, double* value, bool required = false) const {
    LIVND_ASSIGN_OR_RETURN(const auto member, Find(name, required));
    if (!member.has_value()) return absl::OkStatus();
    LIVND_ASSIGN_OR_RETURN(*value, member->Number());
    return absl::OkStatus();
  }
  absl::Status Number(absl::string_view name, std::optional<double>* value) const {
    LIVND_ASSIGN_OR_RETURN(const auto member, entry_.Find(name));
    if (!member.has_value()) return absl::OkStatus();
    LIVND_ASSIGN_OR_RETURN(*value, member->Number());
    return absl::OkStatus();
  }
  absl::Status Count(absl::string_view name, int64_t* value) const {
    LIVND_ASSIGN_OR_RETURN(const auto member, entry_.Find(name));
    if (!member.has_value()) return absl::OkStatus();
    LIVND_ASSIGN_OR_RETURN(*value, member->Integer(1, PulsePlan::kMaxPulses));
    return absl::OkStatus();
  }
  absl::Status Ids(absl::string_view name, std::vector<int32_t>* ids) const {
    LIVND_ASSIGN_OR_RETURN(const JsonView member, entry_.Member(name));
    LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> elements, member.Elements());
    ids->reserve(elements.size());
    for (const JsonView& element : elements) {
      LIVND_ASSIGN_OR_RETURN(const int64_t id, element.Integer(INT32_MIN, INT32_MAX));
      ids->push_back(static_cast<int32_t>(id));
    }
    return absl::OkStatus();
  }
  absl::Status Train(PulseTrain* train) const {
    LIVND_RETURN_IF_ERROR(Number("start_us", &train->start_us));
    LIVND_RETURN_IF_ERROR(Count("num_pulses", &train->num_pulses));
    LIVND_RETURN_IF_ERROR(Number("rate_hz", &train->rate_hz));
    LIVND_RETURN_IF_ERROR(Number("last_rate_hz", &train->last_rate_hz));
    LIVND_RETURN_IF_ERROR(Count("num_bursts", &train->num_bursts));
    return Number("burst_rate_hz", &train->burst_rate_hz);
  }
  absl::Status Shape(PulseShape* shape) const {
    LIVND_ASSIGN_OR_RETURN(const auto member, entry_.Find("shape"));
    if (!member.has_value()) return absl::OkStatus();
    LIVND_ASSIGN_OR_RETURN(const std::string name, member->String());
    if (name != "biphasic" && name != "monophasic") return member->Refused("biphasic, monophasic");
    *shape = name == "biphasic" ? PulseShape::kBiphasic : PulseShape::kMonophasic;
    return absl::OkStatus();
  }
  absl::Status Flag(absl::string_view name, bool* value) const {
    LIVND_ASSIGN_OR_RETURN(const auto member, entry_.Find(name));
    if (!member.has_value()) return absl::OkStatus();
    LIVND_ASSIGN_OR_RETURN(*value, member->Bool());
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<std::optional<JsonView>> Find(absl::string_view name, bool required) const {
    if (!required) return entry_.Find(name);
    LIVND_ASSIGN_OR_RETURN(JsonView member, entry_.Member(name));
    return std::optional<JsonView>(std::move(member));
  }

  const JsonView& entry_;
};

absl::Status ParseEntry(const JsonView& view, ElectrodePulses* entry) {
  LIVND_RETURN_IF_ERROR(view.CheckMembers(
      {"electrodes", "amplitude_ua", "last_amplitude_ua", "width_us", "shape", "cathodic_first",
       "gap_us", "recovery_width_us", "recovery_amplitude_ua", "start_us", "num_pulses", "rate_hz",
       "last_rate_hz", "num_bursts", "burst_rate_hz"}));
  const Reader reader(view);
  LIVND_RETURN_IF_ERROR(reader.Ids("electrodes", &entry->electrodes));
  LIVND_RETURN_IF_ERROR(reader.Train(&entry->train));
  LIVND_RETURN_IF_ERROR(reader.Shape(&entry->shape));
  LIVND_RETURN_IF_ERROR(reader.Flag("cathodic_first", &entry->cathodic_first));
  LIVND_RETURN_IF_ERROR(reader.Number("amplitude_ua", &entry->amplitude_ua, /*required=*/true));
  LIVND_RETURN_IF_ERROR(reader.Number("last_amplitude_ua", &entry->last_amplitude_ua));
  LIVND_RETURN_IF_ERROR(reader.Number("width_us", &entry->width_us));
  LIVND_RETURN_IF_ERROR(reader.Number("gap_us", &entry->gap_us));
  LIVND_RETURN_IF_ERROR(reader.Number("recovery_width_us", &entry->recovery_width_us));
  return reader.Number("recovery_amplitude_ua", &entry->recovery_amplitude_ua);
}

absl::Status ParseEntry(const JsonView& view, LightPulses* entry) {
  LIVND_RETURN_IF_ERROR(
      view.CheckMembers({"fibers", "power_mw", "last_power_mw", "width_us", "start_us",
                         "num_pulses", "rate_hz", "last_rate_hz", "num_bursts", "burst_rate_hz"}));
  const Reader reader(view);
  LIVND_RETURN_IF_ERROR(reader.Ids("fibers", &entry->fibers));
  LIVND_RETURN_IF_ERROR(reader.Train(&entry->train));
  LIVND_RETURN_IF_ERROR(reader.Number("power_mw", &entry->power_mw, /*required=*/true));
  LIVND_RETURN_IF_ERROR(reader.Number("last_power_mw", &entry->last_power_mw));
  return reader.Number("width_us", &entry->width_us);
}

template <typename Entry>
absl::Status ParseEntries(const JsonView& document, absl::string_view name,
                          std::vector<Entry>* entries) {
  LIVND_ASSIGN_OR_RETURN(const auto member, document.Find(name));
  if (!member.has_value()) return absl::OkStatus();
  LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> elements, member->Elements());
  for (const JsonView& element : elements) {
    LIVND_RETURN_IF_ERROR(ParseEntry(element, &entries->emplace_back()));
  }
  return absl::OkStatus();
}

void Put(Json* json, const char* name, const std::optional<double>& value) {
  if (value.has_value()) (*json)[name] = *value;
}

void PutTrain(Json* json, const PulseTrain& train) {
  (*json)["start_us"] = train.start_us;
  (*json)["num_pulses"] = train.num_pulses;
  if (train.rate_hz != 0.0) (*json)["rate_hz"] = train.rate_hz;
  Put(json, "last_rate_hz", train.last_rate_hz);
  (*json)["num_bursts"] = train.num_bursts;
  if (train.burst_rate_hz != 0.0) (*json)["burst_rate_hz"] = train.burst_rate_hz;
}

}  // namespace

absl::StatusOr<PulsePlan> ParsePulsePlan(const JsonView& document) {
  LIVND_RETURN_IF_ERROR(document.CheckMembers({"pulses", "light"}));
  PulsePlan plan;
  LIVND_RETURN_IF_ERROR(ParseEntries(document, "pulses", &plan.pulses));
  LIVND_RETURN_IF_ERROR(ParseEntries(document, "light", &plan.light));
  LIVND_RETURN_IF_ERROR(document.Within(plan.Validate()));
  return plan;
}

absl::StatusOr<PulsePlan> ParsePulsePlanText(absl::string_view name, absl::string_view text) {
  LIVND_ASSIGN_OR_RETURN(const Json json, ParseYaml(name, text));
  return ParsePulsePlan(JsonView(json, std::string(name)));
}

Json PulsePlanToJson(const PulsePlan& plan) {
  Json json = {{"pulses", Json::array()}, {"light", Json::array()}};
  for (const ElectrodePulses& entry : plan.pulses) {
    Json out = {{"electrodes", entry.electrodes},
                {"amplitude_ua", entry.amplitude_ua},
                {"width_us", entry.width_us},
                {"shape", entry.shape == PulseShape::kBiphasic ? "biphasic" : "monophasic"},
                {"cathodic_first", entry.cathodic_first},
                {"gap_us", entry.gap_us}};
    Put(&out, "last_amplitude_ua", entry.last_amplitude_ua);
    Put(&out, "recovery_width_us", entry.recovery_width_us);
    Put(&out, "recovery_amplitude_ua", entry.recovery_amplitude_ua);
    PutTrain(&out, entry.train);
    json["pulses"].push_back(std::move(out));
  }
  for (const LightPulses& entry : plan.light) {
    Json out = {
        {"fibers", entry.fibers}, {"power_mw", entry.power_mw}, {"width_us", entry.width_us}};
    Put(&out, "last_power_mw", entry.last_power_mw);
    PutTrain(&out, entry.train);
    json["light"].push_back(std::move(out));
  }
  return json;
}

}  // namespace livnd::io
