// Izhikevich's neuron as a CellModel.
//
// Izhikevich, "Simple model of spiking neurons", IEEE Trans. Neural Netw. 14 (2003);
// livn 2.0.0 models/izhikevich.py:
//   dv/dt = 0.04 v^2 + 5 v + 140 - u + R I, du/dt = a (b v - u)   (mV, ms; R = 1 GOhm, I in pA)
//   v > 30: v = c, u = u + d
#ifndef LIVND_SIM_CELL_POINT_IZHIKEVICH_MODEL_H_
#define LIVND_SIM_CELL_POINT_IZHIKEVICH_MODEL_H_

#include <string>
#include <vector>

#include "sim/cell/point/point_model.h"
#include "sim/cell/point/point_params.h"

namespace livnd::sim {

struct IzhikevichParam {
  enum { kADt = PointParam::kSize, kB, kC, kD, kSize };
};
struct IzhikevichState {
  enum { kU = PointState::kSize, kSize };
};

// The step is PointModel's; own named state: u (mV).
class IzhikevichModel : public PointModel {
 public:
  explicit IzhikevichModel(double dt_ms) : PointModel(dt_ms) {}

  CellParams Derive(const IzhikevichParams& params, double noise_pa) const;

  int num_params() const override { return IzhikevichParam::kSize; }
  int spikes_state() const override { return IzhikevichState::kSize; }
  std::vector<std::string> state_names() const override;
  double NamedState(const std::string& name, int section, absl::Span<const double> params,
                    const double* state) const override;
  void StepTiles(const TileBatch& batch, uint8_t* crossed) const override;
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_CELL_POINT_IZHIKEVICH_MODEL_H_
