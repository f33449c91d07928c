// The point neurons' vector code beside scalar loops over the equations, closed forms, and the order
// of convergence. Traces of livn and Brian2 are compared in tests/point.
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <vector>

#include "base/field_error.h"
#include "base/field_error_matchers.h"
#include "gtest/gtest.h"
#include "sim/cell/point/glif_model.h"
#include "sim/cell/point/izhikevich_model.h"
#include "sim/cell/point/point_params.h"
#include "sim/simd/tile_lanes.h"

namespace livnd::sim {
namespace {

using testing::HasSubstr;

// Eight cells of one model that a test advances by itself.
class Tile {
 public:
  Tile(PointModel& model, const std::vector<CellParams>& cells) : model_(model) {
    const int first_slot = model.spikes_state() + 1;
    const int num_variables = model.PlaceSlots(first_slot);
    params_.resize(model.num_params() * kTileLanes);
    state_.resize(num_variables * kTileLanes);
    for (int lane = 0; lane < kTileLanes; ++lane) {
      const CellParams& cell = cells[lane % cells.size()];
      for (size_t p = 0; p < cell.params.size(); ++p) {
        params_[p * kTileLanes + lane] = cell.params[p];
      }
      for (size_t v = 0; v < cell.initial_state.size(); ++v) {
        state_[v * kTileLanes + lane] = cell.initial_state[v];
      }
    }
  }

  double& State(int variable, int lane) { return state_[variable * kTileLanes + lane]; }
  double V(int lane) { return State(PointState::kV, lane); }

  uint32_t Step(const double* drive_pa, const double* normals = nullptr) {
    const int param_tile = 0;
    TileBatch tile;
    tile.num_tiles = 1;
    tile.params = params_.data();
    tile.param_tile = &param_tile;
    tile.state = state_.data();
    tile.drive = drive_pa;
    tile.normals = normals;
    uint8_t mark = 0;
    tile.marks = &mark;
    // As a gang does for states that are put there from outside.
    model_.Prepare(tile);
    uint8_t crossed = 0;
    model_.StepTiles(tile, &crossed);
    return crossed;
  }

 private:
  PointModel& model_;
  std::vector<double> params_, state_;
};

double Uniform(std::mt19937& random, double low, double high) {
  return low + (high - low) * (random() / 4294967296.0);
}

// Currents of eight lanes that change every few milliseconds.
std::vector<double> RandomCurrents(std::mt19937& random, double low, double high) {
  std::vector<double> currents(kTileLanes);
  for (double& x : currents) x = Uniform(random, low, high);
  return currents;
}

GlifParams RandomGlif(std::mt19937& random, int level) {
  GlifParams p;
  p.tau_m = Uniform(random, 2.0, 30.0);
  p.e_l = Uniform(random, -80.0, -60.0);
  p.g_l = Uniform(random, 1.0, 20.0);
  p.v_threshold_base = p.e_l + Uniform(random, 10.0, 30.0);
  p.theta_decay_rate = Uniform(random, 0.01, 1.0);
  p.theta_jump = Uniform(random, 0.0, 8.0);
  p.asc_amp_1 = Uniform(random, -20.0, 20.0);
  p.asc_amp_2 = Uniform(random, -30.0, 5.0);
  p.asc_decay_rate_1 = Uniform(random, 0.05, 0.5);
  p.asc_decay_rate_2 = Uniform(random, 0.001, 0.05);
  p.f_v = Uniform(random, 0.0, 0.9);
  p.delta_v = Uniform(random, 0.0, 5.0);
  p.t_ref = Uniform(random, 0.0, 8.0);
  p.a_v = Uniform(random, 0.0, 0.01);
  p.b_v = Uniform(random, 0.001, 0.05);
  p.asc_r = Uniform(random, 0.0, 1.0);
  ApplyGlifLevel(level, p);
  return p;
}

// The equations of glif_model.h, one cell, written out.
struct ScalarGlif {
  GlifParams p;
  double dt;
  double v = p.e_l, theta_s = 0, theta_v = 0, asc_1 = 0, asc_2 = 0, i_syn = 0, g_syn = 0;
  int64_t tick = 0, last = -1000000;

