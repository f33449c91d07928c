#ifndef LIVND_SIM_SIMD_TILE_LANES_H_
#define LIVND_SIM_SIMD_TILE_LANES_H_

namespace livnd::sim {

// Cells of one tile. State and parameters are stored [tile][variable][kTileLanes] on every host.
inline constexpr int kTileLanes = 8;

}  // namespace livnd::sim

#endif  // LIVND_SIM_SIMD_TILE_LANES_H_
