// Members of a configuration: what is there is read within its bounds, what is unknown is refused.
#ifndef LIVND_LAB_GENERATE_CONFIG_FIELDS_H_
#define LIVND_LAB_GENERATE_CONFIG_FIELDS_H_

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "io/json/json_view.h"

namespace livnd::lab {

// No place is further away.
inline constexpr double kMaxUm = 1e7;

// Every member's name is one of these; the error tells the nearest.
absl::Status CheckNames(const io::JsonView& view, std::vector<std::string> names);

// Calls f for each member, whose name is one of these.
absl::Status ForEachNamed(
    const io::JsonView& view, const std::vector<std::string>& names,
    const std::function<absl::Status(const std::string&, const io::JsonView&)>& f);

inline constexpr char kPopulationNames[] = "up to 64 letters, digits and signs without / and >";
bool IsPopulationName(const std::string& name);

// Which of the names a text is.
template <size_t N>
absl::StatusOr<size_t> Choice(const io::JsonView& view, const char* const (&names)[N]) {
  const absl::StatusOr<std::string> text = view.String();
  for (size_t i = 0; text.ok() && i < N; ++i) {
    if (*text == names[i]) return i;
  }
  return view.Refused(absl::StrJoin(names, ", "));
}

absl::StatusOr<double> NumberWithin(const io::JsonView& view, double min, double max,
                                    absl::string_view accepted);

// The two below leave the value as it is if there is no such member, or null.
absl::Status ReadNumber(const io::JsonView& view, absl::string_view name, double min, double max,
                        absl::string_view accepted, double& value);
// Lengths; `ordered`: from and to.
absl::Status ReadPair(const io::JsonView& view, absl::string_view name, bool ordered,
                      std::array<double, 2>& pair);

}  // namespace livnd::lab

#endif  // LIVND_LAB_GENERATE_CONFIG_FIELDS_H_