  bool Step(double current, double tau_i, double tau_g, double reversal) {
    const bool moves = tick - last >= static_cast<int64_t>(p.t_ref / dt + 1e-3);
    const double all = current + i_syn + g_syn * (reversal - v) + asc_1 + asc_2;
    const double dv = (-(v - p.e_l) + all / p.g_l) / p.tau_m;
    const double dtheta_v = p.a_v * (v - p.e_l) - p.b_v * theta_v;
    if (moves) {
      v += dt * dv;
      theta_v += dt * dtheta_v;
    }
    theta_s -= dt * p.theta_decay_rate * theta_s;
    asc_1 -= dt * p.asc_decay_rate_1 * asc_1;
    asc_2 -= dt * p.asc_decay_rate_2 * asc_2;
    i_syn -= dt * i_syn / tau_i;
    g_syn -= dt * g_syn / tau_g;
    const bool spike = moves && v > p.v_threshold_base + theta_s + theta_v;
    if (spike) {
      last = tick;
      v = p.e_l + p.f_v * (v - p.e_l) - p.delta_v;
      theta_s += p.theta_jump * std::exp(p.theta_decay_rate * p.t_ref);
      asc_1 = asc_1 * p.asc_r + p.asc_amp_1 * std::exp(p.asc_decay_rate_1 * p.t_ref);
      asc_2 = asc_2 * p.asc_r + p.asc_amp_2 * std::exp(p.asc_decay_rate_2 * p.t_ref);
    }
    ++tick;
    return spike;
  }
};

TEST(GlifModelTest, EqualsTheEquationsOfEveryLevel) {
  std::mt19937 random(1);
  for (int level = kMinGlifLevel; level <= kMaxGlifLevel; ++level) {
    GlifModel model(0.025);
    const int current_slot = model.AddSlot(false, 4.0, 0.0);
    const int conductance_slot = model.AddSlot(true, 7.0, -80.0);
    std::vector<CellParams> cells;
    std::vector<ScalarGlif> scalars;
    for (int lane = 0; lane < kTileLanes; ++lane) {
      const GlifParams p = RandomGlif(random, level);
      ASSERT_TRUE(CheckGlifParams(p, 0.025).ok());
      cells.push_back(model.Derive(p, 0.0));
      scalars.push_back({p, 0.025});
    }
    Tile tile(model, cells);
    std::vector<double> currents;
    int num_spikes = 0;
    for (int step = 0; step < 8000; ++step) {
      if (step % 400 == 0) currents = RandomCurrents(random, -50.0, 900.0);
      const uint32_t spikes = tile.Step(currents.data());
      for (int lane = 0; lane < kTileLanes; ++lane) {
        ScalarGlif& scalar = scalars[lane];
        const bool spike = scalar.Step(currents[lane], 4.0, 7.0, -80.0);
        num_spikes += spike;
        ASSERT_EQ(spikes >> lane & 1, spike) << "level " << level << " step " << step;
        ASSERT_NEAR(tile.V(lane), scalar.v, 1e-9) << "level " << level << " step " << step;
        ASSERT_NEAR(tile.State(GlifState::kThetaS, lane), scalar.theta_s, 1e-9);
        ASSERT_NEAR(tile.State(GlifState::kThetaV, lane), scalar.theta_v, 1e-9);
        ASSERT_NEAR(tile.State(GlifState::kAsc1, lane), scalar.asc_1, 1e-9);
        ASSERT_NEAR(tile.State(GlifState::kAsc2, lane), scalar.asc_2, 1e-9);
        if (random() % 400 == 0) {
          tile.State(model.slots()[current_slot].state, lane) += 80.0;
          tile.State(model.slots()[conductance_slot].state, lane) += 3.0;
          scalar.i_syn += 80.0;
          scalar.g_syn += 3.0;
        }
      }
    }
    EXPECT_GT(num_spikes, 50) << "level " << level;
  }
}

TEST(IzhikevichModelTest, EqualsTheEquations) {
  std::mt19937 random(2);
  IzhikevichModel model(0.025);
  const int slot = model.AddSlot(false, 4.0, 0.0);
  std::vector<IzhikevichParams> params;
  std::vector<CellParams> cells;
  std::vector<double> v, u, i_syn(kTileLanes, 0.0);
  for (int lane = 0; lane < kTileLanes; ++lane) {
    params.push_back(IzhikevichCell(lane % 2 == 0, Uniform(random, 0.0, 1.0)));
    cells.push_back(model.Derive(params.back(), 0.0));
    v.push_back(-65.0);
    u.push_back(params.back().b * -65.0);
  }
  Tile tile(model, cells);
  std::vector<double> currents;
  int num_spikes = 0;
  for (int step = 0; step < 20000; ++step) {
    if (step % 400 == 0) currents = RandomCurrents(random, -5.0, 30.0);
    const uint32_t spikes = tile.Step(currents.data());
    for (int lane = 0; lane < kTileLanes; ++lane) {
      const IzhikevichParams& p = params[lane];
      const double dv =
          0.04 * v[lane] * v[lane] + 5.0 * v[lane] + 140.0 - u[lane] + currents[lane] + i_syn[lane];
      const double du = p.a * (p.b * v[lane] - u[lane]);
      v[lane] += 0.025 * dv;
      u[lane] += 0.025 * du;
      i_syn[lane] -= 0.025 * i_syn[lane] / 4.0;
      const bool spike = v[lane] > 30.0;
      if (spike) {
        v[lane] = p.c;
        u[lane] += p.d;
      }
      num_spikes += spike;
      ASSERT_EQ(spikes >> lane & 1, spike) << "step " << step;
      ASSERT_NEAR(tile.V(lane), v[lane], 1e-7) << "step " << step;
      ASSERT_NEAR(tile.State(IzhikevichState::kU, lane), u[lane], 1e-8);
      if (random() % 800 == 0) {
        tile.State(model.slots()[slot].state, lane) += 15.0;
        i_syn[lane] += 15.0;
      }
    }
  }
  EXPECT_GT(num_spikes, 200);
}

// Ticks of the spikes of lane 0 under a constant current.
std::vector<int64_t> SpikeTicks(PointModel& model, const CellParams& cell, double current_pa,
                                int64_t num_steps) {
  Tile tile(model, {cell});
  const std::vector<double> drive(kTileLanes, current_pa);
  std::vector<int64_t> ticks;
  for (int64_t step = 0; step < num_steps; ++step) {
    if ((tile.Step(drive.data()) & 1) != 0) ticks.push_back(step);
  }
  return ticks;
}

// t_1 = tau ln(x / (x - theta)), and the same from the reset value after each cut.
TEST(GlifModelTest, TheLeakyNeuronsHaveTheirClosedForm) {
  for (const double dt : {0.025, 0.0125, 0.00625}) {
    GlifModel model(dt);
    const GlifParams lif = LifParams();
    const std::vector<int64_t> lif_ticks =
        SpikeTicks(model, model.Derive(lif, 0.0), 200.0, std::lround(100.0 / dt));
    ASSERT_GE(lif_ticks.size(), 2u);
    EXPECT_NEAR(lif_ticks[0] * dt, 10.0 * std::log(20.0 / 5.0), 3 * dt);
    EXPECT_NEAR((lif_ticks[1] - lif_ticks[0]) * dt, 10.0 * std::log(25.0 / 5.0), 3 * dt);

    GlifParams one;
    ApplyGlifLevel(1, one);
    const std::vector<int64_t> ticks =
        SpikeTicks(model, model.Derive(one, 0.0), 200.0, std::lround(100.0 / dt));
    ASSERT_GE(ticks.size(), 2u);
    const double x = 200.0 / one.g_l, theta = one.v_threshold_base - one.e_l;
    const double rise = one.tau_m * std::log(x / (x - theta));
    EXPECT_NEAR(ticks[0] * dt, rise, 3 * dt);
    EXPECT_NEAR((ticks[1] - ticks[0]) * dt, rise + one.t_ref, 3 * dt);
  }
}

// When V - threshold of an equal cell that cannot spike passes zero, by linear interpolation.
double FirstCrossing(GlifParams p, double current_pa, double dt) {
  const double base = p.v_threshold_base;
  p.v_threshold_base = 900.0;
  GlifModel model(dt);
  Tile tile(model, {model.Derive(p, 0.0)});
  const std::vector<double> drive(kTileLanes, current_pa);
  double before = tile.V(0) - base;
  for (int64_t step = 0; step < 4000000; ++step) {
    tile.Step(drive.data());
    const double after = tile.V(0) - base - tile.State(GlifState::kThetaV, 0);
    if (after > 0.0) return (step + before / (before - after)) * dt;
    before = after;
  }
  return NAN;
}

// V and Theta_v under a constant current from rest, in closed form, and where they meet.
double ExactFirstSpike(const GlifParams& p, double current_pa) {
  const double rise = current_pa / p.g_l, k = 1.0 / p.tau_m;
  const auto excess = [&](double t) {
    const double v = p.e_l + rise * (1.0 - std::exp(-k * t));
    // dTheta/dt = a rise (1 - e^-kt) - b Theta.
    const double theta_v = p.a_v * rise *
                           ((1.0 - std::exp(-p.b_v * t)) / p.b_v -
                            (std::exp(-k * t) - std::exp(-p.b_v * t)) / (p.b_v - k));
    return v - p.v_threshold_base - (p.b_v > 0.0 ? theta_v : 0.0);
  };
  double low = 0.0, high = 100.0;
  for (int i = 0; i < 200; ++i) {
    const double middle = 0.5 * (low + high);
    (excess(middle) > 0.0 ? high : low) = middle;
  }
  return low;
}

TEST(GlifModelTest, FirstSpikesConvergeWithTheStep) {
  for (const int level : {1, 2, 3, 4, 5}) {
    for (const double current_pa : {180.0, 260.0, 500.0}) {
      GlifParams p;
      ApplyGlifLevel(level, p);
      const double exact = ExactFirstSpike(p, current_pa);
      double last = std::fabs(FirstCrossing(p, current_pa, 0.05) - exact);
      for (const double dt : {0.025, 0.0125, 0.00625}) {
        const double error = std::fabs(FirstCrossing(p, current_pa, dt) - exact);
        EXPECT_GT(last / error, 1.7) << "level " << level << ", " << current_pa << " pA, " << dt;
        EXPECT_LT(last / error, 2.2) << "level " << level << ", " << current_pa << " pA, " << dt;
        last = error;
      }
      EXPECT_LT(last, 0.02);
    }
  }
}

// Izhikevich's voltage runs away before a spike, so its time is that of reaching any high value:
// errors of the first spike, against a step 64 times finer, halve with the step.
TEST(IzhikevichModelTest, FirstSpikesConvergeWithTheStep) {
  const auto first = [](double dt, double current_pa) {
    IzhikevichModel model(dt);
    Tile tile(model, {model.Derive(IzhikevichCell(true, 0.3), 0.0)});
    const std::vector<double> drive(kTileLanes, current_pa);
    double before = tile.V(0);
    for (int64_t step = 0;; ++step) {
      tile.Step(drive.data());
      const double after = tile.V(0);
      if (after > 0.0) return (step + before / (before - after)) * dt;
      before = after;
    }
  };
  for (const double current_pa : {8.0, 15.0, 30.0}) {
    // First order: what is left of the finest step's error is 1/63 of the coarsest one's.
    const double exact = 2.0 * first(0.05 / 512.0, current_pa) - first(0.05 / 256.0, current_pa);
    double last = std::fabs(first(0.05, current_pa) - exact);
    for (const double dt : {0.025, 0.0125, 0.00625}) {
      const double error = std::fabs(first(dt, current_pa) - exact);
      EXPECT_GT(last / error, 1.7) << current_pa << " pA, " << dt;
      EXPECT_LT(last / error, 2.2) << current_pa << " pA, " << dt;
      last = error;
    }
  }
}

TEST(PointModelTest, ANormalNumberReplacesTheNoiseAndNanKeepsIt) {
  GlifModel model(0.025);
  Tile tile(model, {model.Derive(GlifParams(), 7.0)});
  std::vector<double> normals(2 * kTileLanes, 0.5);
  normals[3] = NAN;
  tile.Step(nullptr, normals.data());
  EXPECT_EQ(tile.State(PointState::kNoise, 0), 3.5);
  EXPECT_EQ(tile.State(PointState::kNoise, 3), 0.0);
  tile.Step(nullptr);
  EXPECT_EQ(tile.State(PointState::kNoise, 0), 3.5);
  EXPECT_GT(tile.V(0), tile.V(3));
}

TEST(PointModelTest, EqualKineticsShareASlot) {
  GlifModel model(0.025);
  EXPECT_EQ(model.AddSlot(false, 5.0, 0.0), 0);
  EXPECT_EQ(model.AddSlot(true, 5.0, 0.0), 1);
  EXPECT_EQ(model.AddSlot(true, 5.0, -80.0), 2);
  EXPECT_EQ(model.AddSlot(false, 5.0, 0.0), 0);
  EXPECT_EQ(model.num_slots(), 3);
  EXPECT_EQ(model.PlaceSlots(10), 13);
  EXPECT_EQ(model.slot(2).state, 12);
}

// A current that never decays: livn's Brian2 form.
TEST(PointModelTest, AnInfiniteTimeConstantKeepsTheCurrent) {
  GlifModel model(0.025);
  const int slot = model.AddSlot(false, INFINITY, 0.0);
  Tile tile(model, {model.Derive(GlifParams(), 0.0)});
  tile.State(model.slots()[slot].state, 0) = 12.5;
  for (int i = 0; i < 1000; ++i) tile.Step(nullptr);
  EXPECT_EQ(tile.State(model.slots()[slot].state, 0), 12.5);
}

TEST(PointParamsTest, TheDrawIsNumpys) {
  // numpy.random.RandomState(123).uniform(size=3), RandomState(4294967295).uniform(size=2)
  const std::vector<double> draws = IzhikevichDraws(123, 3);
  EXPECT_NEAR(draws[0], 0.69646919, 5e-9);
  EXPECT_NEAR(draws[1], 0.28613933, 5e-9);
  EXPECT_NEAR(draws[2], 0.22685145, 5e-9);
  EXPECT_NEAR(IzhikevichDraws(4294967295u, 2)[1], 0.91238285, 5e-9);
  // livn's first three excitatory cells at seed 123.
  EXPECT_NEAR(IzhikevichCell(true, draws[0]).c, -57.72396010, 5e-9);
  EXPECT_NEAR(IzhikevichCell(true, draws[1]).d, 7.50874569, 5e-9);
}

TEST(PointParamsTest, RefusesWhatItDoesNotKnowOrTake) {
  GlifParams glif;
  EXPECT_TRUE(SetGlifParam(glif, "tau_m", 12.0).ok());
  EXPECT_EQ(glif.tau_m, 12.0);
  absl::Status s = SetGlifParam(glif, "tau", 12.0);
  EXPECT_THAT(s, IsFieldError("tau", kUnknownName, HasSubstr("V_threshold_base")));
  s = SetGlifParam(glif, "g_L", 0.0);
  EXPECT_THAT(s, IsFieldError("g_L", "0", HasSubstr("nS")));
  EXPECT_FALSE(SetGlifParam(glif, "t_ref", NAN).ok());
  IzhikevichParams izhikevich;
  EXPECT_TRUE(SetIzhikevichParam(izhikevich, "u_init", 0.0).ok());
  EXPECT_FALSE(SetIzhikevichParam(izhikevich, "c", 31.0).ok());
  EXPECT_FALSE(SetIzhikevichParam(izhikevich, "e", 0.0).ok());
}

TEST(PointParamsTest, RefusesWhatDoesNotFitTheStep) {
  GlifParams p;
  EXPECT_TRUE(CheckGlifParams(p, 0.025).ok());
  p.tau_m = 0.02;
  EXPECT_THAT(CheckGlifParams(p, 0.025), IsFieldError("tau_m", "0.02", HasSubstr("0.025")));
  p = GlifParams();
  p.theta_decay_rate = 41.0;
  EXPECT_FALSE(CheckGlifParams(p, 0.025).ok());
  p.theta_decay_rate = 10.0;
  EXPECT_THAT(CheckGlifParams(p, 0.025),
              IsFieldError("theta_decay_rate", "10", HasSubstr("at most 50")));
  p.theta_jump = 0.0;
  EXPECT_TRUE(CheckGlifParams(p, 0.025).ok());
}

}  // namespace
}  // namespace livnd::sim
