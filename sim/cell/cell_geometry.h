#ifndef LIVND_SIM_CELL_CELL_GEOMETRY_H_
#define LIVND_SIM_CELL_CELL_GEOMETRY_H_

namespace livnd::sim {

// Which sections a cell has, as far as a device over the culture must know.
struct CellGeometry {
  bool has_dendrite = false;
  int num_axon_sections = 0;
  double axon_section_um = 0.0;
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_CELL_CELL_GEOMETRY_H_
