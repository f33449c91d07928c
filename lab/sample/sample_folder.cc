#include "lab/sample/sample_folder.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/dataset/sample_file.h"
#include "io/json/json_view.h"
#include "io/neuroh5/new_file.h"
#include "lab/folder/run_document.h"
#include "lab/sample/sample_card.h"

namespace livnd::lab {
namespace {

using io::Json;
using io::JsonView;

// Of the samples of a part.
struct PartRange {
  int64_t begin, end;
};

PartRange RangeOf(const Json& document, int64_t number) {
  const auto part = document["part"].get<int64_t>();
  return {number * part, std::min((number + 1) * part, document["count"].get<int64_t>())};
}

}  // namespace

SamplePaths::SamplePaths(const std::string& folder)
    : run(absl::StrCat(folder, "/run.json")),
      parts(absl::StrCat(folder, "/parts")),
      card(absl::StrCat(folder, "/README.md")),
      metadata(absl::StrCat(folder, "/conversion_metadata.json")),
      lock(absl::StrCat(folder, "/lock")) {}

std::string SamplePaths::Part(int64_t number) const {
  return absl::StrFormat("%s/part-%07d.h5", parts, number);
}

std::string SharedPlan(const Json& document) {
  Json shared = document;
  for (const char* own : {"command", "system", "params_from", "range"}) shared.erase(own);
  return DocumentText(shared);
}

absl::Status PrepareSampleFolder(const std::string& folder, const SamplePlan& plan) {
  const SamplePaths paths(folder);
  std::error_code error;
  const absl::StatusOr<Json> have = io::ReadJsonFile(paths.run);
  if (absl::IsNotFound(have.status())) {
    if (std::filesystem::exists(paths.parts, error)) {
      return absl::FailedPreconditionError(
          absl::StrCat(paths.parts, " is there without a run.json"));
    }
    // The document comes last: where it is, there is a folder for parts.
    std::filesystem::create_directories(paths.parts, error);
    if (error) {
      return MakeFieldError("--out", folder, "a folder that can be made: " + error.message());
    }
    return WriteWhole(paths.run, DocumentText(plan.document()));
  }
  if (!have.ok()) return have.status();
  // Another path to the same files is no other system.
  return CheckSameRun(paths.run, *have, plan.document(), {"command", "system", "params_from"},
                      "data set", "give the same arguments, or another --out");
}

absl::StatusOr<Json> ReadSampleRun(const std::string& folder) {
  const std::string path = SamplePaths(folder).run;
  const absl::StatusOr<Json> json = io::ReadJsonFile(path);
  if (absl::IsNotFound(json.status())) {
    return InFile(folder, MakeFieldError("", "without run.json", "a folder of livnd sample"));
  }
  if (!json.ok()) return json.status();
  const JsonView view(*json, path);
  LIVND_ASSIGN_OR_RETURN(const JsonView version, view.Member("sample"));
  LIVND_RETURN_IF_ERROR(version.Integer(1, 1).status());
  LIVND_ASSIGN_OR_RETURN(const JsonView count, view.Member("count"));
  LIVND_ASSIGN_OR_RETURN(const int64_t num, count.Integer(1, SampleConfig::kMaxCount));
  LIVND_ASSIGN_OR_RETURN(const JsonView part, view.Member("part"));
  LIVND_RETURN_IF_ERROR(part.Integer(1, SampleConfig::kMaxCount).status());
  LIVND_ASSIGN_OR_RETURN(const JsonView range, view.Member("range"));
  LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> ends, range.Elements(2));
  LIVND_ASSIGN_OR_RETURN(const int64_t begin, ends[0].Integer(0, num - 1));
  LIVND_RETURN_IF_ERROR(ends[1].Integer(begin + 1, num).status());
  for (const char* name :
       {"command", "name", "files", "physics_version", "electrodes", "params_from", "input",
        "splits", "warmup_ms", "duration_ms", "sample_dt_ms"}) {
    LIVND_RETURN_IF_ERROR(view.Member(name).status());
  }
  return json;
}

absl::StatusOr<std::vector<int64_t>> MissingParts(const std::string& folder, const Json& document) {
  const SamplePaths paths(folder);
  const std::string plan = SharedPlan(document);
  const auto part = document["part"].get<int64_t>();
  std::vector<int64_t> missing;
  for (int64_t number = document["range"][0].get<int64_t>() / part;
       number * part < document["range"][1].get<int64_t>(); ++number) {
    const PartRange range = RangeOf(document, number);
    const absl::Status found =
        io::CheckSampleFile(paths.Part(number), static_cast<uint64_t>(range.begin),
                            static_cast<uint64_t>(range.end - range.begin), plan);
    if (absl::IsNotFound(found)) {
      missing.push_back(number);
    } else if (!found.ok()) {
      return found;
    }
  }
  return missing;
}

absl::Status WritePart(const std::string& folder, const SamplePlan& plan, int64_t number,
                       std::vector<SampledTrials> samples) {
  io::SampleRows rows;
  rows.spike_offsets.push_back(0);
  const int64_t begin = RangeOf(plan.document(), number).begin;
  for (size_t i = 0; i < samples.size(); ++i) {
    const int64_t sample = begin + static_cast<int64_t>(i);
    const DrawnSample drawn = plan.Draw(sample);
    rows.index.push_back(static_cast<uint64_t>(sample));
    rows.seed.push_back(drawn.seed);
    rows.features.insert(rows.features.end(), drawn.features.begin(), drawn.features.end());
    for (const SampledTrial& trial : std::exchange(samples[i], {})) {
      const auto append = [](auto& to, const auto& from) {
        to.insert(to.end(), from.begin(), from.end());
      };
      append(rows.spike_gids, trial.spike_gids);
      append(rows.spike_ticks, trial.spike_ticks);
      append(rows.voltages_mv, trial.voltages_mv);
      append(rows.potentials_uv, trial.potentials_uv);
      rows.spike_offsets.push_back(rows.spike_gids.size());
      rows.failed_at_ms.push_back(trial.failed_at_ms);
    }
  }
  return io::WriteSampleFile(SamplePaths(folder).Part(number), rows, SharedPlan(plan.document()));
}

absl::Status WriteCard(const std::string& folder, const Json& document) {
  const SamplePaths paths(folder);
  LIVND_RETURN_IF_ERROR(WriteWhole(paths.metadata, DocumentText(ConversionMetadata(document))));
  LIVND_RETURN_IF_ERROR(WriteWhole(paths.card, SampleCard(document)));
  LIVND_RETURN_IF_ERROR(io::SyncFolder(paths.parts));
  return io::SyncFolder(folder);
}

}  // namespace livnd::lab
