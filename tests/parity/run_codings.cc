// Makes decodings of their specifications, and decodes: for test_codings.py, which holds them
// against livn 2.0.0 and Elephant.
//
//   run_codings < LINES
//
// A line is a JSON object: "spec", "window" {"num_units", "num_ticks", "tick_ms", "sample_ticks",
// "groups" [[name, first, count] ...]}, and what it hears: "spikes" [[unit, tick] ...], "samples" [uV or mV ...],
// samples by units. For each it prints one: {OUTPUT: [number ...] ...}, or {"error": text}.
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/status_macros.h"
#include "io/coding/coding_spec.h"
#include "io/decoding/catalog.h"
#include "io/decoding/decoding.h"
#include "io/decoding/window.h"
#include "io/json/json_file.h"
#include "io/json/json_view.h"

namespace livnd {
namespace {

absl::StatusOr<io::Json> Decode(const io::Json& line) {
  LIVND_ASSIGN_OR_RETURN(const io::CodingSpec spec,
                         io::CodingSpec::Parse(io::JsonView(line["spec"], "spec")));
  const io::Json& given = line["window"];
  io::DecodingWindow window;
  window.num_units = given["num_units"];
  window.num_ticks = given["num_ticks"];
  window.tick_ms = given["tick_ms"];
  if (given.contains("sample_ticks")) window.sample_ticks = given["sample_ticks"];
  if (given.contains("groups")) {
    for (const io::Json& group : given["groups"]) {
      window.groups.push_back({group[0], group[1], group[2]});
    }
  }
  LIVND_ASSIGN_OR_RETURN(const auto decoding, io::MakeDecoding(spec, window));
  std::vector<io::UnitSpike> spikes;
  if (line.contains("spikes")) {
    for (const io::Json& spike : line["spikes"]) spikes.push_back({spike[0], spike[1]});
  }
  std::vector<double> samples;
  if (line.contains("samples")) samples = line["samples"].get<std::vector<double>>();
  const absl::StatusOr<std::vector<double>> values = io::DecodeWindow(*decoding, spikes, samples);
  if (!values.ok()) return values.status();
  io::Json answer = io::Json::object();
  auto at = values->begin();
  for (const io::DecodingOutput& output : decoding->outputs()) {
    answer[output.name] = std::vector<double>(at, at + output.size());
    at += output.size();
  }
  return answer;
}

}  // namespace
}  // namespace livnd

int main() {
  std::string text;
  while (std::getline(std::cin, text)) {
    const auto line = livnd::io::ParseJson("line", text);
    const absl::StatusOr<livnd::io::Json> answer =
        line.ok() ? livnd::Decode(*line) : absl::StatusOr<livnd::io::Json>(line.status());
    const livnd::io::Json printed =
        answer.ok() ? *answer : livnd::io::Json{{"error", std::string(answer.status().message())}};
    std::cout << printed.dump() << std::endl;
  }
  return 0;
}
