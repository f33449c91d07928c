#include "lab/generate/connect/tiles.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace livnd::lab {
namespace {

constexpr double kCellsPerTile = 64, kFewestCellsPerTile = 8;
constexpr int kMaxTilesPerAxis = 1 << 21;

void Widen(const std::vector<float>& values, double& min, double& max) {
  for (const float v : values) {
    min = std::min<double>(min, v);
    max = std::max<double>(max, v);
  }
}

int Along(double value, double min, double side, int count) {
  return std::clamp(static_cast<int>((value - min) / side), 0, count - 1);
}

}  // namespace

int Grid::TileOf(float x, float y) const {
  return Along(y, min_y, side_um, num_y) * num_x + Along(x, min_x, side_um, num_x);
}

Grid MakeGrid(const Places& a, const Places& b, double sigma_um) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double min_x = kInfinity, max_x = -kInfinity, min_y = kInfinity, max_y = -kInfinity;
  for (const Places* places : {&a, &b}) {
    Widen(places->x, min_x, max_x);
    Widen(places->y, min_y, max_y);
  }
  const double width = max_x - min_x, height = max_y - min_y;
  const auto num_cells = static_cast<double>(std::max(a.size(), b.size()));
  // Also where all cells are on a line.
  const auto side_for = [&](double cells) {
    return std::max(std::sqrt(cells * width * height / num_cells),
                    cells * std::max(width, height) / num_cells);
  };
  Grid grid;
  grid.min_x = min_x;
  grid.min_y = min_y;
  grid.side_um =
      std::max(side_for(kFewestCellsPerTile), std::min(side_for(kCellsPerTile), sigma_um / 2));
  if (!(grid.side_um > 0.0)) grid.side_um = 1.0;
  const auto count = [&](double extent) {
    return static_cast<int>(
        std::clamp(std::ceil(extent / grid.side_um), 1.0, double{kMaxTilesPerAxis}));
  };
  grid.num_x = count(width);
  grid.num_y = count(height);
  return grid;
}

Tiles MakeTiles(const Grid& grid, const Places& places) {
  Tiles tiles;
  const auto num_tiles = static_cast<size_t>(grid.num_tiles());
  tiles.first.assign(num_tiles + 1, 0);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  tiles.min_um.assign(num_tiles, {kInfinity, kInfinity});
  tiles.max_um.assign(num_tiles, {-kInfinity, -kInfinity});
  std::vector<int> tile_of(places.size());
  for (size_t i = 0; i < places.size(); ++i) {
    const int tile = tile_of[i] = grid.TileOf(places.x[i], places.y[i]);
    ++tiles.first[tile + 1];
    const float at[2] = {places.x[i], places.y[i]};
    for (size_t axis = 0; axis < 2; ++axis) {
      tiles.min_um[tile][axis] = std::min(tiles.min_um[tile][axis], at[axis]);
      tiles.max_um[tile][axis] = std::max(tiles.max_um[tile][axis], at[axis]);
    }
  }
  for (size_t t = 0; t < num_tiles; ++t) tiles.first[t + 1] += tiles.first[t];
  std::vector<uint32_t> next(tiles.first.begin(), tiles.first.end() - 1);
  tiles.cell.resize(places.size());
  tiles.x.resize(places.size());
  tiles.y.resize(places.size());
  for (size_t i = 0; i < places.size(); ++i) {
    const uint32_t at = next[tile_of[i]]++;
    tiles.cell[at] = static_cast<uint32_t>(i);
    tiles.x[at] = places.x[i];
    tiles.y[at] = places.y[i];
  }
  return tiles;
}

}  // namespace livnd::lab
