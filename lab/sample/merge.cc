#include "lab/sample/merge.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/json/json_file.h"
#include "io/neuroh5/new_file.h"
#include "lab/folder/run_document.h"
#include "lab/sample/sample_folder.h"

namespace livnd::lab {
namespace {

using io::Json;

struct Share {
  std::string folder;
  Json document;
  int64_t begin() const { return document["range"][0].get<int64_t>(); }
  int64_t end() const { return document["range"][1].get<int64_t>(); }
};

std::string Samples(int64_t begin, int64_t end) {
  return absl::StrCat("samples ", begin, " .. ", end - 1);
}

// By what they have: all of the plan, once.
absl::Status CheckShares(const std::vector<Share>& shares) {
  int64_t end = 0;
  for (size_t i = 0; i < shares.size(); ++i) {
    const Share& share = shares[i];
    if (share.begin() < end) {
      return absl::FailedPreconditionError(
          absl::StrCat(Samples(share.begin(), std::min(end, share.end())), " are in ",
                       shares[i - 1].folder, " and in ", share.folder, "; leave one out"));
    }
    if (share.begin() > end) {
      return absl::FailedPreconditionError(absl::StrCat(
          Samples(end, share.begin()), " are in none of the folders; livnd sample --range ", end,
          ":", share.begin(), " makes them"));
    }
    end = share.end();
  }
  const auto count = shares[0].document["count"].get<int64_t>();
  if (end == count) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(Samples(end, count), " are in none of the folders; livnd sample --range ", end,
                   ":", count, " makes them"));
}

absl::Status CheckComplete(const Share& share) {
  LIVND_ASSIGN_OR_RETURN(const std::vector<int64_t> missing,
                         MissingParts(share.folder, share.document));
  if (missing.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      share.folder, " is not complete: ", missing.size(), " of its files are missing, the first ",
      SamplePaths(share.folder).Part(missing[0]),
      "; the command of its README or run.json goes on"));
}

absl::Status LinkOrCopy(const std::string& from, const std::string& to) {
  std::error_code error;
  std::filesystem::create_hard_link(from, to, error);
  if (!error) return absl::OkStatus();
  std::filesystem::copy_file(from, to, error);
  if (error) return absl::InternalError(absl::StrCat(to, ": ", error.message()));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Merged> MergeSamples(absl::Span<const std::string> folders, const std::string& out,
                                    const std::function<bool()>& stop) {
  std::vector<Share> shares;
  for (const std::string& folder : folders) {
    Share share{folder, {}};
    LIVND_ASSIGN_OR_RETURN(share.document, ReadSampleRun(folder));
    if (!shares.empty()) {
      LIVND_RETURN_IF_ERROR(CheckSameRun(SamplePaths(folder).run, share.document,
                                         shares[0].document,
                                         {"command", "system", "params_from", "range"}, "plan",
                                         absl::StrCat("in ", shares[0].folder)));
    }
    shares.push_back(std::move(share));
  }
  std::stable_sort(shares.begin(), shares.end(),
                   [](const Share& a, const Share& b) { return a.begin() < b.begin(); });
  LIVND_RETURN_IF_ERROR(CheckShares(shares));
  for (const Share& share : shares) LIVND_RETURN_IF_ERROR(CheckComplete(share));

  Merged merged;
  Json document = shares[0].document;
  merged.num_samples = document["count"].get<int64_t>();
  document["range"] = {0, merged.num_samples};
  const auto part = document["part"].get<int64_t>();
  const auto fill = [&](const std::string& folder) -> absl::Status {
    const SamplePaths paths(folder);
    std::error_code error;
    std::filesystem::create_directories(paths.parts, error);
    if (error) return absl::InternalError(absl::StrCat(paths.parts, ": ", error.message()));
    for (const Share& share : shares) {
      for (int64_t number = share.begin() / part; number * part < share.end(); ++number) {
        if (stop && stop()) return absl::CancelledError("interrupted");
        LIVND_RETURN_IF_ERROR(
            LinkOrCopy(SamplePaths(share.folder).Part(number), paths.Part(number)));
        ++merged.num_parts;
      }
    }
    LIVND_RETURN_IF_ERROR(WriteWhole(paths.run, DocumentText(document)));
    return WriteCard(folder, document);
  };
  LIVND_RETURN_IF_ERROR(io::MakeNewFolder(out, fill));
  return merged;
}

}  // namespace livnd::lab
