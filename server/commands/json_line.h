// How commands print JSON.
#ifndef LIVND_SERVER_COMMANDS_JSON_LINE_H_
#define LIVND_SERVER_COMMANDS_JSON_LINE_H_

#include <string>

#include "nlohmann/json.hpp"

namespace livnd::server {

// On one line, without its end. Bytes that are no UTF-8, of a path perhaps, become U+FFFD.
inline std::string JsonLine(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_JSON_LINE_H_
