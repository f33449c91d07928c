#include "sim/cell/rcsd/rcsd_kernel.h"

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sim/cell/rcsd/rcsd_constants.h"
#include "sim/simd/scalar_math.h"
#include "sim/testing/reference_cell.h"

namespace livnd::sim {
namespace {

constexpr double kDtMs = 0.025;

void ExpectNear(double got, double want, double relative) {
  EXPECT_NEAR(got, want, std::fabs(want) * relative);
}

CellParams Derive(const CellTemplate& cell, double dt_ms, double v_init_mv) {
  return DeriveRcsdCell(cell, ShapeOf(cell), OpsinParams(), dt_ms, v_init_mv);
}

// A tile whose lanes hold the given cells (fewer than kTileLanes: the last one repeats).
class Tile {
 public:
  explicit Tile(const std::vector<CellTemplate>& cells) {
    group_.shape = ShapeOf(cells[0]);
    for (const CellTemplate& cell : cells) {
      group_.shape.own_membrane = group_.shape.own_membrane || ShapeOf(cell).own_membrane;
    }
    group_.step = MakeStepConstants(kDtMs);
    const int num_variables = group_.shape.spikes_state() + 1;
    params_.resize(static_cast<size_t>(group_.shape.num_params()) * kLanes);
    state_.assign(static_cast<size_t>(num_variables) * kLanes, 0.0);
    scratch_.assign(static_cast<size_t>(group_.shape.num_functions()) * kLanes, 0.0);
    density_.assign(static_cast<size_t>(group_.shape.num_compartments()) * kLanes, 0.0);
    for (int lane = 0; lane < kLanes; ++lane) {
      const size_t i = std::min(static_cast<size_t>(lane), cells.size() - 1);
      const CellParams derived =
          DeriveRcsdCell(cells[i], group_.shape, OpsinParams(), kDtMs, -75.0);
      for (size_t p = 0; p < derived.params.size(); ++p) {
        params_[p * kLanes + lane] = derived.params[p];
      }
      for (size_t s = 0; s < derived.initial_state.size(); ++s) {
        state_[s * kLanes + lane] = derived.initial_state[s];
      }
    }
  }

  static constexpr int kLanes = 8;
  RcsdGroupParams& group() { return group_; }
  double& state(int variable, int lane) { return state_[variable * kLanes + lane]; }
  double v_mv(int compartment, int lane) {
    return state(group_.shape.voltage_state(compartment), lane);
  }
  // Density of a current into a compartment, mA/cm2.
  double& density(int compartment, int lane) { return density_[compartment * kLanes + lane]; }
  double param(int i, int lane) const { return params_[i * kLanes + lane]; }

  uint32_t Step(const double* normals = nullptr) {
    const int param_tile = 0;
    TileBatch tile;
    tile.num_tiles = 1;
    tile.params = params_.data();
    tile.param_tile = &param_tile;
    tile.state = state_.data();
    tile.normals = normals;
    tile.drive = density_.data();
    tile.scratch = scratch_.data();
    if (!prepared_) PrepareRcsdTiles(group_, tile);
    prepared_ = true;
    uint8_t crossed = 0;
    StepRcsdTiles(group_, tile, &crossed);
    return crossed;
  }

