#include "io/recording/streams.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace livnd::io {

StreamSpec SpikesStream() { return KeyedStream(kSpikes, {{"gid", ElementType::kInt32, 1, ""}}); }

StreamSpec ChannelEventsStream() {
  return KeyedStream(kChannelEvents, {{"channel", ElementType::kInt32, 1, ""}});
}

StreamSpec StimuliStream(absl::string_view channels, absl::string_view unit,
                         absl::string_view name) {
  return KeyedStream(name,
                     {{"channel", ElementType::kInt32, 1, ""},
                      {"value", ElementType::kFloat64, 1, std::string(unit)},
                      {"num_ticks", ElementType::kInt64, 1, "tick"}},
                     {{"channels", std::string(channels)}});
}

StreamSpec SiteStimuliStream(absl::string_view name, absl::string_view unit) {
  return KeyedStream(name,
                     {{"gid", ElementType::kInt32, 1, ""},
                      {"section", ElementType::kInt32, 1, ""},
                      {"value", ElementType::kFloat64, 1, std::string(unit)},
                      {"num_ticks", ElementType::kInt64, 1, "tick"}},
                     {{"channels", "site"}});
}

StreamSpec RewardsStream() {
  return KeyedStream(kRewards, {{"reward", ElementType::kFloat64, 1, ""},
                                {"terminated", ElementType::kUint8, 1, ""},
                                {"truncated", ElementType::kUint8, 1, ""}});
}

StreamSpec EpisodeStartsStream() {
  return KeyedStream(kEpisodeStarts, {{"seed", ElementType::kUint64, 1, ""}});
}

StreamSpec SeriesStream(absl::string_view name, ElementType type, int64_t num_rows,
                        absl::string_view unit, Attributes attributes) {
  return KeyedStream(name, {{"values", type, num_rows, std::string(unit)}}, std::move(attributes));
}

StreamSpec LabelsStream(absl::string_view series, const std::vector<std::string>& columns) {
  StreamSpec spec;
  spec.name = absl::StrCat(series, ".labels");
  for (const std::string& column : columns) {
    spec.columns.push_back({column, ElementType::kInt64, 1, ""});
  }
  return spec;
}

StreamSpec PlacesStream(absl::string_view name, Attributes attributes) {
  StreamSpec spec;
  spec.name = std::string(name);
  spec.columns = {{"channel", ElementType::kInt32, 1, ""}};
  for (const char* axis : {"x", "y", "z"}) {
    spec.columns.push_back({axis, ElementType::kFloat64, 1, "um"});
  }
  spec.attributes = std::move(attributes);
  return spec;
}

}  // namespace livnd::io
