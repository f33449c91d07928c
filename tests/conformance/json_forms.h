// What the C++ client takes and gives, in JSON. Numbers keep their bits: the bytes of arrays and
// messages are written in hexadecimal.
#ifndef LIVND_TESTS_CONFORMANCE_JSON_FORMS_H_
#define LIVND_TESTS_CONFORMANCE_JSON_FORMS_H_

#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "clients/cpp/client.h"
#include "google/protobuf/message.h"
#include "nlohmann/json.hpp"

namespace livnd::client {

std::string ToHex(const void* data, size_t size);
// Throws std::invalid_argument where it is not hexadecimal.
std::string FromHex(const std::string& text);

template <typename T>
nlohmann::json ToJson(const std::vector<T>& values) {
  return ToHex(values.data(), values.size() * sizeof(T));
}
template <typename T>
std::vector<T> ArrayOf(const nlohmann::json& text) {
  const std::string bytes = FromHex(text.get<std::string>());
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

nlohmann::json ToJson(const google::protobuf::Message& message);
// Throws std::invalid_argument where the bytes are no M.
template <typename M>
M MessageOf(const nlohmann::json& text) {
  M message;
  if (!message.ParseFromString(FromHex(text.get<std::string>()))) {
    throw std::invalid_argument("not a " + message.GetTypeName());
  }
  return message;
}

nlohmann::json ToJson(const Infos& infos);
nlohmann::json ToJson(const ResetResult& result);
nlohmann::json ToJson(const StepResult& result);
nlohmann::json ToJson(const ObserveResult& result);
nlohmann::json ToJson(const RenderResult& result);
nlohmann::json ToJson(const Error& error);

// A list of numbers and nulls.
std::vector<std::optional<uint64_t>> SeedsOf(const nlohmann::json& seeds);
ResetOptions ResetOptionsOf(const nlohmann::json& command);
ClearOptions ClearOptionsOf(const nlohmann::json& command);
ClientOptions ClientOptionsOf(const nlohmann::json& command);

}  // namespace livnd::client

#endif  // LIVND_TESTS_CONFORMANCE_JSON_FORMS_H_