 private:
  RcsdGroupParams group_;
  std::vector<double> params_, state_, density_, scratch_;
  bool prepared_ = false;
};

const CellTemplate& Motoneuron() {
  static const auto* const kCell = new CellTemplate(MakeCellTemplate(CellKind::kMotoneuron, 1.0));
  return *kCell;
}
const CellTemplate& Renshaw() {
  static const auto* const kCell = new CellTemplate(MakeCellTemplate(CellKind::kRenshaw, 1.0));
  return *kCell;
}

// livn 2.0.0: rcsd_section_get(.., P_IC) and the pools' S_IREST after initialisation.
TEST(DeriveRcsdCellTest, PinAndCalciumReferenceAreLivns) {
  const RcsdShape exc = ShapeOf(Motoneuron());
  const std::vector<double> p = Derive(Motoneuron(), kDtMs, -75.0).params;
  ExpectNear(p[SomaParam::kPin], -1.2851097790607532e-4, 1e-12);
  ExpectNear(p[exc.dend_param(0) + DendParam::kPin], -1.3279433286810763e-4, 1e-12);
  for (int i = 0; i < 5; ++i) {
    ExpectNear(p[exc.axon_param(i) + AxonParam::kPin], -3.3968881355068764e-4, 1e-12);
  }
  ExpectNear(p[SomaParam::kIRest], -1.2402501014869175e-9, 1e-12);
  ExpectNear(p[exc.dend_param(0) + DendParam::kIRest], -5.0370035952560215e-6, 1e-12);
  const RcsdShape inh = ShapeOf(Renshaw());
  const std::vector<double> q = Derive(Renshaw(), kDtMs, -75.0).params;
  ExpectNear(q[SomaParam::kPin], -1.1532608912502445e-3, 1e-12);
  ExpectNear(q[inh.axon_param(0) + AxonParam::kPin], -7.251163109620939e-4, 1e-12);
  ExpectNear(q[SomaParam::kIRest], -9.149519929378532e-9, 1e-12);
}

TEST(DeriveRcsdCellTest, PinDoesNotDependOnStepOrStart) {
  const std::vector<double> a = Derive(Motoneuron(), 0.025, -75.0).params;
  const std::vector<double> b = Derive(Motoneuron(), 0.1, -50.0).params;
  EXPECT_EQ(a[SomaParam::kPin], b[SomaParam::kPin]);
  EXPECT_NE(a[SomaParam::kIRest], b[SomaParam::kIRest]);
}

TEST(DeriveRcsdCellTest, CouplingsAreTheJunctionsConductancePerArea) {
  const RcsdShape shape = ShapeOf(Motoneuron());
  const std::vector<double> p = Derive(Motoneuron(), kDtMs, -75.0).params;
  const double soma = 306.5381851518155, dend = 2758.8436663663397, ais = 241.93115371379656;
  ExpectNear(p[SomaParam::kGDend], 1e2 / (2.195371610191614 * soma), 1e-14);
  ExpectNear(p[SomaParam::kGAxon], 1e2 / (4.004722477476357 * soma), 1e-14);
  ExpectNear(p[shape.dend_param(0) + DendParam::kGPrev], 1e2 / (2.195371610191614 * dend), 1e-14);
  ExpectNear(p[shape.axon_param(0) + AxonParam::kGPrev], 1e2 / (4.004722477476357 * ais), 1e-14);
  ExpectNear(p[shape.axon_param(0) + AxonParam::kGNext], 1e2 / (4.05777605660781 * ais), 1e-14);
  ExpectNear(p[shape.axon_param(4) + AxonParam::kGPrev], 1e2 / (4.05777605660781 * ais), 1e-14);
  EXPECT_EQ(p[shape.axon_param(4) + AxonParam::kGNext], 0.0);
  EXPECT_EQ(p[shape.dend_param(0) + DendParam::kGNext], 0.0);
  ExpectNear(p[shape.per_area_param(1)], 1e2 / dend, 1e-14);
  ExpectNear(p[SomaParam::kCap], 10.61685109860617e-3 * 2 / kDtMs, 1e-14);
}

TEST(RcsdConstantsTest, ReversalPotentialsAreLivns) {
  ExpectNear(rcsd::kRtOverFMv, 26.640485780344736, 1e-15);
  ExpectNear(rcsd::kRtOverFMv * std::log(145.0 / 15.0), 60.43883162259402, 1e-15);
  ExpectNear(rcsd::kRtOverFMv * std::log(5.0 / 145.0), -89.7063966769688, 1e-15);
  ExpectNear(rcsd::kGhkCanMv, 18.9824322019444, 1e-14);
  ExpectNear(rcsd::kGhkCalMv, 13.182244584683609, 1e-14);
}

struct Drive {
  const char* name;
  std::vector<CellTemplate> cells;
  double current_na;
  int compartment;
  double tolerance_mv;
  bool spikes;
};

std::vector<Drive> Drives() {
  CellTemplate renshaw_ka = Renshaw();
  (void)SetCellParam(renshaw_ka, "soma.gmax_Ka_v1in", 0.02);
  CellTemplate slow = Motoneuron();
  (void)SetCellParam(slow, "soma.vhalf_Nas", -30.0);
  (void)SetCellParam(slow, "axon.slope_Nas", 6.0);
  (void)SetCellParam(slow, "dend.gmax_CaL", 1e-4);
  const CellTemplate thin = MakeCellTemplate(CellKind::kMotoneuron, 0.5);
  const CellTemplate thinner = MakeCellTemplate(CellKind::kMotoneuron, 0.45);
  const CellTemplate v1 = MakeCellTemplate(*FindParameterSet("BoothRinzelKiehn-MN-v1"));
  const CellTemplate v2 = MakeCellTemplate(*FindParameterSet("BoothRinzelKiehn-MN-v2"));
  const CellTemplate perry = MakeCellTemplate(*FindParameterSet("V1In-Renshaw-Perry"));
  auto with_pools = [](CellTemplate cell) {
    for (const auto& [key, value] : std::map<std::string, double>{{"soma.d_Na_conc", 0.1},
                                                                  {"soma.nai0_Na_conc", 12.0},
                                                                  {"soma.nao0_Na_conc", 140.0},
                                                                  {"soma.beta_K_conc", 0.05},
                                                                  {"soma.ko0_K_conc", 4.0},
                                                                  {"dend.ki0_K_conc", 150.0},
                                                                  {"axon.beta_Na_conc", 0.1},
                                                                  {"axon.d_K_conc", 0.3}}) {
      (void)SetCellParam(cell, key, value);  // where the cell has the section
    }
    return cell;
  };
  const CellTemplate pools = with_pools(Motoneuron());
  const CellTemplate renshaw_pools = with_pools(Renshaw());
  const CellTemplate v1_pools = with_pools(v1);
  return {
      {"motoneuron at rest", {Motoneuron(), slow}, 0.0, 0, 1e-8, false},
      {"motoneuron, current into the soma", {Motoneuron(), slow}, 0.3, 0, 1e-3, true},
      {"motoneuron, current into the axon", {Motoneuron(), slow}, 0.1, 4, 1e-3, true},
      {"motoneuron with three segments", {thin, thinner}, 0.0, 0, 1e-8, false},
      {"thin motoneuron, current into the dendrite", {thin, thinner}, 0.1, 2, 1e-2, true},
      {"motoneuron without axon", {v1}, 0.15, 0, 1e-2, true},
      {"older motoneuron with axon", {v2}, 0.15, 0, 1e-2, true},
      {"Renshaw cell without axon", {perry}, 0.5, 0, 1e-2, true},
      {"motoneuron with pools of its own", {pools, Motoneuron()}, 0.2, 0, 1e-2, true},
      {"Renshaw cell with pools of its own", {renshaw_pools, Renshaw()}, 0.3, 0, 1e-2, true},
      {"motoneuron without axon, with pools of its own", {v1_pools}, 0.15, 0, 1e-2, true},
      {"Renshaw cell at rest", {Renshaw(), renshaw_ka}, 0.0, 0, 1e-8, false},
      {"Renshaw cell, current into the soma", {Renshaw(), renshaw_ka}, 0.3, 0, 1e-3, true},
  };
}

TEST(StepRcsdTileTest, FollowsTheScalarReference) {
  for (const Drive& drive : Drives()) {
    SCOPED_TRACE(drive.name);
    Tile tile(drive.cells);
    double worst = 0.0, highest = -1e9;
    std::vector<ReferenceCell> reference;
    for (size_t i = 0; i < drive.cells.size(); ++i) {
      reference.emplace_back(drive.cells[i], kDtMs);
      for (int c = 0; c < reference[i].num_compartments(); ++c) {
        EXPECT_EQ(reference[i].v_mv(c), tile.v_mv(c, i));
      }
    }
    for (int step = 0; step < 1600; ++step) {
      const double na = step >= 200 ? drive.current_na : 0.0;
      for (size_t i = 0; i < reference.size(); ++i) {
        const int c = drive.compartment;
        reference[i].SetCurrent(c, na);
        tile.density(c, i) = na * tile.param(tile.group().shape.per_area_param(c), i);
        reference[i].Step();
      }
      tile.Step();
      for (size_t i = 0; i < reference.size(); ++i) {
        for (int c = 0; c < reference[i].num_compartments(); ++c) {
          const double difference = std::fabs(reference[i].v_mv(c) - tile.v_mv(c, i));
          if (!(difference <= worst)) worst = difference;
        }
        highest = std::max(highest, tile.v_mv(0, i));
      }
    }
    EXPECT_LE(worst, drive.tolerance_mv);
    EXPECT_EQ(highest > 0.0, drive.spikes) << highest;
  }
}

TEST(StepRcsdTileTest, PinsMatchTheScalarReference) {
  for (const CellTemplate& cell : {Motoneuron(), Renshaw()}) {
    const RcsdShape shape = ShapeOf(cell);
    const std::vector<double> p = Derive(cell, kDtMs, -75.0).params;
    const ReferenceCell reference(cell, kDtMs);
    for (int c = 0; c < shape.num_compartments(); ++c) {
      const int at = c == 0 ? int{SomaParam::kPin}
                     : c <= shape.num_dend
                         ? shape.dend_param(c - 1) + DendParam::kPin
                         : shape.axon_param(c - 1 - shape.num_dend) + AxonParam::kPin;
      ExpectNear(p[at], reference.pin_ma_cm2(c), 1e-12);
    }
  }
}

TEST(StepRcsdTileTest, ReportsOneCrossingAsTheSomaRises) {
  Tile tile({Motoneuron()});
  const double threshold = Motoneuron().threshold_mv;
  std::vector<int> crossings, expected;
  double before = -1e9;
  for (int step = 0; step < 3000; ++step) {
    const double v = tile.v_mv(0, 0);
    if (v > threshold && !(before > threshold)) expected.push_back(step);
    before = v;
    tile.density(0, 0) = 0.4 * 1e2 / 306.5381851518155;
    if (tile.Step() & 1) crossings.push_back(step);
  }
  EXPECT_GE(expected.size(), 2u);
  EXPECT_EQ(crossings, expected);
}

TEST(StepRcsdTileTest, AVoltageAtTheThresholdIsNotAboveIt) {
  Tile tile({Motoneuron()});
  tile.state(SomaState::kV, 0) = -37.0;
  tile.state(SomaState::kV, 1) = std::nextafter(-37.0, 0.0);
  EXPECT_EQ(tile.Step() & 3, 2u);
}

TEST(StepRcsdTileTest, LanesDoNotSeeEachOther) {
  const CellTemplate other = MakeCellTemplate(CellKind::kMotoneuron, 1.2);
  for (int lane = 0; lane < Tile::kLanes; ++lane) {
    // One odd lane among equal ones, driven to spike and then ruined.
    std::vector<CellTemplate> cells(Tile::kLanes, Motoneuron());
    cells[lane] = other;
    Tile mixed(cells);
    Tile plain({Motoneuron()});
    Tile odd({other});
    mixed.density(0, lane) = odd.density(0, 0) = 0.5;
    for (int step = 0; step < 400; ++step) {
      mixed.Step();
      plain.Step();
      odd.Step();
      if (step == 300) {
        for (int v = 0; v < mixed.group().shape.spikes_state(); ++v) {
          ASSERT_EQ(mixed.state(v, lane), odd.state(v, 0)) << "variable " << v;
        }
        mixed.state(SomaState::kV, lane) = std::numeric_limits<double>::quiet_NaN();
      }
    }
    EXPECT_TRUE(std::isnan(mixed.state(SomaState::kV, lane)));
    for (int i = 0; i < Tile::kLanes; ++i) {
      if (i == lane) continue;
      for (int v = 0; v < mixed.group().shape.spikes_state(); ++v) {
        ASSERT_EQ(mixed.state(v, i), plain.state(v, 0)) << "lane " << i << " variable " << v;
      }
    }
  }
}

TEST(StepRcsdTileTest, NoiseMovesOnlyWhereANormalIsGiven) {
  for (const CellTemplate& cell : {Motoneuron(), Renshaw()}) {
    Tile tile({cell});
    NoiseParams& noise = tile.group().noise;
    noise.excitatory_on = noise.inhibitory_on = true;
    noise.g_e0 = 0.01;
    noise.g_i0 = 0.05;
    noise.decay_e = 0.9;
    noise.decay_i = 0.8;
    noise.amp_e = 0.001;
    noise.amp_i = 0.002;
    const RcsdShape& shape = tile.group().shape;
    const bool renshaw = shape.kind == CellKind::kRenshaw;
    const int e = shape.noise_state(renshaw ? 0 : 1), i = shape.noise_state(renshaw ? 1 : 0);
    std::vector<double> normals(2 * Tile::kLanes, 1.5);
    normals[3] = normals[Tile::kLanes + 3] = std::numeric_limits<double>::quiet_NaN();
    tile.Step();
    EXPECT_EQ(tile.state(e, 0), 0.0);
    tile.Step(normals.data());
    EXPECT_DOUBLE_EQ(tile.state(e, 0), 0.0015);
    EXPECT_DOUBLE_EQ(tile.state(i, 0), 0.003);
    EXPECT_EQ(tile.state(e, 3), 0.0);
    EXPECT_EQ(tile.state(i, 3), 0.0);
    tile.Step(normals.data());
    EXPECT_DOUBLE_EQ(tile.state(e, 0), 0.0015 * 0.9 + 0.0015);
    EXPECT_DOUBLE_EQ(tile.state(i, 0), 0.003 * 0.8 + 0.003);
    EXPECT_NE(tile.v_mv(0, 0), tile.v_mv(0, 3));
  }
}

TEST(StepRcsdTileTest, ANegativeNoiseConductanceIsNone) {
  Tile tile({Motoneuron()});
  Tile off({Motoneuron()});
  NoiseParams& noise = tile.group().noise;
  noise.excitatory_on = noise.inhibitory_on = true;
  noise.decay_e = noise.decay_i = 1.0;
  for (int lane = 0; lane < Tile::kLanes; ++lane) {
    tile.state(tile.group().shape.noise_state(0), lane) = -1.0;
    tile.state(tile.group().shape.noise_state(1), lane) = -1.0;
  }
  for (int step = 0; step < 50; ++step) {
    tile.Step();
    off.Step();
  }
  EXPECT_EQ(tile.v_mv(0, 0), off.v_mv(0, 0));
}

TEST(ScalarExpTest, IsTheKernelsExponential) {
  EXPECT_EQ(ScalarExp(0.0), 1.0);
  ExpectNear(ScalarExp(-0.5), std::exp(-0.5), 1e-15);
  EXPECT_TRUE(std::isnan(ScalarExp(std::numeric_limits<double>::quiet_NaN())));
}

// The same cells with tables and without.
TEST(StepRcsdTileTest, TablesStayNearTheExactFunctions) {
  for (const Drive& drive : Drives()) {
    SCOPED_TRACE(drive.name);
    Tile exact(drive.cells), tables(drive.cells);
    tables.group().tables = MakeRcsdTables(kDtMs);
    double worst = 0.0;
    for (int step = 0; step < 1600; ++step) {
      for (Tile* tile : {&exact, &tables}) {
        for (int lane = 0; lane < Tile::kLanes; ++lane) {
          const int c = drive.compartment;
          tile->density(c, lane) =
              step < 200
                  ? 0.0
                  : drive.current_na * tile->param(tile->group().shape.per_area_param(c), lane);
        }
        tile->Step();
      }
      for (int c = 0; c < exact.group().shape.num_compartments(); ++c) {
        const double difference = std::fabs(exact.v_mv(c, 0) - tables.v_mv(c, 0));
        if (!(difference <= worst)) worst = difference;
      }
    }
    EXPECT_LE(worst, drive.spikes ? 1e-2 : 1e-8);
  }
}

TEST(StepRcsdTileTest, ALaneOutsideTheTablesIsComputedExactlyAndDisturbsNobody) {
  Tile quiet({Motoneuron()}), odd({Motoneuron()}), exact({Motoneuron()});
  for (Tile* tile : {&quiet, &odd}) tile->group().tables = MakeRcsdTables(kDtMs);
  const RcsdShape shape = ShapeOf(Motoneuron());
  for (Tile* tile : {&odd, &exact}) {
    tile->state(shape.voltage_state(3), 5) = 190.0;
    tile->state(shape.voltage_state(0), 2) = -140.0;
    tile->state(shape.dend_state(0) + DendState::kUK, 6) = 3.0;
    tile->state(shape.axon_state(1) + AxonState::kUNa, 7) = -2.0;
  }
  for (int step = 0; step < 40; ++step) {
    quiet.Step();
    odd.Step();
    exact.Step();
  }
  for (int c = 0; c < shape.num_compartments(); ++c) {
    for (int lane : {0, 1, 3, 4}) EXPECT_EQ(odd.v_mv(c, lane), quiet.v_mv(c, lane)) << lane;
    for (int lane : {2, 5, 6, 7}) EXPECT_NEAR(odd.v_mv(c, lane), exact.v_mv(c, lane), 1e-6) << lane;
  }
}

}  // namespace
}  // namespace livnd::sim
