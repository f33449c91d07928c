#include "io/coding/coding_spec.h"

#include <utility>

#include "base/field_error.h"
#include "base/nearest_name.h"
#include "base/status_macros.h"
#include "io/json/yaml.h"

namespace livnd::io {
namespace {

constexpr absl::string_view kForms = "a name, or an object with a name and numbers";

}  // namespace

absl::StatusOr<CodingSpec> CodingSpec::Parse(const JsonView& view) {
  const auto text = view.String();
  if (text.ok()) return CodingSpec("", *text, Json{{"name", *text}});
  if (!view.is_object()) return view.Refused(kForms);
  LIVND_ASSIGN_OR_RETURN(const JsonView member, view.Member("name"));
  LIVND_ASSIGN_OR_RETURN(const std::string name, member.String());
  return CodingSpec("", name, view.json());
}

absl::StatusOr<CodingSpec> CodingSpec::ParseText(absl::string_view where, absl::string_view text) {
  LIVND_ASSIGN_OR_RETURN(const Json json, ParseYaml(where, text));
  LIVND_ASSIGN_OR_RETURN(CodingSpec spec, Parse(JsonView(json, std::string(where))));
  spec.where_ = std::string(where);
  return spec;
}

absl::Status CodingSpec::UnknownName(const std::vector<std::string>& known) const {
  const absl::string_view name = absl::string_view(name_).substr(0, 200);
  return fields().Within(MakeFieldError("name", name, NearestAndAll(name, known)));
}

}  // namespace livnd::io
