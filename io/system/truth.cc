#include "io/system/truth.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <numeric>
#include <set>
#include <tuple>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace livnd::io {
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) {
    EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
  }

  void Update(absl::string_view bytes) {
    EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
  }

  std::string Hex() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_.get(), digest, &size);
    return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest), size));
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

// Edge numbers in the order of (target, source, key(edge)).
template <typename Key>
std::vector<size_t> SortedEdges(const Projection& projection, const Key& key) {
  std::vector<size_t> order(projection.source_gid.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::make_tuple(projection.target_gid[a], projection.source_gid[a], key(a)) <
           std::make_tuple(projection.target_gid[b], projection.source_gid[b], key(b));
  });
  return order;
}

}  // namespace

std::string CoordinatesSha256(const System& system, int population) {
  const Population& cells = system.populations[population];
  Sha256 hash;
  for (uint32_t gid = cells.first_gid; gid < cells.first_gid + cells.num_cells; ++gid) {
    const auto& place = system.position_um[gid];
    hash.Update(absl::StrFormat("%d,%.6f,%.6f,%.6f\n", gid, place[0], place[1], place[2]));
  }
  return hash.Hex();
}

std::string SynapsesSha256(const System& system, int population) {
  const Population& cells = system.populations[population];
  const SynapseSites& sites = system.synapse_sites[population];
  Sha256 hash;
  for (uint32_t cell = 0; cell < cells.num_cells; ++cell) {
    for (uint64_t i = sites.offsets[cell]; i < sites.offsets[cell + 1]; ++i) {
      hash.Update(absl::StrFormat("%d,%d,%d,%d,%d,%d,%.6f,%.6f\n", cells.first_gid + cell,
                                  sites.syn_id[i], sites.syn_type[i], sites.swc_type[i],
                                  sites.section[i], sites.layer[i], sites.location[i],
                                  sites.path_distance_um[i]));
    }
  }
  return hash.Hex();
}

std::string EdgesSha256(const Projection& projection) {
  Sha256 hash;
  const auto by_distance = [&](size_t i) { return projection.distance_um[i]; };
  for (const size_t i : SortedEdges(projection, by_distance)) {
    hash.Update(absl::StrFormat("%d,%d,%.6f\n", projection.source_gid[i], projection.target_gid[i],
                                projection.distance_um[i]));
  }
  return hash.Hex();
}

std::string EdgesSynSha256(const Projection& projection) {
  Sha256 hash;
  const auto by_synapse = [&](size_t i) { return projection.syn_id[i]; };
  for (const size_t i : SortedEdges(projection, by_synapse)) {
    hash.Update(absl::StrFormat("%d,%d,%.6f,%d\n", projection.source_gid[i],
                                projection.target_gid[i], projection.distance_um[i],
                                projection.syn_id[i]));
  }
  return hash.Hex();
}

absl::StatusOr<std::string> FileSha256(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::ErrnoToStatus(errno, path);
  Sha256 hash;
  std::vector<char> buffer(1 << 16);
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) ||
         file.gcount() > 0) {
    hash.Update(absl::string_view(buffer.data(), static_cast<size_t>(file.gcount())));
  }
  if (file.bad()) return absl::ErrnoToStatus(errno, path);
  return hash.Hex();
}

std::string BytesSha256(absl::string_view bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.Hex();
}

absl::StatusOr<std::string> SystemSha256(const System& system) {
  namespace fs = std::filesystem;
  std::set<std::string> paths = {system.cells_path, system.connections_path};
  std::error_code error;
  for (fs::recursive_directory_iterator it(system.directory, error), end; !error && it != end;
       it.increment(error)) {
    const fs::path& path = it->path();
    if (path.extension() == ".json" && path.filename() != "truth.json") paths.insert(path.string());
  }
  if (error) return absl::InternalError(absl::StrCat(system.directory, ": ", error.message()));
  Sha256 hash;
  for (const std::string& path : paths) {
    LIVND_ASSIGN_OR_RETURN(const std::string of_file, FileSha256(path));
    hash.Update(absl::StrCat(fs::relative(path, system.directory).string(), " ", of_file, "\n"));
  }
  return hash.Hex();
}

}  // namespace livnd::io
