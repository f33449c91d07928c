#include "server/commands/sample_flags.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "server/commands/flag_value.h"
#include "server/machine/cpus.h"

namespace livnd::server {
namespace {

bool IsSplitName(absl::string_view name) {
  return !name.empty() && name.size() <= 64 &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

absl::StatusOr<std::vector<std::pair<std::string, int64_t>>> ParseSplit(const std::string& text) {
  std::vector<std::pair<std::string, int64_t>> out;
  if (text.empty()) return out;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const std::pair<absl::string_view, absl::string_view> split = absl::StrSplit(part, '=');
    int64_t count = 0;
    if (!IsSplitName(split.first) || !absl::SimpleAtoi(split.second, &count) || count < 1 ||
        count > lab::SampleConfig::kMaxCount) {
      return MakeFieldError("--split", text,
                            absl::StrCat("NAME=COUNT,... such as train=900,test=100; names of "
                                         "letters, digits and _, counts 1 .. ",
                                         lab::SampleConfig::kMaxCount));
    }
    out.emplace_back(split.first, count);
  }
  return out;
}

absl::StatusOr<std::optional<std::pair<int64_t, int64_t>>> ParseRange(const std::string& text) {
  if (text.empty()) return std::optional<std::pair<int64_t, int64_t>>();
  const std::vector<absl::string_view> ends = absl::StrSplit(text, ':');
  std::pair<int64_t, int64_t> range;
  if (ends.size() != 2 || !absl::SimpleAtoi(ends[0], &range.first) ||
      !absl::SimpleAtoi(ends[1], &range.second)) {
    return MakeFieldError("--range", text, "FIRST:END, numbers of samples, such as 0:512");
  }
  return std::optional<std::pair<int64_t, int64_t>>(range);
}

// As a shell reads it back.
std::string Quoted(const std::string& word) {
  const bool plain = std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           absl::string_view("_-./:,=%+@").find(static_cast<char>(c)) != absl::string_view::npos;
  });
  if (plain && !word.empty()) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

FlagSet SampleFlags(SampleSettings& settings) {
  settings.threads = NumUsableCpus();
  FlagSet flags("livnd sample SYSTEM --out DIR --count N | --split train=900,test=100 [FLAG...]",
                "Simulates a culture many times, each with an input of its own, and writes what it "
                "did to DIR\n"
                "(docs/sampling.md). What a sample is depends on the flags that say what is "
                "sampled, on the seed "
                "and\non its number: not on threads, batches or machines. The same command goes on "
                "where an earlier "
                "one was\nstopped or killed. python -m livnd.datasets convert makes Arrow and "
                "Parquet of DIR.");
  flags.String("out", "DIR", "the data set's folder; made where there is none", &settings.out);
  flags.Int("count", "N", "how many samples", 1, static_cast<int>(lab::SampleConfig::kMaxCount),
            &settings.count);
  flags.String("split", "NAME=COUNT,...",
               "which are for what, from the first sample on (default: all are train)",
               &settings.split);
  flags.Int("seed", "S", "of all that is drawn (default: 123)", 0, 0x7fffffff, &settings.seed);
  flags.Int("trials", "T", "of each sample, with other noise (default: 1)", 1, 1'000'000,
            &settings.trials);
  flags.String("encoding", "SPEC",
               "what becomes of a sample's numbers, as docs/codings.md has it, or none (default: "
               "livn_pulse)",
               &settings.encoding);
  flags.Number("step", "MS", "so long each set of numbers holds (default: --duration)", 0.0, 1e5,
               &settings.step_ms);
  flags.String("ranges", "MAP",
               "what is drawn: '{channel: [0, 3], amplitude: 500}' (default: what the encoding "
               "takes)",
               &settings.ranges);
  flags.Number("warmup", "MS", "before each trial, without input (default: 250)", 0.0, 1e5,
               &settings.warmup_ms);
  flags.Number("duration", "MS", "of a trial (default: 1000)", 0.0, 1e5, &settings.duration_ms);
  flags.String(
      "params", "PARAMS",
      "model (the model's defaults, the default), a document of the system, as default, or "
      "a file",
      &settings.params);
  flags.String("group", "GROUP", "of that document (default: default)", &settings.group);
  flags.Choice("noise", "whether there is any (default: on)", {"on", "off"}, &settings.noise);
  flags.String("selection", "SELECTION",
               "which cells: the name of one, or what livnd selection takes", &settings.selection);
  flags.String("voltages", "GIDS", "record these somata: all, or '3, 17' (default: none)",
               &settings.voltages);
  flags.Switch("potentials", "record what electrodes hear", &settings.potentials);
  flags.Number("sample-dt", "MS", "between samples of these (default: 0.1)", 0.0, 1e5,
               &settings.sample_dt_ms);
  flags.Int("part", "N",
            "samples of a file (default: as many as take some seconds, a 32nd of all at most)", 1,
            1'000'000, &settings.part);
  flags.String("range", "FIRST:END", "only these samples, for livnd merge (default: all)",
               &settings.range);
  flags.Int("threads", "T", "of this process (default: one for each core)", 1, 1024,
            &settings.threads);
  AddServerFlags(flags, settings.servers);
  flags.Int("batch", "N", "samples that run side by side (default: what fills the threads)", 1,
            100'000, &settings.batch);
  flags.Switch("json", "print one JSON object", &settings.json);
  return flags;
}

absl::StatusOr<lab::SampleConfig> ConfigOf(const SampleSettings& settings) {
  lab::SampleConfig config;
  config.count = settings.count;
  LIVND_ASSIGN_OR_RETURN(config.split, ParseSplit(settings.split));
  LIVND_ASSIGN_OR_RETURN(config.range, ParseRange(settings.range));
  config.seed = settings.seed;
  config.trials = settings.trials;
  config.part = settings.part;
  config.noise = settings.noise == 0;
  config.potentials = settings.potentials;
  config.warmup_ms = settings.warmup_ms.value_or(config.warmup_ms);
  config.duration_ms = settings.duration_ms.value_or(config.duration_ms);
  config.step_ms = settings.step_ms;
  config.sample_dt_ms = settings.sample_dt_ms.value_or(config.sample_dt_ms);
  if (!settings.params.empty()) config.params = settings.params;
  if (!settings.group.empty()) config.group = settings.group;
  if (settings.encoding == "none") {
    config.encoding.reset();
  } else if (!settings.encoding.empty()) {
    LIVND_ASSIGN_OR_RETURN(config.encoding, FlagValue("encoding", settings.encoding));
  }
  if (!settings.ranges.empty()) {
    LIVND_ASSIGN_OR_RETURN(config.ranges, FlagValue("ranges", settings.ranges));
  }
  if (!settings.selection.empty()) {
    LIVND_ASSIGN_OR_RETURN(config.selection, FlagValue("selection", settings.selection));
  }
  if (settings.voltages == "all") {
    config.voltages = "all";
  } else if (!settings.voltages.empty()) {
    LIVND_ASSIGN_OR_RETURN(config.voltages, FlagList("voltages", settings.voltages));
  }
  return config;
}

std::string CommandOf(const std::string& system, const SampleSettings& settings) {
  std::string out = absl::StrCat("livnd sample ", Quoted(system), " --out DIR");
  const auto text = [&](absl::string_view flag, const std::string& value) {
    if (!value.empty()) absl::StrAppend(&out, " --", flag, " ", Quoted(value));
  };
  const auto number = [&](absl::string_view flag, const std::optional<double>& value) {
    if (value.has_value()) text(flag, Exact(*value));
  };
  if (settings.count > 0) text("count", absl::StrCat(settings.count));
  text("split", settings.split);
  text("seed", absl::StrCat(settings.seed));
  if (settings.trials > 1) text("trials", absl::StrCat(settings.trials));
  text("encoding", settings.encoding);
  number("step", settings.step_ms);
  text("ranges", settings.ranges);
  number("warmup", settings.warmup_ms);
  number("duration", settings.duration_ms);
  text("params", settings.params);
  text("group", settings.group);
  if (settings.noise != 0) text("noise", "off");
  text("selection", settings.selection);
  text("voltages", settings.voltages);
  if (settings.potentials) out += " --potentials";
  number("sample-dt", settings.sample_dt_ms);
  if (settings.part > 0) text("part", absl::StrCat(settings.part));
  return out;
}

}  // namespace livnd::server
