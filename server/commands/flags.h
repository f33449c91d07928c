// The command line of one command of livnd.
#ifndef LIVND_SERVER_COMMANDS_FLAGS_H_
#define LIVND_SERVER_COMMANDS_FLAGS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace livnd::server {

// What commands return to the shell.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;

// A table of flags, from which both the parser and the help come. The values go to variables of the
// caller, which hold the defaults.
//
//   std::string listen;
//   FlagSet flags("livnd serve --listen ADDRESS", "Serves environments over gRPC.");
//   flags.String("listen", "ADDRESS", "unix:PATH or HOST:PORT", &listen);
//   absl::StatusOr<FlagSet::Parsed> parsed = flags.Parse(args);
//
// Accepted: --name VALUE, --name=VALUE, --switch, --switch=false, --help or -h, and "--" before
// positional arguments that begin with a dash; no argument is empty. Thread-compatible.
class FlagSet {
 public:
  // What the value of a flag is, for who gets it from elsewhere than the command line.
  enum class Kind { kText, kInteger, kNumber, kTime, kSwitch, kBytes };
  struct Flag {
    std::string name;
    std::string value_name;  // empty for a switch
    std::string help;
    Kind kind;
    std::string accepted;
    std::function<bool(absl::string_view)> set;  // false, and nothing has changed: not accepted
  };

  struct Parsed {
    bool help = false;
    std::set<std::string> given;  // names of flags
    std::vector<std::string> positional;
  };

  FlagSet(absl::string_view usage, absl::string_view description);

  // Any text but an empty one, as it is.
  void String(absl::string_view name, absl::string_view value_name, absl::string_view help,
              std::string* value);
  // min .. max.
  void Int(absl::string_view name, absl::string_view value_name, absl::string_view help, int min,
           int max, int* value);
  // min .. max, which are finite.
  void Number(absl::string_view name, absl::string_view value_name, absl::string_view help,
              double min, double max, std::optional<double>* value);
  // "1800" (seconds), "90s", "30m", "1.5h", "250ms"; 0 or "never" is taken as infinite.
  void Timeout(absl::string_view name, absl::string_view value_name, absl::string_view help,
               absl::Duration* value);
  // The same, and 0 is no time at all.
  void Duration(absl::string_view name, absl::string_view value_name, absl::string_view help,
                absl::Duration* value);
  // One of several words; `value` becomes its index.
  void Choice(absl::string_view name, absl::string_view help, std::vector<std::string> words,
              int* value);
  // "4G", "512M", "65536K", or bytes; powers of 1024; at least `min`.
  void Bytes(absl::string_view name, absl::string_view help, int64_t min, int64_t* value);
  // Present or absent; or "true" or "false".
  void Switch(absl::string_view name, absl::string_view help, bool* value);

  // InvalidArgument, saying what is accepted, for unknown or repeated flags, missing and bad
  // values.
  absl::StatusOr<Parsed> Parse(absl::Span<const std::string> args) const;

  const std::vector<Flag>& flags() const { return flags_; }

  // Usage, description and one paragraph a flag.
  std::string Help() const;

 private:
  // NotFound-like InvalidArgument with the list of flags.
  absl::StatusOr<const Flag*> Find(absl::string_view name) const;

  const std::string usage_;
  const std::string description_;
  std::vector<Flag> flags_;
};

// The command line of a command whose positional arguments `fit`. Nullopt where there is nothing more to do:
// the help was asked for, and has been printed; or the command line is wrong ("expected one journal"), which
// standard error has been told. *exit_status is then what the command returns.
std::optional<FlagSet::Parsed> ParsedArguments(
    const FlagSet& flags, absl::Span<const std::string> args, absl::string_view command,
    absl::string_view expected,
    absl::FunctionRef<bool(const std::vector<std::string>& positional)> fit, int* exit_status);

// The same of a command that takes one argument: that one.
std::optional<std::string> OnlyArgument(const FlagSet& flags, absl::Span<const std::string> args,
                                        absl::string_view command, absl::string_view expected,
                                        int* exit_status);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_FLAGS_H_
