#include "server/wire/enum_words.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace livnd::server {

std::string EnumWord(const google::protobuf::EnumDescriptor& of, int value) {
  const google::protobuf::EnumValueDescriptor* known = of.FindValueByNumber(value);
  if (known == nullptr) return absl::StrCat(value);
  // The first value has the prefix of all of them.
  absl::string_view name = known->name();
  absl::ConsumePrefix(&name, absl::StripSuffix(of.value(0)->name(), "UNSPECIFIED"));
  return absl::AsciiStrToLower(name);
}

std::string EnumWords(const google::protobuf::EnumDescriptor& of) {
  std::string words;
  for (int i = 1; i < of.value_count(); ++i) {
    absl::StrAppend(&words, words.empty() ? "" : ", ", EnumWord(of, of.value(i)->number()));
  }
  return words;
}

}  // namespace livnd::server
