#include "tests/conformance/json_forms.h"

#include <chrono>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"

namespace livnd::client {
namespace {

using nlohmann::json;

void SetTime(const json& command, const char* name, std::chrono::milliseconds* time) {
  if (command.contains(name)) {
    *time = std::chrono::milliseconds(static_cast<int64_t>(command[name].get<double>() * 1000));
  }
}

void SetText(const json& command, const char* name, std::optional<std::string>* text) {
  if (command.contains(name)) *text = command[name].get<std::string>();
}

}  // namespace

std::string ToHex(const void* data, size_t size) {
  return absl::BytesToHexString(absl::string_view(static_cast<const char*>(data), size));
}

std::string FromHex(const std::string& text) {
  std::string bytes = absl::HexStringToBytes(text);
  // It takes any character for a digit.
  if (absl::BytesToHexString(bytes) != text) throw std::invalid_argument("not hexadecimal");
  return bytes;
}

json ToJson(const google::protobuf::Message& message) {
  const std::string bytes = message.SerializeAsString();
  return ToHex(bytes.data(), bytes.size());
}

json ToJson(const Infos& infos) {
  json object = json::object();
  for (const auto& [name, values] : infos) object[name] = ToJson(values);
  return object;
}

json ToJson(const ResetResult& result) {
  return {{"observations", ToJson(result.observations)},
          {"infos", ToJson(result.infos)},
          {"seeds", ToJson(result.seeds)}};
}

json ToJson(const StepResult& result) {
  return {{"observations", ToJson(result.observations)},
          {"rewards", ToJson(result.rewards)},
          {"terminated", ToJson(result.terminated)},
          {"truncated", ToJson(result.truncated)},
          {"infos", ToJson(result.infos)},
          {"episode_seeds", ToJson(result.episode_seeds)},
          {"began", ToJson(result.began)},
          {"final_observations", ToJson(result.final_observations)},
          {"final_infos", ToJson(result.final_infos)}};
}

json ToJson(const ObserveResult& result) {
  return {{"observations", ToJson(result.observations)},
          {"infos", ToJson(result.infos)},
          {"episodes", ToJson(result.episodes)},
          {"ticks", ToJson(result.ticks)},
          {"episode_seeds", ToJson(result.episode_seeds)}};
}

json ToJson(const RenderResult& result) {
  return {{"simulated", ToJson(result.simulated)},
          {"spike_offsets", ToJson(result.spike_offsets)},
          {"spike_gids", ToJson(result.spike_gids)},
          {"spike_ticks", ToJson(result.spike_ticks)},
          {"pulse_offsets", ToJson(result.pulse_offsets)},
          {"pulse_electrodes", ToJson(result.pulse_electrodes)},
          {"pulse_ticks", ToJson(result.pulse_ticks)},
          {"pulse_ua", ToJson(result.pulse_ua)}};
}

json ToJson(const Error& error) {
  return {{"code", static_cast<int>(error.code)},
          {"message", error.message},
          {"reason", error.reason},
          {"metadata", error.metadata},
          {"in_doubt", error.in_doubt},
          {"session_gone", error.session_gone()}};
}

std::vector<std::optional<uint64_t>> SeedsOf(const json& seeds) {
  std::vector<std::optional<uint64_t>> copies;
  for (const json& seed : seeds) {
    copies.push_back(seed.is_null() ? std::nullopt : std::make_optional(seed.get<uint64_t>()));
  }
  return copies;
}

ResetOptions ResetOptionsOf(const json& command) {
  ResetOptions options;
  options.seeds = SeedsOf(command.at("seeds"));
  options.mask = command.at("mask").get<std::vector<bool>>();
  for (const json& option : command.at("options")) {
    const std::string unit = option.at("unit");
    std::string name;
    for (auto times = option.at("times").get<int64_t>(); times > 0; --times) name += unit;
    options.options[name] = ArrayOf<double>(option.at("value")).at(0);  // bits: JSON has no NaN
  }
  return options;
}

ClearOptions ClearOptionsOf(const json& command) {
  ClearOptions options;
  options.seeds = SeedsOf(command.at("seeds"));
  options.repeat_noise = command.at("repeat_noise");
  if (!command.at("noise_stream").is_null()) options.noise_stream = command["noise_stream"];
  options.forget_learned_weights = command.at("forget_learned_weights");
  return options;
}

ClientOptions ClientOptionsOf(const json& command) {
  ClientOptions options;
  SetTime(command, "timeout_s", &options.call_timeout);
  SetTime(command, "run_timeout_s", &options.run_timeout);
  SetTime(command, "create_timeout_s", &options.create_timeout);
  SetTime(command, "connect_timeout_s", &options.connect_timeout);
  SetTime(command, "retry_s", &options.retry_time);
  SetText(command, "token", &options.token);
  SetText(command, "token_file", &options.token_file);
  SetText(command, "tls_ca", &options.tls_ca);
  SetText(command, "tls_cert", &options.tls_cert);
  SetText(command, "tls_key", &options.tls_key);
  return options;
}

}  // namespace livnd::client
