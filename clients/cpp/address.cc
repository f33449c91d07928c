#include "clients/cpp/address.h"

#include <sys/un.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace livnd::client::internal {
namespace {

constexpr size_t kMaxPathBytes = sizeof(sockaddr_un::sun_path) - 1;
constexpr char kDigits[] = "0123456789";
constexpr char kAlphanumerics[] = "0123456789abcdefghijklmnopqrstuvwxyz";

Error Invalid(const std::string& text, const std::string& why) {
  const std::string accepted = "unix:PATH, HOST:PORT or [IPV6]:PORT";
  return {grpc::StatusCode::INVALID_ARGUMENT,
          "address is '" + text + "': " + why + "; accepted: " + accepted,
          "INVALID_FIELD",
          {{"field", "address"}, {"value", text}, {"accepted", accepted}}};
}

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

bool HasOnly(const std::string& text, const std::string& characters) {
  return text.find_first_not_of(characters) == std::string::npos;
}

// gRPC takes a URI: '#', '?' and '%' of a path would mean something else.
std::string Quote(const std::string& path) {
  std::string quoted;
  for (const char c : path) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (HasOnly(std::string(1, lower), std::string(kAlphanumerics) + "/-._~")) {
      quoted.push_back(c);
    } else {
      char code[4];
      std::snprintf(code, sizeof(code), "%%%02X", static_cast<unsigned>(c) & 0xffu);
      quoted += code;
    }
  }
  return quoted;
}

bool EndsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

const char* FirstOf(const std::initializer_list<const char*>& names) {
  for (const char* name : names) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return name;
  }
  return nullptr;
}

}  // namespace

bool Address::is_local() const {
  const std::string name = Lower(host);
  return name.empty() || name == "localhost" || name == "::1" || name.rfind("127.", 0) == 0;
}

Result<Address> ParseAddress(const std::string& text) {
  if (text.rfind("unix:", 0) == 0) {
    const std::string path = text.substr(5);
    if (path.empty()) return Invalid(text, "the path is empty");
    if (path.find('\0') != std::string::npos) return Invalid(text, "the path has a zero byte");
    const std::string absolute = std::filesystem::absolute(path).lexically_normal();
    if (absolute.size() > kMaxPathBytes) {
      return Invalid(text, "the path has " + std::to_string(absolute.size()) +
                               " bytes and a socket's at most " + std::to_string(kMaxPathBytes));
    }
    // Quoted or not, gRPC takes it for several paths.
    if (absolute.find(',') != std::string::npos) {
      return Invalid(text, "the path " + absolute + " has a comma, where gRPC would split it");
    }
    return Address{text, "unix:" + Quote(absolute), ""};
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return Invalid(text, "there is no port");
  const std::string port = text.substr(colon + 1);
  if (port.empty() || port.size() > 5 || !HasOnly(port, kDigits) || std::stoi(port) > 65535) {
    return Invalid(text, "the port is not 0 .. 65535");
  }
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (!HasOnly(Lower(host), "0123456789abcdef:.")) {
      return Invalid(text, "the brackets do not hold an IPv6 address");
    }
  } else if (host.empty() || !HasOnly(Lower(host), std::string(kAlphanumerics) + "-._")) {
    return Invalid(text, "this is no host");
  }
  return Address{text, text, host};
}

std::string ProxyVariable(const Address& address) {
  if (address.is_local()) return "";
  const char* variable = FirstOf({"grpc_proxy", "https_proxy", "http_proxy"});
  if (variable == nullptr) return "";
  if (const char* spared = FirstOf({"no_grpc_proxy", "no_proxy"}); spared != nullptr) {
    std::stringstream names(std::getenv(spared));
    std::string name;
    while (std::getline(names, name, ',')) {
      name.erase(std::remove(name.begin(), name.end(), ' '), name.end());
      if (!name.empty() && EndsWith(Lower(address.host), Lower(name))) return "";
    }
  }
  return variable;
}

}  // namespace livnd::client::internal
