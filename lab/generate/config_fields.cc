#include "lab/generate/config_fields.h"

#include <algorithm>
#include <optional>

#include "base/field_error.h"
#include "base/nearest_name.h"
#include "base/status_macros.h"

namespace livnd::lab {

absl::Status CheckNames(const io::JsonView& view, std::vector<std::string> names) {
  return view.ForEachMember([&](const std::string& name, const io::JsonView&) -> absl::Status {
    if (std::find(names.begin(), names.end(), name) != names.end()) return absl::OkStatus();
    return view.Within(MakeFieldError(name, kUnknownName, NearestAndAll(name, names)));
  });
}

absl::Status ForEachNamed(
    const io::JsonView& view, const std::vector<std::string>& names,
    const std::function<absl::Status(const std::string&, const io::JsonView&)>& f) {
  LIVND_RETURN_IF_ERROR(CheckNames(view, names));
  return view.ForEachMember(f);
}

bool IsPopulationName(const std::string& name) {
  return !name.empty() && name.size() <= 64 && name != "." && name != ".." && name != "default" &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return c > ' ' && c < 0x7f && c != '/' && c != '>'; });
}

absl::StatusOr<double> NumberWithin(const io::JsonView& view, double min, double max,
                                    absl::string_view accepted) {
  const absl::StatusOr<double> number = view.Number();
  if (!number.ok() || !(*number >= min && *number <= max)) return view.Refused(accepted);
  return *number;
}

absl::Status ReadNumber(const io::JsonView& view, absl::string_view name, double min, double max,
                        absl::string_view accepted, double& value) {
  LIVND_ASSIGN_OR_RETURN(const auto member, view.Find(name));
  if (!member.has_value()) return absl::OkStatus();
  LIVND_ASSIGN_OR_RETURN(value, NumberWithin(*member, min, max, accepted));
  return absl::OkStatus();
}

absl::Status ReadPair(const io::JsonView& view, absl::string_view name, bool ordered,
                      std::array<double, 2>& pair) {
  LIVND_ASSIGN_OR_RETURN(const auto member, view.Find(name));
  if (!member.has_value()) return absl::OkStatus();
  const absl::StatusOr<std::vector<double>> numbers = member->Numbers(2);
  const auto within = [](double x) { return x >= -kMaxUm && x <= kMaxUm; };
  if (!numbers.ok() || !within((*numbers)[0]) || !within((*numbers)[1]) ||
      (ordered && (*numbers)[0] > (*numbers)[1])) {
    return member->Refused(ordered ? "[from, to] in um, from <= to, within 1e7"
                                   : "[x, y] in um, within 1e7");
  }
  pair = {(*numbers)[0], (*numbers)[1]};
  return absl::OkStatus();
}

}  // namespace livnd::lab
