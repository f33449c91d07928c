#include "io/dataset/sample_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <limits>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/neuroh5/hdf5_file.h"
#include "io/neuroh5/hdf5_writer.h"

namespace livnd::io {
namespace {

absl::Status Write(const std::string& path, const SampleRows& rows, absl::string_view plan) {
  const Hdf5Session session([](absl::string_view) {});
  LIVND_ASSIGN_OR_RETURN(Hdf5Writer writer, Hdf5Writer::Create(session, path));
  LIVND_RETURN_IF_ERROR(writer.Write("plan", std::vector<uint8_t>(plan.begin(), plan.end())));
  LIVND_RETURN_IF_ERROR(writer.Write("index", rows.index));
  LIVND_RETURN_IF_ERROR(writer.Write("seed", rows.seed));
  LIVND_RETURN_IF_ERROR(writer.Write("features", rows.features));
  LIVND_RETURN_IF_ERROR(writer.Write("spike_offsets", rows.spike_offsets));
  LIVND_RETURN_IF_ERROR(writer.Write("spike_gids", rows.spike_gids));
  LIVND_RETURN_IF_ERROR(writer.Write("spike_ticks", rows.spike_ticks));
  LIVND_RETURN_IF_ERROR(writer.Write("failed_at_ms", rows.failed_at_ms));
  LIVND_RETURN_IF_ERROR(writer.Write("voltages_mv", rows.voltages_mv));
  LIVND_RETURN_IF_ERROR(writer.Write("potentials_uv", rows.potentials_uv));
  return writer.Close();
}

}  // namespace

absl::Status WriteSampleFile(const std::string& path, const SampleRows& rows,
                             absl::string_view plan) {
  const std::string half = absl::StrCat(path, ".new");
  if (unlink(half.c_str()) != 0 && errno != ENOENT) return absl::ErrnoToStatus(errno, half);
  LIVND_RETURN_IF_ERROR(Write(half, rows, plan));
  if (std::rename(half.c_str(), path.c_str()) != 0) return absl::ErrnoToStatus(errno, path);
  return absl::OkStatus();
}

absl::Status CheckSampleFile(const std::string& path, uint64_t first, uint64_t num,
                             absl::string_view plan) {
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) return absl::ErrnoToStatus(errno, path);
  const Hdf5Session session([](absl::string_view) {});
  LIVND_ASSIGN_OR_RETURN(const Hdf5File file, Hdf5File::Open(session, path));
  LIVND_ASSIGN_OR_RETURN(const std::vector<int64_t> text, file.ReadIntegers("plan", 0, 255));
  if (std::string(text.begin(), text.end()) != plan) {
    return InFile(path, MakeFieldError("plan", "another", "that of its folder"));
  }
  LIVND_ASSIGN_OR_RETURN(const std::vector<int64_t> index,
                         file.ReadIntegers("index", 0, std::numeric_limits<int64_t>::max()));
  bool same = index.size() == num;
  for (uint64_t i = 0; same && i < num; ++i) same = static_cast<uint64_t>(index[i]) == first + i;
  if (same) return absl::OkStatus();
  const std::string has =
      index.empty() ? "none" : absl::StrCat(index.front(), " .. ", index.back());
  return InFile(path, MakeFieldError("index", has, absl::StrCat(first, " .. ", first + num - 1)));
}

}  // namespace livnd::io
