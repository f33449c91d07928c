// EncodeHdf5Content and DecodeHdf5Content: native numbers, a count before every list.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "io/neuroh5/hdf5_content.h"

namespace livnd::io {
namespace {

class Encoder {
 public:
  template <typename T>
  void operator()(const std::vector<T>& values) {
    static_assert(std::is_trivially_copyable_v<T>);
    Append(values.data(), values.size(), sizeof(T));
  }
  void operator()(const std::string& text) { Append(text.data(), text.size(), 1); }
  template <typename T, typename = std::enable_if_t<std::is_arithmetic_v<T>>>
  void operator()(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }

  std::string Take() { return std::move(bytes_); }

 private:
  void Append(const void* data, uint64_t count, size_t width) {
    (*this)(count);
    bytes_.append(static_cast<const char*>(data), count * width);
  }

  std::string bytes_;
};

// Reads what Encoder wrote. After the end of the bytes everything is empty and ok() false.
class Decoder {
 public:
  explicit Decoder(absl::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool done() const { return ok_ && bytes_.empty(); }

  template <typename T>
  void operator()(std::vector<T>& values) {
    values.resize(Count(sizeof(T)));
    Copy(values.data(), values.size() * sizeof(T));
  }
  void operator()(std::string& text) {
    text.resize(Count(1));
    Copy(text.data(), text.size());
  }
  template <typename T, typename = std::enable_if_t<std::is_arithmetic_v<T>>>
  void operator()(T& value) {
    Copy(&value, sizeof(T));
  }
  // Of a list whose elements take at least `width` bytes each.
  uint64_t Count(size_t width) {
    uint64_t count = 0;
    (*this)(count);
    ok_ = ok_ && count <= bytes_.size() / width;
    return ok_ ? count : 0;
  }

 private:
  void Copy(void* data, size_t size) {
    ok_ = ok_ && size <= bytes_.size();
    if (!ok_ || size == 0) return;
    std::memcpy(data, bytes_.data(), size);
    bytes_.remove_prefix(size);
  }

  absl::string_view bytes_;
  bool ok_ = true;
};

// One list of the fields for both directions.
template <typename Coder, typename PopulationT>
void CodePopulation(Coder& code, PopulationT& population) {
  code(population.name);
  code(population.label);
  code(population.first_gid);
  code(population.num_cells);
}

template <typename Coder, typename SitesT>
void CodeSites(Coder& code, SitesT& sites) {
  code(sites.offsets);
  code(sites.syn_id);
  code(sites.syn_type);
  code(sites.swc_type);
  code(sites.section);
  code(sites.layer);
  code(sites.location);
  code(sites.path_distance_um);
}

template <typename Coder, typename ProjectionT>
void CodeProjection(Coder& code, ProjectionT& projection) {
  code(projection.post);
  code(projection.pre);
  code(projection.source_gid);
  code(projection.target_gid);
  code(projection.distance_um);
  code(projection.syn_id);
}

// Whether every index stays inside what it points into.
bool IsConsistent(const SynapseSites& sites, const Population& cells) {
  const size_t num_sites = sites.syn_id.size();
  return sites.offsets.size() == size_t{cells.num_cells} + 1 && sites.offsets.front() == 0 &&
         sites.offsets.back() == num_sites &&
         std::is_sorted(sites.offsets.begin(), sites.offsets.end()) &&
         sites.syn_type.size() == num_sites && sites.swc_type.size() == num_sites &&
         sites.section.size() == num_sites && sites.layer.size() == num_sites &&
         sites.location.size() == num_sites && sites.path_distance_um.size() == num_sites;
}

bool AreIn(const std::vector<uint32_t>& gids, const Population& cells) {
  return std::all_of(gids.begin(), gids.end(), [&cells](uint32_t gid) {
    return gid >= cells.first_gid && gid - cells.first_gid < cells.num_cells;
  });
}

bool IsConsistent(const Projection& projection, const Hdf5Content& content) {
  const int post = content.Find(projection.post), pre = content.Find(projection.pre);
  const size_t num_edges = projection.source_gid.size();
  return post >= 0 && pre >= 0 && projection.target_gid.size() == num_edges &&
         projection.distance_um.size() == num_edges && projection.syn_id.size() == num_edges &&
         AreIn(projection.source_gid, content.populations[pre]) &&
         AreIn(projection.target_gid, content.populations[post]);
}

bool IsConsistent(const Hdf5Content& content) {
  uint64_t next_gid = 0;
  for (size_t i = 0; i < content.populations.size(); ++i) {
    const Population& cells = content.populations[i];
    if (cells.first_gid != next_gid) return false;
    if (!IsConsistent(content.synapse_sites[i], cells)) return false;
    next_gid += cells.num_cells;
  }
  return content.position_um.size() == next_gid &&
         std::all_of(content.projections.begin(), content.projections.end(),
                     [&content](const Projection& projection) {
                       return IsConsistent(projection, content);
                     });
}

}  // namespace

std::string EncodeHdf5Content(const Hdf5Content& content) {
  Encoder code;
  code(uint64_t{content.populations.size()});
  for (const Population& population : content.populations) CodePopulation(code, population);
  code(content.position_um);
  for (const SynapseSites& sites : content.synapse_sites) CodeSites(code, sites);
  code(uint64_t{content.projections.size()});
  for (const Projection& projection : content.projections) CodeProjection(code, projection);
  return code.Take();
}

absl::StatusOr<Hdf5Content> DecodeHdf5Content(absl::string_view bytes) {
  Decoder code(bytes);
  Hdf5Content content;
  content.populations.resize(code.Count(1));
  for (Population& population : content.populations) CodePopulation(code, population);
  code(content.position_um);
  content.synapse_sites.resize(content.populations.size());
  for (SynapseSites& sites : content.synapse_sites) CodeSites(code, sites);
  content.projections.resize(code.Count(1));
  for (Projection& projection : content.projections) CodeProjection(code, projection);
  if (!code.done() || !IsConsistent(content)) {
    return absl::DataLossError("the content of the HDF5 files arrived damaged");
  }
  return content;
}

}  // namespace livnd::io
