// livn's names of the numbers that messages hold as typed fields: one table serves what comes in and
// what errors say of it.
#ifndef LIVND_SERVER_WIRE_LIVN_NAMES_H_
#define LIVND_SERVER_WIRE_LIVN_NAMES_H_

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "google/protobuf/message.h"

namespace livnd::server {

struct LivnName {
  const char* field;  // of the message: an optional number
  const char* name;
};

absl::Span<const LivnName> OpsinNames();           // v1::Opsin
absl::Span<const LivnName> PlasticityRuleNames();  // v1::PlasticityRule
absl::Span<const LivnName> RcsdModelNames();  // v1::RcsdModel; members of objects as "size_cv.EXC"
absl::Span<const LivnName> GlifModelNames();  // v1::GlifModel

// The numbers that are there, by livn's names.
std::map<std::string, double> NumbersOf(const google::protobuf::Message& message,
                                        absl::Span<const LivnName> names);

// The other way: sets the optional numbers whose names are there.
void SetNumbers(const std::map<std::string, double>& numbers, absl::Span<const LivnName> names,
                google::protobuf::Message* message);

// The field of a name; the name itself if the table does not have it.
std::string FieldOfName(absl::string_view name, absl::Span<const LivnName> names);

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_LIVN_NAMES_H_
