// The protocol's enums in the words that clients and documents have for them: RECORDED_KIND_CHANNEL_EVENTS is
// channel_events.
#ifndef LIVND_SERVER_WIRE_ENUM_WORDS_H_
#define LIVND_SERVER_WIRE_ENUM_WORDS_H_

#include <string>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/generated_enum_reflection.h"

namespace livnd::server {

// Its number, of a value that the enum lacks.
std::string EnumWord(const google::protobuf::EnumDescriptor& of, int value);
// All but UNSPECIFIED, with commas between.
std::string EnumWords(const google::protobuf::EnumDescriptor& of);

template <typename Enum>
std::string WordOf(Enum value) {
  return EnumWord(*google::protobuf::GetEnumDescriptor<Enum>(), static_cast<int>(value));
}
template <typename Enum>
std::string WordsOf() {
  return EnumWords(*google::protobuf::GetEnumDescriptor<Enum>());
}

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_ENUM_WORDS_H_
