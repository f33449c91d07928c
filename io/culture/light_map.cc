#include "io/culture/light_map.h"

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"

namespace livnd::io {

absl::StatusOr<std::shared_ptr<const sim::StimulusMap>> LightStimulationMap(
    const LightArray& array, const System& system, const sim::Culture& culture) {
  const auto num_rows = static_cast<size_t>(culture.num_section_rows());
  if (array.num_fibers() * num_rows * sizeof(double) > kMaxLightGainBytes) {
    return MakeFieldError(
        "light_array", absl::StrCat(array.num_fibers(), " fibres over ", num_rows, " sections"),
        absl::StrCat("fewer: ", kMaxLightGainBytes / sizeof(double), " pairs at most"));
  }
  std::vector<std::array<double, 3>> somata;
  std::vector<size_t> rows;
  for (const int64_t gid : culture.gids()) {
    somata.push_back(system.position_um[static_cast<size_t>(gid)]);
    rows.push_back(static_cast<size_t>(culture.SectionRow(gid, 0)));
  }
  const std::vector<double> gains = array.PhotonFluxGains(somata);
  auto map = std::make_shared<sim::StimulusMap>();
  map->num_channels = static_cast<int>(array.num_fibers());
  map->gains.assign(array.num_fibers() * num_rows, 0.0);
  for (size_t fiber = 0; fiber < array.num_fibers(); ++fiber) {
    for (size_t i = 0; i < rows.size(); ++i) {
      map->gains[fiber * num_rows + rows[i]] = gains[fiber * rows.size() + i];
    }
  }
  return std::shared_ptr<const sim::StimulusMap>(std::move(map));
}

}  // namespace livnd::io
