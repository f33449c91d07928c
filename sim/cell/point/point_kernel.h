// The steps of the point neurons, compiled for each instruction set. Used by their models alone.
#ifndef LIVND_SIM_CELL_POINT_POINT_KERNEL_H_
#define LIVND_SIM_CELL_POINT_POINT_KERNEL_H_

#include <cstdint>
#include <vector>

#include "sim/cell/cell_model.h"
#include "sim/cell/point/point_model.h"

namespace livnd::sim {

// One step of the tiles of a batch; see IzhikevichModel, GlifModel.
void StepIzhikevichTiles(double dt_ms, const std::vector<PointSlot>& slots, const TileBatch& batch,
                         uint8_t* crossed);
void StepGlifTiles(const std::vector<PointSlot>& slots, const TileBatch& batch, uint8_t* crossed);

// Marks the tiles whose cells only leak: no adaptation of the threshold and no after-spike current is
// there or can come. StepGlifTiles does less for them.
void PrepareGlifTiles(const TileBatch& batch);

}  // namespace livnd::sim

#endif  // LIVND_SIM_CELL_POINT_POINT_KERNEL_H_
