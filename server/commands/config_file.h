// A configuration file: flags of a command, written down.
#ifndef LIVND_SERVER_COMMANDS_CONFIG_FILE_H_
#define LIVND_SERVER_COMMANDS_CONFIG_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "server/commands/flags.h"

namespace livnd::server {

// The flag that names the file; the file cannot hold it.
inline constexpr char kConfigFlag[] = "config";

inline constexpr size_t kMaxConfigBytes = 64 << 10;

// Gives the flags the values of a YAML file, which is one map "name: value" (or nothing) with the
// flags' names without dashes: text for text, whole numbers for counts, numbers or text for times,
// true or false for switches. Flags that the file does not name keep what they have.
//
// A field error (base/field_error.h) whose file is "PATH:LINE" says what is wrong: an unknown key,
// with the known one that is nearest to it; a key that comes twice; a value of another kind or out
// of range; a file that is no YAML, is larger than kMaxConfigBytes, holds more than one document or
// cannot be read. Some flags may have got their values by then.
absl::Status ApplyConfigFile(const std::string& path, const FlagSet& flags);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_CONFIG_FILE_H_
