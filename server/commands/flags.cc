#include "server/commands/flags.h"

#include <cstdio>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/field_error.h"
#include "server/machine/bytes.h"

namespace livnd::server {
FlagSet::FlagSet(absl::string_view usage, absl::string_view description)
    : usage_(usage), description_(description) {}

void FlagSet::String(absl::string_view name, absl::string_view value_name, absl::string_view help,
                     std::string* value) {
  flags_.push_back({std::string(name), std::string(value_name), std::string(help), Kind::kText,
                    "text that is not empty", [value](absl::string_view text) {
                      if (text.empty()) return false;
                      *value = std::string(text);
                      return true;
                    }});
}

void FlagSet::Int(absl::string_view name, absl::string_view value_name, absl::string_view help,
                  int min, int max, int* value) {
  flags_.push_back({std::string(name), std::string(value_name), std::string(help), Kind::kInteger,
                    absl::StrCat(min, " .. ", max), [min, max, value](absl::string_view text) {
                      int number = 0;
                      if (!absl::SimpleAtoi(text, &number) || number < min || number > max) {
                        return false;
                      }
                      *value = number;
                      return true;
                    }});
}

void FlagSet::Number(absl::string_view name, absl::string_view value_name, absl::string_view help,
                     double min, double max, std::optional<double>* value) {
  flags_.push_back({std::string(name), std::string(value_name), std::string(help), Kind::kNumber,
                    absl::StrCat(Exact(min), " .. ", Exact(max)),
                    [min, max, value](absl::string_view text) {
                      double number = 0;
                      // Also refuses what is not a number.
                      if (!absl::SimpleAtod(text, &number) || !(number >= min && number <= max)) {
                        return false;
                      }
                      *value = number;
                      return true;
                    }});
}

void FlagSet::Timeout(absl::string_view name, absl::string_view value_name, absl::string_view help,
                      absl::Duration* value) {
  Duration(name, value_name, help, value);
  flags_.back().accepted = "seconds, 90s, 30m or 1h; 0 or never for no limit";
  flags_.back().set = [set = flags_.back().set, value](absl::string_view text) {
    const bool accepted = set(text);
    if (accepted && *value == absl::ZeroDuration()) *value = absl::InfiniteDuration();
    return accepted;
  };
}

void FlagSet::Duration(absl::string_view name, absl::string_view value_name, absl::string_view help,
                       absl::Duration* value) {
  flags_.push_back({std::string(name), std::string(value_name), std::string(help), Kind::kTime,
                    "seconds, 90s, 30m, 1h or never", [value](absl::string_view text) {
                      double seconds = 0;
                      absl::Duration duration;
                      if (text == "never") {
                        duration = absl::InfiniteDuration();
                      } else if (absl::SimpleAtod(text, &seconds)) {
                        duration = absl::Seconds(seconds);
                      } else if (!absl::ParseDuration(text, &duration)) {
                        duration = absl::Seconds(-1);
                      }
                      // Also refuses what is not a number.
                      if (!(duration >= absl::ZeroDuration()) || seconds != seconds) return false;
                      *value = duration;
                      return true;
                    }});
}

void FlagSet::Choice(absl::string_view name, absl::string_view help, std::vector<std::string> words,
                     int* value) {
  const std::string value_name = absl::StrJoin(words, "|");
  const std::string accepted = absl::StrJoin(words, ", ");
  flags_.push_back({std::string(name), value_name, std::string(help), Kind::kText, accepted,
                    [words = std::move(words), value](absl::string_view text) {
                      const auto found = absl::c_find(words, text);
                      if (found == words.end()) return false;
                      *value = static_cast<int>(found - words.begin());
                      return true;
                    }});
}

void FlagSet::Bytes(absl::string_view name, absl::string_view help, int64_t min, int64_t* value) {
  flags_.push_back({std::string(name), "BYTES", std::string(help), Kind::kBytes,
                    absl::StrCat("bytes, as 4G, 512M, 65536K or a number, from ", min, " on"),
                    [min, value](absl::string_view text) {
                      const absl::optional<int64_t> bytes = ParseBytes(text);
                      if (!bytes.has_value() || *bytes < min) return false;
                      *value = *bytes;
                      return true;
                    }});
}

void FlagSet::Switch(absl::string_view name, absl::string_view help, bool* value) {
  flags_.push_back({std::string(name), "", std::string(help), Kind::kSwitch, "true or false",
                    [value](absl::string_view text) {
                      if (text != "true" && text != "false") return false;
                      *value = text == "true";
                      return true;
                    }});
}

absl::StatusOr<const FlagSet::Flag*> FlagSet::Find(absl::string_view name) const {
  for (const Flag& flag : flags_) {
    if (flag.name == name) return &flag;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "unknown flag --", name, "; accepted: ",
      absl::StrJoin(
          flags_, ", ",
          [](std::string* out, const Flag& flag) { absl::StrAppend(out, "--", flag.name); }),
      flags_.empty() ? "--help" : ", --help"));
}

