// Cells sorted into the squares of a grid, so that what is far away can be handled by the square.
#ifndef LIVND_LAB_GENERATE_CONNECT_TILES_H_
#define LIVND_LAB_GENERATE_CONNECT_TILES_H_

#include <array>
#include <cstdint>
#include <vector>

#include "lab/generate/connect/edges.h"

namespace livnd::lab {

// Squares of one size that cover two populations.
struct Grid {
  double min_x = 0.0, min_y = 0.0, side_um = 1.0;
  int num_x = 1, num_y = 1;

  int num_tiles() const { return num_x * num_y; }
  int TileOf(float x, float y) const;
};

// About 64 cells of the larger population a tile; fewer, down to 8, where such tiles were wider than half of sigma.
Grid MakeGrid(const Places& a, const Places& b, double sigma_um);

// One population on a grid: cells first[t] .. first[t + 1] are those of tile t, in ascending order.
struct Tiles {
  std::vector<uint32_t> first;
  std::vector<uint32_t> cell;  // its index in the population
  std::vector<float> x, y;     // of cell[i]
  // What the cells of a tile fill, um; inverted where there are none.
  std::vector<std::array<float, 2>> min_um, max_um;

  uint32_t size(int tile) const { return first[tile + 1] - first[tile]; }
};

Tiles MakeTiles(const Grid& grid, const Places& places);

}  // namespace livnd::lab

#endif  // LIVND_LAB_GENERATE_CONNECT_TILES_H_
