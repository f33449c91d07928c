#include "lab/sample/sample_card.h"

#include <cstdint>
#include <set>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "io/json/json_file.h"

namespace livnd::lab {
namespace {

using io::Json;

std::string Number(const Json& number) { return Exact(number.get<double>()); }

std::string Row(const std::string& name, const std::string& value) {
  return absl::StrCat("| ", name, " | ", value, " |\n");
}

bool IsWhole(const Json& document) {
  return document["range"][0] == 0 && document["range"][1] == document["count"];
}

// "channel" stands for channel_0, channel_1 ... where all have the same range.
std::string Inputs(const Json& features) {
  std::string rows;
  std::set<std::string> told;
  for (const Json& feature : features) {
    std::string name = feature["name"].get<std::string>();
    const size_t end = name.find_last_not_of("0123456789");
    if (end != std::string::npos && end + 1 < name.size() && name[end] == '_') {
      name = absl::StrCat(name.substr(0, end), "_N");
    }
    const std::string unit = feature["unit"].get<std::string>();
    const bool whole = feature["whole"].get<bool>();
    const std::string row =
        Row(absl::StrCat("input ", name),
            absl::StrCat(Number(feature["low"]), " .. ", Number(feature["high"]),
                         unit == "1" ? "" : " " + unit, whole ? ", whole" : "", ", uniform"));
    if (told.insert(row).second) absl::StrAppend(&rows, row);
  }
  return rows;
}

std::string Splits(const Json& document) {
  std::string out;
  int64_t begin = 0;
  for (const auto& [name, count] : document["splits"].items()) {
    const auto num = count.get<int64_t>();
    absl::StrAppend(&out, out.empty() ? "" : "; ", name, " ", num);
    if (num > 0) absl::StrAppend(&out, ", samples ", begin, " .. ", begin + num - 1);
    begin += num;
  }
  return out;
}

}  // namespace

std::string SampleCard(const Json& document) {
  const auto count = document["count"].get<int64_t>();
  const std::string name = document["name"].get<std::string>();
  std::string out = absl::StrCat("# ", name, ": ", count, " samples\n\n");
  if (!IsWhole(document)) {
    absl::StrAppend(&out, "Here are the samples ", document["range"][0].get<int64_t>(), " .. ",
                    document["range"][1].get<int64_t>() - 1,
                    "; `livnd merge` puts such parts together.\n\n");
  }
  absl::StrAppend(&out, "A simulated culture of neurons. Made by\n\n```\n",
                  document["command"].get<std::string>(), "\n```\n\n| | |\n|---|---|\n");
  out += Row("system", absl::StrCat(name, ": ", document["cells"].get<int64_t>(), " cells, ",
                                    document["electrodes"].size(), " electrodes"));
  for (const auto& [file, digest] : document["files"].items()) {
    out += Row(file, absl::StrCat("SHA-256 ", digest.get<std::string>()));
  }
  out += Row("physics",
             absl::StrCat("livnd, version ", document["physics_version"].is_string()
                                                 ? document["physics_version"].get<std::string>()
                                                 : io::JsonText(document["physics_version"])));
  out += Row("parameters", absl::StrCat(document["params_from"].get<std::string>(),
                                        document["noise"].get<bool>() ? "" : ", without noise"));
  if (!document["selection"].is_null())
    out += Row("selection", io::JsonText(document["selection"]));
  const Json& input = document["input"];
  if (input.is_null()) {
    out += Row("input", "none");
  } else {
    out += Row("input", absl::StrCat("`", io::JsonText(input["encoding"]), "`, in steps of ",
                                     Number(input["step_ms"]), " ms"));
    out += Inputs(input["features"]);
  }
  out += Row("time", absl::StrCat(Number(document["duration_ms"]), " ms, after ",
                                  Number(document["warmup_ms"]), " ms without input"));
  out += Row("trials", absl::StrCat(document["trials"].get<int64_t>(), " of each sample"));
  out += Row("recorded", absl::StrCat("spikes", document["voltages"].empty() ? "" : ", voltages",
                                      document["potentials"].get<bool>() ? ", potentials" : ""));
  out += Row("seed", absl::StrCat(document["seed"].get<int64_t>()));
  out += Row("splits", Splits(document));
  absl::StrAppend(
      &out,
      "\nEach sample is a function of the seed and of its number: inputs are drawn for it, and it "
      "has\n"
      "noise of its own (`seed`; trial k has the k-th stream). `run.json` has all of this as data, "
      "`parts` "
      "the\nsamples. `python -m livnd.datasets convert` makes Arrow and Parquet of them.\n");
  return out;
}

Json ConversionMetadata(const Json& document) {
  return {{"sampling_frequency", 1000.0 / document["sample_dt_ms"].get<double>()},
          {"num_channels", document["electrodes"].size()},
          {"warmup_ms", document["warmup_ms"]},
          {"system", document["name"]},
          {"duration_ms", document["duration_ms"]},
          {"trials", document["trials"]},
          {"seed", document["seed"]},
          {"splits", document["splits"]},
          {"physics_version", document["physics_version"]},
          {"command", document["command"]}};
}

}  // namespace livnd::lab