absl::StatusOr<FlagSet::Parsed> FlagSet::Parse(absl::Span<const std::string> args) const {
  Parsed parsed;
  for (size_t i = 0; i < args.size(); ++i) {
    absl::string_view arg = args[i];
    if (arg == "--help" || arg == "-h" || arg == "--help=true") {
      parsed.help = true;
      return parsed;
    }
    if (arg == "--help=false") continue;
    if (absl::ConsumePrefix(&arg, "--help=")) {
      return absl::InvalidArgumentError(
          absl::StrCat("--help is '", arg, "'; accepted: true or false"));
    }
    if (arg == "--") {
      parsed.positional.insert(parsed.positional.end(), args.begin() + i + 1, args.end());
      break;
    }
    if (!absl::ConsumePrefix(&arg, "--")) {
      if (absl::StartsWith(arg, "-") && arg.size() > 1) {
        return absl::InvalidArgumentError(absl::StrCat("unknown flag ", arg, "; try --help"));
      }
      parsed.positional.push_back(args[i]);
      continue;
    }
    const size_t equals = arg.find('=');
    const bool has_value = equals != absl::string_view::npos;
    absl::StatusOr<const Flag*> flag = Find(arg.substr(0, equals));
    if (!flag.ok()) return flag.status();
    const std::string& name = (*flag)->name;
    if (!parsed.given.insert(name).second) {
      return absl::InvalidArgumentError(absl::StrCat("--", name, " is given twice"));
    }
    absl::string_view value;
    if ((*flag)->value_name.empty()) {
      value = has_value ? arg.substr(equals + 1) : "true";
    } else if (has_value) {
      value = arg.substr(equals + 1);
    } else if (i + 1 < args.size()) {
      value = args[++i];
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("--", name, " needs a value: --", name, " ", (*flag)->value_name));
    }
    if (!(*flag)->set(value)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", name, " is '", value, "'; accepted: ", (*flag)->accepted));
    }
  }
  if (absl::c_linear_search(parsed.positional, "")) {
    return absl::InvalidArgumentError("an argument is empty; try --help");
  }
  return parsed;
}

std::string FlagSet::Help() const {
  std::string help = absl::StrCat("usage: ", usage_, "\n\n", description_, "\n");
  if (!flags_.empty()) help += "\n";
  for (const Flag& flag : flags_) {
    absl::StrAppend(&help, "  --", flag.name, flag.value_name.empty() ? "" : " ", flag.value_name,
                    "\n      ", flag.help, "\n");
  }
  return help;
}

std::optional<FlagSet::Parsed> ParsedArguments(
    const FlagSet& flags, absl::Span<const std::string> args, absl::string_view command,
    absl::string_view expected,
    absl::FunctionRef<bool(const std::vector<std::string>& positional)> fit, int* exit_status) {
  absl::StatusOr<FlagSet::Parsed> parsed = flags.Parse(args);
  if (parsed.ok() && parsed->help) {
    std::printf("%s", flags.Help().c_str());
    *exit_status = kExitOk;
    return std::nullopt;
  }
  if (!parsed.ok() || !fit(parsed->positional)) {
    const std::string reason = parsed.ok() ? absl::StrCat(expected, "; try --help")
                                           : std::string(parsed.status().message());
    std::fprintf(stderr, "livnd %s: %s\n", std::string(command).c_str(), reason.c_str());
    *exit_status = kExitUsage;
    return std::nullopt;
  }
  return *std::move(parsed);
}

std::optional<std::string> OnlyArgument(const FlagSet& flags, absl::Span<const std::string> args,
                                        absl::string_view command, absl::string_view expected,
                                        int* exit_status) {
  std::optional<FlagSet::Parsed> parsed = ParsedArguments(
      flags, args, command, expected,
      [](const std::vector<std::string>& positional) { return positional.size() == 1; },
      exit_status);
  if (!parsed.has_value()) return std::nullopt;
  return std::move(parsed->positional.front());
}

}  // namespace livnd::server
